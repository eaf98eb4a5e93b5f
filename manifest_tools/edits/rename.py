"""The edits of ``rewrite``: each takes the bytes of one line and returns the edited line.

An edit is a small value that can be pickled. Every line that it changes has its ``needle``, or a string that
is written with escapes.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped
from manifest_tools.groundtruth.attributes import attribute_name
from manifest_tools.groundtruth.label_kinds import NAMES_IN_LABELS, NAMES_IN_METADATA
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.io.json_spans import (
    Edit,
    Span,
    characters_span,
    decode_string,
    encode_string,
    members,
    replacements,
    spans_at,
    splice,
    string_spans,
)

# The characters that JSON can have outside strings. A placeholder of these alone may be part of a number.
_OUTSIDE = frozenset('0123456789+-.eE truefalsn{}[]:,"\\')


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class NameTaken(ValueError):
    """The line has an attribute of the new name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the attribute {clipped(name)} is there already")


class LineEdit(Protocol):
    """An edit of one line; returns the same object where it changes nothing."""

    @property
    def needle(self) -> bytes: ...  # noqa: D102

    def __call__(self, line: bytes) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Replaces a placeholder such as ``lab#`` by a lab ID, in every string of the line, key or value.

    >>> Placeholder("lab#", "lab3")(b'{"lab#-job": 1}')
    b'{"lab3-job": 1}'
    """

    old: str
    new: str

    @property
    def needle(self) -> bytes:
        """The placeholder itself."""
        return self.old.encode()

    @property
    def plain(self) -> bool:
        """Whether the bytes of the placeholder are always part of a string, so that bytes can be replaced."""
        both = self.old + self.new
        return not set(self.old) <= _OUTSIDE and both.isprintable() and not set('"\\') & set(both)

    def needs_lines(self, data: bytes) -> bool:
        """Say whether each line must be parsed: for escapes, or for the old ID beside the new one."""
        return b"\\" in data or (self.needle in data and self.new.encode() in data)

    def __call__(self, line: bytes) -> bytes:
        """Return the line with every placeholder replaced; raises NameTaken where two keys would be equal."""
        keys = [decode_string(line, member.key) for member in members(line)]
        for key in keys:
            if self.old in key and key.replace(self.old, self.new) in keys:
                raise NameTaken(key.replace(self.old, self.new))
        found = (edit for span in string_spans(line) for edit in replacements(line, span, self.old, self.new))
        return splice(line, found)


@dataclass(frozen=True, slots=True)
class FromLab:
    """Replaces a lab ID by another where it begins the name of a bucket, an attribute or a labeling job.

    An ID inside a longer name (``lab10``, ``my-lab1``) stays.
    """

    old: str
    new: str
    everywhere: bool = False
    """Whether to replace it in object keys too, where it begins the name of a folder or a file."""

    @property
    def needle(self) -> bytes:
        """The old lab ID."""
        return self.old.encode()

    def __call__(self, line: bytes) -> bytes:
        """Return the line with the new lab ID; raises NameTaken where two keys would be equal."""
        edits: list[Edit] = []
        found = {member: decode_string(line, member.key) for member in members(line)}
        keys = set(found.values())
        for member, key in found.items():
            if key not in SOURCES and self._begins(key):
                if self._swap(key) in keys - {key}:
                    raise NameTaken(self._swap(key))
                edits.append(self._edit(line, member.key, 0))
            if key.endswith(METADATA) and line[member.value.start : member.value.start + 1] == b"{":
                edits += self._job_names(line, member.value)
        edits += self._uris(line)
        return splice(line, edits)

    def _begins(self, name: str) -> bool:
        rest = name.removeprefix(self.old)
        return rest != name and not rest[:1].isalnum()

    def _swap(self, name: str) -> str:
        return self.new + name[len(self.old) :]

    def _edit(self, line: bytes, span: Span, start: int) -> Edit:
        """Return the edit of the lab ID that begins at character ``start`` of a string."""
        return characters_span(line, span, start, start + len(self.old)), encode_string(self.new)[1:-1]

    def _job_names(self, line: bytes, metadata: Span) -> Iterator[Edit]:
        for member in members(line, metadata.start):
            if (
                decode_string(line, member.key) != "job-name"
                or line[member.value.start : member.value.start + 1] != b'"'
            ):
                continue
            prefix, slash, name = decode_string(line, member.value).rpartition("labeling-job/")
            if not prefix and self._begins(name):
                yield self._edit(line, member.value, len(slash))

    def _uris(self, line: bytes) -> Iterator[Edit]:
        for span in string_spans(line):
            written = line[span.start + 1 : span.end - 1]
            if not written.startswith(b"s3:") and b"\\" not in written:
                continue
            old = decode_string(line, span)
            if not old.startswith("s3://"):
                continue
            at = len("s3://")
            for position, name in enumerate(old[at:].split("/")):
                if self._begins(name) and (position == 0 or self.everywhere):
                    yield self._edit(line, span, at)
                at += len(name) + 1


@dataclass(frozen=True, slots=True)
class Move:
    """Replaces an S3 prefix by another, in every URI of the line."""

    old: str
    new: str

    @property
    def needle(self) -> bytes:
        """The scheme alone: the rest of a URI may be written with escapes."""
        return b"s3:"

    def __call__(self, line: bytes) -> bytes:
        """Return the line with the new prefix; ``s3://old/pre`` is no prefix of ``s3://old/prefix``."""
        old, new = self.old.rstrip("/"), self.new.rstrip("/")
        edits = []
        for span in string_spans(line):
            uri = decode_string(line, span)
            rest = uri.removeprefix(old)
            if rest != uri and rest[:1] in ("", "/"):
                edits.append((characters_span(line, span, 0, len(old)), encode_string(new)[1:-1]))
        return splice(line, edits)


@dataclass(frozen=True, slots=True)
class Prefix:
    """Puts an S3 prefix in front of a ``source-ref`` that is relative: that has no scheme and no root.

    >>> Prefix("s3://lab/raw")(b'{"source-ref": "training-images/a.jpg"}')
    b'{"source-ref": "s3://lab/raw/training-images/a.jpg"}'
    """

    prefix: str

    @property
    def needle(self) -> bytes:
        """The key."""
        return b"source-ref"

    def __call__(self, line: bytes) -> bytes:
        """Return the line with the prefix, a slash and the relative path in place of the path."""
        start = encode_string(self.prefix.rstrip("/") + "/")[1:-1]
        edits: list[Edit] = []
        for member in members(line):
            at = member.value.start
            if line[at : at + 1] == b'"' and decode_string(line, member.key) == "source-ref":
                path = decode_string(line, member.value)
                if path and not path.startswith("/") and not _SCHEME.match(path):
                    skipped = len(path) - len(path.removeprefix("./"))
                    edits.append((characters_span(line, member.value, 0, skipped), start))
        return splice(line, edits)


@dataclass(frozen=True, slots=True)
class RenameAttribute:
    """Gives a label attribute and its metadata key another name."""

    old: str
    new: str

    @property
    def needle(self) -> bytes:
        """The old name."""
        return self.old.encode()

    def __call__(self, line: bytes) -> bytes:
        """Return the line with the attribute renamed; raises NameTaken where the line has the new name."""
        found = {member: decode_string(line, member.key) for member in members(line)}
        keys = set(found.values())
        names = {key: new for key in keys if (new := self._new(key, keys)) != key}
        taken = {self.new, self.new + METADATA, *names.values()} & keys
        if names and taken:
            raise NameTaken(min(taken))
        return splice(
            line, [(at.key, encode_string(names[key])) for at, key in found.items() if key in names]
        )

    def names_on(self, line: bytes) -> Iterator[str]:
        """Yield the names on a line that can be renamed: label attributes, then other keys."""
        keys = dict.fromkeys(decode_string(line, member.key) for member in members(line))
        labels = dict.fromkeys(attribute_name(key, keys) for key in keys if key.endswith(METADATA))
        yield from (name for name in labels if name not in SOURCES)
        yield from (key for key in keys if key not in labels and not key.endswith(METADATA))

    def _new(self, key: str, keys: Collection[str]) -> str:
        if key == self.old:
            return self.new
        if not key.endswith(METADATA) or attribute_name(key, keys) != self.old:
            return key
        return (self.new if key == self.old + METADATA else self.new.removesuffix("-ref")) + METADATA


@dataclass(frozen=True, slots=True)
class RenameClass:
    """Gives a class another name wherever a label or its metadata names classes, whatever its type."""

    old: str
    new: str
    attribute: str | None = None
    """The label attribute whose classes are renamed; None for those of all."""

    @property
    def needle(self) -> bytes:
        """The old name."""
        return self.old.encode()

    def __call__(self, line: bytes) -> bytes:
        """Return the line with the class renamed."""
        names = self._spans(line)
        return splice(
            line, [(span, encode_string(self.new)) for span in names if decode_string(line, span) == self.old]
        )

    def names_on(self, line: bytes) -> Iterator[str]:
        """Yield the names of the classes on a line."""
        return (decode_string(line, span) for span in self._spans(line))

    def is_taken(self, line: bytes) -> bool:
        """Say whether a class of the line has the new name."""
        return any(decode_string(line, span) == self.new for span in self._spans(line))

    def _spans(self, line: bytes) -> Iterator[Span]:
        found = {member: decode_string(line, member.key) for member in members(line)}
        keys = set(found.values())
        for member, key in found.items():
            names: Iterator[Span] = iter(())
            if key.endswith(METADATA):
                name = attribute_name(key, keys)
                if name not in SOURCES and self.attribute in (None, name):
                    names = _names_in_metadata(line, member.value)
            elif key + METADATA in keys and self.attribute in (None, key):
                names = (span for path in NAMES_IN_LABELS for span in spans_at(line, member.value, path))
            yield from (span for span in names if line[span.start : span.start + 1] == b'"')


def _names_in_metadata(line: bytes, metadata: Span) -> Iterator[Span]:
    """Yield the spans at which metadata names classes, of whatever JSON; walks through the metadata once."""
    for member in members(line, metadata.start) if line[metadata.start : metadata.start + 1] == b"{" else ():
        path = NAMES_IN_METADATA.get(decode_string(line, member.key))
        if path is not None:
            yield from spans_at(line, member.value, path)


_LAB = re.compile(r"[a-z0-9](-?[a-z0-9]){0,39}")


def check_lab(lab: str) -> None:
    """Raise Refused for a lab ID that could not begin a bucket's and an attribute's name.

    Buckets: lower-case letters, digits and hyphens (dots are legal, but break TLS); attributes: letters,
    digits and inner hyphens (LabelAttributeName of the SageMaker API).
    """
    if not _LAB.fullmatch(lab):
        raise Refused(
            f"expected a lab ID of lower-case letters, digits and inner hyphens, at most 40, such as lab3; "
            f"found {json.dumps(lab)}: it begins the name of a bucket and of a label attribute"
        )
