"""Where the parts of a YOLO data set lie, and what its classes are called: the layouts found in the wild.

- ``data.yaml`` names folders of pictures, or lists of them in text files (Ultralytics, Roboflow);
- ``obj.data`` names lists of pictures and a file with the names of the classes (Darknet, CVAT, Datumaro);
- no such file, or a ``data.yaml`` that names the classes alone (supervision, panlabel): ``images`` and
  ``labels``, with or without parts in them, ``train/images`` and ``train/labels``, or pictures with their
  label files beside them (labelImg).
"""

import json
import os
import posixpath
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.formats.safe_names import PICTURE_ENDINGS, leaves_folder, safe_name
from manifest_tools.formats.yolo_yaml import Value, entries, value_of
from manifest_tools.groundtruth.annotations import TYPE_OF_KIND, PictureLabelKind
from manifest_tools.groundtruth.classes import ClassTable, class_table, default_name

PART_KEYS = ("train", "val", "test")
"""The keys under which ``data.yaml`` names parts."""

_DARKNET_PARTS = ("train", "valid", "val", "test")
_OWN = "ground_truth"  # our own key; Ultralytics passes over keys that it does not know
_YAMLS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_NAMES = ("classes.txt", "obj.names", "labels/classes.txt")
_MOST_BYTES = 64 << 20  # of a file that names things; also of a label file


@dataclass(slots=True)
class Layout:
    """What is known of a data set before a picture is looked at."""

    root: str
    """The folder of the data set."""

    parts: dict[str, list[str]]
    """By name: folders of pictures, or lists of them, from the root, with slashes."""

    table: ClassTable | None = None
    """What the classes are called; None where no file says it."""

    attribute: str | None = None
    label_kind: PictureLabelKind = "boxes"
    colours: dict[int, str] = field(default_factory=dict)
    """Of the classes on masks."""

    where: str = ""
    """The file that says it all, or the root."""

    has_keypoints: bool = False
    absent: list[str] = field(default_factory=list)
    """Places that are named and not there."""


def layout_of(place: str) -> Layout | None:
    """Return how a data set is laid out; None for a folder that has no label files where they should be."""
    if os.path.isfile(place):
        root = os.path.dirname(place) or "."
        return _from_obj_data(root, place) if place.endswith(".data") else _from_yaml(root, place)
    if not os.path.isdir(place):
        raise Refused(f"{place}: expected a YOLO data set, found nothing here")
    if name := _yaml_in(place):
        return _from_yaml(place, os.path.join(place, name))
    if os.path.isfile(f"{place}/obj.data"):
        return _from_obj_data(place, f"{place}/obj.data")
    parts = _parts_in(place)
    return Layout(place, parts, _names_in(place), where=place) if parts else None


def _yaml_in(folder: str) -> str | None:
    """Return the YAML file of a data set in a folder: of a usual name, or the only one."""
    here = [name for name in sorted(os.listdir(folder)) if name.endswith((".yaml", ".yml"))]
    usual = [name for name in _YAMLS if name in here]
    if usual or len(here) < 2:
        return next(iter(usual or here), None)
    raise Refused(f"{folder}: expected one YAML file, found {', '.join(here[:3])}; name the one to read")


# ---- files that name places ----


def read_text(path: str) -> str:
    """Return the text of a file; raises BadData for a file that is none, or far too large."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # a FIFO would wait for somebody
            raise Refused(f"{path}: expected a file, found something else; remove it")
        if status.st_size > _MOST_BYTES:
            raise BadData(f"{path}: expected at most {_MOST_BYTES >> 20} MB of text")
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(
            f"{path}: expected text in UTF-8, found byte {error.start:,} in no such text"
        ) from error
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def _from_yaml(root: str, path: str) -> Layout:
    found = entries(path, read_text(path))
    known = [key for key in ("path", "names", "nc") if key in found]
    values: dict[str, Value] = {key: value_of(path, key, found[key]) for key in known}
    table, own = _table(path, values), _own(path, found.get(_OWN, ""))
    layout = Layout(root, {}, table, where=path, has_keypoints="kpt_shape" in found)
    if "val" not in found and "validation" in found:
        found["val"] = found["validation"]
    named = {key: value_of(path, key, found[key]) for key in PART_KEYS if key in found}
    _take_parts(layout, str(values.get("path") or ""), named)
    if own is not None:
        layout.label_kind, layout.attribute = own.label_kind, own.attribute
        layout.table, layout.colours = own.table, own.colours
        _check_names(path, own.table, table)
        layout.parts = {part: [_inside(path, place)] for part, place in own.parts.items()}
    elif not named:
        layout.parts = _parts_in(root)
    if not layout.parts:
        lacking = ", ".join(layout.absent) or "no train, val or test"
        raise BadData(f"{path}: expected folders or lists of pictures, found none of {lacking} here")
    return layout


def _take_parts(layout: Layout, base: str, named: dict[str, Value]) -> None:
    """Take the places that are there; several keys that name the same places are one part."""
    keys: dict[tuple[str, ...], str] = {}
    for key, value in named.items():
        if isinstance(value, dict):
            raise BadData(f"{layout.where}: {key}: expected a folder or a list of pictures, found keys")
        places = [place for place in ([value] if isinstance(value, str) else value) if place]
        there = tuple(found for place in places if (found := _place(layout, key, base, place)) is not None)
        if there:
            keys.setdefault(there, key)
    for there, key in keys.items():
        name = "" if there == ("images",) and len(keys) == 1 else _part_name(key, there)
        layout.parts[key if name in layout.parts else name] = list(there)


def _place(layout: Layout, key: str, base: str, place: str) -> str | None:
    """Return a place from the root; None where it is named and not there.

    ``path`` is a folder on the machine where the data set was made, often another one; the exports of
    Roboflow say ``../train/images`` for what lies beside them, and Darknet names the folder where it runs.
    """
    root = os.path.abspath(layout.root)
    name = place.replace("\\", "/")
    tries = [os.path.join(root, "" if _is_elsewhere(base) else base, name), os.path.join(root, name)]
    while "/" in name:
        name = name.partition("/")[2]
        tries.append(os.path.join(root, name))
    for path in map(os.path.normpath, tries):
        if (path == root or path.startswith(root.rstrip(os.sep) + os.sep)) and os.path.exists(path):
            return os.path.relpath(path, root).replace(os.sep, "/")
    layout.absent.append(f"{key}: {place}")
    return None


def _is_elsewhere(base: str) -> bool:
    """Say whether ``path`` is no folder of this disk, such as one of Windows or a URL."""
    return ":" in base or "\0" in base or "\\" in base


def _part_name(key: str, places: Sequence[str]) -> str:
    """Return what a part is called: as its folder, which may be called otherwise than the key.

    >>> _part_name("val", ["images/validation"]), _part_name("val", ["valid/images"])
    ('validation', 'valid')
    """
    words = [word for word in posixpath.splitext(places[0])[0].split("/") if word not in (".", "images")]
    return safe_name(words[-1]) if words and len(places) == 1 else key


@dataclass(frozen=True, slots=True)
class _Own:
    """What we wrote ourselves."""

    label_kind: PictureLabelKind
    attribute: str
    table: ClassTable
    parts: dict[str, str]
    """Part -> its folder."""

    colours: dict[int, str]


def _own(path: str, text: str) -> _Own | None:
    if not text:
        return None
    try:
        value = json.loads(text)
        table, parts = ClassTable.from_json(value["class_table"]), value["parts"]
        if value["class_table"]["sha256"] != table.digest:
            raise BadData("its class table was changed by hand")
        if not all(isinstance(place, str) and part == safe_part(part) for part, place in parts.items()):
            raise BadData("its parts are no names of folders")
        kind = next(one for one in TYPE_OF_KIND if one == value["label_kind"])
        colours = {int(index): str(colour) for index, colour in value.get("colours", {}).items()}
        return _Own(kind, str(value["label_attribute"]), table, parts, colours)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, StopIteration) as error:
        raise BadData(f"{path}: {_OWN}: expected what mtool writes, found other JSON; remove it") from error
    except BadData as error:
        raise type(error)(f"{path}: {_OWN}: {error}; remove this line to read the file without it") from error


def safe_part(part: str) -> str:
    """Return the name of a part as a folder can have it; the only part of a data set may have none."""
    return part and safe_name(part)


def _inside(path: str, place: str) -> str:
    if leaves_folder(place):
        raise BadData(f"{path}: {_OWN}: expected a folder of this data set, found {shown(place)}")
    return place


def _table(path: str, values: dict[str, Value]) -> ClassTable:
    names = values.get("names")
    if not names:
        count = values.get("nc", "")
        if not (isinstance(count, str) and count.isdecimal() and int(count) < 10**6):
            raise BadData(f"{path}: expected names, a list of the classes; found none")
        return ClassTable(tuple((index, default_name(index)) for index in range(int(count))))
    if isinstance(names, str):
        raise BadData(f"{path}: names: expected a list of the classes, found {shown(names)}")
    pairs = names.items() if isinstance(names, dict) else enumerate(names)
    try:
        return class_table((int(index), name) for index, name in pairs)
    except ValueError as error:
        raise BadData(f"{path}: names: expected numbers as keys, found others") from error
    except BadData as error:
        raise type(error)(f"{path}: names: {error}") from error


def _check_names(path: str, own: ClassTable, named: ClassTable) -> None:
    if own.labels != named.labels:
        raise BadData(
            f"{path}: names and {_OWN} disagree on the classes; change neither, or remove the line {_OWN}"
        )


def _from_obj_data(root: str, path: str) -> Layout:
    """Read Darknet's file: ``train = data/train.txt``, ``names = data/obj.names``.

    Darknet knows ``train`` and ``valid``; Datumaro writes the names of all its parts.
    """
    pairs = (line.partition("=") for line in read_text(path).splitlines() if "=" in line)
    found: dict[str, str] = {key.strip(): value.strip() for key, _, value in pairs}
    layout = Layout(root, {}, where=path)
    lists: dict[str, Value] = {key: found[key] for key in _DARKNET_PARTS if key in found}
    lists |= {key: value for key, value in found.items() if key != "names" and value.endswith(".txt")}
    _take_parts(layout, "", lists)
    if not layout.parts:
        raise BadData(f"{path}: expected train = LIST of pictures, found no such list here")
    names = _place(layout, "names", "", found.get("names") or "obj.names")
    layout.table = _names_of(os.path.join(root, names)) if names else _names_in(root)
    return layout


def _names_in(root: str) -> ClassTable | None:
    found = (os.path.join(root, name) for name in _NAMES)
    return next((_names_of(path) for path in found if os.path.isfile(path)), None)


def _names_of(path: str) -> ClassTable:
    """Return the table of a file with one class a line."""
    try:
        return class_table(enumerate(read_text(path).rstrip("\n").splitlines()))
    except BadData as error:
        raise type(error)(f"{path}: {error}") from error


# ---- folders that say it by their names ----


def _parts_in(root: str) -> dict[str, list[str]]:
    """Return the parts of a folder without a file that names them; nothing where it has no labels."""
    folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    if "images" in folders and (_has_labels(f"{root}/images") or "labels" in folders):
        inside = list(os.scandir(f"{root}/images"))
        parts = sorted(entry.name for entry in inside if entry.is_dir())
        if parts and not any(entry.name.lower().endswith(PICTURE_ENDINGS) for entry in inside):
            return {safe_name(part): [f"images/{part}"] for part in parts}
        return {"": ["images"]}
    whole = [name for name in folders if os.path.isdir(f"{root}/{name}/images")]
    if whole:
        return {safe_name(name): [f"{name}/images"] for name in whole}
    return {"": ["."]} if _has_labels(root) else {}


def _has_labels(folder: str) -> bool:
    """Say whether a folder has a text file beside a picture of the same name."""
    names = {entry.name for entry in os.scandir(folder)}
    stems = {posixpath.splitext(name)[0] for name in names if name.lower().endswith(PICTURE_ENDINGS)}
    return any(f"{stem}.txt" in names for stem in stems)
