"""Finds what a typed decoder does not show of a line: a key that it has twice."""

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

_QUOTE, _BACKSLASH = b'"\\'


def without_duplicate_keys(data: bytes, starts: Numbers, ends: Numbers, quotes: Numbers) -> Flags:
    """Say which lines have no key twice: ``(lines,)``.

    These have just the ``quotes`` that their keys and texts need, for a typed decoder says that every key is
    there, and one more would be two quotes more. ``quotes`` is 0 for a line of which nothing is known.
    """
    characters = np.frombuffer(data, np.uint8)
    plain = b"\\" not in data
    if plain and int(np.count_nonzero(characters == _QUOTE)) == int(quotes.sum()) and quotes.all():
        return np.ones(len(starts), bool)
    found = _count_on_lines(np.flatnonzero(characters == _QUOTE), starts, ends)
    sure: Flags = np.ones(len(starts), bool)
    if not plain:
        escaped = (characters[:-1] == _BACKSLASH) & (characters[1:] == _QUOTE)
        doubled = (characters[:-1] == _BACKSLASH) & (characters[1:] == _BACKSLASH)
        found -= _count_on_lines(np.flatnonzero(escaped) + 1, starts, ends)
        # After two backslashes a quote may be escaped or not: of such lines nothing is proven.
        sure = _count_on_lines(np.flatnonzero(doubled), starts, ends) == 0
    sure &= found == quotes
    return sure


def _count_on_lines(offsets: Numbers, starts: Numbers, ends: Numbers) -> Numbers:
    """Return how many of the byte offsets are on each line: ``(lines,)``."""
    return np.searchsorted(offsets, ends) - np.searchsorted(offsets, starts)
