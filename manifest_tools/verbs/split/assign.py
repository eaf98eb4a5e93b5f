"""Which line goes to which part: a pure function under ``split``, which a better solver can replace."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Labels:
    """The classes of every line: ``counts`` says how many of ``flat`` each line takes, in order."""

    flat: NDArray[np.int32]
    counts: NDArray[np.int32]

    @property
    def single(self) -> bool:
        """Say whether every line has just one class."""
        return bool((self.counts == 1).all())


def assign(
    classes: Labels, groups: NDArray[np.uint64], shares: Sequence[Fraction], seed: int
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
    classes: Labels, groups: NDArray[np.uint64], shares: Sequence[Fraction], seed: int
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


def quotas(counts: Integers, shares: Sequence[Fraction], seed: int = 0) -> Integers:
    """Return how many lines of each class (a row) each part (a column) gets: controlled rounding.

    Every entry is its exact share rounded down or up, every row adds up to the class, every column to the
    part's share of the whole to the nearest line; where that leaves a choice, the largest remainder wins
    and ties go by the seed. A class with fewer lines than parts goes to the first part.

    >>> quotas(np.array([38, 31]), [Fraction(8, 10), Fraction(2, 10)])
    array([[30,  8],
           [25,  6]])
    """
    unit = lcm(*(share.denominator for share in shares))
    weights = np.array([share.numerator * (unit // share.denominator) for share in shares], np.int64)
    rare = counts < len(shares)
    exact = counts[:, None] * weights[None, :]
    result, rest = exact // unit, exact % unit
    result[rare], rest[rare] = 0, 0
    result[rare, 0] = counts[rare]
    demand = _totals(int(counts.sum()), weights, unit, seed) - result.sum(axis=0)
    ties = mix(np.arange(rest.size, dtype=np.uint64), seed).reshape(rest.shape)
    _round_up(result, rest, counts - result.sum(axis=1), demand, ties)
    return result


def _totals(lines: int, weights: Integers, unit: int, seed: int) -> Integers:
    """Return each part's share of all lines, to the nearest line, adding up to all of them."""
    exact = lines * weights
    totals: Integers = exact // unit
    order = np.lexsort((mix(np.arange(len(weights), dtype=np.uint64), seed), -(exact % unit)))
    totals[order[: lines - int(totals.sum())]] += 1
    return totals


def _round_up(
    result: Integers, rest: Integers, left: Integers, demand: Integers, ties: NDArray[np.uint64]
) -> None:
    """Round entries of ``result`` up until rows and columns add up; largest remainders first.

    ``left`` is what each row still has to place, ``demand`` what each column still lacks.
    """
    taken = np.zeros(rest.shape, bool)
    rows, columns = np.nonzero(rest)
    for at in np.lexsort((ties[rows, columns], -rest[rows, columns])).tolist():
        row, column = int(rows[at]), int(columns[at])
        if left[row] and demand[column] > 0:
            taken[row, column] = True
            left[row] -= 1
            demand[column] -= 1
    for row in np.repeat(np.arange(len(left)), left).tolist():
        for line, column in _path(row, (rest > 0) & ~taken, taken, demand):
            taken[line, column] ^= True
    result += taken


def _path(
    row: int, free: NDArray[np.bool_], taken: NDArray[np.bool_], demand: Integers
) -> list[tuple[int, int]]:
    """Return the entries to flip so that ``row`` rounds one more up and only a lacking column grows.

    An augmenting path as in bipartite matching. Where there is none, because classes too small to part
    have filled the first part, the column that lacks most grows directly.
    """
    first: list[int] = np.flatnonzero(free[row]).tolist()
    before: dict[int, tuple[int, int | None]] = dict.fromkeys(first, (row, None))
    queue = list(before)
    for column in queue:
        if demand[column] > 0:
            demand[column] -= 1
            return _steps_back(column, before)
        for other in np.flatnonzero(taken[:, column]).tolist():
            for q in np.flatnonzero(free[other]).tolist():
                if q not in before:
                    before[q] = (other, column)
                    queue.append(q)
    column = int(np.argmax(np.where(taken[row], np.iinfo(np.int64).min, demand)))
    demand[column] -= 1
    return [(row, column)]


def _steps_back(column: int, before: dict[int, tuple[int, int | None]]) -> list[tuple[int, int]]:
    flips: list[tuple[int, int]] = []
    at: int | None = column
    while at is not None:
        row, previous = before[at]
        flips.append((row, at))
        if previous is not None:
            flips.append((row, previous))
        at = previous
    return flips
