"""The edits that ``rewrite`` can make: each takes the bytes of one line and returns them, edited or not.

An edit is a small value, so that it travels to other processes. ``needle`` is a spelling that every line
to be edited contains, unless its strings are written with escapes.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
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

# What JSON can have outside its strings; a placeholder of these alone could hit a number.
_OUTSIDE = frozenset('0123456789+-.eE truefalsn{}[]:,"\\')


class NameTaken(ValueError):
    """A name that an edit would give is on the line already: the edit asks too much, the line is sound."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the attribute {clipped(name)} is there already")


class LineEdit(Protocol):
    """An edit of one line."""

    @property
    def needle(self) -> bytes: ...  # noqa: D102

    def __call__(self, line: bytes) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Puts a lab ID in the place of ``lab#``, in every string of the line, key or value.

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
        """Say whether the bytes of the placeholder can be nothing else than a part of a string."""
        both = self.old + self.new
        return not set(self.old) <= _OUTSIDE and both.isprintable() and not set('"\\') & set(both)

    def may_meet(self, data: bytes) -> bool:
        """Say whether lines must be looked into: for an escape, or the new name beside the old one."""
        return b"\\" in data or (self.needle in data and self.new.encode() in data)

    def __call__(self, line: bytes) -> bytes:
        """Return the line with every placeholder replaced; Taken where a key would be there twice."""
        keys = [decode_string(line, member.key) for member in members(line)]
        for key in keys:
            if self.old in key and key.replace(self.old, self.new) in keys:
                raise NameTaken(key.replace(self.old, self.new))
        found = (edit for span in string_spans(line) for edit in replacements(line, span, self.old, self.new))
        return splice(line, found)


@dataclass(frozen=True, slots=True)
class FromLab:
    """Puts one lab ID in the place of another: where it begins a bucket, an attribute, a job-name.

    Never inside a longer name (``lab10``, ``my-lab1``); in object keys only with ``everywhere``, and there
    where it begins a folder's or a file's name.
    """

    old: str
    new: str
    everywhere: bool = False

    @property
    def needle(self) -> bytes:
        """The old lab ID."""
        return self.old.encode()

    def __call__(self, line: bytes) -> bytes:
        """Return the line under the new lab ID; raises Taken where a key would be there twice."""
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
            spelt = line[span.start + 1 : span.end - 1]
            if not spelt.startswith(b"s3:") and b"\\" not in spelt:
                continue
            old = decode_string(line, span)
            if not old.startswith("s3://"):
                continue
            at = len("s3://")
            for place, name in enumerate(old[at:].split("/")):
                if self._begins(name) and (place == 0 or self.everywhere):
                    yield self._edit(line, span, at)
                at += len(name) + 1


@dataclass(frozen=True, slots=True)
class Move:
    """Puts one S3 prefix in the place of another, in every URI of the line that lies under it."""

    old: str
    new: str

    @property
    def needle(self) -> bytes:
        """The old prefix as far as no escape could stand in it."""
        return b"s3:"

    def __call__(self, line: bytes) -> bytes:
        """Return the line with its objects elsewhere; ``s3://old/pre`` is no prefix of ``s3://old/prefix``."""
        old, new = self.old.rstrip("/"), self.new.rstrip("/")
        edits = []
        for span in string_spans(line):
            uri = decode_string(line, span)
            rest = uri.removeprefix(old)
            if rest != uri and rest[:1] in ("", "/"):
                edits.append((characters_span(line, span, 0, len(old)), encode_string(new)[1:-1]))
        return splice(line, edits)


@dataclass(frozen=True, slots=True)
class RenameAttribute:
    """Gives a label attribute another name, its ``-metadata`` twin included."""

    old: str
    new: str

    @property
    def needle(self) -> bytes:
        """The old name."""
        return self.old.encode()

    def __call__(self, line: bytes) -> bytes:
        """Return the line with the attribute renamed; raises Taken where the new name is taken."""
        found = {member: decode_string(line, member.key) for member in members(line)}
        keys = set(found.values())
        names = {key: new for key in keys if (new := self._new(key, keys)) != key}
        taken = {self.new, self.new + METADATA, *names.values()} & keys
        if names and taken:
            raise NameTaken(min(taken))
        return splice(
            line, [(at.key, encode_string(names[key])) for at, key in found.items() if key in names]
        )

    def there(self, line: bytes) -> Iterator[str]:
        """Yield what could be renamed on a line: label attributes, then other keys."""
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
    """Gives a class another name, wherever a label attribute or its metadata spells it.

    That is where label_kinds.KINDS says that names stand, whatever the type of the label. With an
    ``attribute`` the names of that one only.
    """

    old: str
    new: str
    attribute: str | None = field(default=None)

    @property
    def needle(self) -> bytes:
        """The old name, as far as it is spelt without escapes."""
        return self.old.encode()

    def __call__(self, line: bytes) -> bytes:
        """Return the line with the class renamed."""
        names = self._spans(line)
        return splice(
            line, [(span, encode_string(self.new)) for span in names if decode_string(line, span) == self.old]
        )

    def there(self, line: bytes) -> Iterator[str]:
        """Yield the names of the classes on a line."""
        return (decode_string(line, span) for span in self._spans(line))

    def is_taken(self, line: bytes) -> bool:
        """Say whether a class of the line bears the new name."""
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
    """Yield what stands where a class is named, in one walk through the metadata."""
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
