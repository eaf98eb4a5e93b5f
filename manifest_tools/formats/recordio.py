"""RecordIO as im2rec makes it, and SageMaker's built-in algorithm reads it: .rec, .idx, .lst."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from manifest_tools.base.errors import BadData
from manifest_tools.formats.protocol import Files, NotPacked, Packed, WriteOptions
from manifest_tools.formats.recordio_read import read as read
from manifest_tools.groundtruth.annotations import DataSet, Picture, PictureLabelKind
from manifest_tools.images.unusable import UNNAMEABLE, Unusable
from manifest_tools.io.recordio import ImageRecord, frame, idx_line, lst_line, pack

# Classes; four bytes each, on every record. A single class is a 32-bit float, exact up to 1 << 24: no class
# table has as many.
_LONGEST_VECTOR = 1 << 16


def check(data: DataSet) -> None:
    """Raise BadData where the label vectors would be absurd."""
    classes = data.table.num_classes
    if data.label_kind == "multi_label" and classes > _LONGEST_VECTOR:
        raise BadData(
            f"expected at most {_LONGEST_VECTOR:,} classes, found {classes:,}: every record of a data set"
            " with several classes a picture has a number for each"
        )


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write three files for each part, with one record a picture.

    The id and the key of a record are the number of the picture. A single label stands in the header, as a
    float; several become a vector of ``num_classes`` zeros and ones. Paths in the .lst leave out the folder
    that all pictures of the part share.
    """
    counts = {part: _write_part(part, data, sink, options) for part in data.parts}
    return {
        "pictures": sum(count for count, _ in counts.values()),
        "label_width": data.table.num_classes if data.label_kind == "multi_label" else 1,
        "files": {
            sink.name(part, ending): size
            for part, (_, sizes) in counts.items()
            for ending, size in sizes.items()
        },
    }


def _write_part(part: str, data: DataSet, sink: Files, options: WriteOptions) -> tuple[int, dict[str, int]]:
    """Return how many records were written, and the bytes of each file by its ending."""
    rec, idx, lst = (sink.open(part, ending) for ending in (".rec", ".idx", ".lst"))
    sizes = dict.fromkeys((".rec", ".idx", ".lst"), 0)
    count = 0
    layout = Layout(data.label_kind, data.table.num_classes, len(data.parts[part].folder()))
    for shard in options.packed(part, partial(pack_pictures, layout)):
        for packed in shard.packed:
            sizes[".idx"] += idx.write(idx_line(packed.number, sizes[".rec"] + packed.offset).encode())
            sizes[".lst"] += lst.write(packed.line.encode())
        sizes[".rec"] += shard.copy_to(rec)
        count += len(shard.packed)
    return count, sizes


@dataclass(frozen=True, slots=True)
class Layout:
    """What all records of a part share."""

    label_kind: PictureLabelKind
    num_classes: int
    shared: int
    """Characters of the folder that all refs begin with; the .lst leaves them out."""


def pack_pictures(
    layout: Layout, pictures: Iterator[tuple[Picture, bytes]], out: BinaryIO
) -> Iterator[Packed | NotPacked]:
    """Write a record for each picture, and yield its line of the .lst."""
    offset = 0
    for picture, encoded in pictures:
        labels = label_values(layout, picture)
        try:
            line = lst_line(picture.number, labels, picture.ref[layout.shared :])
        except ValueError as error:
            yield NotPacked(picture.number, Unusable(UNNAMEABLE, str(error)))
            continue
        record = ImageRecord(picture.number, labels, encoded, layout.label_kind == "multi_label")
        length = out.write(frame(pack(record)))
        yield Packed(picture.number, str(picture.number), offset, length, line)
        offset += length


def label_values(layout: Layout, picture: Picture) -> tuple[float, ...]:
    """Return the labels of a record: the class, or zero or one for every class."""
    if layout.label_kind == "single_label":
        return (float(picture.classes[0]),)
    shown = set(picture.classes)
    return tuple(float(index in shown) for index in range(layout.num_classes))
