"""Pictures that stand in files of a data set: where their bytes are, and which files there are."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from itertools import islice

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.formats.safe_names import safe_name
from manifest_tools.images.paths import is_below

_MOST_FILES = 1_000_000  # that a pattern may stand for
_RANGE = re.compile(r"\{(\d{1,12})\.\.(\d{1,12})\}|\{([^{}]*,[^{}]*)\}")
_NUMBER = re.compile(r"(?:[-_.]?\d{3,}(?:-of-\d+)?)\Z")


@dataclass(frozen=True, slots=True)
class Stored:
    """The bytes of a picture in a file of many; picklable, and read when it is called."""

    path: str
    offset: int
    length: int

    def __call__(self) -> bytes:
        """Return the bytes; raises MtoolError where the file has become shorter."""
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.offset)
            data = file.read(self.length)
        if len(data) != self.length:
            raise MtoolError(f"{self.path}: changed while it was read")
        return data


def ref_in(prefix: str, name: str) -> str:
    """Return what a picture is called that stands in a container under ``name``: below ``prefix``, in S3.

    >>> ref_in("", "a/1.jpg"), ref_in("", "../1.jpg"), ref_in("s3://b/x/", "1.jpg")
    ('a/1.jpg', '_._1.jpg', 's3://b/x/1.jpg')
    """
    safe = name if is_below(name) else safe_name(name)
    return f"{prefix.rstrip('/')}/{safe}" if prefix else safe


def files_of(place: str, ending: str, what: str) -> dict[str, list[str]]:
    """Return the files of every part of a data set on this disk.

    ``place`` is a file, a folder of them (whose names without their numbers are the parts), a pattern such as
    ``train-{000000..000009}.tar`` or ``train-*.tar``, or a name without number and ending. Raises Refused
    where there is none.
    """
    if place.startswith("s3://"):
        raise Refused(f"{place}: expected {what} on this disk; type `aws s3 cp --recursive` for a copy")
    if os.path.isdir(place):
        parts: dict[str, list[str]] = {}
        for name in sorted(os.listdir(place)):
            if name.endswith(ending) and not name.startswith("."):
                part = _NUMBER.sub("", name.removesuffix(ending))
                parts.setdefault(part, []).append(os.path.join(place, name))
        if parts:
            return parts
        raise Refused(f"{place}: expected {what} in this folder, found no *{ending}")
    found = list(_named(place, ending))
    missing = next((path for path in found if not os.path.isfile(path)), None)
    if missing is not None or not found:
        raise Refused(f"{missing or place}: expected {what}, found no such file")
    return {"": found}


def _named(place: str, ending: str) -> Iterator[str]:
    if os.path.exists(place):
        yield place
    elif _RANGE.search(place):
        found = list(islice(_expanded(place), _MOST_FILES + 1))
        if len(found) > _MOST_FILES:
            raise Refused(f"{place}: expected a pattern of at most {_MOST_FILES:,} files, found more")
        yield from found
    elif any(sign in place for sign in "*?["):
        yield from sorted(path for path in glob(place) if path.endswith(ending))
    elif os.path.isfile(place + ending):
        yield place + ending
    else:
        folder, name = os.path.split(place)
        with_numbers = re.compile(re.escape(name) + r"-\d{3,}(-of-\d+)?" + re.escape(ending))
        names = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
        yield from sorted(os.path.join(folder, one) for one in names if with_numbers.fullmatch(one))


def _expanded(pattern: str) -> Iterator[str]:
    """Yield what braces stand for.

    >>> list(_expanded("{a,b}-{08..10}.tar"))
    ['a-08.tar', 'a-09.tar', 'a-10.tar', 'b-08.tar', 'b-09.tar', 'b-10.tar']
    """
    found = _RANGE.search(pattern)
    if found is None:
        yield pattern
        return
    first, last, words = found.groups()
    inside = (
        words.split(",")
        if words is not None
        else (f"{number:0{len(first)}}" for number in range(int(first), int(last) + 1))
    )
    for text in inside:
        yield from _expanded(pattern[: found.start()] + text + pattern[found.end() :])
