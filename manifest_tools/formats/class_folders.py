"""A folder for each class, which several formats share: how folders are called, and what is found in them."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped, counted, listed, shown
from manifest_tools.formats.picture_files import NOISE, check_name, why_no_picture
from manifest_tools.formats.protocol import Copied, WriteOptions
from manifest_tools.formats.safe_names import PICTURE_ENDINGS, UniqueNames, file_name, safe_name
from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.folder_sink import Folder

# ---- writing ----

_MANY = 10  # classes that a remark lists


def folder_names(table: ClassTable) -> dict[int, str]:
    """Return a safe name for every class, no two alike on any system, in order of index."""
    names = UniqueNames()
    return {index: names.unique(safe_name(name, f"class {index}"), "", index) for index, name in table.names}


def copy_by_class(
    part: str, below: str, folders: Mapping[int, str], sink: Folder, options: WriteOptions
) -> Iterator[tuple[Picture, Copied]]:
    """Yield the pictures of a part as they are copied into the folders of their classes, below a folder.

    A class without a picture has an empty folder: readers number classes by the folders that are there, so
    without it every later class would have another number than in the other parts.
    """
    for folder in folders.values():
        sink.make_folder(below + folder)
    yield from options.copied(part, _Paths(below, folders, options.recipe.pass_through).of)


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


def order_remarks(table: ClassTable, folders: Mapping[int, str]) -> list[str]:
    """Return what is to be said where sorted names give classes other numbers than the manifest.

    >>> order_remarks(ClassTable(((0, "a"), (1, "b"))), {0: "a", 1: "b"})
    []
    """
    in_order = sorted(folders, key=folders.__getitem__)
    other = next((number for number, index in enumerate(in_order) if number != index), None)
    if other is None:
        return []
    example = f"({shown(table.name(in_order[other]))} {other}, not {in_order[other]})"
    return [
        f"readers number classes by sorted names, so they get other numbers than in the manifest {example}:"
        f" {_mended(in_order, folders)}"
    ]


def _mended(in_order: Sequence[int], folders: Mapping[int, str]) -> str:
    """Return the lists that give classes their own numbers again."""
    more = f", ... ({len(folders)})" if len(folders) > _MANY else ""
    numbers = ", ".join(map(str, in_order[:_MANY]))
    lists = [f"for torchvision type target_transform=[{numbers}{more}].__getitem__"]
    if len(folders) == max(folders) + 1:
        names = ", ".join(repr(folder) for folder in list(folders.values())[:_MANY])
        lists.append(f"for Keras class_names=[{names}{more}]")
    return ", ".join(lists) + ("; the report has all folders in order of index" if more else "")


def empty_remarks(part: str, names: Sequence[str]) -> list[str]:
    """Return what is to be said of classes without a picture in a part."""
    if not names:
        return []
    where = f" in {part}" if part else ""
    return [
        f"no picture{where} of {listed(names)}: an empty folder keeps the numbers of the others;"
        " torchvision's ImageFolder takes it with allow_empty=True"
    ]


# ---- reading ----

METADATA = "metadata.jsonl"
"""Hugging Face's file with a line for each picture of the folder in which it lies."""

# Folders that hold pictures to learn from and to check with, and are no classes.
_PARTS = frozenset(("train", "training", "val", "valid", "validation", "dev", "test", "testing"))
# What a folder that `mtool train` made has in it: its plots are no class.
_MODEL = "model.tar.gz"
# What commands write beside the folders of the classes, where these are all that is here.
_BESIDE = (".manifest", "split.json", "classes.json")


@dataclass(slots=True)
class Found:
    """What is in a folder: paths from there, sorted."""

    loose: list[str] = field(default_factory=list)
    """Pictures that lie in no folder of a class."""

    classes: dict[str, list[str]] = field(default_factory=dict)
    """The pictures of each class."""

    empty: list[str] = field(default_factory=list)
    """Folders without anything in them."""

    metadata: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """What is no picture, by what it is instead."""

    def leave_out(self, what: str, path: str) -> None:
        """Remember what is left out, and why."""
        self.left_out.setdefault(what, []).append(path)

    def take(self, path: str) -> None:
        """Take a picture."""
        name, slash, _ = path.partition("/")
        (self.classes.setdefault(name, []) if slash else self.loose).append(path)

    def remarks(self, place: str) -> tuple[str, ...]:
        """Return what the user is told of other files."""
        left_out = (
            f"{counted(len(paths), what)} ({clipped(min(paths))}{', ...' if len(paths) > 1 else ''})"
            for what, paths in sorted(self.left_out.items())
        )
        return (f"{place}: left out: {', '.join(left_out)}",) if self.left_out else ()


def scan(place: str) -> Found:
    """Return what is in a folder; raises Refused for a name that no manifest can hold."""
    found = Found()
    for path in sorted(_files(place, found)):
        check_name(place, path)
        found.take(path)
    return found


def _files(place: str, found: Found) -> Iterator[str]:
    """Yield the pictures below a folder; no file is opened, and none asked for its state but links."""
    root = os.path.realpath(place)
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(os.path.join(place, below)) as entries:
            inside = [entry for entry in entries if not entry.name.startswith(".")]
        if below and not inside:
            found.empty.append(below.rstrip("/"))
        if below and any(entry.name == _MODEL for entry in inside):
            found.leave_out("model", below)
            continue
        for entry in inside:
            path = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False) and entry.name not in NOISE:
                waiting.append(f"{path}/")
            elif not below and entry.name.endswith(_BESIDE):
                continue
            elif entry.name == METADATA and below.count("/") < 2 and not entry.is_symlink():
                found.metadata.append(path)
            elif why := why_no_picture(entry, path, root, PICTURE_ENDINGS):
                found.leave_out(why, path)
            else:
                yield path


def parts_in(found: Found) -> dict[str, Found]:
    """Return the parts of a folder with what is in each, those to learn from first; nothing without parts.

    Folders are parts where all are called so, and have folders of classes or are several; and where each has
    Hugging Face's file.
    """
    deep = [path.partition("/")[0] for path in found.empty if "/" in path]
    names = [*found.classes, *(name for name in dict.fromkeys(deep) if name not in found.classes)]
    inner = deep or any(path.count("/") > 1 for paths in found.classes.values() for path in paths)
    called_so = all(name.lower() in _PARTS for name in names) and (inner or len(names) > 1)
    told = all(f"{name}/{METADATA}" in found.metadata for name in found.classes)
    if found.loose or not found.classes or not (called_so or told):
        return {}
    parts = {name: Found() for name in sorted(names, key=_order)}
    for name, paths in found.classes.items():
        for path in paths:
            parts[name].take(path.partition("/")[2])
    for path in found.empty:
        name, slash, rest = path.partition("/")
        if slash:
            parts[name].empty.append(rest)
    return parts


def _order(part: str) -> tuple[bool, bool, str]:
    return not part.lower().startswith("train"), "val" not in part.lower(), part


def classes_of(found: Found) -> list[str]:
    """Return the folders of classes; an empty one is a class where others are, as it is to other readers."""
    empty = [path for path in found.empty if "/" not in path]
    return sorted({*found.classes, *(empty if found.classes or found.loose == [] else ())})


def check_are_classes(place: str, found: Found) -> None:
    """Raise Refused where the folders of the classes lie deeper, in the only one here."""
    inner = {
        tuple(path.split("/")[:2])
        for paths in found.classes.values()
        for path in paths
        if path.count("/") > 1
    }
    if len(found.classes) == 1 and len(inner) > 1:
        (only,) = found.classes
        raise Refused(
            f"{place}: expected a folder for each class, found one, {shown(only)}, with others in it; type"
            f" {shlex.quote(os.path.join(place, only))}"
        )
