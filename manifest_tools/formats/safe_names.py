"""Names that a hostile manifest gives to folders and files, made safe on every system, and unique."""

import os
import re
import unicodedata
from collections.abc import Sequence

from manifest_tools.base.digest_set import DigestSet

# What Windows forbids, which includes every separator; a name must travel.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
# A root, a drive letter, a way upwards, or no name at all.
_LEAVES = re.compile(r"^\Z|^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|\Z)|\0")
PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""Endings that the readers of such folders take for a picture; others are given one."""

_LONGEST = 100  # bytes, of the 255 that file systems take: numbers and endings come on top


def safe_name(text: str, empty: str = "unnamed") -> str:
    """Return ``text`` as the name of one file: no path, not hidden, not reserved, not too long.

    >>> safe_name("../x"), safe_name("a/b"), safe_name("con.jpg"), safe_name(". ")
    ('_._x', 'a_b', '_con.jpg', 'unnamed')
    """
    name = unicodedata.normalize("NFC", text)
    name = "".join(character if character.isprintable() else "_" for character in name)
    name = _FORBIDDEN.sub("_", name)
    name = name.encode()[:_LONGEST].decode(errors="ignore").strip().rstrip(". ")
    if name.startswith((".", "-", "~")):
        name = f"_{name[1:]}"
    return f"_{name}" if _RESERVED.fullmatch(name) else name or empty


def leaves_folder(name: str) -> bool:
    """Say whether ``name``, joined to a folder on any system, could be a file outside of it.

    >>> [name for name in ("left/1.jpg", "a//b.jpg", "../x", "/etc/x", "C:x", "") if leaves_folder(name)]
    ['../x', '/etc/x', 'C:x', '']
    """
    return _LEAVES.search(name) is not None


class UniqueNames:
    """The names given in one folder so far; capitals, and how accents are composed, do not count."""

    def __init__(self) -> None:
        self._taken = DigestSet()

    def unique(self, stem: str, ending: str, number: int) -> str:
        """Return ``stem`` and ``ending`` as a name that is still free, and take it.

        A second one of a name is given its ``number`` (a line's, or a class's) as well.

        >>> names = UniqueNames()
        >>> names.unique("IMG_1", ".JPG", 3), names.unique("img_1", ".jpg", 17)
        ('IMG_1.JPG', 'img_1-17.jpg')
        """
        name, tries = f"{stem}{ending}", 0
        while not self._taken.add(_folded(name)):
            tries += 1
            name = f"{stem}-{number}{ending}" if tries == 1 else f"{stem}-{number}-{tries}{ending}"
        return name

    def unique_with_any(self, stem: str, endings: Sequence[str], number: int) -> str:
        """Return a stem that is still free with each of the endings, and take them all."""
        name, tries = stem, 0
        while any(_folded(name + ending) in self._taken for ending in endings):
            tries += 1
            name = f"{stem}-{number}" if tries == 1 else f"{stem}-{number}-{tries}"
        for ending in endings:
            self._taken.add(_folded(name + ending))
        return name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


ANY_ENDING = ".*"
"""Stands for the ending of a picture that will say itself what it is, when it is opened."""


def file_name(ref: str, number: int, names: UniqueNames, as_it_is: bool = True) -> str:
    """Return the name of the copy of a picture; one that is not copied ``as_it_is`` becomes a JPEG.

    A name without the ending of a picture gets ANY_ENDING: readers go by the endings.

    >>> names = UniqueNames()
    >>> [file_name(f"s3://bucket/{name}", 7, names) for name in ("1.jpg", "old/1.JPG", "scan")]
    ['1.jpg', '1-7.JPG', 'scan.*']
    """
    stem, ending = os.path.splitext(ref.rpartition("/")[2])
    if not as_it_is:
        ending = ".jpg"
    elif ending.lower() not in PICTURE_ENDINGS:
        return names.unique_with_any(safe_name(stem + ending), PICTURE_ENDINGS, number) + ANY_ENDING
    return names.unique(safe_name(stem), ending, number)


def file_name_of_own_stem(ref: str, number: int, stems: UniqueNames, as_it_is: bool = True) -> str:
    """Return a name as ``file_name`` does, of which no other has the stem: a file of labels is called so too.

    >>> stems = UniqueNames()
    >>> [file_name_of_own_stem(name, 7, stems) for name in ("1.jpg", "1.png")]
    ['1.jpg', '1-7.png']
    """
    stem, ending = os.path.splitext(file_name(ref, number, UniqueNames(), as_it_is))
    return f"{stems.unique(stem, '', number)}{ending}"
