"""The ``.lst`` of im2rec: a number, labels and a path in each row, with tabs between.

With its pictures it is written as SageMaker's image classification takes it: ``train`` has the pictures and
``train_lst`` the list, a channel each. Paths are from the folder of the pictures.
"""

import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown
from manifest_tools.formats.label_numbers import (
    LabelSurvey,
    Size,
    boxes_in,
    classes_in,
    numbers_of,
    size_in_header,
)
from manifest_tools.formats.picture_files import start_of_refs
from manifest_tools.formats.protocol import ReadOptions, WriteOptions
from manifest_tools.formats.safe_names import UniqueNames, file_name
from manifest_tools.formats.stored import files_of
from manifest_tools.groundtruth.annotations import DataSet, Picture, PictureLabelKind, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import renumbered
from manifest_tools.images.known_size import known_size
from manifest_tools.images.paths import is_below
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.folder_sink import Folder
from manifest_tools.io.list_rows import LONGEST_ROW, ListRow, parse_row
from manifest_tools.io.recordio import lst_line

_ONLY = "images"  # the folder of a data set without parts
_LIST = "_lst"  # what the folder of a list is called behind that of its pictures

# ---- writing ----


def write(data: DataSet, sink: Folder, options: WriteOptions) -> dict[str, Any]:
    """Write the pictures of each part into a folder, and their list, numbered by lines, into another."""
    classes, count = data.table.num_classes, 0
    for part in data.parts:
        folder = part or _ONLY
        sink.make_folder(folder)
        paths = _Paths(folder, options.recipe.pass_through)
        with sink.open(f"{folder}{_LIST}/{folder}.lst") as rows:
            for picture, copied in options.copied(part, paths.of):
                numbers = numbers_of(picture, data.label_kind, classes)
                row = lst_line(picture.number, numbers, copied.path.removeprefix(f"{folder}/"))
                rows.write(row.encode())
                count += 1
    width = classes if data.label_kind == "multi_label" else 1
    return {"pictures": count, "label_width": width, "files": {}}


@dataclass(slots=True)
class _Paths:
    """Where the pictures of a part go, no two to one place."""

    folder: str
    as_they_are: bool
    names: UniqueNames = field(default_factory=UniqueNames)

    def of(self, picture: Picture) -> str:
        """Return the path of a picture from the output folder."""
        return f"{self.folder}/{file_name(picture.ref, picture.number, self.names, self.as_they_are)}"


# ---- reading ----


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists of a part."""

    paths: Sequence[str]
    root: str
    """The folder from which rows name pictures, on this disk."""

    below: str = ""
    """The same, from the folder of the data set, with a slash at its end."""


def _parts(place: str) -> dict[str, _Lists]:
    """Return the lists of each part; of folders ``train`` and ``train_lst`` the one is named in the other."""
    folders = sorted(os.listdir(place)) if os.path.isdir(place) else []
    channels = [name.removesuffix(_LIST) for name in folders if name.endswith(_LIST)]
    if not channels or any(name.endswith(".lst") for name in folders):
        found = files_of(place, ".lst", "a .lst file")
        return {part: _Lists(paths, os.path.dirname(paths[0])) for part, paths in found.items()}
    return {
        "" if channels == [_ONLY] else name: _Lists(
            [
                path
                for paths in files_of(f"{place}/{name}{_LIST}", ".lst", "a .lst file").values()
                for path in paths
            ],
            f"{place}/{name}",
            f"{name}/",
        )
        for name in channels
    }


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a list, or of each part in a folder of lists, in the order of the rows.

    A label is the index of a class, a 0 or a 1 for each class, or boxes behind their header. Boxes are
    fractions of the picture's size, which its file tells where it lies where the row says, from the folder of
    the list, or else the header (4 5 WIDTH HEIGHT). Raises BadData for a row that cannot be read.
    """
    place = place.rstrip("/") or place
    parts = _parts(place)
    survey = LabelSurvey("row")
    keyed = {part: _survey(lists.paths, survey) for part, lists in parts.items()}
    kind = survey.kind(place)
    table, indices = renumbered(survey.table(kind, options.classes), options.classes)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    start = start_of_refs(place if os.path.isdir(place) else "", options.source_prefix)
    reader = _Reader(kind, indices, start)
    streams = {
        part: StreamedPictures(partial(reader.pictures, lists, keyed[part])) for part, lists in parts.items()
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

    def pictures(self, lists: _Lists, keyed: bool) -> Iterator[Picture]:
        """Yield the pictures of a part, numbered from 1."""
        for number, (where, row) in enumerate(_rows(lists.paths), 1):
            path = os.path.normpath(row.path)
            if not is_below(path):
                raise BadData(f"{where}: expected a path below the list's folder, found {shown(row.path)}")
            classes = classes_in(row.labels, self.kind, self.indices)
            key = lists.below + path if lists.below else str(row.key) if keyed else ""
            ref = self.start + lists.below + path
            if self.kind != "boxes":
                yield Picture(number, ref, classes=classes, key=key)
                continue
            size, depth = _size(where, lists.root, row)
            boxes = boxes_in(row.labels, size, self.indices)
            yield Picture(number, ref, size, depth, boxes=boxes, key=key)


def _size(where: str, root: str, row: ListRow) -> tuple[Size, int | None]:
    """Return width and height of a row's picture, and how many channels it has where that is known."""
    path = os.path.join(root, row.path)
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
