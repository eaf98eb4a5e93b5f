"""A table of pictures with their classes or boxes, as CSV: what spreadsheets, Kaggle and pandas have."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats.csv_rows import COLUMNS, Row, Table
from manifest_tools.formats.csv_writing import check, write
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, PictureLabelKind, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, agree, class_table, numbered
from manifest_tools.io.sources import open_bytes

__all__ = ["COLUMNS", "check", "read", "write"]


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a CSV table with a header, in the order of its rows.

    A folder of tables has one for each part. Classes are numbered as the table says, by their sorted names
    (numbers by size), or as ``options.classes`` has them. A row is a picture; where there are columns of a
    box, or one of ``classes``, rows of one picture follow one another. A row without a class is a picture
    without a label, or one that shows nothing. Raises Refused where no column is known to hold pictures, or a
    folder has no table, BadData for a row that cannot be read.
    """
    tables = {part: Table(open_bytes(path), options.source_prefix) for part, path in _files(place)}
    kind = _kind(place, tables.values())
    classes = _classes(list(tables.values()), options.classes)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    indices = {name: index for index, name in classes.names}
    parts = {part: StreamedPictures(partial(_pictures, table, indices)) for part, table in tables.items()}
    remarks = (remark for table in tables.values() for remark in table.remarks())
    return DataSet(classes, kind, parts, attribute, remarks=tuple(remarks))


_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


def _files(place: str) -> list[tuple[str, str]]:
    """Return the parts of a place with their tables."""
    if not os.path.isdir(place):
        return [("", place)]
    names = sorted(name for name in os.listdir(place) if name.endswith(_ENDINGS) and not name.startswith("."))
    if not names:
        raise Refused(f"{place}: expected CSV tables in this folder, found no *.csv")
    parts = [(_ENDING.sub("", name), os.path.join(place, name)) for name in names]
    for (part, path), (other, again) in pairwise(sorted(parts)):
        if part == other:
            raise Refused(f"{place}: expected one table of each part, found {path} and {again}; name one")
    return parts


_ENDING = re.compile(r"[.][ct]sv([.]gz)?\Z")


_KINDS = {"single_label": "a class a row", "multi_label": "classes of pictures", "boxes": "boxes"}


def _kind(place: str, tables: Iterable[Table]) -> PictureLabelKind:
    """Return what the labels of all tables are."""
    first, *others = tables
    for other in others:
        if other.kind != first.kind:
            raise BadData(
                f"{place}: expected tables of one kind, found {_KINDS[first.kind]} in {first.source.name},"
                f" {_KINDS[other.kind]} in {other.source.name}; convert them one by one"
            )
    return first.kind


def _classes(tables: Sequence[Table], given: ClassTable | None) -> ClassTable:
    """Return the class table, after one pass; raises ClassConflict where indices disagree."""
    found = [dict.fromkeys((row.index, row.name) for row in table.rows() if row.name) for table in tables]
    if not all(table.states_indices for table in tables):
        names = {name for rows in found for _, name in rows}
        indices = numbered(sorted(names, key=_order), given)
        return class_table((index, name) for name, index in indices.items())
    stated = {table.source.name: _stated(table, rows) for table, rows in zip(tables, found, strict=True)}
    return agree(({} if given is None else {"--classes": given}) | stated)


def _stated(table: Table, rows: Iterable[tuple[int | None, str]]) -> ClassTable:
    try:
        return class_table((index, name) for index, name in rows if index is not None)
    except ClassConflict as conflict:
        raise ClassConflict(f"{table.source.name}: {conflict}") from conflict


def _order(name: str) -> tuple[float, str]:
    """Return what sorts names: numbers come first, by their size."""
    is_number = name.isascii() and name.isdecimal() and len(name) < 16
    return (int(name) if is_number else float("inf")), name


def _pictures(table: Table, indices: Mapping[str, int]) -> Iterator[Picture]:
    table.source.check_unchanged()  # since its classes were read
    for number, rows in enumerate(table.pictures(), 1):
        yield _picture(number, rows, table.kind, indices)


def _picture(number: int, rows: Sequence[Row], kind: PictureLabelKind, indices: Mapping[str, int]) -> Picture:
    first = rows[0]
    named = [row for row in rows if row.name]
    if first.line is not None or kind == "single_label":
        number = first.number if first.line is None else first.line
    known = partial(
        Picture, number, first.ref, size=first.size, depth=first.depth, provenance=first.provenance
    )
    if kind == "boxes":
        boxes = (Box(indices[row.name], *row.box, row.confidence) for row in named if row.box is not None)
        return known(boxes=tuple(boxes))
    confidences = tuple(row.confidence for row in named)
    classes = tuple(indices[row.name] for row in named)
    return known(classes=classes, confidences=() if set(confidences) <= {None} else confidences)
