"""Reads Parquet files with a column of pictures: ours, and those of the hub and of others."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from manifest_tools.base.errors import BadData, MtoolError
from manifest_tools.base.text import shown
from manifest_tools.formats.hugging_face import GROUND_TRUTH, Columns, columns_of, import_pyarrow
from manifest_tools.formats.picture_json import PictureJson, described, picture_json
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.stored import files_of, ref_in
from manifest_tools.groundtruth.annotations import (
    Box,
    DataSet,
    Picture,
    PictureLabelKind,
    StreamedPictures,
)
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import MOST_CLASSES, class_table, default_name, numbered, renumbered
from manifest_tools.images.paths import is_below

_ENDING = ".parquet"
_OUR_PATH = re.compile(r"\d{8,}\.[a-z]{3,4}")
_ROWS = 1024  # that are decoded at a time, without their pictures
_LARGEST_GROUP = 1 << 30  # bytes of the pictures of a group of rows: they are read together
_NOT_LOST = frozenset(("image_id", "width", "height", GROUND_TRUTH))
_MOST_PIXELS = 10**15

Class = int | str
"""Of a column: an index, or a name."""


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a Parquet file, of all that a pattern stands for, or of each part in a folder.

    The column of pictures is found by the note of Hugging Face, or its type and name. A row that mtool wrote
    says all of its label. Of others the column of classes is taken; names are numbered as they are sorted, or
    as ``options.classes`` has them. Raises BadData for what is no Parquet, or has no pictures.
    """
    import_pyarrow()
    inside = os.path.join(place, "data")
    parts = files_of(inside if os.path.isdir(inside) else place, _ENDING, "a Parquet file")
    survey = _Survey(place)
    for paths in parts.values():
        for row in _rows(paths):
            survey.add(row)
    if not survey.pictures:
        raise BadData(f"{place}: expected rows with pictures, found none")
    table, indices = renumbered(class_table(survey.pairs), options.classes)
    named = numbered(sorted(survey.names), options.classes)
    if named:
        table = class_table((*table.names, *((index, name) for name, index in named.items())))
    attribute = options.label_attribute or survey.attribute or "label"
    check_attribute_name(attribute)
    reader = _Reader(indices, named, options.source_prefix)
    streams = {part: StreamedPictures(partial(reader.pictures, paths)) for part, paths in parts.items()}
    return DataSet(table, survey.kind or "single_label", streams, attribute, survey.lost)


@dataclass(frozen=True, slots=True)
class InRow:
    """The bytes of a picture in a row of a file; picklable. Neighbours are read together."""

    path: str
    column: str
    """The column with the bytes."""

    group: int
    row: int
    """In the group."""

    def __call__(self) -> bytes:
        """Return the bytes, none where the row has none; raises MtoolError for a file that has changed."""
        try:
            status = os.stat(self.path)
            version = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
            data = _pictures_of_group(self.path, version, self.column, self.group)[self.row].as_py()
        except (OSError, ValueError, IndexError) as error:
            raise MtoolError(f"{self.path}: changed while it was read ({error})") from error
        return data or b""


@lru_cache(maxsize=2)
def _pictures_of_group(path: str, version: tuple[int, ...], column: str, group: int) -> Any:
    """Return the bytes of the pictures of a group of rows; the last two groups are remembered.

    ``version`` tells a file from another one that had its name before.
    """
    pa = import_pyarrow()
    with pa.parquet.ParquetFile(path) as file:
        found = file.read_row_group(group, columns=[column]).column(0)
    return pa.compute.struct_field(found, [0]) if pa.types.is_struct(found.type) else found


@dataclass(frozen=True, slots=True)
class _Row:
    """A row without the bytes of its picture."""

    content: InRow | None
    path: str
    """What the file calls the picture; may be empty."""

    columns: Columns
    value: PictureJson | None = None
    """What mtool wrote."""

    classes: tuple[Class, ...] = ()
    boxes: tuple[tuple[Class, float, float, float, float], ...] = ()
    size: tuple[int, int] | None = None
    others: tuple[str, ...] = ()
    """Columns that no manifest has room for."""


def _rows(paths: Sequence[str]) -> Iterator[_Row]:
    pa = import_pyarrow()
    for path in paths:
        try:
            with pa.parquet.ParquetFile(path) as file:
                columns = columns_of(path, file.schema_arrow)
                for group in range(file.num_row_groups):
                    yield from _group(path, file, group, columns)
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise BadData(f"{path}: expected a Parquet file; {reason}") from error


def _group(path: str, file: Any, group: int, columns: Columns) -> Iterator[_Row]:
    """Yield the rows of a group; its pictures stay where they are."""
    content = f"{columns.image}.bytes" if columns.is_struct else columns.image
    has_bytes = _has_bytes(path, file.metadata.row_group(group), content)
    names = set(file.schema_arrow.names)
    wanted = [name for name in (columns.label, GROUND_TRUTH, "width", "height") if name in names]
    if columns.is_struct:
        wanted.append(f"{columns.image}.path")
    others = tuple(
        f"column {name}"
        for name in file.schema_arrow.names
        if name not in {columns.image, columns.label} | _NOT_LOST
    )
    number = 0
    for batch in file.iter_batches(_ROWS, row_groups=[group], columns=wanted or [content]):
        for value in batch.to_pylist():
            place = InRow(path, content, group, number) if has_bytes else None
            number += 1
            yield _row(path, place, value, columns, others)


def _has_bytes(path: str, metadata: Any, content: str) -> bool:
    """Say whether the rows of a group have the bytes of pictures, by the size of the column."""
    for at in range(metadata.num_columns):
        column = metadata.column(at)
        if column.path_in_schema == content:
            size = column.total_uncompressed_size
            if size > _LARGEST_GROUP:
                raise BadData(
                    f"{path}: expected groups of rows with at most {_LARGEST_GROUP >> 20} MB of pictures,"
                    f" found {size >> 20:,} MB; write it again with row_group_size=64"
                )
            return bool(size > 200 + 8 * metadata.num_rows)
    return False


def _row(
    path: str, content: InRow | None, value: Mapping[str, Any], columns: Columns, others: tuple[str, ...]
) -> _Row:
    picture = value.get(columns.image)
    name = (picture.get("path") if isinstance(picture, dict) else None) or ""
    ours = value.get(GROUND_TRUTH) if columns.is_described else None
    if isinstance(ours, str) and (found := _described(ours)) is not None:
        return _Row(content, name, columns, found)
    label = value.get(columns.label) if columns.label else None
    width, height = value.get("width"), value.get("height")
    size = (width, height) if isinstance(width, int) and isinstance(height, int) else None
    if columns.kind == "boxes":
        boxes = tuple(_boxes(path, label or {}, columns.category))
        return _Row(content, name, columns, boxes=boxes, size=size, others=others)
    classes = label if isinstance(label, list) else [label]
    return _Row(content, name, columns, classes=tuple(map(_known, filter(_is_known, classes))), others=others)


def _described(text: str) -> PictureJson | None:
    try:
        return picture_json(text.encode())
    except ValueError:
        return None


def _is_known(value: Any) -> bool:
    """Say whether a column has a class: -1 is that of test splits, which have none."""
    return value not in (None, "", -1)


def _known(value: Any) -> Class:
    if isinstance(value, int) and not 0 <= value < MOST_CLASSES:
        raise ValueError(f"expected class indices from 0 to {MOST_CLASSES - 1:,}, found {value}")
    return value if isinstance(value, int) else str(value)


def _boxes(
    path: str, objects: Mapping[str, Any], category: str
) -> Iterator[tuple[Class, float, float, float, float]]:
    places, classes = objects.get("bbox") or [], objects.get(category) or []
    if len(places) != len(classes):
        raise BadData(f"{path}: expected a class for each box, found {len(classes)} for {len(places)}")
    for place, name in zip(places, classes, strict=True):
        if len(place) != 4 or not all(edge is not None and abs(edge) < _MOST_PIXELS for edge in place):
            raise BadData(f"{path}: expected boxes of left, top, width and height, found {shown(str(place))}")
        if not _is_known(name):
            raise BadData(f"{path}: expected a class for each box, found none")
        left, top, width, height = place
        yield _known(name), left, top, width, height


@dataclass(slots=True)
class _Survey:
    """What the first pass finds."""

    place: str
    kind: PictureLabelKind | None = None
    attribute: str = ""
    pairs: dict[tuple[int, str], None] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    pictures: int = 0
    seen: Columns | None = None
    """Of the file that comes now: the names of its classes are taken once."""

    lost: dict[str, int] = field(default_factory=dict)

    def add(self, row: _Row) -> None:
        """Take a row."""
        for what in row.others:
            self._lose(what)
        if row.content is None and not row.path:
            self._lose("rows without a picture")
            return
        self.pictures += 1
        value = row.value
        kind, attribute = (value.kind, value.label_attribute) if value else (row.columns.kind, "")
        if self.kind not in (None, kind) or self.attribute not in ("", attribute):
            raise BadData(f"{self.place}: expected labels of one kind and attribute, found two")
        self.kind, self.attribute = kind, attribute
        if value is not None:
            self.pairs |= dict.fromkeys(value.pairs())
        for name in (*row.classes, *(box[0] for box in row.boxes)):
            if isinstance(name, str):
                self.names.add(name)
            else:
                self.pairs[name, _name(row.columns, name)] = None
        if row.columns is not self.seen:
            self.seen = row.columns
            named = enumerate(row.columns.names or ())
            self.pairs |= dict.fromkeys(pair for pair in named if pair[1] != default_name(pair[0]))

    def _lose(self, what: str) -> None:
        self.lost[what] = self.lost.get(what, 0) + 1


def _name(columns: Columns, index: int) -> str:
    names = columns.names or ()
    return names[index] if index < len(names) else default_name(index)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Gives the pictures of files whose classes are known."""

    indices: Mapping[int, int]
    named: Mapping[str, int]
    prefix: str

    def pictures(self, paths: Sequence[str]) -> Iterator[Picture]:
        """Yield the pictures of a part, numbered from 1."""
        number = 0
        for row in _rows(paths):
            if row.content is not None or row.path:
                number += 1
                yield self._picture(number, row)

    def _picture(self, number: int, row: _Row) -> Picture:
        inside = row.content is not None
        key = row.path.partition(".")[0] if inside and _OUR_PATH.fullmatch(row.path) else str(number)
        ref = self._ref(number, row)
        if row.value is not None:
            return described(row.value, self.indices, number, key, ref, row.content)
        boxes = tuple(
            Box(self._index(name), left, top, width, height) for name, left, top, width, height in row.boxes
        )
        classes = tuple(map(self._index, row.classes))
        return Picture(number, ref, size=row.size, classes=classes, boxes=boxes, key=key, content=row.content)

    def _index(self, name: Class) -> int:
        return self.named[name] if isinstance(name, str) else self.indices[name]

    def _ref(self, number: int, row: _Row) -> str:
        if row.value is not None and row.value.source_ref and not self.prefix:
            return row.value.source_ref
        if row.content is not None:
            return ref_in(self.prefix, row.path or f"{number:08}.jpg")
        if row.path.startswith("s3://"):
            return row.path
        if not is_below(row.path):
            raise BadData(f"expected an s3:// URI or a path below the file's folder, found {shown(row.path)}")
        return ref_in(self.prefix, row.path)
