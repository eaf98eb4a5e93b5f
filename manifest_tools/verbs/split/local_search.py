"""Local search after iterative stratification: totals to the nearest line, then swaps that even classes out.

Groups of one size with the same classes are alike, so the search works on how many of each sort a part has.
What it lowers is the sum over classes and parts of the squared difference from the ratio, in lines, divided
by the lines of the class, so that a line of a rare class weighs more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix
from manifest_tools.groundtruth.line_columns import ClassArrays
from manifest_tools.verbs.split.quotas import Integers, part_totals

_WORK = 15_000_000  # classes of sorts that the swaps look at; bounds the time on large data
_MOST_ROUNDS = 1000
_TRIED = 12  # sorts of each part that are tried against one another in a round
_GAIN = 1e-9  # what a swap must gain at least: less is rounding


Costs = NDArray[np.float64]


@dataclass(slots=True)
class _Search:
    """How many groups of each sort each part has, and how far that is from the ratios."""

    counts: Integers
    """``(sorts, parts)``: groups."""

    size: Integers
    """``(sorts,)``: the lines of each group."""

    classes: Integers
    """``(classes of all sorts,)``: numbers of classes, sort after sort."""

    sort_of: Integers
    """``(classes of all sorts,)``: the sort of each of ``classes``."""

    over: NDArray[np.float64]
    """``(classes, parts)``: lines that a part has more than its ratio says."""

    weight: NDArray[np.float64]
    """``(classes,)``: what a squared line of difference counts."""

    own: Costs
    """``(sorts,)``: what a move costs whichever the parts are: the weight of its classes times its lines."""

    def costs(self, giver: int, taker: int) -> tuple[Costs, Costs]:
        """Return what it costs to move a group of each sort, ``(sorts,)``, and to move one back."""
        slope = self.weight * (self.over[:, taker] - self.over[:, giver])
        there = _sums(self.sort_of, slope[self.classes], len(self.size))
        return 2 * self.size * (self.own + there), 2 * self.size * (self.own - there)

    def move(self, sorts: Integers, giver: int, taker: int) -> None:
        """Move a group of each of some different sorts."""
        self.counts[sorts, giver] -= 1
        self.counts[sorts, taker] += 1
        moved = np.zeros(len(self.size), np.int64)
        moved[sorts] = self.size[sorts]
        lines = np.bincount(self.classes, moved[self.sort_of], len(self.weight))
        self.over[:, giver] -= lines
        self.over[:, taker] += lines

    def holders(self, part: int) -> Integers:
        """Return the sorts of which a part has a group."""
        return np.flatnonzero(self.counts[:, part])


def _sums(sort_of: Integers, values: Costs, sorts: int) -> Costs:
    """Return the sum of the values of each sort; NumPy counts in whole numbers where there are none."""
    return np.bincount(sort_of, values, sorts).astype(np.float64)


def improve(
    classes: ClassArrays,
    sizes: Integers,
    rank: NDArray[np.uint64],
    ratios: Sequence[Fraction],
    seed: int,
    parts: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Return better parts of the groups, ``(groups,)``; ``sizes``, ``rank`` and ``parts`` are the same shape.

    Every part gets its ratio of all lines to the nearest line, as far as the sizes allow. The result does not
    depend on the order of the groups.
    """
    if len(ratios) < 2:
        return parts
    member, search = _search(classes, sizes, ratios, parts)
    before = search.counts.copy()
    _fill(search, search.size @ before - part_totals(int(sizes.sum()), ratios, seed))
    _swap(search)
    return _with_moves(parts, member, rank, search.counts - before)


def _search(
    classes: ClassArrays, sizes: Integers, ratios: Sequence[Fraction], parts: NDArray[np.uint8]
) -> tuple[Integers, _Search]:
    """Return the sort of every group, ``(groups,)``, and where the search begins."""
    indices, numbers = np.unique(classes.flat, return_inverse=True)
    group_of = np.repeat(np.arange(len(sizes)), classes.counts)
    sums = np.zeros(len(sizes), np.uint64)
    np.add.at(sums, group_of, mix(classes.flat.astype(np.uint64), 1))
    keys = mix(mix(sums, 2) ^ sizes.astype(np.uint64), 3)
    _, first, member = np.unique(keys, return_index=True, return_inverse=True)
    counts = np.bincount(member * len(ratios) + parts, minlength=len(first) * len(ratios))
    chosen = np.zeros(len(sizes), bool)
    chosen[first] = True
    of_sorts = np.flatnonzero(chosen[group_of])
    sort_of, numbers_of = member[group_of[of_sorts]], numbers[of_sorts]
    order = np.lexsort((numbers_of, sort_of))
    lines = sizes[group_of]
    have = np.bincount(numbers * len(ratios) + parts[group_of], lines, len(indices) * len(ratios))
    table = have.reshape(len(indices), len(ratios))
    total = table.sum(axis=1)
    wanted = total[:, None] * np.array([float(ratio) for ratio in ratios])
    classes_of, weight = numbers_of[order], 1 / total
    sizes_of = sizes[first]
    own = sizes_of * _sums(sort_of[order], weight[classes_of], len(first))
    table_of = counts.reshape(len(first), len(ratios))
    return member, _Search(table_of, sizes_of, classes_of, sort_of[order], table - wanted, weight, own)


def _fill(search: _Search, surplus: Integers) -> None:
    """Move groups until no part has more lines than its total, or no move brings the totals closer.

    ``surplus`` is ``(parts,)``: lines that each part has too many.
    """
    moved = True
    while moved:
        givers = [part for part in np.argsort(-surplus).tolist() if surplus[part] > 0]
        takers = [part for part in np.argsort(surplus).tolist() if surplus[part] < 0]
        moved = any(_fill_one(search, surplus, *pair) for pair in product(givers, takers))


def _fill_one(search: _Search, surplus: Integers, giver: int, taker: int) -> bool:
    """Move some groups between two parts; return whether there were any that bring the totals closer."""
    sorts = _to_move(search, giver, taker, int(surplus[giver]), int(-surplus[taker]))
    search.move(sorts, giver, taker)
    lines = int(search.size[sorts].sum())
    surplus[giver] -= lines
    surplus[taker] += lines
    return lines > 0


def _to_move(search: _Search, giver: int, taker: int, too_many: int, too_few: int) -> Integers:
    """Return sorts, the cheapest first, of which a group each brings the totals of two parts closer."""
    sorts = search.holders(giver)
    gap = min(too_many, too_few)
    fitting = sorts[search.size[sorts] <= gap]
    if not len(fitting):
        size = search.size[sorts]
        closer = sorts[np.abs(too_many - size) + np.abs(too_few - size) < too_many + too_few]
        return _cheapest(closer, search.size.astype(np.float64), 1)
    several = _cheapest(fitting, search.costs(giver, taker)[0], max(1, gap // 4))
    within = several[np.cumsum(search.size[several]) <= gap]
    return within if len(within) else several[:1]


def _swap(search: _Search) -> None:
    """Swap groups of one size between two parts while that lowers the sum of squares."""
    pairs = list(combinations(range(search.counts.shape[1]), 2))
    rounds = min(_MOST_ROUNDS, _WORK // (len(search.classes) + len(search.size) + 1) + 1)
    while rounds > 0 and pairs:
        for pair in list(pairs):
            rounds -= 1
            if not _swap_once(search, *pair):
                pairs.remove(pair)


def _swap_once(search: _Search, one: int, other: int) -> bool:
    """Make the best swap that is found; return whether one gains anything."""
    costs, costs_back = search.costs(one, other)
    there = _cheapest(search.holders(one), costs, _TRIED)
    back = _cheapest(search.holders(other), costs_back, _TRIED)
    sums = costs[there][:, None] + costs_back[back][None, :]
    sums -= 4 * search.size[there][:, None] ** 2 * _shared(search, there, back)
    sums[search.size[there][:, None] != search.size[back][None, :]] = np.inf
    if not sums.size or sums.min() > -_GAIN:
        return False
    at, to = np.unravel_index(int(sums.argmin()), sums.shape)
    search.move(there[[at]], one, other)
    search.move(back[[to]], other, one)
    return True


def _cheapest(sorts: Integers, costs: Costs, most: int) -> Integers:
    """Return some of the sorts, the cheapest first."""
    if most < len(sorts):
        sorts = sorts[np.argpartition(costs[sorts], most)[:most]]
    ordered: Integers = sorts[np.argsort(costs[sorts], kind="stable")]
    return ordered


def _shared(search: _Search, there: Integers, back: Integers) -> NDArray[np.float64]:
    """Return the weight of the classes that two sorts share: a swap does not change these."""
    sets = [_classes_of(search, sorts) for sorts in (there, back)]
    return np.array(
        [[float(search.weight[list(mine & yours)].sum()) for yours in sets[1]] for mine in sets[0]]
    ).reshape(len(there), len(back))


def _classes_of(search: _Search, sorts: Integers) -> list[frozenset[int]]:
    starts = np.searchsorted(search.sort_of, sorts, "left").tolist()
    ends = np.searchsorted(search.sort_of, sorts, "right").tolist()
    return [frozenset(search.classes[start:end].tolist()) for start, end in zip(starts, ends, strict=True)]


def _with_moves(
    parts: NDArray[np.uint8], member: Integers, rank: NDArray[np.uint64], changes: Integers
) -> NDArray[np.uint8]:
    """Return the parts after groups of each sort changed sides; ``changes`` is ``(sorts, parts)``."""
    found = parts.copy()
    order = np.lexsort((rank, member))
    starts = np.searchsorted(member[order], np.arange(len(changes) + 1))
    for sort in np.flatnonzero(changes.any(axis=1)).tolist():
        groups = order[starts[sort] : starts[sort + 1]]
        leaving = enumerate(np.maximum(-changes[sort], 0).tolist())
        free = [groups[parts[groups] == part][:count] for part, count in leaving]
        takers = np.repeat(np.arange(changes.shape[1]), np.maximum(changes[sort], 0))
        found[np.concatenate(free)] = takers
    return found
