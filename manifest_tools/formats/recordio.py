"""RecordIO as im2rec makes it, and SageMaker's built-in algorithm reads it: .rec, .idx, .lst."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from manifest_tools.base.errors import BadData
from manifest_tools.formats.label_numbers import numbers_of
from manifest_tools.formats.protocol import Files, NotPacked, Packed, Shard, WriteOptions
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
    """Write three files for each part, with one record a picture; cut into shards, NAME-000000 and so on.

    The id and the key of a record are the number of the picture. A single label stands in the header, as a
    float; several become a vector of ``num_classes`` zeros and ones. Paths in the .lst leave out the folder
    that all pictures of the part share.
    """
    sizes: dict[str, int] = {}
    cut_up = options.shard is not None
    write_one = _write_shards if cut_up else _write_part
    counts = [write_one(part, data, sink, options, sizes) for part in data.parts]
    return {
        "pictures": sum(counts),
        "label_width": data.table.num_classes if data.label_kind == "multi_label" else 1,
        "files": sizes,
    }


def _write_part(part: str, data: DataSet, sink: Files, options: WriteOptions, sizes: dict[str, int]) -> int:
    """Return how many records were written, and add the bytes of each file to ``sizes``."""
    rec, idx, lst = (sink.open(part, ending) for ending in (".rec", ".idx", ".lst"))
    written = dict.fromkeys((".rec", ".idx", ".lst"), 0)
    count = 0
    for shard in options.packed(part, partial(pack_pictures, Layout.of(data, part))):
        index, rows = _beside(shard, written[".rec"])
        written[".idx"] += idx.write(index)
        written[".lst"] += lst.write(rows)
        written[".rec"] += shard.copy_to(rec)
        count += len(shard.packed)
    sizes |= {sink.name(part, ending): size for ending, size in written.items()}
    return count


def _write_shards(part: str, data: DataSet, sink: Files, options: WriteOptions, sizes: dict[str, int]) -> int:
    """Do what ``_write_part`` does, with three files a shard."""
    count = 0
    for shard in options.packed(part, partial(pack_pictures, Layout.of(data, part))):
        name = f"-{shard.number:06}"
        sink.begin_with(shard, part, f"{name}.rec").close()
        sizes[sink.name(part, f"{name}.rec")] = sum(packed.length for packed in shard.packed)
        for ending, text in zip((".idx", ".lst"), _beside(shard, 0), strict=True):
            with sink.open(part, name + ending) as stream:
                sizes[sink.name(part, name + ending)] = stream.write(text)
        count += len(shard.packed)
    return count


def _beside(shard: Shard, offset: int) -> tuple[bytes, bytes]:
    """Return the rows of the index and of the list of a shard that begins at ``offset``."""
    index = "".join(idx_line(packed.number, offset + packed.offset) for packed in shard.packed)
    return index.encode(), "".join(packed.line for packed in shard.packed).encode()


@dataclass(frozen=True, slots=True)
class Layout:
    """What all records of a part share."""

    label_kind: PictureLabelKind
    num_classes: int
    shared: int
    """Characters of the folder that all refs begin with; the .lst leaves them out."""

    @classmethod
    def of(cls, data: DataSet, part: str) -> "Layout":
        """Return the layout of a part."""
        return cls(data.label_kind, data.table.num_classes, len(data.parts[part].folder()))


def pack_pictures(
    layout: Layout, pictures: Iterator[tuple[Picture, bytes]], out: BinaryIO
) -> Iterator[Packed | NotPacked]:
    """Write a record for each picture, and yield its line of the .lst."""
    offset = 0
    for picture, encoded in pictures:
        labels = numbers_of(picture, layout.label_kind, layout.num_classes)
        try:
            line = lst_line(picture.number, labels, picture.ref[layout.shared :])
        except ValueError as error:
            yield NotPacked(picture.number, Unusable(UNNAMEABLE, str(error)))
            continue
        record = ImageRecord(picture.number, labels, encoded, layout.label_kind == "multi_label")
        length = out.write(frame(pack(record)))
        yield Packed(picture.number, str(picture.number), offset, length, line)
        offset += length
