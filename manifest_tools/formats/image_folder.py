"""A folder a class, as torchvision's ImageFolder, Keras and im2rec --recursive read it."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped, counted, listed, shown
from manifest_tools.formats.picture_files import NOISE, check_name, start_of_refs, why_no_picture
from manifest_tools.formats.protocol import ReadOptions, WriteOptions
from manifest_tools.formats.safe_names import PICTURE_ENDINGS, UniqueNames, file_name, safe_name
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, class_table, numbered
from manifest_tools.io.folder_sink import FolderSink


def write(data: DataSet, sink: FolderSink, options: WriteOptions) -> dict[str, Any]:
    """Write every picture under its class, below a folder for each part where there are several.

    A class without a picture has an empty folder: readers number classes by the folders that are there, so
    without it every later class would have another number than in the other parts.
    """
    folders = folder_names(data.table)
    remarks = order_remarks(data.table, folders)
    count = 0
    for part in data.parts:
        below = f"{part}/" if part else ""
        for folder in folders.values():
            sink.make_folder(below + folder)
        paths = _Paths(below, folders, options.recipe.pass_through)
        shown: set[int] = set()
        for picture, _ in options.copied(part, paths.of):
            shown.add(picture.classes[0])
            count += 1
        remarks += _empty(part, [folders[index] for index in folders if index not in shown])
    return {
        "pictures": count,
        "folders": {str(index): folder for index, folder in folders.items()},
        "files": {},
        "remarks": remarks,
    }


def order_remarks(table: ClassTable, folders: Mapping[int, str]) -> list[str]:
    """Return what is to be said where sorted names give classes other numbers than the manifest.

    >>> order_remarks(ClassTable(((0, "a"), (1, "b"))), {0: "a", 1: "b"})
    []
    """
    for number, index in enumerate(sorted(folders, key=folders.__getitem__)):
        if number != index:
            example = f"({shown(table.name(index))} {number}, not {index})"
            return [
                "readers number classes by sorted names, so they get other numbers than in the manifest"
                f" {example}: compare with class_to_idx of torchvision, or class_names of Keras"
            ]
    return []


def _empty(part: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    where = f" in {part}" if part else ""
    return [
        f"no picture{where} of {listed(names)}: an empty folder keeps the numbers of the others;"
        " torchvision's ImageFolder takes it with allow_empty=True"
    ]


def folder_names(table: ClassTable) -> dict[int, str]:
    """Return a safe name for every class, no two alike on any system, in order of index."""
    names = UniqueNames()
    return {index: names.unique(safe_name(name, f"class {index}"), "", index) for index, name in table.names}


@dataclass(slots=True)
class _Paths:
    """Where the pictures of a part go, no two to one place."""

    below: str
    folders: Mapping[int, str]
    as_they_are: bool
    names: dict[int, UniqueNames] = field(default_factory=dict)

    def of(self, picture: Picture) -> str:
        """Return the path of a picture from the output folder."""
        index = picture.classes[0]
        names = self.names.setdefault(index, UniqueNames())
        name = file_name(picture.ref, picture.number, names, self.as_they_are)
        return f"{self.below}{self.folders[index]}/{name}"


# ---- reading ----

# Folders that hold pictures to learn from and to check with, and are no classes.
_PARTS = frozenset(("train", "training", "val", "valid", "validation", "dev", "test", "testing"))
# What a folder that `mtool train` made has in it: its plots are no class.
_MODEL = "model.tar.gz"
# What commands write beside the folders of the classes, where these are all that is here.
_BESIDE = (".manifest", "split.json", "classes.json")


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a folder: those in a folder of it are of the class of that name.

    Classes are numbered by their sorted names, or as ``options.classes`` has them. Pictures that lie in no
    such folder have no class. A picture is named from the folder in which ``place`` lies. Raises Refused for
    a folder without pictures, and for one whose folders are parts, as train and validation.
    """
    place = place.rstrip("/") or place
    found = _scan(place)
    if not found.loose and not found.classes:
        raise Refused(f"{place}: expected a folder with pictures, or with a folder of them for each class")
    _check_are_classes(place, found.classes)
    indices = numbered(sorted(found.classes), options.classes)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    read_all = partial(_pictures, found, indices, start_of_refs(place, options.source_prefix))
    table = class_table((index, name) for name, index in indices.items())
    parts = {"": StreamedPictures(read_all)}
    return DataSet(table, "single_label", parts, attribute, remarks=found.remarks(place))


@dataclass(slots=True)
class _Found:
    """What is in a folder: paths from there, sorted."""

    loose: list[str] = field(default_factory=list)
    """Pictures that lie in no folder of a class."""

    classes: dict[str, list[str]] = field(default_factory=dict)
    """The pictures of each class."""

    left_out: dict[str, list[str]] = field(default_factory=dict)
    """What is no picture, by what it is instead."""

    def leave_out(self, what: str, path: str) -> None:
        """Remember what is left out, and why."""
        self.left_out.setdefault(what, []).append(path)

    def remarks(self, place: str) -> tuple[str, ...]:
        """Return what the user is told."""
        left_out = (
            f"{counted(len(paths), what)} ({clipped(min(paths))}{', ...' if len(paths) > 1 else ''})"
            for what, paths in sorted(self.left_out.items())
        )
        text = f"{place}: left out: {', '.join(left_out)}"
        loose = f"{place}: {counted(len(self.loose), 'picture')} in no folder of a class, without a label"
        return tuple([text] * bool(self.left_out) + [loose] * bool(self.loose))


def _pictures(found: _Found, indices: Mapping[str, int], start: str) -> Iterator[Picture]:
    labelled = (((indices[name],), paths) for name, paths in sorted(found.classes.items()))
    number = 0
    for classes, paths in chain([((), found.loose)], labelled):
        for path in paths:
            number += 1
            yield Picture(number, start + path, classes=classes, key=path)


def _scan(place: str) -> _Found:
    found = _Found()
    for path in sorted(_files(place, found)):
        check_name(place, path)
        name, slash, _ = path.partition("/")
        if slash:
            found.classes.setdefault(name, []).append(path)
        else:
            found.loose.append(path)
    return found


def _files(place: str, found: _Found) -> Iterator[str]:
    """Yield the pictures below a folder; no file is opened, and none asked for its state but links."""
    root = os.path.realpath(place)
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(os.path.join(place, below)) as entries:
            inside = [entry for entry in entries if not entry.name.startswith(".")]
        if below and any(entry.name == _MODEL for entry in inside):
            found.leave_out("model", below)
            continue
        for entry in inside:
            path = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False) and entry.name not in NOISE:
                waiting.append(f"{path}/")
            elif not below and entry.name.endswith(_BESIDE):
                continue
            elif why := why_no_picture(entry, path, root, PICTURE_ENDINGS):
                found.leave_out(why, path)
            else:
                yield path


def _check_are_classes(place: str, classes: Mapping[str, Sequence[str]]) -> None:
    """Raise Refused where the folders of the classes lie deeper: in the only one here, or in parts."""
    inner = {
        tuple(path.split("/")[:2]) for paths in classes.values() for path in paths if path.count("/") > 1
    }
    if len(classes) == 1 and len(inner) > 1:
        (only,) = classes
        raise Refused(
            f"{place}: expected a folder for each class, found one, {shown(only)}, with others in it; type"
            f" {shlex.quote(os.path.join(place, only))}"
        )
    parts = [name for name in sorted(classes) if name.lower() in _PARTS]
    if len(parts) < len(classes) or not (inner or len(parts) > 1):
        return
    names = sorted(parts, key=lambda name: (not name.lower().startswith("train"), "val" not in name.lower()))
    folders = [os.path.join(place, name) for name in names[:2]]
    raise Refused(
        f"{place}: expected a folder for each class, found parts: {listed(parts)}; name them, as in"
        f" `mtool train {' '.join(map(shlex.quote, folders))}`"
    )
