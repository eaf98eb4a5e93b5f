"""A folder a class, as torchvision's ImageFolder, Keras, Hugging Face's imagefolder and im2rec read it."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped, counted
from manifest_tools.formats.class_folders import (
    METADATA,
    Found,
    check_are_classes,
    classes_of,
    copy_by_class,
    empty_remarks,
    folder_names,
    order_remarks,
    parts_in,
    scan,
)
from manifest_tools.formats.image_metadata import Metadata, Row, read_metadata, row_line
from manifest_tools.formats.picture_files import start_of_refs
from manifest_tools.formats.protocol import ReadOptions, WriteOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, class_table, numbered
from manifest_tools.io.folder_sink import Folder

# ---- writing ----


def write(data: DataSet, sink: Folder, options: WriteOptions) -> dict[str, Any]:
    """Write every picture under its class, below a folder for each part where there are several.

    Beside the folders of its classes each part has ``metadata.jsonl``, with the name of the class as it is,
    confidence and provenance.
    """
    folders = folder_names(data.table)
    remarks = order_remarks(data.table, folders)
    count = 0
    split = _SplitWords(any(_SPLIT.search(f"{part}/") for part in data.parts))
    for part in data.parts:
        written = _write_part(part, data, folders, sink, options, split)
        remarks += empty_remarks(part, [folders[index] for index in folders if not written.get(index)])
        count += sum(written.values())
    remarks += split.remarks()
    named = {str(index): folder for index, folder in folders.items()}
    return {"pictures": count, "folders": named, "files": {}, "remarks": remarks}


def _write_part(
    part: str,
    data: DataSet,
    folders: Mapping[int, str],
    sink: Folder,
    options: WriteOptions,
    split: "_SplitWords",
) -> dict[int, int]:
    """Return how many pictures of each class were written."""
    below = f"{part}/" if part else ""
    names = dict(data.table.names)
    written: dict[int, int] = {}
    with contextlib.ExitStack() as stack:
        lines = None
        for picture, copied in copy_by_class(part, below, folders, sink, options):
            (index,) = picture.classes
            written[index] = written.get(index, 0) + 1
            split.look_at(copied.path)
            lines = lines or stack.enter_context(sink.open(below + METADATA))
            lines.write(row_line(copied.path.removeprefix(below), names[index], picture))
    return written


# What Hugging Face's datasets takes for the name of a split, in the name of a folder or of a file.
_SPLIT = re.compile(
    r"(^|[-._ 0-9/])(train|training|validation|valid|dev|val|test|testing|eval|evaluation)[-._ 0-9/]"
)


@dataclass(slots=True)
class _SplitWords:
    """Looks for names by which Hugging Face's datasets would take some of the pictures for a split."""

    has_parts: bool
    """Whether folders of parts are called so, which goes before the names of files."""

    count: int = 0
    first: str = ""

    def look_at(self, path: str) -> None:
        """Look at the path of a picture."""
        if not self.has_parts and _SPLIT.search(path):
            self.count += 1
            self.first = self.first or path

    def remarks(self) -> list[str]:
        """Return what is to be said."""
        if not self.count:
            return []
        return [
            f"{counted(self.count, 'picture')} called as a part may be called ({clipped(self.first)}), which"
            ' Hugging Face\'s datasets takes for a split: load all of them with data_files="**"'
        ]


# ---- reading ----


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a folder: those in a folder of it are of the class of that name.

    Folders that are parts, as train and validation, have such folders in them. ``metadata.jsonl`` may name
    other classes, and confidences. Classes are numbered by their sorted names, or as ``options.classes`` has
    them. Pictures that lie in no such folder, and in no such file, have no class. A picture is named from the
    folder in which ``place`` lies. Raises Refused for a folder without pictures.
    """
    place = place.rstrip("/") or place
    found = scan(place)
    if not found.loose and not found.classes:
        raise Refused(f"{place}: expected a folder with pictures, or with a folder of them for each class")
    parts = parts_in(found)
    if not parts:
        check_are_classes(place, found)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    called = {folder: name for name, folder in _called(options.classes)}
    start = start_of_refs(place, options.source_prefix)
    readers = {
        part: _Part(f"{part}/" if part else "", start, inside, _metadata(place, part, inside, found), called)
        for part, inside in (parts or {"": found}).items()
    }
    names = sorted(set(chain.from_iterable(reader.names() for reader in readers.values())))
    indices = numbered(names, options.classes)
    table = class_table((index, name) for name, index in indices.items())
    streams = {part: StreamedPictures(partial(reader.pictures, indices)) for part, reader in readers.items()}
    remarks = (*found.remarks(place), *_remarks(place, list(readers.values())))
    return DataSet(table, "single_label", streams, attribute, remarks=remarks)


def _remarks(place: str, parts: Sequence["_Part"]) -> Iterator[str]:
    """Yield what is said of pictures without a label, and of lines without a picture."""
    if loose := sum(part.unlabelled for part in parts):
        yield f"{place}: {counted(loose, 'picture')} in no folder of a class, without a label"
    if unknown := sum(part.metadata.unknown for part in parts):
        yield f"{place}: {counted(unknown, 'line')} of {METADATA} without a picture: moved, or taken away"


def _called(given: ClassTable | None) -> Iterator[tuple[str, str]]:
    """Yield the classes of a table with the folders that they would have."""
    if given is not None:
        yield from ((given.name(index), folder) for index, folder in folder_names(given).items())


def _metadata(place: str, part: str, inside: Found, found: Found) -> Metadata:
    path = f"{part}/{METADATA}" if part else METADATA
    if path not in found.metadata:
        return Metadata()
    return read_metadata(os.path.join(place, path), {"": inside.loose, **inside.classes})


@dataclass(frozen=True, slots=True)
class _Part:
    """The pictures of a part, read anew for every pass."""

    below: str
    """The folder of the part, with a slash; nothing for the only part."""

    start: str
    found: Found
    metadata: Metadata
    called: Mapping[str, str]
    """Folder -> name of its class, where that is another one."""

    @property
    def unlabelled(self) -> int:
        """How many loose pictures there are of which no line knows the class."""
        return len(self.found.loose) - self.metadata.named.get("", 0)

    def names(self) -> set[str]:
        """Return the names of the classes."""
        of_folders = {
            self._class_of(folder)
            for folder in classes_of(self.found)
            if self.metadata.named.get(folder, 0) < len(self.found.classes.get(folder, " "))
        }
        return of_folders.union(*self.metadata.names.values())

    def _class_of(self, folder: str) -> str:
        """Return the class of pictures of which no line says it."""
        told = self.metadata.names.get(folder, ())
        return next(iter(told)) if len(told) == 1 and folder else self.called.get(folder, folder)

    def pictures(self, indices: Mapping[str, int]) -> Iterator[Picture]:
        """Yield the loose pictures, then those of each class."""
        number = 0
        with contextlib.ExitStack() as stack:
            lines = stack.enter_context(open(self.metadata.path, "rb")) if self.metadata.path else None
            for folder, paths in (("", self.found.loose), *sorted(self.found.classes.items())):
                for place, path in enumerate(paths):
                    number += 1
                    row = self.metadata.row(lines, folder, place) or Row(path)
                    yield self._picture(number, folder, path, row, indices)

    def _picture(self, number: int, folder: str, path: str, row: Row, indices: Mapping[str, int]) -> Picture:
        name = row.class_name or self._class_of(folder)
        key = self.below + path
        return Picture(
            number,
            self.start + key,
            classes=(indices[name],) if name else (),
            confidences=row.confidences if name else (),
            provenance=row.provenance,
            key=key,
        )
