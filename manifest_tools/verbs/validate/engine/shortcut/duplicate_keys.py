"""What a typed decoder does not show of a line: a key that it has twice, and how long it is."""

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

_QUOTE, _BACKSLASH = b'"\\'


def once(data: bytes, starts: Numbers, ends: Numbers, quotes: Numbers) -> Flags:
    """Say which lines have no key twice: they have just the ``quotes`` that their keys and texts need.

    A typed decoder says that every key is there; one more would be two quotes more. ``quotes`` is 0 for a
    line of which nothing is known.
    """
    characters = np.frombuffer(data, np.uint8)
    plain = b"\\" not in data
    if plain and int(np.count_nonzero(characters == _QUOTE)) == int(quotes.sum()) and quotes.all():
        return np.ones(len(starts), bool)
    found = _among(np.flatnonzero(characters == _QUOTE), starts, ends)
    sure: Flags = np.ones(len(starts), bool)
    if not plain:
        escaped = (characters[:-1] == _BACKSLASH) & (characters[1:] == _QUOTE)
        doubled = (characters[:-1] == _BACKSLASH) & (characters[1:] == _BACKSLASH)
        found -= _among(np.flatnonzero(escaped) + 1, starts, ends)
        # A backslash before a backslash may not be before the quote that follows: such lines stay in doubt.
        sure = _among(np.flatnonzero(doubled), starts, ends) == 0
    sure &= found == quotes
    return sure


def _among(places: Numbers, starts: Numbers, ends: Numbers) -> Numbers:
    """Return how many of the places are on each line."""
    return np.searchsorted(places, ends) - np.searchsorted(places, starts)
