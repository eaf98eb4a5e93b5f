"""What a function takes as a path, and for an option that may be repeated."""

import os
from collections.abc import Sequence
from typing import TypeAlias

from manifest_tools.base.errors import Refused

Path: TypeAlias = str | os.PathLike[str]
"""A path or an ``s3://`` URI; a URI is a text, because pathlib takes one of its slashes away."""

Paths: TypeAlias = Path | Sequence[Path]
"""One of them or several; an option that may be repeated, such as ``images``."""


def one(path: Path) -> str:
    """Return a path as text; raises Refused for a URI that went through pathlib.

    >>> one("s3://lab3-rawdata/1.jpg")
    's3://lab3-rawdata/1.jpg'
    """
    text = os.fspath(path)
    if text.startswith("s3:/") and not isinstance(path, str):
        raise Refused(f"{text}: expected an s3:// URI as a str, found one that pathlib has changed")
    return text


def several(given: Paths | None) -> tuple[str, ...]:
    """Return one path, or each of several, as text; none for None.

    >>> several("RH"), several(["RH", "LH"]), several(None)
    (('RH',), ('RH', 'LH'), ())
    """
    if given is None:
        return ()
    return (one(given),) if isinstance(given, str | os.PathLike) else tuple(map(one, given))
