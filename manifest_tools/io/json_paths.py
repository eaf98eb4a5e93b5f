"""Paths to values inside JSON; ``json_spans.spans_at`` follows them in the bytes of a line.

A path is a tuple of keys; ELEMENTS stands for every element of an array, VALUES for every value of an object.
Where the JSON has another form than the path says, there is nothing at the path.
"""

from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]

ELEMENTS = "[]"
VALUES = "{}"


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
