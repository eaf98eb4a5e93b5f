"""Writes a table of pictures: one row a picture, a class of it, or a box on it."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from manifest_tools.base.errors import BadData
from manifest_tools.formats.csv_cells import as_cell
from manifest_tools.formats.protocol import Files, WriteOptions
from manifest_tools.groundtruth.annotations import Batch, Box, DataSet, Picture, PictureLabelKind
from manifest_tools.groundtruth.classes import ClassTable, default_name

_SHARED = ("line", "image")
_ORIGIN = ("confidence", "job-name", "human-annotated", "creation-date")
_BOX = ("left", "top", "width", "height", "image-width", "image-height", "depth")
_BOM = b"\xef\xbb\xbf"


def header(kind: PictureLabelKind) -> tuple[str, ...]:
    """Return the names of the columns: ``classes`` says that a picture may have several, ``left`` boxes."""
    named = "classes" if kind == "multi_label" else "class"
    return (*_SHARED, named, "class-index", *(_BOX if kind == "boxes" else ()), *_ORIGIN)


def check(data: DataSet) -> None:
    """Raise BadData for a class without a name: an empty cell is a picture without a class."""
    for index, name in data.table.names:
        if not name:
            raise BadData(
                f"csv cannot hold class {index}, whose name is empty; `mtool rewrite` renames classes"
            )


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write a table for each part, in UTF-8; where the name of a class needs it, with the mark for Excel."""
    delimiter = "\t" if ".tsv" in sink.ending else ","
    marked = any(not name.isascii() for _, name in data.table.names)
    return {
        "pictures": sum(_write_part(part, data, delimiter, marked, sink, options) for part in data.parts),
        "files": {},
    }


def _write_part(
    part: str, data: DataSet, delimiter: str, marked: bool, sink: Files, options: WriteOptions
) -> int:
    out = sink.open(part)
    out.write(_BOM * marked + _lines([header(data.label_kind)], delimiter))
    count = 0
    for text, numbers in data.parts[part].map(
        partial(_text, data.table, data.label_kind, delimiter), options.jobs
    ):
        out.write(text)
        count += len(numbers)
        for number in numbers:
            options.placed(part, number, str(number))
    return count


def _text(
    table: ClassTable, kind: PictureLabelKind, delimiter: str, batch: Batch
) -> tuple[bytes, Sequence[int]]:
    names = dict(table.names)
    rows = [row for picture in batch.pictures for row in rows_of(picture, kind, names)]
    return _lines(rows, delimiter), [picture.number for picture in batch.pictures]


def _lines(rows: Sequence[Sequence[Any]], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def rows_of(picture: Picture, kind: PictureLabelKind, names: Mapping[int, str]) -> Iterator[list[Any]]:
    """Yield the rows of a picture; one that shows nothing has a row without a class."""
    found = picture.provenance
    origin = [_cell(text) for text in (found.job_name, found.human_annotated, found.creation_date)]
    start = [picture.number, as_cell(picture.ref)]
    if kind == "boxes":
        size = [_number(number) for number in (*(picture.size or (None, None)), picture.depth)]
        for box in picture.boxes or (None,):
            class_cells = ["", ""] if box is None else _class(box.class_index, names)
            confidence = None if box is None else box.confidence
            yield [*start, *class_cells, *_edges(box), *size, _number(confidence), *origin]
        return
    confidences = picture.confidences or (None,) * len(picture.classes)
    for index, confidence in zip(picture.classes, confidences, strict=True):
        yield [*start, *_class(index, names), _number(confidence), *origin]
    if not picture.classes:
        yield [*start, "", "", "", *origin]


def _class(index: int, names: Mapping[int, str]) -> list[Any]:
    return [as_cell(names.get(index, default_name(index))), index]


def _edges(box: Box | None) -> list[str]:
    return [""] * 4 if box is None else [_number(one) for one in (box.left, box.top, box.width, box.height)]


def _number(number: float | None) -> str:
    return "" if number is None else repr(number)


def _cell(text: str | None) -> str:
    return "" if text is None else as_cell(text)
