"""Paths to values inside JSON, followed in the bytes of a line and in a decoded value alike.

A path is a tuple of keys; ELEMENTS stands for every element of an array, VALUES for every value of an object.
Where the JSON has another form than the path says, there is nothing at the path.
"""

from collections.abc import Iterator
from typing import Any

from manifest_tools.io.json_spans import Span, decode_string, items, members

Path = tuple[str, ...]

ELEMENTS = "[]"
VALUES = "{}"


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


def values_at(value: Any, path: Path) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the values at a path from a decoded value, each with the keys and positions that lead to it.

    >>> list(values_at({"a": [{"b": 1}, {"c": 2}]}, ("a", ELEMENTS, "b")))
    [(('a', 0, 'b'), 1)]
    """
    if not path:
        yield (), value
        return
    step, rest = path[0], path[1:]
    steps: Any = ()
    if step == ELEMENTS:
        steps = enumerate(value) if isinstance(value, list) else ()
    elif isinstance(value, dict):
        steps = value.items() if step == VALUES else [(step, value[step])] if step in value else ()
    for key, inner in steps:
        yield from (((key, *keys), found) for keys, found in values_at(inner, rest))
