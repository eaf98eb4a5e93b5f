"""Decides how many lines of each class each part gets: ratios, rounded so that all totals are right."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix

Integers = NDArray[np.int64]


def quotas(counts: Integers, ratios: Sequence[Fraction], seed: int = 0) -> Integers:
    """Return how many lines of each class each part gets, ``(classes, parts)``; ``counts`` is ``(classes,)``.

    Every number is lines times ratio, rounded down or up. Every row adds up to the lines of the class, every
    column to the part's ratio of all lines, to the nearest line. Among several solutions, the largest
    remainders are rounded up, and the seed decides between equal ones. A class with fewer lines than parts
    goes to the first part. This is known as controlled rounding.

    >>> quotas(np.array([38, 31]), [Fraction(8, 10), Fraction(2, 10)])
    array([[30,  8],
           [25,  6]])
    """
    weights, base = _weights(ratios)
    rare = counts < len(ratios)
    exact = counts[:, None] * weights[None, :]
    result, rest = exact // base, exact % base
    result[rare], rest[rare] = 0, 0
    result[rare, 0] = counts[rare]
    demand = part_totals(int(counts.sum()), ratios, seed) - result.sum(axis=0)
    ties = mix(np.arange(rest.size, dtype=np.uint64), seed).reshape(rest.shape)
    _round_up(result, rest, counts - result.sum(axis=1), demand, ties)
    return result


def _weights(ratios: Sequence[Fraction]) -> tuple[Integers, int]:
    """Return the ratios as whole numbers, ``(parts,)``, and the number by which these are divided."""
    base = lcm(*(ratio.denominator for ratio in ratios))
    return np.array([ratio.numerator * (base // ratio.denominator) for ratio in ratios], np.int64), base


def part_totals(lines: int, ratios: Sequence[Fraction], seed: int) -> Integers:
    """Return how many lines each part gets, ``(parts,)``: to the nearest line, and adding up to ``lines``.

    >>> part_totals(33, [Fraction(7, 10), Fraction(3, 10)], 0)
    array([23, 10])
    """
    weights, base = _weights(ratios)
    exact = lines * weights
    totals: Integers = exact // base
    order = np.lexsort((mix(np.arange(len(weights), dtype=np.uint64), seed), -(exact % base)))
    totals[order[: lines - int(totals.sum())]] += 1
    return totals


def _round_up(
    result: Integers, rest: Integers, left: Integers, demand: Integers, ties: NDArray[np.uint64]
) -> None:
    """Round entries of ``result`` up until rows and columns add up, the largest remainders first.

    ``left`` is ``(classes,)``: lines that are not in a part yet. ``demand`` is ``(parts,)``: missing lines.
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
    """Return the entries to flip so that ``row`` rounds one more up, and only a column in demand grows.

    This is an augmenting path as in bipartite matching. There is none when small classes have filled the
    first part; then the column with the highest demand grows.
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
