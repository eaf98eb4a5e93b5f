import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine, Refused
from manifest_tools.verbs.filter.filter import filter
from tests.ground_truth import FAILED, FAT, line, lines_of, multi, write

labels = st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0, 0, 0, 1, 1, 2])), min_size=1, max_size=40)


def chosen(rows: list[bytes], **options: Any) -> list[bytes]:
    """Return the lines that a filter keeps."""
    with TemporaryDirectory() as folder:
        filter(write(Path(folder) / "in", *rows), f"{folder}/out", **options, jobs=1)
        return [row.rstrip(b"\n") for row in lines_of(f"{folder}/out")]


def classes(rows: list[bytes]) -> Counter[int]:
    return Counter(json.loads(row)["kind"] for row in rows)


@given(labels, st.integers(0, 3))
def test_a_balance_leaves_each_class_as_many_lines_as_the_smallest_has(
    shown: list[tuple[int, int]], seed: int
) -> None:
    rows = [line(f"{at}-{picture}", label) for at, (picture, label) in enumerate(shown)]
    kept = chosen(rows, balance=True, seed=seed)
    before = classes(rows)
    assert classes(kept) == dict.fromkeys(before, min(before.values()))
    left = iter(rows)
    assert all(row in left for row in kept)  # in the order of the input


@given(labels, st.integers(1, 9))
def test_so_many_of_each_class_are_never_more_even_where_pictures_are_there_twice(
    shown: list[tuple[int, int]], most: int
) -> None:
    rows = [line(picture, label) for picture, label in shown]
    found, before = classes(chosen(rows, per_class=most)), classes(rows)
    assert all(found[label] <= min(most, count) for label, count in before.items())
    assert all(found[label] == count for label, count in before.items() if count <= most)


@given(st.permutations(range(24)), st.integers(0, 3))
def test_which_lines_are_kept_does_not_depend_on_their_order(order: list[int], seed: int) -> None:
    rows = [line(n, int(n > 7)) for n in range(24)]
    shuffled = [rows[at] for at in order]
    assert sorted(chosen(shuffled, balance=True, seed=seed)) == sorted(chosen(rows, balance=True, seed=seed))


def test_another_seed_keeps_others_and_only_lines_that_meet_the_conditions_count() -> None:
    rows = [line(n, n % 2, confidence=0.9 if n < 60 or n % 2 else 0.1) for n in range(200)]
    sure = [
        chosen(rows, balance=True, seed=seed, min_confidence=0.5, zero_confidence="drop") for seed in (0, 1)
    ]
    assert [classes(one) for one in sure] == [{0: 30, 1: 30}, {0: 30, 1: 30}]
    assert sure[0] != sure[1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_any_number_of_workers_keeps_the_same_lines(tmp_path: Path, jobs: int) -> None:
    rows = [line(n, int(n % 4 == 0), pad=FAT) for n in range(13)]
    path = write(tmp_path / "in", *rows, FAILED)
    found = filter(path, tmp_path / "out", balance=True, rejects=tmp_path / "rest", jobs=jobs)
    assert (found.kept, found.per_class) == (8, 4)
    assert found.reasons == {"enough of its class": 5, "failed": 1}
    assert [row.strip() for row in lines_of(tmp_path / "out")] == chosen(rows, balance=True)


def test_a_picture_that_fills_its_class_keeps_some_lines_of_it() -> None:
    rows = [line("same", 0)] * 40 + [line(n, 1) for n in range(20)]
    assert classes(chosen(rows, balance=True))[0] > 10


def test_a_manifest_without_a_line_to_choose_from_gives_an_empty_one(tmp_path: Path) -> None:
    path = write(tmp_path / "in", line(1, 0, human_annotated="yes"))
    found = filter(path, tmp_path / "out", balance=True, human_annotated=False)
    assert (found.kept, found.per_class, found.reasons) == (0, None, {"human-annotated": 1})


def test_a_label_that_is_no_class_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "in", line(1), line(2).replace(b'"kind": 0', b'"kind": -1'))
    with pytest.raises(InvalidLine, match="in:2: expected a class index from 0, found -1"):
        filter(path, tmp_path / "out", balance=True)


def test_lines_with_several_classes_cannot_be_balanced(tmp_path: Path) -> None:
    custom = write(tmp_path / "custom", line(1, type="groundtruth/custom"))
    with pytest.raises(Refused, match="kind is custom, and has no class on its lines; leave --balance out"):
        filter(custom, tmp_path / "out", balance=True)
    path = write(tmp_path / "in", multi(1, RH=0.9))
    with pytest.raises(Refused, match="a line may have several classes or none, .*; leave --per-class out"):
        filter(path, tmp_path / "out", per_class=3)
    with pytest.raises(Refused, match="expected --per-class 1 or more, found 0"):
        filter(path, tmp_path / "out", per_class=0)
