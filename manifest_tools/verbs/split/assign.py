"""Which line goes to which part: a pure function under ``split``, which a better solver can replace."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix
from manifest_tools.groundtruth.line_columns import ClassArrays
from manifest_tools.verbs.split.quotas import Integers, quotas


def assign(
    classes: ClassArrays, groups: NDArray[np.uint64], shares: Sequence[Fraction], seed: int
) -> NDArray[np.uint8]:
    """Return the part of every line, as an index into ``shares``.

    Lines of one group (a key of 64 bits) stay together. With one class a line, every class is within one
    line of its share and every total is its share to the nearest line, as far as groups allow; a class
    with fewer lines than parts goes to the first part whole. With several classes a line, iterative
    stratification. Who goes where depends on keys and seed alone, not on the order of the lines.
    """
    rank = mix(groups, seed)
    if _all_different(groups):
        if classes.single:
            return _assign_singles(classes.flat, rank, shares, seed)
        from manifest_tools.verbs.split.iterative import stratify

        return stratify(classes, np.ones(len(groups), np.int64), rank, shares)
    return _assign_groups(classes, groups, shares, seed)


def _all_different(keys: NDArray[np.uint64]) -> bool:
    return _rises(np.sort(keys))


def _assign_singles(
    classes: NDArray[np.int32], rank: NDArray[np.uint64], shares: Sequence[Fraction], seed: int
) -> NDArray[np.uint8]:
    compact = _compact(classes)
    return _deal(compact, rank, quotas(np.bincount(compact), shares, seed))


def _compact(classes: NDArray[np.int32]) -> Integers:
    """Return small numbers for the classes, so that a table by class has no more rows than needed."""
    if not len(classes) or classes.max() < len(classes):
        return classes.astype(np.int64)
    compact: Integers = np.unique(classes, return_inverse=True)[1]
    return compact


def _deal(classes: Integers, rank: NDArray[np.uint64], wanted: Integers) -> NDArray[np.uint8]:
    """Give each class's lines, in the order of their rank, to the parts as ``wanted`` says."""
    order = _order(classes, rank)
    parts = np.empty(len(classes), np.uint8)
    parts[order] = np.repeat(np.tile(np.arange(wanted.shape[1], dtype=np.uint8), len(wanted)), wanted.ravel())
    return parts


def _order(classes: Integers, rank: NDArray[np.uint64]) -> Integers:
    """Return the lines by class, then rank.

    One key of class and the upper bits of the rank sorts six times faster than two keys, and gives the
    same order unless two keys are equal.
    """
    if len(classes) and classes.max() < 1 << 16:
        key = (classes.astype(np.uint64) << np.uint64(48)) | (rank >> np.uint64(16))
        order = np.argsort(key)
        if _rises(key[order]):
            return order
    exact: Integers = np.lexsort((rank, classes))
    return exact


def _rises(values: NDArray[np.uint64]) -> bool:
    return bool((values[1:] > values[:-1]).all())


def _assign_groups(
    classes: ClassArrays, groups: NDArray[np.uint64], shares: Sequence[Fraction], seed: int
) -> NDArray[np.uint8]:
    """Assign groups instead of lines: those of several lines first, the single ones fill what is left."""
    keys, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if not classes.single:
        from manifest_tools.verbs.split.iterative import merged, stratify

        return stratify(merged(classes, member, len(keys)), sizes, mix(keys, seed), shares)[member]
    # Lines of one picture that disagree count as the lowest of their classes, whichever comes first.
    lowest = np.full(len(keys), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(lowest, member, classes.flat)
    compact = _compact(lowest)
    rank = mix(keys, seed)
    wanted = quotas(np.bincount(compact, weights=sizes).astype(np.int64), shares, seed)
    parts = np.empty(len(keys), np.uint8)
    large = np.flatnonzero(sizes > 1)
    for unit in large[np.lexsort((rank[large], -sizes[large]))].tolist():
        needs = wanted[compact[unit]]
        parts[unit] = part = int(np.argmax(needs))
        needs[part] -= sizes[unit]
    small = np.flatnonzero(sizes == 1)
    parts[small] = _deal(compact[small], rank[small], _without_debts(wanted))
    return parts[member]


def _without_debts(wanted: Integers) -> Integers:
    """Return what is still wanted where large groups took more than a part's share of a class."""
    for row in (wanted[at] for at in np.flatnonzero((wanted < 0).any(axis=1))):
        debt = -row[row < 0].sum()
        row[row < 0] = 0
        while debt:
            row[np.argmax(row)] -= 1
            debt -= 1
    return wanted
