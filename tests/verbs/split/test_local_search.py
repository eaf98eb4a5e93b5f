from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix
from manifest_tools.groundtruth.line_columns import ClassArrays
from manifest_tools.verbs.split.assign import assign
from manifest_tools.verbs.split.iterative_stratification import stratify
from manifest_tools.verbs.split.local_search import improve

Sets = list[set[int]]
label_sets = st.lists(st.sets(st.integers(0, 5), max_size=4), min_size=1, max_size=50)


@st.composite
def ratios(draw: st.DrawFn) -> list[Fraction]:
    """Draw parts that add up to 1."""
    weights = draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    return [Fraction(weight, sum(weights)) for weight in weights]


def labels(sets: Sets) -> ClassArrays:
    flat = [index for found in sets for index in sorted(found)]
    return ClassArrays(np.array(flat, np.int32), np.array([len(found) for found in sets], np.int32))


def totals(found: NDArray[np.uint8], parts: list[Fraction]) -> list[int]:
    counts: list[int] = np.bincount(found, minlength=len(parts)).tolist()
    return counts


def unevenness(sets: Sets, found: NDArray[np.uint8], parts: list[Fraction]) -> float:
    """Return by how much classes miss their ratios: squared lines, by the lines of the class."""
    sum_of_squares = Fraction(0)
    for index in set().union(*sets):
        mine = [int(part) for part, have in zip(found, sets, strict=True) if index in have]
        for part, ratio in enumerate(parts):
            sum_of_squares += (mine.count(part) - ratio * len(mine)) ** 2 / len(mine)
    return float(sum_of_squares)


@given(label_sets, ratios(), st.integers(0, 5))
def test_each_total_is_its_ratio_to_the_nearest_line_whatever_the_labels(
    sets: Sets, parts: list[Fraction], seed: int
) -> None:
    assume(not labels(sets).single)  # a class too small to be divided goes to the first part there
    found = assign(labels(sets), np.arange(len(sets), dtype=np.uint64), parts, seed)
    off = [abs(float(n - ratio * len(sets))) for n, ratio in zip(totals(found, parts), parts, strict=True)]
    assert max(off) <= 0.5 if len(parts) == 2 else max(off) < 1


@given(label_sets, ratios(), st.integers(0, 5))
def test_classes_are_never_less_even_than_before_where_the_totals_were_right(
    sets: Sets, parts: list[Fraction], seed: int
) -> None:
    rank, ones = mix(np.arange(len(sets), dtype=np.uint64), seed), np.ones(len(sets), np.int64)
    first = stratify(labels(sets), ones, rank, parts)
    better = improve(labels(sets), ones, rank, parts, seed, first)
    if totals(first, parts) == totals(better, parts):
        assert unevenness(sets, better, parts) <= unevenness(sets, first, parts) + 1e-6


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 3), max_size=3), st.integers(1, 4)), min_size=1, max_size=20),
    ratios(),
)
def test_of_groups_each_total_is_nearer_than_the_largest_group(
    rows: list[tuple[set[int], int]], parts: list[Fraction]
) -> None:
    groups = np.repeat(np.arange(len(rows), dtype=np.uint64) + np.uint64(3), [size for _, size in rows])
    sets = [found for found, size in rows for _ in range(size)]
    # With one class a line, a class with fewer lines than parts goes whole to the first part.
    assume(not labels(sets).single)
    found = assign(labels(sets), groups, parts, 0)
    largest = max(size for _, size in rows)
    for n, ratio in zip(totals(found, parts), parts, strict=True):
        assert abs(float(n - ratio * len(sets))) <= largest


@pytest.mark.parametrize("seed", range(3))
def test_classes_are_as_even_as_lines_allow(seed: int) -> None:
    random = np.random.default_rng(seed)
    sets: Sets = [set(np.flatnonzero(random.random(20) < 0.15).tolist()) | {0} for _ in range(200)]
    parts = [Fraction(7, 10), Fraction(3, 10)]
    found = assign(labels(sets), np.arange(200, dtype=np.uint64), parts, seed)
    assert totals(found, parts) == [140, 60]
    for index in range(20):
        mine = found[[index in line for line in sets]]
        assert abs(float((mine == 1).sum()) - 0.3 * len(mine)) < 1


def test_sizes_of_groups_that_fit_together_fill_the_parts_exactly() -> None:
    groups = np.repeat(np.arange(1, 41, dtype=np.uint64), [1, 2, 3, 4] * 10)
    sets: Sets = [{int(group) % 3, 3 + int(group) % 2} for group in groups]
    found = assign(labels(sets), groups, [Fraction(3, 4), Fraction(1, 4)], 0)
    assert np.bincount(found).tolist() == [75, 25]
