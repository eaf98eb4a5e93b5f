"""Pictures among the files of a folder: what may be named in a manifest, and why something else may not."""

import os
from collections.abc import Collection

from manifest_tools.base.errors import Refused
from manifest_tools.images.paths import is_below

NOISE = frozenset(("__MACOSX", "Thumbs.db", "desktop.ini"))
"""What unpacking on other systems leaves behind."""


def why_no_picture(entry: "os.DirEntry[str]", path: str, root: str, endings: Collection[str]) -> str:
    """Return what an entry of a folder is that cannot be named as a picture, or nothing.

    ``path`` is from the folder whose real path is ``root``; names of pictures have one of ``endings``.
    """
    if entry.is_symlink():
        target = os.path.realpath(entry.path)
        if os.path.isdir(target):
            return "linked folder"  # it may be a way in a circle
        if not target.startswith(root.rstrip(os.sep) + os.sep):
            return "outgoing link"
        if not os.path.exists(target):
            return "link to nothing"
    if not entry.name.lower().endswith(tuple(endings)) or not entry.is_file():
        return "other file"
    return "" if is_below(path) else "unusable name"


def check_name(place: str, path: str) -> None:
    """Raise Refused for a name that no manifest can hold."""
    try:
        path.encode()
    except UnicodeEncodeError as error:
        name = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise Refused(
            f"{place}: expected names in UTF-8, found {name}; rename it, for example with"
            " `convmv -f latin1 -t utf-8 -r --notest`"
        ) from error


def start_of_refs(place: str, prefix: str) -> str:
    """Return what stands before the path of a picture from the folder ``place``.

    >>> start_of_refs("data/pictures", ""), start_of_refs(".", ""), start_of_refs("pictures", "s3://b/raw/")
    ('pictures/', '', 's3://b/raw/')
    """
    if prefix:
        return f"{prefix.rstrip('/')}/"
    name = os.path.basename(place)
    return "" if name in ("", ".", "..") else f"{name}/"
