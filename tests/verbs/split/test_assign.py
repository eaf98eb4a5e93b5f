from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts, mix
from manifest_tools.groundtruth.line_columns import ClassArrays
from manifest_tools.verbs.split.assign import assign
from manifest_tools.verbs.split.quotas import quotas

TWO = [Fraction(4, 5), Fraction(1, 5)]
THREE = [Fraction(7, 10), Fraction(2, 10), Fraction(1, 10)]

counts_of_classes = st.lists(st.integers(0, 60), min_size=1, max_size=12).filter(any)


@st.composite
def ratios(draw: st.DrawFn, least: int = 2, most: int = 5) -> list[Fraction]:
    """Draw parts that add up to 1."""
    weights = draw(st.lists(st.integers(1, 20), min_size=least, max_size=most))
    return [Fraction(weight, sum(weights)) for weight in weights]


def single(classes: list[int]) -> ClassArrays:
    return ClassArrays(np.array(classes, np.int32), np.ones(len(classes), np.int32))


def keys(numbers: list[int]) -> NDArray[np.uint64]:
    return np.array(numbers, np.uint64)


def exact(counts: list[int], parts: list[Fraction]) -> NDArray[np.float64]:
    return np.array([[float(ratio * count) for ratio in parts] for count in counts])


@pytest.mark.parametrize(
    ("counts", "parts", "wanted"),
    [
        pytest.param([38, 31], TWO, [[30, 8], [25, 6]], id="the workshop's 69 lines"),
        pytest.param([10, 5], TWO, [[8, 2], [4, 1]], id="ratios that divide evenly"),
        pytest.param([1, 10], TWO, [[1, 0], [8, 2]], id="a class of one line goes to the first part"),
        pytest.param([2, 10], THREE, [[2, 0, 0], [7, 2, 1]], id="so does one of two lines among three parts"),
        pytest.param([0, 5], TWO, [[0, 0], [4, 1]], id="a gap in the class indices stays empty"),
        pytest.param([7], [Fraction(1)], [[7]], id="one part takes all"),
        pytest.param([2, 2, 2], TWO, None, id="classes of two lines share one line of validation"),
    ],
)
def test_quotas_round_so_that_classes_and_totals_agree(
    counts: list[int], parts: list[Fraction], wanted: list[list[int]] | None
) -> None:
    found = quotas(np.array(counts), parts)
    assert found.sum(axis=1).tolist() == counts
    if wanted is not None:
        assert found.tolist() == wanted
    else:
        assert found.sum(axis=0).tolist() == [5, 1]


@given(counts_of_classes, ratios(), st.integers(0, 9))
def test_every_class_is_within_one_line_of_its_share_and_complete(
    counts: list[int], parts: list[Fraction], seed: int
) -> None:
    found = quotas(np.array(counts), parts, seed)
    assert found.sum(axis=1).tolist() == counts
    assert (found >= 0).all()
    large = np.array(counts) >= len(parts)
    assert (np.abs(found - exact(counts, parts))[large] < 1 + 1e-9).all()
    assert found[~large, 0].tolist() == np.array(counts)[~large].tolist()


@given(counts_of_classes, ratios(most=2), st.integers(0, 9))
def test_of_two_parts_each_total_is_its_share_to_the_nearest_line(
    counts: list[int], parts: list[Fraction], seed: int
) -> None:
    assume(all(count != 1 for count in counts))
    totals = quotas(np.array(counts), parts, seed).sum(axis=0)
    wanted = [float(ratio * sum(counts)) for ratio in parts]
    assert np.abs(totals - wanted).max() <= 0.5 + 1e-9


@given(counts_of_classes, ratios(least=3), st.integers(0, 9))
def test_of_more_parts_each_total_is_within_one_line_of_its_share(
    counts: list[int], parts: list[Fraction], seed: int
) -> None:
    assume(all(count == 0 or count >= len(parts) for count in counts))
    totals = quotas(np.array(counts), parts, seed).sum(axis=0)
    wanted = [float(ratio * sum(counts)) for ratio in parts]
    assert np.abs(totals - wanted).max() < 1 + 1e-9


@given(st.lists(st.integers(2, 40), min_size=1, max_size=8), st.integers(0, 9))
def test_scikit_learn_deals_out_as_many_lines_of_each_class(counts: list[int], seed: int) -> None:
    from sklearn.model_selection import StratifiedShuffleSplit

    found = quotas(np.array(counts), TWO, seed)
    train, validation = found.sum(axis=0).tolist()
    assume(validation >= len(counts))  # it refuses less
    labels = np.repeat(np.arange(len(counts)), counts)
    oracle = StratifiedShuffleSplit(1, train_size=train, test_size=validation, random_state=seed)
    theirs, _ = next(oracle.split(labels, labels))
    assert np.abs(np.bincount(labels[theirs], minlength=len(counts)) - found[:, 0]).max() <= 1


lines = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), min_size=1, max_size=60)


@given(lines, ratios(), st.integers(0, 9), st.randoms(use_true_random=False))
def test_who_goes_where_does_not_depend_on_the_order_of_the_lines(
    rows: list[tuple[int, int]], parts: list[Fraction], seed: int, random: Any
) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    classes, groups = [row[0] for row in rows], [row[1] for row in rows]
    straight = assign(single(classes), keys(groups), parts, seed)
    moved = assign(single([classes[i] for i in order]), keys([groups[i] for i in order]), parts, seed)
    assert moved.tolist() == straight[order].tolist()


@given(lines, ratios(), st.integers(0, 9))
def test_lines_of_one_picture_never_part(
    rows: list[tuple[int, int]], parts: list[Fraction], seed: int
) -> None:
    found = assign(single([row[0] for row in rows]), keys([row[1] for row in rows]), parts, seed)
    sides: dict[int, set[int]] = {}
    for (_, group), part in zip(rows, found.tolist(), strict=True):
        sides.setdefault(group, set()).add(part)
        assert part < len(parts)
    assert all(len(side) == 1 for side in sides.values())


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80), ratios(), st.integers(0, 9))
def test_without_shared_pictures_the_quotas_are_met_exactly(
    classes: list[int], parts: list[Fraction], seed: int
) -> None:
    found = assign(single(classes), keys(list(range(len(classes)))), parts, seed)
    # Indices above the number of lines are numbered anew first, and ties go by these numbers.
    numbers = np.array(classes)
    if numbers.max() >= len(numbers):
        numbers = np.unique(numbers, return_inverse=True)[1]
    counts = np.bincount(numbers)
    table = np.zeros((len(counts), len(parts)), int)
    np.add.at(table, (numbers, found.astype(int)), 1)
    assert table.tolist() == quotas(counts, parts, seed).tolist()


def test_pairs_of_lines_of_one_picture_still_come_close_to_the_shares() -> None:
    classes = [n // 2 % 2 for n in range(200)]
    found = assign(single(classes), keys([n // 2 for n in range(200)]), TWO, 0)
    assert abs(int((found == 1).sum()) - 40) <= 2
    assert abs(int(found[np.array(classes) == 0].sum()) - 20) <= 2


def test_a_picture_with_more_lines_than_a_part_may_have_still_stays_whole() -> None:
    found = assign(single([0] * 12), keys([7] * 9 + [1, 2, 3]), [Fraction(1, 2), Fraction(1, 2)], 0)
    assert len(set(found[:9].tolist())) == 1
    assert found[9:].tolist() == [1 - found[0]] * 3


def test_another_seed_chooses_others_but_as_many() -> None:
    classes = single([n % 2 for n in range(69)])
    one, other = (assign(classes, mix(keys(list(range(69))), 7), TWO, seed) for seed in (0, 1))
    assert one.tolist() != other.tolist()
    assert one.sum() == other.sum() == 14


def test_a_class_index_of_ten_million_costs_no_table_of_that_size() -> None:
    found = assign(single([9_999_999] * 5 + [0] * 5), keys(list(range(10))), TWO, 0)
    assert sorted(found.tolist()) == [0] * 8 + [1] * 2


def test_where_halves_of_ranks_collide_the_order_is_still_by_class_then_rank() -> None:
    many = 70_000  # more classes than fit beside a rank in one key
    found = assign(single(list(range(many)) * 2), keys(list(range(2 * many))), [Fraction(1, 2)] * 2, 0)
    assert np.bincount(found).tolist() == [many, many]
    assert ((found[:many] + found[many:]) == 1).all()


@given(st.text(max_size=40), st.lists(st.none() | st.text(max_size=700), max_size=4))
def test_the_key_of_a_picture_does_not_depend_on_what_stands_beside_it(
    text: str, company: list[str | None]
) -> None:
    assert hash_texts([*company, text])[-1] == hash_texts([text])[0]


@given(st.lists(st.text(max_size=30), unique=True, max_size=20))
def test_different_pictures_have_different_keys(texts: list[str]) -> None:
    assert len(set(hash_texts([*texts]).tolist())) == len(texts)


def test_a_line_without_a_picture_has_the_key_zero_and_others_have_not() -> None:
    found = hash_texts([None, "", "\0", "a", "a\0"]).tolist()
    assert found[0] == 0
    assert len(set(found)) == 5
