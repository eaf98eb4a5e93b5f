"""A table of pictures with their classes or boxes, as CSV: what spreadsheets, Kaggle and pandas have."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from manifest_tools.formats.csv_rows import COLUMNS, Row, Table
from manifest_tools.formats.csv_writing import write
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, PictureLabelKind, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, agree, class_table, numbered
from manifest_tools.io.sources import open_bytes

__all__ = ["COLUMNS", "read", "write"]


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a CSV table with a header, in the order of its rows.

    Classes are numbered as the table says, by their sorted names (numbers by size), or as ``options.classes``
    has them. A row is a picture; where there are columns of a box, or one of ``classes``, rows of one picture
    follow one another. A row without a class is a picture without a label, or one that shows nothing. Raises
    Refused where no column is known to hold pictures, BadData for a row that cannot be read.
    """
    table = Table(open_bytes(place), options.source_prefix)
    classes = _classes(table, options.classes)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    indices = {name: index for index, name in classes.names}
    parts = {"": StreamedPictures(partial(_pictures, table, indices))}
    return DataSet(classes, table.kind, parts, attribute, remarks=table.remarks())


def _classes(table: Table, given: ClassTable | None) -> ClassTable:
    """Return the class table, after one pass; raises ClassConflict where indices disagree."""
    found = dict.fromkeys((row.index, row.name) for row in table.rows() if row.name)
    if not table.states_indices:
        indices = numbered(sorted({name for _, name in found}, key=_order), given)
        return class_table((index, name) for name, index in indices.items())
    try:
        stated = class_table((index, name) for index, name in found if index is not None)
    except ClassConflict as conflict:
        raise ClassConflict(f"{table.source.name}: {conflict}") from conflict
    return agree(({} if given is None else {"--classes": given}) | {table.source.name: stated})


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
