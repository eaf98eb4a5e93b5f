"""Assigns lines to parts: a pure function, which a better solver could replace."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix
from manifest_tools.groundtruth.line_columns import ClassArrays
from manifest_tools.verbs.split.quotas import Integers, quotas


def assign(
    classes: ClassArrays, groups: NDArray[np.uint64], ratios: Sequence[Fraction], seed: int
) -> NDArray[np.uint8]:
    """Return the part of every line, ``(lines,)``, as an index into ``ratios``.

    ``groups`` is ``(lines,)``: 64-bit hashes; lines with the same one stay together. With one class a line,
    each class is divided to within one line and all lines to the nearest line, as far as groups allow. A
    class with fewer lines than parts goes to the first part. With several classes a line, iterative
    stratification chooses the parts, and a local search then brings all lines to the nearest line and the
    classes closer to their ratios. The result depends on classes, groups and seed, not on the order of
    the lines.
    """
    rank = mix(groups, seed)
    if _all_different(groups):
        if classes.single:
            return _assign_singles(classes.flat, rank, ratios, seed)
        return _stratified(classes, np.ones(len(groups), np.int64), rank, ratios, seed)
    return _assign_groups(classes, groups, ratios, seed)


def _stratified(
    classes: ClassArrays, sizes: Integers, rank: NDArray[np.uint64], ratios: Sequence[Fraction], seed: int
) -> NDArray[np.uint8]:
    """Return the part of every group, ``(groups,)``: iterative stratification, made better step by step."""
    from manifest_tools.verbs.split.iterative_stratification import stratify
    from manifest_tools.verbs.split.local_search import improve

    return improve(classes, sizes, rank, ratios, seed, stratify(classes, sizes, rank, ratios))


def _all_different(values: NDArray[np.uint64]) -> bool:
    return _rises(np.sort(values))


def _assign_singles(
    classes: NDArray[np.int32], rank: NDArray[np.uint64], ratios: Sequence[Fraction], seed: int
) -> NDArray[np.uint8]:
    compact = _compact(classes)
    return _deal(compact, rank, quotas(np.bincount(compact), ratios, seed))


def _compact(classes: NDArray[np.int32]) -> Integers:
    """Return the classes numbered from 0, ``(lines,)``, so that a table by class has few rows."""
    if not len(classes) or classes.max() < len(classes):
        return classes.astype(np.int64)
    compact: Integers = np.unique(classes, return_inverse=True)[1]
    return compact


def _deal(classes: Integers, rank: NDArray[np.uint64], wanted: Integers) -> NDArray[np.uint8]:
    """Return the part of every line: those of each class fill the parts by rank, as ``wanted`` says."""
    order = _order(classes, rank)
    parts = np.empty(len(classes), np.uint8)
    parts[order] = np.repeat(np.tile(np.arange(wanted.shape[1], dtype=np.uint8), len(wanted)), wanted.ravel())
    return parts


def _order(classes: Integers, rank: NDArray[np.uint64]) -> Integers:
    """Return the indices of the lines sorted by class, then rank.

    One key of class and upper bits of the rank sorts six times faster than two keys. It gives the same order
    if no two keys are equal.
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
    classes: ClassArrays, groups: NDArray[np.uint64], ratios: Sequence[Fraction], seed: int
) -> NDArray[np.uint8]:
    """Assign groups instead of lines: groups of several lines first, then single lines fill the rest."""
    hashes, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if not classes.single:
        from manifest_tools.verbs.split.iterative_stratification import merge_classes

        merged = merge_classes(classes, member, len(hashes))
        return _stratified(merged, sizes, mix(hashes, seed), ratios, seed)[member]
    # If lines of one picture have different classes, the group has the lowest, whichever comes first.
    lowest = np.full(len(hashes), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(lowest, member, classes.flat)
    compact = _compact(lowest)
    rank = mix(hashes, seed)
    wanted = quotas(np.bincount(compact, weights=sizes).astype(np.int64), ratios, seed)
    parts = np.empty(len(hashes), np.uint8)
    large = np.flatnonzero(sizes > 1)
    for group in large[np.lexsort((rank[large], -sizes[large]))].tolist():
        needed = wanted[compact[group]]
        parts[group] = part = int(np.argmax(needed))
        needed[part] -= sizes[group]
    small = np.flatnonzero(sizes == 1)
    parts[small] = _deal(compact[small], rank[small], _without_overdraft(wanted))
    return parts[member]


def _without_overdraft(wanted: Integers) -> Integers:
    """Return what is still wanted after large groups took more lines of a class than a part should get."""
    for row in (wanted[at] for at in np.flatnonzero((wanted < 0).any(axis=1))):
        overdraft = -row[row < 0].sum()
        row[row < 0] = 0
        while overdraft:
            row[np.argmax(row)] -= 1
            overdraft -= 1
    return wanted
