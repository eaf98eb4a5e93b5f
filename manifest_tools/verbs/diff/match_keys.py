"""Matches the lines of two files by 64-bit keys, and says which of them are in another order."""

from array import array
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Indices = NDArray[np.int64]

_CHUNK = 1 << 16  # numbers that are Python objects at a time


def match_keys(old: Keys, new: Keys) -> tuple[Indices, Indices]:
    """Return the indices of equal keys, in the order of ``old``; the n-th of equal keys goes with the n-th.

    >>> old, new = np.array([7, 5, 5, 3], np.uint64), np.array([5, 9, 7], np.uint64)
    >>> [indices.tolist() for indices in match_keys(old, new)]
    [[0, 1], [2, 0]]
    """
    by_old, by_new = np.argsort(old, kind="stable"), np.argsort(new, kind="stable")
    sorted_old, sorted_new = old[by_old], new[by_new]
    first = np.searchsorted(sorted_new, sorted_old, "left")
    turn = np.arange(len(old)) - np.searchsorted(sorted_old, sorted_old, "left")
    there = turn < np.searchsorted(sorted_new, sorted_old, "right") - first
    indices, new_indices = by_old[there], by_new[(first + turn)[there]]
    order = np.argsort(indices)
    return indices[order], new_indices[order]


def match_unique(old: Keys, new: Keys) -> tuple[Indices, Indices]:
    """Return the indices of keys that are once in both; key 0 does not count.

    >>> old, new = np.array([7, 5, 5, 0], np.uint64), np.array([5, 0, 7], np.uint64)
    >>> [indices.tolist() for indices in match_unique(old, new)]
    [[0], [2]]
    """
    unique_old, unique_new = np.flatnonzero(_unique(old)), np.flatnonzero(_unique(new))
    indices, new_indices = match_keys(old[unique_old], new[unique_new])
    return unique_old[indices], unique_new[new_indices]


def _unique(keys: Keys) -> NDArray[np.bool_]:
    _, where, counts = np.unique(keys, return_inverse=True, return_counts=True)
    found: NDArray[np.bool_] = (counts[where.reshape(-1)] == 1) & (keys != 0)
    return found


def in_order(indices: Indices | NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return, as (indices,), which of the numbers are in a longest rising sequence; the others have moved.

    So when one line of ten thousand is put in front, one line has moved. Patience sorting: O(n log n) time,
    12 bytes a number.

    >>> in_order(np.array([4, 0, 1, 2, 3])).tolist()
    [False, True, True, True, True]
    """
    if (np.diff(indices) > 0).all():
        return np.ones(len(indices), bool)
    tops, ends, before = array("i"), array("i"), array("i")
    for start in range(0, len(indices), _CHUNK):
        for at, value in enumerate(indices[start : start + _CHUNK].tolist(), start):
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
