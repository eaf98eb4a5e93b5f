"""The ``.lst`` of im2rec: a number, labels and a path in each row, with tabs between."""

import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown
from manifest_tools.formats.label_numbers import (
    LabelSurvey,
    Size,
    boxes_in,
    classes_in,
    size_in_header,
)
from manifest_tools.formats.picture_files import start_of_refs
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.stored import files_of
from manifest_tools.groundtruth.annotations import DataSet, Picture, PictureLabelKind, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import renumbered
from manifest_tools.images.known_size import known_size
from manifest_tools.images.paths import is_below
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.list_rows import LONGEST_ROW, ListRow, parse_row


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a list, or of each part in a folder of lists, in the order of the rows.

    A label is the index of a class, a 0 or a 1 for each class, or boxes behind their header. Boxes are
    fractions of the picture's size, which its file tells where it lies where the row says, from the folder of
    the list, or else the header (4 5 WIDTH HEIGHT). Raises BadData for a row that cannot be read.
    """
    parts = files_of(place, ".lst", "a .lst file")
    survey = LabelSurvey("row")
    keyed = {part: _survey(paths, survey) for part, paths in parts.items()}
    kind = survey.kind(place)
    table, indices = renumbered(survey.table(kind, options.classes), options.classes)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    start = start_of_refs(place.rstrip("/") if os.path.isdir(place) else "", options.source_prefix)
    reader = _Reader(kind, indices, start)
    streams = {
        part: StreamedPictures(partial(reader.pictures, paths, keyed[part])) for part, paths in parts.items()
    }
    return DataSet(table, kind, streams, attribute, survey.lost if kind == "boxes" else {})


def _survey(paths: Sequence[str], survey: LabelSurvey) -> bool:
    """Take the labels of a part, and say whether each of its rows has a number of its own."""
    keys = array("Q")
    for where, row in _rows(paths):
        survey.add(where, row.labels)
        keys.append(row.key)
    return len(np.unique(np.frombuffer(keys, np.uint64))) == len(keys)


def _rows(paths: Sequence[str]) -> Iterator[tuple[str, ListRow]]:
    """Yield every row that is not blank, with the file and the line that it is on."""
    for path in paths:
        with open(path, "rb") as file:
            number = 0
            while line := file.readline(LONGEST_ROW):
                number += 1
                if not line.strip():
                    continue
                try:
                    yield f"{path}:{number}", parse_row(line)
                except ValueError as error:
                    raise BadData(f"{path}:{number}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the pictures of a part, anew for every pass."""

    kind: PictureLabelKind
    indices: Mapping[int, int]
    start: str

    def pictures(self, paths: Sequence[str], keyed: bool) -> Iterator[Picture]:
        """Yield the pictures of a part, numbered from 1."""
        for number, (where, row) in enumerate(_rows(paths), 1):
            path = os.path.normpath(row.path)
            if not is_below(path):
                raise BadData(f"{where}: expected a path below the list's folder, found {shown(row.path)}")
            classes = classes_in(row.labels, self.kind, self.indices)
            key = str(row.key) if keyed else ""
            ref = self.start + path
            if self.kind != "boxes":
                yield Picture(number, ref, classes=classes, key=key)
                continue
            size, depth = _size(where, row)
            boxes = boxes_in(row.labels, size, self.indices)
            yield Picture(number, ref, size, depth, boxes=boxes, key=key)


def _size(where: str, row: ListRow) -> tuple[Size, int | None]:
    """Return width and height of a row's picture, and how many channels it has where that is known."""
    path = os.path.join(os.path.dirname(where.rpartition(":")[0]), row.path)
    try:
        if is_below(os.path.normpath(row.path)):
            return known_size(path)
    except Unusable:
        pass
    size = size_in_header(row.labels)
    if size is None:
        raise BadData(
            f"{where}: expected the size of the picture, for its boxes are fractions of it: in the label's"
            f" header (4 5 WIDTH HEIGHT), or in the picture itself at {path}; found neither"
        )
    return size, None
