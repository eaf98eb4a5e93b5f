from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix
from manifest_tools.groundtruth.line_columns import ClassArrays
from manifest_tools.verbs.split.assign import assign
from manifest_tools.verbs.split.iterative_stratification import stratify

# Halves and quarters are exact in floating point, so that no tie is broken by rounding.
EXACT = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]
THREE = [Fraction(7, 10), Fraction(2, 10), Fraction(1, 10)]

Sets = list[set[int]]
label_sets = st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=1, max_size=40)


def labels(sets: Sets) -> ClassArrays:
    flat = [index for found in sets for index in sorted(found)]
    return ClassArrays(np.array(flat, np.int32), np.array([len(found) for found in sets], np.int32))


def ranks(lines: int, seed: int = 0) -> NDArray[np.uint64]:
    return mix(np.arange(lines, dtype=np.uint64), seed)


def as_the_paper_says(sets: Sets, rank: list[int], ratios: list[Fraction]) -> list[int]:
    """Deal out the lines as algorithm 1 of Sechidis et al. does, counting everything anew at every step."""
    order = sorted(range(len(sets)), key=lambda line: rank[line])
    parts: dict[int, int] = {}

    def wants(index: int | None, part: int) -> Fraction:
        mine = [line for line in order if index is None or index in sets[line]]
        return ratios[part] * len(mine) - sum(parts.get(line) == part for line in mine)

    def give(line: int, index: int | None) -> None:
        parts[line] = max(range(len(ratios)), key=lambda p: (wants(index, p), wants(None, p), -p))

    while left := {i for line in order if line not in parts for i in sets[line]}:
        rarest = min(left, key=lambda i: (sum(i in sets[line] for line in order if line not in parts), i))
        for line in [line for line in order if line not in parts and rarest in sets[line]]:
            give(line, rarest)
    for line in [line for line in order if line not in parts]:
        give(line, None)
    return [parts[line] for line in range(len(sets))]


@given(label_sets, st.integers(0, 5))
def test_it_deals_out_lines_as_the_paper_says(sets: Sets, seed: int) -> None:
    rank = ranks(len(sets), seed)
    found = stratify(labels(sets), np.ones(len(sets), np.int64), rank, EXACT)
    assert found.tolist() == as_the_paper_says(sets, rank.tolist(), EXACT)


@pytest.mark.parametrize("seed", range(4))
def test_every_class_comes_close_to_its_share(seed: int) -> None:
    random = np.random.default_rng(seed)
    sets: Sets = [set(np.flatnonzero(random.random(6) < 0.3).tolist()) for _ in range(500)]
    found = stratify(labels(sets), np.ones(500, np.int64), ranks(500, seed), THREE)
    for index in range(6):
        mine = found[[index in line for line in sets]]
        wanted = [float(ratio * len(mine)) for ratio in THREE]
        assert np.abs(np.bincount(mine, minlength=3) - wanted).max() <= 4
    assert np.abs(np.bincount(found, minlength=3) - [350, 100, 50]).max() <= 4


@given(label_sets, st.integers(0, 3), st.randoms(use_true_random=False))
def test_which_line_goes_where_does_not_depend_on_their_order(sets: Sets, seed: int, random: Any) -> None:
    order = list(range(len(sets)))
    random.shuffle(order)
    groups = np.arange(len(sets), dtype=np.uint64) + np.uint64(5)
    straight = assign(labels(sets), groups, THREE, seed)
    moved = assign(labels([sets[i] for i in order]), groups[order], THREE, seed)
    assert moved.tolist() == straight[order].tolist()


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 3), max_size=3), st.integers(0, 8)), min_size=2, max_size=40)
)
def test_lines_of_one_picture_never_part(rows: list[tuple[set[int], int]]) -> None:
    groups = np.array([row[1] for row in rows], np.uint64)
    found = assign(labels([row[0] for row in rows]), groups, THREE, 0)
    for group in set(groups.tolist()):
        assert len(set(found[groups == group].tolist())) == 1


def test_a_picture_with_two_lines_counts_twice_in_every_share() -> None:
    sets: Sets = [{0, 1}] * 100
    groups = np.array([line // 2 for line in range(100)], np.uint64)
    found = assign(labels(sets), groups, [Fraction(4, 5), Fraction(1, 5)], 0)
    assert np.bincount(found).tolist() == [80, 20]


def test_lines_without_any_class_are_dealt_out_as_well() -> None:
    found = stratify(labels([set()] * 10), np.ones(10, np.int64), ranks(10), [Fraction(4, 5), Fraction(1, 5)])
    assert np.bincount(found).tolist() == [8, 2]
