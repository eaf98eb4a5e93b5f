"""What a function takes as a path, and for an option that may be repeated."""

import os
from collections.abc import Collection
from typing import TypeAlias

from manifest_tools.base.errors import Refused

AnyPath: TypeAlias = str | os.PathLike[str]
"""A path or an ``s3://`` URI; a URI is a text, because pathlib takes one of its slashes away."""

AnyPaths: TypeAlias = AnyPath | Collection[AnyPath]
"""One of them or several; an option that may be repeated, such as ``images``."""


def as_text(path: AnyPath) -> str:
    """Return a path as text; raises Refused for a URI that went through pathlib.

    >>> as_text("s3://lab3-rawdata/1.jpg")
    's3://lab3-rawdata/1.jpg'
    """
    text = os.fspath(path)
    if text.startswith("s3:/") and not isinstance(path, str):
        raise Refused(f"{text}: expected an s3:// URI as a str, found one that pathlib has changed")
    return text


def as_texts(given: AnyPaths | None) -> tuple[str, ...]:
    """Return one path, or each of several, as text; none for None.

    >>> as_texts("RH"), as_texts(["RH", "LH"]), as_texts(None)
    (('RH',), ('RH', 'LH'), ())
    """
    if given is None:
        return ()
    return (as_text(given),) if isinstance(given, str | os.PathLike) else tuple(map(as_text, given))
