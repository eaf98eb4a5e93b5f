"""The channels of SageMaker's Semantic Segmentation: pictures as JPEG, and the class of each of their pixels.

``train/1.jpg`` has its mask in ``train_annotation/1.png``: one channel, in which a value is a class index, or
255, which the algorithm passes over. The palette of the PNG has the colours of the classes, for people.
"""

import io
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import counted
from manifest_tools.formats.protocol import OverMasks, WriteOptions
from manifest_tools.formats.safe_names import UniqueNames, file_name_of_own_stem
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.images.mask_classes import colour_number, colours_of, regions
from manifest_tools.io.folder_sink import Folder

IGNORED = 255
"""The value of a pixel that is of no class."""

_LAST = 253  # class index: the algorithm takes 254 classes
_CHANNELS = {"": "train", "training": "train"} | dict.fromkeys(("val", "valid", "dev"), "validation")
_LABEL_MAP = b'{"scale": "1"}\n'  # a value is a class index


def check(data: DataSet) -> None:
    """Raise BadData for class indices that the algorithm does not take."""
    for index, name in data.table.names:
        if index > _LAST:
            raise BadData(
                f"class {index} ({name}): semantic-segmentation takes indices of at most {_LAST}; type mtool"
                " rewrite to number the classes anew"
            )


def channels_of(parts: Iterable[str]) -> dict[str, str]:
    """Return the channel of each part.

    >>> channels_of(["training", "val", "test"]), channels_of(["train", "training"])
    ({'training': 'train', 'val': 'validation', 'test': 'test'}, {'train': 'train', 'training': 'training'})
    """
    parts = list(parts)
    wanted = [_CHANNELS.get(part, part) for part in parts]
    return {
        part: channel if wanted.count(channel) == 1 else part or channel
        for part, channel in zip(parts, wanted, strict=True)
    }


def write(data: DataSet, sink: Folder, options: WriteOptions) -> dict[str, Any]:
    """Write the folders of every part and its label map; a picture whose mask cannot be used is left out."""
    remarks: list[str] = []
    counts: dict[str, int] = {}
    for part, channel in channels_of(data.parts).items():
        for folder in (channel, f"{channel}_annotation"):
            sink.make_folder(folder)
        sink.write(f"label_map/{channel}_label_map.json", _LABEL_MAP)
        with TemporaryFile(prefix="mtool-") as spool:
            masks = _Masks(spool)
            masks.take(part, options.masks)
            counts[channel] = _write_part(part, channel, masks, sink, options)
        remarks += masks.remarks(part)
    classes = max((index for index, _ in data.table.names), default=0) + 1
    said = f"for the algorithm: num_classes={classes}, num_training_samples={counts.get('train', 0)}"
    if missing := [channel for channel in ("train", "validation") if channel not in counts]:
        said += f"; it wants a {' and a '.join(missing)} part as well"
    return {"pictures": sum(counts.values()), "files": {}, "remarks": [*remarks, said]}


def _write_part(part: str, channel: str, masks: "_Masks", sink: Folder, options: WriteOptions) -> int:
    count = 0
    for picture, copied in options.copied(part, _Paths(channel, masks).of):
        stem = os.path.splitext(copied.path)[0].removeprefix(f"{channel}/")
        png = masks.png(picture)
        masks.other_size += _size(png) != copied.size
        sink.write(f"{channel}_annotation/{stem}.png", png)
        count += 1
    return count


def class_png(picture: Picture, png: bytes) -> tuple[bytes, int]:
    """Return a mask with the class index of every pixel, and how many are of a colour that is no class.

    Raises Unusable for a mask that cannot be read.
    """
    from PIL import Image

    colours = colours_of(png)
    listed = picture.mask.colours if picture.mask else ()
    values = np.full(colours.shape, IGNORED, np.uint8)
    for index, pixels in regions(colours, listed):
        values[pixels] = index
    image = Image.fromarray(values).convert("L")
    image.putpalette(_palette(listed))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue(), int(np.count_nonzero(values == IGNORED))


def _palette(listed: Sequence[tuple[int, str | None]]) -> bytes:
    """Return 256 colours, so that a value has eight bits; those of no class are black."""
    palette = bytearray(3 * 256)
    for index, text in listed:
        if (number := colour_number(text)) is not None:
            palette[3 * index : 3 * index + 3] = number.to_bytes(3, "big")
    return bytes(palette)


def _size(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


@dataclass(slots=True)
class _Masks:
    """The masks of a part, waiting in a file until their pictures are copied; 16 bytes each in memory."""

    stream: IO[bytes]
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    unknown: int = 0
    pixels: int = 0
    other_size: int = 0

    def take(self, part: str, masks: OverMasks) -> None:
        """Make the masks of a part; one that cannot be used is not among them."""
        for picture, (png, unknown) in masks(part, class_png):
            self.numbers.append(picture.number)
            self.starts.append(self.stream.tell())
            self.stream.write(png)
            self.unknown += unknown > 0
            self.pixels += unknown
        self.starts.append(self.stream.tell())

    def has(self, picture: Picture) -> bool:
        """Say whether the mask of a picture could be used."""
        at = bisect_left(self.numbers, picture.number)
        return at < len(self.numbers) and self.numbers[at] == picture.number

    def png(self, picture: Picture) -> bytes:
        """Return the mask of a picture."""
        at = bisect_left(self.numbers, picture.number)
        self.stream.seek(self.starts[at])
        return self.stream.read(self.starts[at + 1] - self.starts[at])

    def remarks(self, part: str) -> list[str]:
        """Return what is to be said, a sentence each."""
        where = f" of {part}" if part else ""
        found = []
        if self.unknown:
            pixels = f"{counted(self.pixels, 'pixel')} of colours that are no class"
            found.append(f"{counted(self.unknown, 'mask')}{where} with {pixels}: {IGNORED}, which is ignored")
        if self.other_size:
            masks = counted(self.other_size, "mask")
            found.append(f"{masks}{where} of another size than the picture, written as they are")
        return found


@dataclass(slots=True)
class _Paths:
    """Where the pictures of a part go; no two have one name for their masks."""

    channel: str
    masks: _Masks
    stems: UniqueNames = field(default_factory=UniqueNames)

    def of(self, picture: Picture) -> str:
        """Return the path of a picture from the output folder."""
        if not self.masks.has(picture):
            return ""
        name = file_name_of_own_stem(picture.ref, picture.number, self.stems, as_it_is=False)
        return f"{self.channel}/{name}"
