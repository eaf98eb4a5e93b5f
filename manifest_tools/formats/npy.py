"""NumPy arrays: NAME.images.npy (pictures, height, width, 3) of uint8, NAME.labels.npy and NAME.classes.npy.

Labels are the class indices (int64), or for several classes a picture a zero or one for each index (uint8).
NAME.classes.npy has the names in the order of the indices, as text and not as objects, so nothing is pickled.
NAME.numbers.npy says which line of the manifest every row is.
"""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.formats.npy_arrays import read as read
from manifest_tools.formats.protocol import Files, NotPacked, Packed, WriteOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.npy_files import RowWriter

_MOST_CLASSES = 1 << 16


def check(data: DataSet) -> None:
    """Raise BadData where the names of classes are absurdly many, or no text of NumPy's."""
    if data.table.num_classes > _MOST_CLASSES:
        found = f"{data.table.num_classes:,}"
        raise BadData(f"expected at most {_MOST_CLASSES:,} classes, found {found}: each index has a name")
    if odd := next((name for _, name in data.table.names if name.endswith("\0")), None):
        raise BadData(
            f"expected names of classes that NumPy can hold, found one that ends in NUL: {shown(odd)}"
        )


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write four arrays for each part; raises Refused where pictures have different sizes."""
    check(data)
    sizes: dict[str, int] = {}
    pictures = sum(_write_part(part, data, sink, options, sizes) for part in data.parts)
    return {"pictures": pictures, "files": sizes}


def _write_part(part: str, data: DataSet, sink: Files, options: WriteOptions, sizes: dict[str, int]) -> int:
    opened = {name: sink.open(part, f".{name}.npy") for name in ("images", "labels", "classes", "numbers")}
    classes = data.table.num_classes if data.label_kind == "multi_label" else None
    labels = RowWriter(
        opened["labels"], "<i8" if classes is None else "|u1", () if classes is None else (classes,)
    )
    numbers = RowWriter(opened["numbers"], "<i8")
    images: RowWriter | None = None
    for shard in options.packed(part, pack_pixels):
        for packed in shard.packed:
            shape = _shape(packed.line.partition(" ")[0])
            images = images or RowWriter(opened["images"], "|u1", shape)
            if shape != images.inner:
                raise _two_sizes(images.inner, shape)
            labels.write(_label(packed, classes))
            numbers.write(np.int64(packed.number).tobytes())
        if images:
            shard.copy_to(images.target)
            images.rows += len(shard.packed)
    images = images or RowWriter(opened["images"], "|u1", (0, 0, 3))
    np.save(opened["classes"], np.array(data.table.labels, np.str_), allow_pickle=False)
    for name, writer in (("images", images), ("labels", labels), ("numbers", numbers)):
        sizes[sink.name(part, f".{name}.npy")] = writer.close()
    sizes[sink.name(part, ".classes.npy")] = opened["classes"].tell()
    return images.rows


def _shape(size: str) -> tuple[int, ...]:
    width, _, height = size.partition("x")
    return int(height), int(width), 3


def _two_sizes(one: Sequence[int], other: Sequence[int]) -> Refused:
    return Refused(
        f"npy: expected pictures of one size, found {one[1]} x {one[0]} and {other[1]} x {other[0]} pixels;"
        " type --resize N --square"
    )


def _label(packed: Packed, num_classes: int | None) -> bytes:
    """Return the row of a picture's label: its class, or zero or one for every class."""
    classes = [int(index) for index in packed.line.split()[1:]]
    if num_classes is None:
        return np.int64(classes[0]).tobytes()
    row = bytearray(num_classes)
    for index in classes:
        row[index] = 1
    return bytes(row)


def pack_pixels(pictures: Iterator[tuple[Picture, bytes]], out: BinaryIO) -> Iterator[Packed | NotPacked]:
    """Write the pixels of every picture, turned upright; its line is its size and its classes."""
    offset = 0
    for picture, encoded in pictures:
        try:
            width, height, pixels = _pixels(encoded)
        except Unusable as why:
            yield NotPacked(picture.number, why)
            continue
        length = out.write(pixels)
        line = " ".join([f"{width}x{height}", *map(str, picture.classes)])
        yield Packed(picture.number, str(picture.number), offset, length, line)
        offset += length


def _pixels(encoded: bytes) -> tuple[int, int, bytes]:
    """Return width, height and pixels of a picture in RGB; raises Unusable."""
    from manifest_tools.images.integrity import opened, orientation_of
    from manifest_tools.images.shrink import resized
    from manifest_tools.images.upright import turned

    with opened(encoded) as image:
        picture = turned(resized(image, 0, False), orientation_of(image))
        return (*picture.size, picture.tobytes())
