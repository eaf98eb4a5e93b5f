"""Masks as YOLO's segments, and back: the outlines of the regions of each class, without the background."""

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import IO

import numpy as np
from msgspec.structs import replace

from manifest_tools.base.text import counted
from manifest_tools.formats.protocol import OverMasks
from manifest_tools.formats.yolo_labels import corners, label_text
from manifest_tools.groundtruth.annotations import Box, Mask, Picture
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.mask_classes import colours_of, mask_png, regions
from manifest_tools.images.outlines import outlines_of

_BACKGROUND = "background"
_WHITE = "#ffffff"  # what Ground Truth leaves where nobody painted


def background_of(table: ClassTable) -> frozenset[int]:
    """Return the class that stands for nothing, if there is one."""
    return frozenset(index for index, name in table.names if name.lower() == _BACKGROUND)


# ---- writing ----


@dataclass(frozen=True, slots=True)
class Segments:
    """What a mask becomes."""

    text: str
    """The label file."""

    unknown: int
    """Pixels of a colour that is no class."""


def segments_of(background: frozenset[int], picture: Picture, png: bytes) -> Segments:
    """Return the label file of a mask; raises Unusable for one that cannot be read."""
    colours = colours_of(png)
    listed = picture.mask.colours if picture.mask else ()
    height, width = colours.shape
    unknown, boxes = height * width, list[Box]()
    for index, pixels in regions(colours, listed):
        unknown -= int(np.count_nonzero(pixels))
        if index not in background:
            boxes += (Box(index, 0, 0, 0, 0, outline=(polygon,)) for polygon in outlines_of(pixels))
    return Segments(label_text(boxes, (width, height), outlined=True), unknown)


@dataclass(slots=True)
class SegmentTexts:
    """The label files of a part, waiting in a file until their pictures are copied."""

    colours: dict[int, str]
    """The colour of each class on the first mask that has one; of all parts."""

    stream: IO[bytes]
    """Where they wait; the parts share it."""

    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    unknown: int = 0
    """Masks with pixels of a colour that is no class."""

    def take(self, part: str, masks: OverMasks, table: ClassTable) -> None:
        """Make the label files of a part; a picture whose mask cannot be used has none."""
        self.stream.seek(0, os.SEEK_END)
        for picture, found in masks(part, partial(segments_of, background_of(table))):
            self.numbers.append(picture.number)
            self.starts.append(self.stream.tell())
            self.stream.write(found.text.encode())
            self.unknown += found.unknown > 0
            for index, colour in picture.mask.colours if picture.mask else ():
                if colour is not None:
                    self.colours.setdefault(index, colour)
        self.starts.append(self.stream.tell())

    def has(self, picture: Picture) -> bool:
        """Say whether the mask of a picture could be used."""
        at = bisect_left(self.numbers, picture.number)
        return at < len(self.numbers) and self.numbers[at] == picture.number

    def text(self, picture: Picture) -> bytes:
        """Return the label file of a picture."""
        at = bisect_left(self.numbers, picture.number)
        self.stream.seek(self.starts[at])
        return self.stream.read(self.starts[at + 1] - self.starts[at])

    def remarks(self, part: str) -> Iterator[str]:
        """Yield what is to be said."""
        where = f" of {part}" if part else ""
        if self.unknown:
            have = "has" if self.unknown == 1 else "have"
            yield (
                f"{counted(self.unknown, 'mask')}{where} {have} pixels of a colour that is no class:"
                " they are of no segment"
            )


# ---- reading ----


def with_mask(picture: Picture, table: ClassTable, colours: Mapping[int, str]) -> Picture:
    """Return a picture with its outlines as a mask, whose PNG is drawn when it is wanted."""
    assert picture.size is not None
    width, height = picture.size
    listed = tuple((index, colours[index]) for index, _ in table.names if index in colours)
    background = next((colours[index] for index in background_of(table) if index in colours), _WHITE)
    draw = partial(_drawn, picture.boxes, (int(width), int(height)), dict(colours), background)
    mask = Mask(f"{os.path.splitext(picture.ref)[0]}.png", listed, content=draw)
    return replace(picture, boxes=(), mask=mask)


def _drawn(boxes: Sequence[Box], size: tuple[int, int], colours: Mapping[int, str], background: str) -> bytes:
    return mask_png(
        [(box.class_index, box.outline or (corners(box),)) for box in boxes], size, colours, background
    )
