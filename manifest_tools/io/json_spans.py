"""Finds byte ranges in one line of JSON and replaces them: every edit of a line goes through here.

Nothing is decoded and encoded again, so an edit changes only its own bytes. Key order, spacing, ``1.10``,
30-digit integers, escapes and duplicate keys stay. The line must be valid JSON (decode it first); for
anything else these functions raise ValueError.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from manifest_tools.io.json_paths import ELEMENTS, VALUES, Path

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_SCALAR = re.compile(rb"[^\s,\]}\[{\":]++")
# One character of a string as it is written: a pair of surrogates, an escape, or UTF-8.
_CHARACTER = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\][\x80-\xbf]*",
    re.DOTALL,
)
_NESTING = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]')


def _nested(levels: int) -> bytes:
    """Return the pattern of an array or object that contains at most ``levels`` more of them."""
    inner = b"|" + _nested(levels - 1) if levels else b""
    return rb'[\[{](?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"' + inner + rb")*+[\]}]"


# Matches a container of few levels at once; for deeper ones the brackets are counted.
_SHALLOW = re.compile(_nested(3))


class Span(NamedTuple):
    """The bytes from ``start`` up to, not including, ``end``."""

    start: int
    end: int


class Member(NamedTuple):
    """One ``key: value`` of an object; the spans of strings include their quotes."""

    key: Span
    value: Span


Edit = tuple[Span, bytes]
"""A span, and the bytes that replace it."""


def members(line: bytes, start: int = 0) -> Iterator[Member]:
    """Yield the members of the object that begins at ``start``, duplicate keys included.

    >>> line = b'{"a": 1.10, "a": [2]}'
    >>> [line[value.start : value.end] for _, value in members(line)]
    [b'1.10', b'[2]']
    """
    at = _expect(line, start, b"{")
    while line[at : at + 1] != b"}":
        key = _match(_STRING, line, at)
        at = _expect(line, key.end, b":")
        value = value_span(line, at)
        yield Member(key, value)
        at = _next(line, value.end, b"}")


def items(line: bytes, start: int) -> Iterator[Span]:
    """Yield the elements of the array that begins at ``start``."""
    at = _expect(line, start, b"[")
    while line[at : at + 1] != b"]":
        value = value_span(line, at)
        yield value
        at = _next(line, value.end, b"]")


def value_span(line: bytes, at: int) -> Span:
    """Return the span of the value that begins at ``at``; it may be nested to any depth."""
    first = line[at : at + 1]
    if first == b'"':
        return _match(_STRING, line, at)
    if first not in (b"{", b"["):
        return _match(_SCALAR, line, at)
    shallow = _SHALLOW.match(line, at)
    if shallow is not None:
        return Span(at, shallow.end())
    depth = 0
    for token in _NESTING.finditer(line, at):
        bracket = token[0]
        depth += (bracket in (b"{", b"[")) - (bracket in (b"}", b"]"))
        if depth == 0:
            return Span(at, token.end())
    raise ValueError(f"the value at byte {at} does not end")


def find(line: bytes, *path: str) -> list[Member]:
    """Return every member at ``path``, the outermost key first; duplicate keys give several.

    >>> line = b'{"m": {"a-name": "RH"}}'
    >>> [line[value.start : value.end] for _, value in find(line, "m", "a-name")]
    [b'"RH"']
    """
    starts = [_expect(line, 0, b"{") and _skip(line, 0)]
    found: list[Member] = []
    for depth, name in enumerate(path):
        found = [
            member
            for start in starts
            for member in members(line, start)
            if decode_string(line, member.key) == name
        ]
        if depth < len(path) - 1:
            starts = [m.value.start for m in found if line[m.value.start : m.value.start + 1] == b"{"]
    return found


def spans_at(line: bytes, value: Span, path: Path) -> Iterator[Span]:
    """Yield the spans of the values at a path from ``value``; of duplicate keys all count.

    >>> line = b'{"a": [{"b": 1.10}, {"c": 2}]}'
    >>> [line[span.start : span.end] for span in spans_at(line, Span(0, 30), ("a", ELEMENTS, "b"))]
    [b'1.10']
    """
    if not path:
        yield value
        return
    step, rest, first = path[0], path[1:], line[value.start : value.start + 1]
    if step == ELEMENTS:
        for item in items(line, value.start) if first == b"[" else ():
            yield from spans_at(line, item, rest)
        return
    for member in members(line, value.start) if first == b"{" else ():
        if step == VALUES or decode_string(line, member.key) == step:
            yield from spans_at(line, member.value, rest)


def decode_string(line: bytes, span: Span) -> str:
    """Return the string at ``span``, decoded."""
    inner = line[span.start + 1 : span.end - 1]
    if b"\\" not in inner:
        return inner.decode()
    return str(json.loads(line[span.start : span.end], strict=False))


def encode_string(value: str) -> bytes:
    """Return ``value`` as a JSON string, with only those escapes that JSON and UTF-8 require."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair can only be written as an escape
        return json.dumps(value).encode()


def splice(line: bytes, edits: Iterable[Edit]) -> bytes:
    """Return ``line`` with each span replaced; the same object if there are no edits.

    The edits may come in any order; raises ValueError if two of them overlap.

    >>> splice(b'{"a": 1, "b": 2}', [(Span(6, 7), b"10")])
    b'{"a": 10, "b": 2}'
    """
    parts: list[bytes] = []
    at = 0
    for span, new in sorted(edits):
        if span.start < at:
            raise ValueError("two edits overlap")
        parts += (line[at : span.start], new)
        at = span.end
    if not parts:
        return line
    return b"".join((*parts, line[at:]))


def keep_elements(line: bytes, container: Span, elements: list[Span], keep: list[bool]) -> Edit:
    """Return the edit that removes elements of an array, or members of an object, except those to ``keep``.

    Comma and space before an element stay with it.

    >>> line = b"[3, 0, 7]"
    >>> splice(line, [keep_elements(line, Span(0, 9), list(items(line, 0)), [True, False, True])])
    b'[3, 7]'
    """
    kept = [at for at, wanted in zip(range(len(elements)), keep, strict=True) if wanted]
    if not kept:
        return container, line[container.start : container.start + 1] + line[
            container.end - 1 : container.end
        ]
    parts = [line[container.start : elements[0].start]]
    for at in kept:
        before = elements[at - 1].end if at != kept[0] else elements[at].start
        parts.append(line[before : elements[at].end])
    return container, b"".join((*parts, line[elements[-1].end : container.end]))


def string_spans(line: bytes) -> Iterator[Span]:
    """Yield the span of every string of the line, keys and values, at any depth."""
    for token in _STRING.finditer(line):
        yield Span(*token.span())


def characters_span(line: bytes, span: Span, start: int, end: int) -> Span:
    """Return the span of the characters ``start`` up to ``end`` of the string at ``span``.

    >>> line = b'{"a": "\\\\u006cab#"}'
    >>> characters_span(line, find(line, "a")[0].value, 0, 3)
    Span(start=7, end=15)
    """
    first = span.start + 1
    written = line[first : span.end - 1]
    if b"\\" not in written:
        text = written.decode()
        before = len(text[:start].encode())
        return Span(first + before, first + before + len(text[start:end].encode()))
    ends = [0, *(unit.end() for unit in _CHARACTER.finditer(written))]
    return Span(first + ends[start], first + ends[end])


def replacements(line: bytes, span: Span, old: str, new: str) -> Iterator[Edit]:
    """Yield the edits that replace every ``old`` in the string at ``span`` by ``new``."""
    text = decode_string(line, span)
    at = text.find(old)
    while at >= 0:
        yield characters_span(line, span, at, at + len(old)), encode_string(new)[1:-1]
        at = text.find(old, at + len(old))


def _match(pattern: re.Pattern[bytes], line: bytes, at: int) -> Span:
    found = pattern.match(line, at)
    if found is None:
        raise ValueError(f"expected JSON at byte {at}")
    return Span(*found.span())


def _skip(line: bytes, at: int) -> int:
    if line[at : at + 1] > b" ":  # by far the commonest case
        return at
    found = _SPACE.match(line, at)
    assert found is not None  # it matches the empty text too
    return found.end()


def _expect(line: bytes, at: int, mark: bytes) -> int:
    """Return the offset of what follows ``mark`` and the space around it; raises ValueError."""
    at = _skip(line, at)
    if line[at : at + 1] != mark:
        raise ValueError(f"expected {mark.decode()!r} at byte {at}")
    return _skip(line, at + 1)


def _next(line: bytes, at: int, closing: bytes) -> int:
    """Return the offset of the next element, or of ``closing``."""
    at = _skip(line, at)
    return at if line[at : at + 1] == closing else _expect(line, at, b",")
