"""The payloads that Pipe mode sends for a line, one for each of the ``AttributeNames``.

For a name that ends in ``-ref`` it sends the bytes of the object, for others the text of the JSON value
(https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html).
"""

import difflib
import os
import shlex
import stat
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from manifest_tools.base.errors import InvalidLine, MtoolError, Refused
from manifest_tools.base.text import clipped, shown
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.groundtruth.rows import reason
from manifest_tools.images.integrity import check_picture
from manifest_tools.images.paths import ImagePaths
from manifest_tools.images.signatures import picture_format
from manifest_tools.images.unusable import MISSING, TOO_LARGE, Unusable
from manifest_tools.io.recordio import LONGEST
from manifest_tools.io.s3_errors import Denied, NotThere

REF = "-ref"
# Limits of CreateTrainingJob for AttributeNames.
MOST_NAMES = 16
LONGEST_NAME = 256
_LISTED = 8

Read = Callable[[str], bytes]
"""Returns the bytes of an object, by its URI; raises ValueError for an object that cannot be read."""


class Unreadable(ValueError):
    """The object that a line names cannot be read; the line itself is right."""


class NoObject(InvalidLine):
    """The object of a line cannot be read; the message says what to type to list all such objects."""

    def __init__(self, source: str, number: int, reason: str, images: Sequence[str] = ()) -> None:
        name = "-" if source == "standard input" else shlex.quote(source)
        options = "".join(f" --images {shlex.quote(one)}" for one in images)
        advice = f"`mtool validate {name} --objects --decode{options}` lists every such object"
        MtoolError.__init__(self, f"{source}:{number}: {reason}; {advice}")
        self.source = source
        self.number = number
        self.reason = reason


def check_names(names: Sequence[str]) -> None:
    """Raise Refused for names that CreateTrainingJob would not take as ``AttributeNames``."""
    if not 1 <= len(names) <= MOST_NAMES:
        raise Refused(f"--attribute: expected 1 to {MOST_NAMES} names, found {len(names)}")
    for name in names:
        if not 1 <= len(name) <= LONGEST_NAME:
            raise Refused(f"--attribute: expected 1 to {LONGEST_NAME} characters, found {len(name)}")
        if names.count(name) > 1:
            raise Refused(f"--attribute {name}: named twice; type each name once")


def texts(line: bytes, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the value of each attribute as it is written in the line; a string without its quotes.

    Raises ValueError for a line that is no JSON object, lacks an attribute, or has null for it.

    >>> texts(b'{"a-ref": "s3://b/k", "n": 1.10, "l": [0 ,2]}', ("a-ref", "n", "l"))
    ('s3://b/k', '1.10', '[0 ,2]')
    """
    try:
        row = _decoder(names).decode(line)
        return tuple(_text(line, name, getattr(row, f"f{at}")) for at, name in enumerate(names))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(reason(line, error)) from error


def _text(line: bytes, name: str, value: msgspec.Raw) -> str:
    spelt = bytes(value)
    if spelt in (b"", b"null"):
        raise ValueError(_absent(line, name, bool(spelt)))
    if spelt.startswith(b'"'):
        return msgspec.json.decode(spelt, type=str)
    if name.endswith(REF):
        found = shown(spelt[:60].decode("utf-8", "replace"))
        raise ValueError(f"{shown(name)} ends in -ref: expected an s3:// URI, found {found}")
    return spelt.decode()


@lru_cache(maxsize=16)
def _decoder(names: tuple[str, ...]) -> "msgspec.json.Decoder[Any]":
    """Return a decoder that leaves the values of these attributes as they are written."""
    fields = [(f"f{at}", msgspec.Raw, msgspec.Raw()) for at in range(len(names))]
    keys = {f"f{at}": name for at, name in enumerate(names)}
    try:
        return msgspec.json.Decoder(msgspec.defstruct("Line", fields, rename=keys, gc=False))
    except ValueError as error:
        raise Refused(
            f"no attribute can be called {', '.join(map(shown, names))}: expected names"
            " without quotes, backslashes and control characters"
        ) from error


def _absent(line: bytes, name: str, is_null: bool) -> str:
    """Return why an attribute has no value on a line, and what to type."""
    if is_null:
        return (
            f"{shown(name)} is null, and Pipe mode sends every attribute of every line; leave such lines"
            " out: mtool filter --labelled"
        )
    value: dict[str, Any] = msgspec.json.decode(line)
    if near := near_miss(name, value):
        typed = shlex.quote(clipped(near))
        return f"expected the attribute {shown(name)}, found {shown(near)}; type --attribute {typed}"
    metadata = value.get(name + METADATA)
    failed = isinstance(metadata, dict) and metadata.get("failure-reason") is not None
    there = ", ".join(shown(key) for key in list(value)[:_LISTED]) or "nothing"
    found = "an object whose labeling failed" if failed else there
    return (
        f"expected the attribute {shown(name)}, found {found}; leave such lines out: mtool filter --labelled"
    )


def near_miss(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar of some names, None where none is similar; case does not matter.

    A name and a ``-metadata`` key are never similar.

    >>> near_miss("Source-Ref", ["source-ref", "kind"]), near_miss("kind", ["kind-metadata"])
    ('source-ref', None)
    """
    names = [one for one in names if one.endswith(METADATA) == name.endswith(METADATA)]
    for one in names:
        if one.casefold() == name.casefold():
            return one
    return next(iter(difflib.get_close_matches(name, names, 1, 0.8)), None)


def payloads(line: bytes, names: tuple[str, ...], read: Read) -> list[bytes]:
    """Return the payloads of a line, one an attribute, in the order of the names.

    Raises ValueError for an attribute that the line lacks, Unreadable for an object that cannot be read.

    >>> payloads(b'{"a-ref": "s3://b/k", "n": 1}', ("a-ref", "n"), lambda uri: uri.upper().encode())
    [b'S3://B/K', b'1']
    """
    pairs = zip(names, texts(line, names), strict=True)
    return [_read(read, text) if name.endswith(REF) else text.encode() for name, text in pairs]


def _read(read: Read, ref: str) -> bytes:
    try:
        return read(ref)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def read_object(where: ImagePaths, fetch: Read, turned: list[str], ref: str) -> bytes:
    """Return the bytes of an object: from a folder of ``--images`` where there is one, else by ``fetch``.

    Raises ValueError, with what to type, for an object that cannot be read, and for a JPEG or PNG that is cut
    off or damaged. A picture that is stored turned is appended to ``turned``.
    """
    try:
        in_s3 = ref.startswith("s3://") and not where.covers(ref)
        data = fetch(ref) if in_s3 else _read_file(where.find(ref))
        if picture_format(data) in ("JPEG", "PNG") and _orientation(ref, data) != 1:
            turned.append(ref)
        return data
    except Unusable as why:
        advice = "; type --images FOLDER" if why.code == MISSING and not where.mapped else ""
        raise ValueError(f"{why.message}{advice}") from why
    except NotThere as error:
        if error.what == "bucket":
            raise
        raise ValueError(str(error)) from error
    except Denied as error:
        raise ValueError(str(error)) from error


def _orientation(ref: str, data: bytes) -> int:
    """Return EXIF's orientation of a picture; raises Unusable for one that is cut off or damaged."""
    try:
        return check_picture(data).orientation
    except Unusable as why:
        if why.code != TOO_LARGE:  # SageMaker sends it, and what becomes of it is the algorithm's affair
            raise Unusable(why.code, f"{ref}: {why.message}") from why
        return 1


def _read_file(path: str) -> bytes:
    """Return the bytes of a file, which may have the length of a record."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"expected a file at {path}, found something else")
        if status.st_size > LONGEST:
            raise ValueError(f"{path}: expected at most {LONGEST:,} bytes, found {status.st_size:,}")
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError as error:
        raise ValueError(f"{path}: {(error.strerror or str(error)).lower()}") from error
