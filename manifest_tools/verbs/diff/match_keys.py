"""Which line of one file is which of another, by 64-bit keys, and which of these stand out of order."""

from array import array
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Places = NDArray[np.int64]

_CHUNK = 1 << 16  # numbers that are Python objects at a time


def match(old: Keys, new: Keys) -> tuple[Places, Places]:
    """Return the places of equal keys, in the order of ``old``; the n-th of several goes with the n-th.

    >>> old, new = np.array([7, 5, 5, 3], np.uint64), np.array([5, 9, 7], np.uint64)
    >>> [places.tolist() for places in match(old, new)]
    [[0, 1], [2, 0]]
    """
    by_old, by_new = np.argsort(old, kind="stable"), np.argsort(new, kind="stable")
    sorted_old, sorted_new = old[by_old], new[by_new]
    first = np.searchsorted(sorted_new, sorted_old, "left")
    turn = np.arange(len(old)) - np.searchsorted(sorted_old, sorted_old, "left")
    there = turn < np.searchsorted(sorted_new, sorted_old, "right") - first
    places, mates = by_old[there], by_new[(first + turn)[there]]
    order = np.argsort(places)
    return places[order], mates[order]


def match_unique(old: Keys, new: Keys) -> tuple[Places, Places]:
    """Return the places of keys that both have just once; key 0 is none.

    >>> old, new = np.array([7, 5, 5, 0], np.uint64), np.array([5, 0, 7], np.uint64)
    >>> [places.tolist() for places in match_unique(old, new)]
    [[0], [2]]
    """
    alone_old, alone_new = np.flatnonzero(_alone(old)), np.flatnonzero(_alone(new))
    places, mates = match(old[alone_old], new[alone_new])
    return alone_old[places], alone_new[mates]


def _alone(keys: Keys) -> NDArray[np.bool_]:
    _, where, counts = np.unique(keys, return_inverse=True, return_counts=True)
    found: NDArray[np.bool_] = (counts[where.reshape(-1)] == 1) & (keys != 0)
    return found


def in_order(places: Places | NDArray[np.int32]) -> NDArray[np.bool_]:
    """Say of different numbers which belong to a longest rising sequence of them: the others have moved.

    So of ten thousand lines with one put in front, one has moved. By patience sorting, in O(n log n) time and
    12 bytes a number.

    >>> in_order(np.array([4, 0, 1, 2, 3])).tolist()
    [False, True, True, True, True]
    """
    if (np.diff(places) > 0).all():
        return np.ones(len(places), bool)
    tops, ends, before = array("i"), array("i"), array("i")
    for start in range(0, len(places), _CHUNK):
        for at, value in enumerate(places[start : start + _CHUNK].tolist(), start):
            pile = bisect_left(tops, value) if tops and value < tops[-1] else len(tops)
            before.append(ends[pile - 1] if pile else -1)
            tops[pile : pile + 1] = array("i", (value,))
            ends[pile : pile + 1] = array("i", (at,))
    return _chain(before, ends[-1])


def _chain(before: "array[int]", last: int) -> NDArray[np.bool_]:
    kept = np.zeros(len(before), bool)
    while last >= 0:
        kept[last] = True
        last = before[last]
    return kept
