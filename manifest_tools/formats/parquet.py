"""Parquet with a column of pictures, as Hugging Face's ``datasets`` and hub have it.

A row has the picture (bytes, and KEY.jpg or KEY.png as its path, where KEY is the number of the line), its
label and, as JSON, all that the line says. Boxes are ``objects`` as the hub's detection data sets have them:
left, top, width and height in pixels. Several parts are ``data/PART-00000-of-00001.parquet`` in a folder:
``datasets`` finds splits of any name there.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, BinaryIO

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats.hugging_face import MOST_CLASSES, import_pyarrow, schema_of
from manifest_tools.formats.parquet_rows import read as read
from manifest_tools.formats.picture_json import PictureJson, Wording, picture_json
from manifest_tools.formats.protocol import Files, NotPacked, Packed, WriteOptions, shard_count
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.images.frame_size import frame_size
from manifest_tools.images.signatures import suffix_of
from manifest_tools.images.unusable import Unusable

_ENDING = ".parquet"
_GROUP, _GROUP_OF_NAMES = 64, 8192  # rows of a group: with pictures, and without
_GROUP_BYTES = 32 << 20  # of pictures, after which a group ends
_FRAME = struct.Struct("<QIIQI")  # number, width, height, bytes of the picture and of the JSON


def check(data: DataSet) -> None:
    """Raise BadData where the names of classes would be absurdly many, NotInstalled without pyarrow."""
    import_pyarrow()
    if data.table.num_classes > MOST_CLASSES:
        raise BadData(
            f"expected at most {MOST_CLASSES:,} classes, found {data.table.num_classes:,}: every Parquet file"
            " has a name for each index"
        )


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write a file for each part, or one for each shard of it."""
    check(data)
    sizes: dict[str, int] = {}
    pictures = sum(_write_part(part, data, sink, options, sizes) for part in data.parts)
    return {"pictures": pictures, "files": sizes}


def _write_part(part: str, data: DataSet, sink: Files, options: WriteOptions, sizes: dict[str, int]) -> int:
    place = f"data/{part}" if part else ""
    shards = shard_count(part, data, options)
    count = 0
    file: _File | None = None
    for number, rows in _rows(part, data, options):
        if file is None or options.shard:
            if file is not None:
                sizes[file.name] = file.close()
            ending = f"-{number:05}-of-{shards:05}{_ENDING}" if part or options.shard else _ENDING
            file = _File(
                sink.open(place, ending), sink.name(place, ending), schema_of(data.label_kind, data.table)
            )
        for row in rows:
            file.add(row)
            count += 1
    if file is None:  # a part without pictures
        ending = f"-00000-of-00001{_ENDING}" if part else _ENDING
        file = _File(
            sink.open(place, ending), sink.name(place, ending), schema_of(data.label_kind, data.table)
        )
    sizes[file.name] = file.close()
    return count


@dataclass(frozen=True, slots=True)
class _Row:
    """A picture as it stands in a file."""

    number: int
    size: tuple[int, int]
    """Width and height of one with boxes."""

    content: bytes | None
    """None for a picture that is only named."""

    path: str
    text: bytes
    """The JSON of its label."""


def _rows(part: str, data: DataSet, options: WriteOptions) -> Iterator[tuple[int, Iterator[_Row]]]:
    """Yield the rows of a part, with the number of the shard that they belong to."""
    if options.beside:
        named = enumerate(_named(part, data, options))
        size = options.shard or _GROUP_OF_NAMES
        yield from (
            (number, (row for _, row in rows))
            for number, rows in groupby(named, lambda item: item[0] // size)
        )
        return
    for shard in options.packed(part, partial(pack_rows, Wording.of(data))):
        with open(shard.path, "rb", buffering=1 << 20) as file:
            file.seek(shard.offset)
            yield shard.number, _unpacked(file, len(shard.packed))


def _named(part: str, data: DataSet, options: WriteOptions) -> Iterator[_Row]:
    """Yield the rows of pictures that stay where they are; their keys are the numbers of the rows."""
    wording = Wording.of(data)
    for number, picture in enumerate(data.parts[part], 1):
        if picture.content is not None and not picture.ref.startswith("s3://"):
            raise Refused(
                f"--beside: {picture.ref} stands in a file of many, and has none itself; leave it out"
            )
        options.placed(part, picture.number, str(number))
        width, height = picture.size or (0, 0)
        yield _Row(picture.number, (int(width), int(height)), None, picture.ref, wording.text(picture))


def pack_rows(
    wording: Wording, pictures: Iterator[tuple[Picture, bytes]], out: BinaryIO
) -> Iterator[Packed | NotPacked]:
    """Write what a row needs, one behind the other: Parquet files cannot be put together from pieces."""
    offset = 0
    for picture, encoded in pictures:
        try:
            width, height = frame_size(encoded) if wording.kind == "boxes" else (0, 0)
        except Unusable as why:
            yield NotPacked(picture.number, why)
            continue
        text = wording.text(picture)
        length = out.write(_FRAME.pack(picture.number, width, height, len(encoded), len(text)))
        length += out.write(encoded) + out.write(text)
        yield Packed(picture.number, _key(picture.number), offset, length)
        offset += length


def _key(number: int) -> str:
    return f"{number:08}"


def _unpacked(file: BinaryIO, count: int) -> Iterator[_Row]:
    for _ in range(count):
        number, width, height, size, length = _FRAME.unpack(file.read(_FRAME.size))
        content = file.read(size)
        path = _key(number) + (suffix_of(content) or ".jpg")
        yield _Row(number, (width, height), content, path, file.read(length))


@dataclass(slots=True)
class _File:
    """A Parquet file that is being written, group of rows by group of rows."""

    stream: BinaryIO
    name: str
    schema: Any
    rows: list[_Row] = field(default_factory=list)
    held: int = 0
    """Bytes of the pictures in ``rows``."""

    objects: int = 0
    """Boxes so far: they are numbered over the whole file."""

    writer: Any = None

    def __post_init__(self) -> None:
        pa = import_pyarrow()
        # Pictures are compressed already; statistics and dictionaries of them would be copies.
        plain = [name for name in self.schema.names if name != "image"]
        self.writer = pa.parquet.ParquetWriter(
            self.stream,
            self.schema,
            compression={"ground_truth": "ZSTD"},
            use_dictionary=plain,
            write_statistics=plain,
        )

    def add(self, row: _Row) -> None:
        """Write a row, once its group is full."""
        self.rows.append(row)
        self.held += len(row.content or b"")
        most = _GROUP if row.content is not None else _GROUP_OF_NAMES
        if len(self.rows) >= most or self.held >= _GROUP_BYTES:
            self._flush()

    def close(self) -> int:
        """Write what is left, and return how many bytes the file has."""
        self._flush()
        self.writer.close()
        size = self.stream.tell()
        self.stream.close()
        return size

    def _flush(self) -> None:
        if not self.rows:
            return
        pa = import_pyarrow()
        columns = [self._column(name) for name in self.schema.names]
        arrays = [
            pa.array(column, type=field.type) for column, field in zip(columns, self.schema, strict=True)
        ]
        self.writer.write_table(pa.Table.from_arrays(arrays, schema=self.schema))
        self.rows, self.held = [], 0

    def _column(self, name: str) -> list[Any]:
        if name == "image":
            return [{"bytes": row.content, "path": row.path} for row in self.rows]
        if name == "ground_truth":
            return [row.text.decode() for row in self.rows]
        if name == "image_id":
            return [row.number for row in self.rows]
        if name in ("width", "height"):
            return [row.size[name == "height"] or None for row in self.rows]
        return [self._label(picture_json(row.text)) for row in self.rows]

    def _label(self, value: PictureJson | None) -> Any:
        assert value is not None
        if value.boxes is None:
            return value.label if value.labels is None else value.labels
        first, self.objects = self.objects + 1, self.objects + len(value.boxes)
        boxes = value.boxes
        return {
            "id": list(range(first, self.objects + 1)),
            "area": [float(box.width * box.height) for box in boxes],
            "bbox": [[float(edge) for edge in (box.left, box.top, box.width, box.height)] for box in boxes],
            "category": [box.class_id for box in boxes],
        }
