"""Marks: what a person thinks of single lines of a manifest, in a small JSON Lines file of its own.

A mark is of a picture (or text) and a label attribute; the last one in the file counts. ``was`` is the label
that the person saw, by which a manifest that was changed since is known. docs/marks.md describes the file.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from manifest_tools.base.dates import parse_date
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import either, listed, shown
from manifest_tools.groundtruth.classes import default_name
from manifest_tools.groundtruth.record import SOURCES

if TYPE_CHECKING:
    from manifest_tools.groundtruth.attributes import LabelAttribute
    from manifest_tools.groundtruth.label_kinds import LabelKind
    from manifest_tools.groundtruth.record import Peek, Row

What = Literal["wrong", "unsure", "class", "note"]
"""What a mark says: the label is wrong, or may be; it should be another class; or a note alone."""

WHATS: tuple[str, ...] = get_args(What)
CLEARED = "cleared"  # takes the marks before it back

OTHER_LABEL = "label is another since the mark"
"""Why the mark of a line that does not agree with it is not heeded."""

MAX_BYTES = 256 << 20
MAX_LINE = 1 << 20
MAX_NOTE = 10_000  # characters
MAX_CLASSES = 1000

Classes = tuple[str, ...]
"""The names of the classes of a label, sorted."""

Agreement = Literal["as marked", "corrected", "other label"]
"""Whether a line has the label that was marked, the one that the mark asks for, or neither."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person thinks of the label of one picture."""

    source: str
    """The ``source-ref``, or the ``source`` of a text."""

    attribute: str
    """The label attribute."""

    mark: str
    """One of WHATS; CLEARED for a mark that was taken back."""

    was: Classes | None = None
    """The classes that the label had; None where the line had no label."""

    classes: Classes | None = None
    """The classes that it should have; None where ``mark`` is not ``class``."""

    note: str = ""
    date: str = ""
    """When it was made, in UTC, as a ``creation-date`` is written; may be empty."""

    manifest: str = ""
    """The manifest and its line when it was made, for people alone."""

    line: int = 0
    is_text: bool = False
    """Whether ``source`` is a text, and no reference."""

    def agreement(self, classes: Classes | None) -> Agreement:
        """Say whether a line with these classes is as it was marked, or as the mark wants it."""
        if classes is not None and classes == self.classes:
            return "corrected"
        return "as marked" if classes == self.was else "other label"


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of a file that count: the last of each picture and label attribute."""

    name: str
    by_line: Mapping[tuple[str, str], Mark]
    """By source and label attribute, in the order of the last marks."""

    def of(self, attribute: str) -> dict[str, Mark]:
        """Return the marks of one label attribute by their source."""
        return {source: mark for (source, name), mark in self.by_line.items() if name == attribute}

    def attribute(self, requested: str | None) -> str:
        """Return the requested label attribute, or the only one that the marks are of.

        Raises Refused where they are of several, BadData where there is no mark.
        """
        names = list(dict.fromkeys(name for _, name in self.by_line))
        if requested is not None or len(names) == 1:
            return requested or names[0]
        if not names:
            raise BadData(f"{self.name}: expected marks, found none")
        raise Refused(
            f"{self.name}: its marks are of the label attributes {listed(names)}; type --label-attribute NAME"
        )


def line_peek(attribute: "LabelAttribute") -> "Peek":
    """Return what to decode of a line, so that its mark can be found and compared with its label."""
    return attribute.peek(*attribute.kind.class_fields, sources=SOURCES)


def classes_on(kind: "LabelKind", row: "Row") -> Classes | None:
    """Return the names of the classes of a line, None for one without a label; raises ValueError.

    A class that the line does not name is called 'class N'.
    """
    if row.label is None:
        return None
    names = dict(kind.names(row))
    return tuple(sorted({names.get(index, default_name(index)) for index in kind.indices(row)}))


def find_mark(marks: Mapping[str, Mark], row: "Row") -> Mark | None:
    """Return the mark of a line; None where it has none."""
    return marks.get(row.source_ref or row.source or "")


def read_marks(path: str) -> Marks:
    """Return the marks of a file; raises Refused where there is none, BadData with file and line."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path}: expected a file of marks, found something else")
        if status.st_size > MAX_BYTES:
            raise BadData(f"{path}: expected at most {MAX_BYTES:,} bytes of marks, found {status.st_size:,}")
        return _read(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Refused(f"{path}: expected a file of marks, found: {reason}") from error


@lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int) -> Marks:
    """Read a file that was changed at some time; forked workers have what their parent read."""
    found: dict[tuple[str, str], Mark] = {}
    for mark in _marks(path):
        key = mark.source, mark.attribute
        found.pop(key, None)
        if mark.mark != CLEARED:
            found[key] = mark
    return Marks(path, found)


def _marks(path: str) -> Iterator[Mark]:
    with open(path, "rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
            try:
                if line.strip():
                    yield decode_mark(line)
            except ValueError as error:
                raise BadData(f"{path}:{number}: {error}; docs/marks.md describes a mark") from error


def decode_mark(line: bytes) -> Mark:
    """Return the mark on a line; raises ValueError that says what was expected."""
    if len(line) > MAX_LINE:
        raise ValueError(f"expected a mark of at most {MAX_LINE:,} bytes")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a mark, a JSON object; found what is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"expected a mark, a JSON object; found {shown(value)}")
    keys = [key for key in SOURCES if key in value]
    if len(keys) != 1:
        raise ValueError("expected a mark with source-ref or source")
    mark = _text(value, "mark")
    if mark not in (*WHATS, CLEARED):
        raise ValueError(f"expected mark to be {either((*WHATS, CLEARED))}, found {shown(mark)}")
    if ("class" in value) != (mark == "class"):
        raise ValueError("expected class in a mark of class, and in no other")
    return Mark(
        source=_text(value, keys[0]),
        attribute=_text(value, "label-attribute"),
        mark=mark,
        was=_classes(value, "was"),
        classes=_classes(value, "class"),
        note=_text(value, "note", ""),
        date=_date(value),
        manifest=_text(value, "manifest", ""),
        line=_line(value),
        is_text=keys[0] == "source",
    )


def _text(value: Mapping[str, Any], key: str, default: str | None = None) -> str:
    found: Any = value.get(key, default)
    if not _is_text(found) or (default is None and not found):
        raise ValueError(f"expected {key} to be a text, found {shown(found)}")
    if key == "note" and len(found) > MAX_NOTE:
        raise ValueError(f"expected a note of at most {MAX_NOTE:,} characters, found {len(found):,}")
    return str(found)


def _is_text(value: Any) -> bool:
    """Say whether a value is a text that can be written as UTF-8: half of a surrogate pair cannot."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _date(value: Mapping[str, Any]) -> str:
    found = _text(value, "date", "")
    if found and parse_date(found) is None:
        raise ValueError(f"expected date to be a date such as 2026-11-28T09:30:00, found {shown(found)}")
    return found


def _line(value: Mapping[str, Any]) -> int:
    found = value.get("line", 0)
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise ValueError(f"expected line to be a number from 1, found {shown(found)}")
    return found


def _classes(value: Mapping[str, Any], key: str) -> Classes | None:
    found = value.get(key)
    names = [found] if isinstance(found, str) else found
    if names is None and not (key == "class" and key in value):
        return None
    if not isinstance(names, list) or len(names) > MAX_CLASSES or not all(map(_is_text, names)):
        raise ValueError(
            f"expected {key} to be the name of a class, or a list of names; found {shown(found)}"
        )
    return tuple(sorted(set(names)))


def encode_mark(mark: Mark) -> bytes:
    """Return a mark as a line of the file, its line end included."""
    value: dict[str, Any] = {"source" if mark.is_text else "source-ref": mark.source}
    value |= {"label-attribute": mark.attribute, "mark": mark.mark}
    value |= {"class": _written(mark.classes)} if mark.mark == "class" else {}
    value |= {"was": _written(mark.was)}
    rest = {"note": mark.note, "date": mark.date, "manifest": mark.manifest, "line": mark.line}
    value |= {key: found for key, found in rest.items() if found}
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _written(classes: Classes | None) -> str | list[str] | None:
    if classes is None or len(classes) == 1:
        return classes[0] if classes else None
    return list(classes)


def cleared(mark: Mark) -> Mark:
    """Return the mark that takes another one back."""
    return replace(mark, mark=CLEARED, classes=None, note="")
