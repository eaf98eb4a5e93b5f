"""Looks at the place of an object on this disk: is it here already, and as S3 has it?"""

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import Literal, NamedTuple

from manifest_tools.base.errors import MtoolError
from manifest_tools.images.paths import place_for
from manifest_tools.images.unusable import MISSING, OUTSIDE, Unusable
from manifest_tools.io import s3
from manifest_tools.io.s3_errors import is_of_one_object
from manifest_tools.io.s3uri import parse
from manifest_tools.verbs.fetch.listing import UNKNOWN
from manifest_tools.verbs.fetch.references import Reference, is_bucket

State = Literal["absent", "here", "different", "not there", "denied", "unusable"]
"""What an object is: three states of its file, and three why there can be none."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An object that cannot be fetched."""

    reference: Reference
    state: State
    why: str

    def __str__(self) -> str:
        """Return what is wrong, with the line that names the object."""
        return f"{self.reference.manifest}:{self.reference.line}: {self.why}"


class Seen(NamedTuple):
    """What was found of one object."""

    state: State
    size: int = 0
    path: str = ""
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where objects lie on this disk."""

    folder: str
    """The real path of the folder."""

    several: bool
    """Whether each bucket has a folder of its own in it."""

    def path(self, uri: str) -> str:
        """Return the real path for an object; raises Unusable where there can be none."""
        try:
            name = parse(uri)
        except ValueError as error:
            raise Unusable(MISSING, str(error)) from error
        if not is_bucket(name.bucket):
            raise Unusable(OUTSIDE, f"no bucket is called {name.bucket}")
        return place_for(self.folder, f"{name.bucket}/{name.key}" if self.several else name.key)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object, with what is known of it before it is looked at."""

    reference: Reference
    size: int
    """Bytes, or UNKNOWN."""
    md5: str
    is_listed: bool
    """Whether S3 listed everything that is in its bucket."""
    shares_file: bool
    """Whether an earlier object is the same file."""


def look(places: Places, wanted: Wanted) -> Seen:
    """Return what there is of one object, in S3 and here."""
    reference = wanted.reference
    try:
        path = places.path(reference.uri)
        if wanted.shares_file:
            raise Unusable(MISSING, "another object of these lines would be the same file")
        size, md5 = _in_s3(wanted)
    except Unusable as error:
        return _at_fault(Fault(reference, "unusable", f"{reference.uri}: {error.message}"))
    except MtoolError as error:
        return _at_fault(fault_of(reference, error))
    return Seen(_state(path, reference.uri, size, md5), size, path)


def fault_of(reference: Reference, error: MtoolError) -> Fault:
    """Return the fault for an error about one object; raises an error that concerns others too."""
    if isinstance(error, s3.NotThere) and error.what == "object":
        return Fault(reference, "not there", str(error))
    if isinstance(error, s3.Denied):
        return Fault(reference, "denied", str(error))
    if is_of_one_object(error):
        return Fault(reference, "unusable", str(error))
    raise error


def _at_fault(fault: Fault) -> Seen:
    return Seen(fault.state, fault=fault)


def _in_s3(wanted: Wanted) -> tuple[int, str]:
    """Return size and MD5 of an object, which is asked for where no listing says it."""
    if wanted.size != UNKNOWN:
        return wanted.size, wanted.md5
    if wanted.is_listed:
        raise s3.NotThere(wanted.reference.uri, "object")
    found = s3.head(wanted.reference.uri)
    return found.size, found.md5


def _state(path: str, uri: str, size: int, md5: str) -> State:
    try:
        status = os.stat(path)
    except OSError:
        return "absent"
    if not stat.S_ISREG(status.st_mode) or status.st_size != size:
        return "different"
    if not md5 or _md5(path) == md5:
        return "here"
    # The ETag of what KMS encrypts looks like an MD5, and is none; a listing does not say so.
    with contextlib.suppress(MtoolError):
        if not s3.head(uri).md5:
            return "here"
    return "different"


def _md5(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
