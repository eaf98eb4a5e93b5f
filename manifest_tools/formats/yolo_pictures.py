"""The pictures of a YOLO data set and their label files: which belong together, and which to nothing.

The label file of a picture lies in the folder that is called ``labels`` instead of ``images``, or beside it.
"""

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import clipped, shown
from manifest_tools.formats.safe_names import PICTURE_ENDINGS, leaves_folder
from manifest_tools.formats.yolo_layout import read_text

# What other programs put beside label files.
_NOT_LABELS = ("classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "requirements.txt")


@dataclass(frozen=True, slots=True)
class Found:
    """A picture and its label file, from the root; the label file is empty where there is none."""

    picture: str
    labels: str


@dataclass(slots=True)
class Surprises:
    """What does not belong together: how often, and the first of each."""

    counts: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, path: str) -> None:
        """Count something."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self.firsts.setdefault(what, path)

    def said(self, what: str) -> str:
        """Return how often something is there, and the first of it."""
        number = self.counts[what]
        return f"{what}: {number:,} ({clipped(self.firsts[what])}{', ...' if number > 1 else ''})"


WITHOUT_LABELS = "pictures without a label file"
WITHOUT_PICTURE = "label files without a picture"
NOT_THERE = "pictures of a list that are not there"
LEADS_OUT = "links that lead out"
UNREADABLE = "pictures that cannot be read"


def pictures_at(root: str, place: str, surprises: Surprises) -> Iterator[Found]:
    """Yield the pictures of a folder, or of a list, in order, with their label files."""
    if os.path.isdir(os.path.join(root, place)):
        yield from _in_folder(root, "" if place == "." else place, surprises)
    else:
        yield from _in_list(root, place, surprises)


def _in_folder(root: str, place: str, surprises: Surprises) -> Iterator[Found]:
    """Yield the pictures of a folder, then those of the folders in it; linked folders are passed over."""
    names, folders = _entries(root, place, surprises)
    below = f"{place}/" if place else ""
    labels = labels_folder(root, place)
    texts = _texts(os.path.join(root, labels), names if labels == place else None)
    start = f"{labels}/" if labels else ""
    unused = dict.fromkeys(sorted(texts))
    for name in names:
        if not name.lower().endswith(PICTURE_ENDINGS):
            continue
        text = posixpath.splitext(name)[0] + ".txt"
        unused.pop(text, None)
        if text not in texts:
            surprises.add(WITHOUT_LABELS, below + name)
        yield Found(below + name, start + text if text in texts else "")
    for text in unused:
        surprises.add(WITHOUT_PICTURE, start + text)
    for name in folders:
        yield from _in_folder(root, below + name, surprises)


def _entries(root: str, place: str, surprises: Surprises) -> tuple[list[str], list[str]]:
    """Return the names of files and folders in a folder, sorted."""
    names: list[str] = []
    folders: list[str] = []
    real = os.path.realpath(root).rstrip(os.sep) + os.sep
    for entry in os.scandir(os.path.join(root, place)):
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not os.path.realpath(entry.path).startswith(real):
            surprises.add(LEADS_OUT, f"{place}/{entry.name}")
        elif entry.is_dir(follow_symlinks=False):
            folders.append(entry.name)
        elif not (entry.is_symlink() and entry.is_dir()):
            names.append(entry.name)
    return sorted(names), sorted(folders)


def _texts(folder: str, names: Sequence[str] | None) -> set[str]:
    """Return the label files of a folder, of which the names may be known."""
    if names is None:
        names = os.listdir(folder) if os.path.isdir(folder) else []
    return {name for name in names if name.endswith(".txt") and name not in _NOT_LABELS}


def labels_folder(root: str, place: str) -> str:
    """Return where the label files of a folder of pictures lie, from the root."""
    words = place.split("/")
    if "images" in words:
        at = len(words) - 1 - words[::-1].index("images")
        labels = "/".join((*words[:at], "labels", *words[at + 1 :]))
        if os.path.isdir(os.path.join(root, labels)):
            return labels
    return place


def _in_list(root: str, place: str, surprises: Surprises) -> Iterator[Found]:
    folders: dict[str, str] = {}
    path_of_list = os.path.join(root, place)
    for number, line in enumerate(read_text(path_of_list).splitlines(), 1):
        if not (line := line.strip()):
            continue
        path = _listed(root, place, line)
        if path is None:
            if leaves_folder(posixpath.normpath(line)) and not _absolute(root, line):
                where = f"{path_of_list}:{number}"
                raise BadData(f"{where}: expected a picture below {root}, found {shown(line)}")
            surprises.add(NOT_THERE, line)
            continue
        folder, _, name = path.rpartition("/")
        labels = folders.setdefault(folder, labels_folder(root, folder))
        text = f"{labels}/".lstrip("/") + posixpath.splitext(name)[0] + ".txt"
        if not os.path.isfile(os.path.join(root, text)):
            surprises.add(WITHOUT_LABELS, path)
            text = ""
        yield Found(path, text)


def _listed(root: str, place: str, line: str) -> str | None:
    """Return the picture of a line of a list, from the root; None where it is not there.

    Ultralytics' lists begin with ``./`` or with the root, Darknet's with the folder in which it runs.
    """
    name = _absolute(root, line) or line.replace("\\", "/")
    for tried in (posixpath.join(posixpath.dirname(place), name), name, name.partition("/")[2]):
        path = posixpath.normpath(tried)
        if not leaves_folder(path) and os.path.isfile(os.path.join(root, path)):
            return path
    return None


def _absolute(root: str, line: str) -> str:
    """Return the path from the root of a line that begins with it, or nothing."""
    start = os.path.abspath(root).rstrip("/") + "/"
    return line.removeprefix(start) if line.startswith(start) else ""
