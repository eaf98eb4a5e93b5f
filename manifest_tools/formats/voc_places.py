"""Where the annotations of a VOC data set lie, and the pictures that they are of.

- ``Annotations``, with the pictures in ``JPEGImages`` or ``images``; ``ImageSets/Main/train.txt`` lists the
  names of a part (VOC, and what most tools write);
- annotations and pictures beside one another (labelImg), or so in a folder for each part (Roboflow);
- one annotation.
"""

import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.formats.safe_names import PICTURE_ENDINGS, leaves_folder, safe_name

WHOLE = "trainval"
"""The list of a data set without parts; VOC's own name for the union of train and val."""

SETS = "ImageSets/Main"
"""Where the lists of the parts are."""

_PICTURES = ("JPEGImages", "images", "Images")
_LARGEST = 16 << 20  # bytes of an annotation, or of a list


@dataclass(slots=True)
class Layout:
    """What is known of a data set before an annotation is read."""

    root: str
    annotations: str
    """The folder of the annotations from the root; empty for the root itself."""

    pictures: str
    """The folder of the pictures; that of the annotations where they lie beside them."""

    parts: dict[str, str]
    """By name: a list of names, or a folder of annotations, from the root; or the one annotation."""

    counts: dict[str, int] = field(default_factory=dict)
    """What is named and not there, and the other way round."""


def layout_of(place: str) -> Layout:
    """Return how a data set is laid out; raises Refused for a place that is none."""
    if os.path.isfile(place):
        root, name = os.path.split(place)
        return Layout(root or ".", "", "", {"": name})
    if not os.path.isdir(place):
        raise Refused(f"{place}: expected VOC's annotations, found nothing here")
    folders = sorted(entry.name for entry in os.scandir(place) if entry.is_dir())
    if "Annotations" in folders:
        pictures = next((name for name in _PICTURES if name in folders), "Annotations")
        return Layout(place, "Annotations", pictures, _listed_parts(place) or {"": "Annotations"})
    if _has_annotations(place):
        return Layout(place, "", "", {"": ""})
    parts = {safe_name(name): name for name in folders if _has_annotations(os.path.join(place, name))}
    if parts:
        return Layout(place, "", "", parts)
    below = [name for name in folders if os.path.isdir(os.path.join(place, name, "Annotations"))]
    advice = f"; type {os.path.join(place, below[0])}" if below else ""
    raise Refused(f"{place}: expected a folder Annotations, or *.xml with pictures, found neither{advice}")


def _has_annotations(folder: str) -> bool:
    return any(name.endswith(".xml") for name in os.listdir(folder))


def _listed_parts(root: str) -> dict[str, str]:
    """Return the lists of parts; those of a class, ``cat_train.txt``, have a number behind each name."""
    folder = os.path.join(root, SETS)
    if not os.path.isdir(folder):
        return {}
    names = sorted(name for name in os.listdir(folder) if name.endswith(".txt"))
    parts = {name.removesuffix(".txt"): f"{SETS}/{name}" for name in names if _is_part(f"{folder}/{name}")}
    if WHOLE in parts:
        if len(parts) == 1:
            return {"": parts[WHOLE]}
        if parts.keys() & {"train", "val"}:
            del parts[WHOLE]
    return {safe_name(name): path for name, path in parts.items()}


def _is_part(path: str) -> bool:
    if not os.path.isfile(path):
        return True  # who reads it says what is wrong
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.split() for line in islice(file, 20) if line.strip()]
    return not lines or any(len(words) < 2 or words[-1] not in ("-1", "0", "1") for words in lines)


def read_bytes(path: str) -> bytes:
    """Return the bytes of an annotation or a list; raises BadData for one that is far too large."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # a FIFO would wait for somebody
            raise Refused(f"{path}: expected a file, found something else; remove it")
        if status.st_size > _LARGEST:
            raise BadData(f"{path}: expected at most {_LARGEST >> 20} MB of text")
        return Path(path).read_bytes()
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def names_of(layout: Layout, place: str) -> Iterator[str]:
    """Yield the annotations of a part, from the root, in order; a list may name some that are not there."""
    path = os.path.join(layout.root, place)
    if place and place == layout.annotations:  # panlabel keeps the folders of pictures in it
        yield from sorted(name for name in files_in(layout.root, place) if name.endswith(".xml"))
    elif os.path.isdir(path):
        start = f"{place}/" if place else ""
        yield from (start + name for name in sorted(os.listdir(path)) if name.endswith(".xml"))
    elif place.endswith(".xml"):
        yield place
    else:
        for number, line in enumerate(read_bytes(path).splitlines(), 1):
            if line.strip() and (name := _name_of(f"{path}:{number}", line)):
                yield f"{layout.annotations}/{name}.xml"


def files_in(root: str, folder: str) -> Iterator[str]:
    """Yield the files of a folder and of those in it, as paths from the root."""
    for entry in os.scandir(os.path.join(root, folder)):
        path = f"{folder}/{entry.name}".lstrip("/")
        if entry.is_dir(follow_symlinks=False):
            yield from files_in(root, path)
        else:
            yield path


def _name_of(where: str, line: bytes) -> str:
    """Return the name that a line of a list has; Datumaro puts one with blanks into quotes."""
    try:
        text = line.decode("utf-8-sig").strip().replace("\\", "/")
    except UnicodeDecodeError as error:
        raise BadData(f"{where}: expected a name in UTF-8, found other bytes") from error
    name = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    if leaves_folder(name):
        raise BadData(f"{where}: expected the name of a picture, found {shown(text)}")
    return name


def picture_of(layout: Layout, annotation: str, file_name: str) -> tuple[str, bool]:
    """Return the path of a picture from the root, and whether it is there.

    It is called as the annotation says, or as the annotation itself; what tools write as ``filename`` may
    have no ending, or be a path of another machine.
    """
    stem = posixpath.splitext(annotation.removeprefix(f"{layout.annotations}/"))[0]
    folder = f"{layout.pictures}/".lstrip("/")
    own = posixpath.basename(file_name.replace("\\", "/").strip())
    below = posixpath.join(posixpath.dirname(stem), own) if own else ""
    tries = [name for name in (below, own) if name and not leaves_folder(name)]
    tries += [stem + ending for made in (str.lower, str.upper) for ending in map(made, PICTURE_ENDINGS)]
    for name in tries:
        if os.path.isfile(os.path.join(layout.root, folder, name)):
            return folder + name, True
    return folder + (tries[0] if own.lower().endswith(PICTURE_ENDINGS) else f"{stem}.jpg"), False
