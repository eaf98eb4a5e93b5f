"""Extra keys, which are no labels: a line left out gives them to the line kept, or they differ."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.verbs.merge.merge import merge
from tests.chained_lines import attribute, boxes, encoded, kind, row
from tests.ground_truth import FAILED, FAT, SINGLE, line, lines_of, write

KEYS = st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, 2.5, "x", [1], {"k": 1}, None]))
ROWS = st.lists(st.tuples(st.integers(0, 3), st.booleans(), KEYS), min_size=1, max_size=8)


def drawn(picture: int, labelled: bool, keys: dict[str, Any]) -> bytes:
    return row(picture, keys, *([kind(0)] if labelled else []))


def merged_one_by_one(rows: Sequence[bytes]) -> tuple[list[bytes], int]:
    """Return the lines of the result, picture by picture, and how many lines have other values."""
    found: list[tuple[int, bytes]] = []
    differ = 0
    for picture in dict.fromkeys(json.loads(one)["source-ref"] for one in rows):
        mine = [(at, one) for at, one in enumerate(rows) if json.loads(one)["source-ref"] == picture]
        place, home = next((each for each in mine if b'"kind"' in each[1]), mine[0])
        value = json.loads(home)
        for at, one in mine:
            others = {key: its for key, its in json.loads(one).items() if key in "abc" and at != place}
            differ += any(key in value and value[key] != its for key, its in others.items())
            value |= {key: its for key, its in others.items() if key not in value}
        found.append((place, encoded(value)))
    return [one + b"\n" for _, one in sorted(found)], differ


@given(st.lists(ROWS, min_size=1, max_size=3))
def test_a_line_gets_the_keys_that_only_others_have_and_keeps_its_own_values(
    files: list[list[tuple[int, bool, dict[str, Any]]]],
) -> None:
    rows = [[drawn(*one) for one in some] for some in files]
    with TemporaryDirectory() as folder:
        paths = [write(Path(folder) / str(at), *some) for at, some in enumerate(rows)]
        found = merge(*paths, output=f"{folder}/out", jobs=1)
        assert (lines_of(f"{folder}/out"), found.differ) == merged_one_by_one(sum(rows, []))


def noted(picture: int, *keys: bytes) -> bytes:
    return b"".join([line(picture)[:-1], *(b", " + key for key in keys), b"}"])


def test_a_note_is_kept_with_its_bytes_and_lines_that_get_none_are_left_alone(tmp_path: Path) -> None:
    odd = b'{"kind-metadata" :{"class-name":"RH", "type":"%s"} ,"kind":0,"source-ref":"s3://raw/2.jpg" }'
    a = write(tmp_path / "a", noted(1), odd % SINGLE.encode())
    b = write(tmp_path / "b", line(2), noted(1, b'"n\\u006fte" : [1.10,  1e2]'))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == [
        noted(1, b'"n\\u006fte" : [1.10,  1e2]') + b"\n",
        odd % SINGLE.encode() + b"\n",
    ]
    assert ([one.carried for one in found.manifests], found.differ) == ([1, 0], 0)


def test_the_keys_of_an_input_only_line_go_on_the_labelled_one_in_either_order(tmp_path: Path) -> None:
    bare = row(1, {"split": "holdout", "source-ref-metadata": {"width": 4}})
    a, b = write(tmp_path / "a", bare), write(tmp_path / "b", row(1, kind(0)))
    expected = row(1, kind(0), {"split": "holdout", "source-ref-metadata": {"width": 4}}) + b"\n"
    for files in ((a, b), (b, a)):
        found = merge(*files, output=str(tmp_path / "out"), force=True)
        assert lines_of(tmp_path / "out") == [expected]
        assert sum(one.left_out.get("unlabelled", 0) for one in found.manifests) == 1


def test_input_only_lines_give_each_other_their_keys(tmp_path: Path) -> None:
    a, b = (write(tmp_path / name, row(1, {name: 1})) for name in "ab")
    merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == [row(1, {"a": 1, "b": 1}) + b"\n"]


def test_a_line_whose_label_is_written_over_another_gives_its_keys_too(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, kind(0), {"note": 1}))
    b = write(tmp_path / "b", row(1, boxes("boxes", (0, 1)), {"split": "holdout", "note": 2}))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == [
        row(1, kind(0), {"note": 1}, boxes("boxes", (0, 1)), {"split": "holdout"}) + b"\n"
    ]
    assert (found.differ, found.differing) == (1, ("note",))


@pytest.mark.parametrize("policy", ["first", "last"])
def test_a_line_that_lost_a_conflict_gives_nothing(tmp_path: Path, policy: Any) -> None:
    rows = [row(1, kind(at), {f"note{at}": 1}) for at in (0, 1)]
    a, b = (write(tmp_path / name, one) for name, one in zip("ab", rows, strict=True))
    found = merge(a, b, output=str(tmp_path / "out"), on_conflict=policy)
    assert lines_of(tmp_path / "out") == [rows[0 if policy == "first" else 1] + b"\n"]
    assert found.differ == 0


def test_a_line_that_failed_gives_nothing(tmp_path: Path) -> None:
    failed = FAILED.replace(b"f.jpg", b"1.jpg").replace(b'{"source', b'{"note":1,"source')
    a, b = write(tmp_path / "a", line(1)), write(tmp_path / "b", failed)
    merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == lines_of(a)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (b'"n": 1', b'"n":1', 0),
        (b'"n": 1.10', b'"n":1.1', 0),
        (b'"n": [1.0]', b'"n":[1]', 0),
        (b'"n": {"a":1,"b":2}', b'"n": {"b":2, "a":1}', 0),
        (b'"n": "\\u0061"', b'"n": "a"', 0),
        (b'"n": 1, "n": 2', b'"n": 2', 0),
        (b'"n": 1', b'"n": "1"', 1),
        (b'"n": [1,2]', b'"n": [2,1]', 1),
        (b'"n": null', b'"n": 1', 1),
        (b'"n": true', b'"n": 1', 1),
    ],
    ids=[
        "the same",
        "numbers spelt differently",
        "a whole number with and without a point",
        "objects in another order",
        "a letter and its escape",
        "a key that stands twice, the last one equal",
        "a number and a string",
        "arrays in another order",
        "null and something",
        "true and one",
    ],
)
def test_values_differ_by_what_they_mean(tmp_path: Path, one: bytes, other: bytes, differ: int) -> None:
    a, b = write(tmp_path / "a", noted(1, one)), write(tmp_path / "b", noted(1, other))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert lines_of(tmp_path / "out") == lines_of(a)
    assert (found.differ, found.differing) == (differ, ("n",) if differ else ())


def test_names_of_labels_are_no_extra_keys(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, kind(0, "lab1")), row(2, kind(0, "lab1")))
    b = write(tmp_path / "b", row(1, kind(0, "lab2"), {"split": 1}), row(2, {"sort": 9, "lab1": 7}))
    found = merge(a, b, output=str(tmp_path / "out"), label_attribute="sort")
    assert lines_of(tmp_path / "out") == [
        row(1, kind(0, "sort"), {"split": 1}) + b"\n",
        row(2, kind(0, "sort")) + b"\n",
    ]
    assert found.differ == 0


def test_a_dry_run_counts_the_same(tmp_path: Path) -> None:
    a = write(tmp_path / "a", row(1, kind(0), {"x": 1}), row(2, kind(0)))
    b = write(tmp_path / "b", row(1, kind(0), {"x": 2}), row(2, kind(0), {"y": 2}))
    dry, wet = (merge(a, b, output=str(tmp_path / "out"), dry_run=dry) for dry in (True, False))
    assert (dry.differ, dry.differing, dry.manifests) == (1, ("x",), wet.manifests)
    assert [one.carried for one in dry.manifests] == [1, 0]


def test_any_number_of_workers_adds_the_same_keys(tmp_path: Path) -> None:
    a = write(tmp_path / "a", *(line(n, pad=FAT) for n in range(7)), end=b"")
    b = write(tmp_path / "b", *(noted(n, b'"n": %d' % n, b'"pad": "y"') for n in reversed(range(9))))
    for jobs in (1, 2, 3):
        found = merge(a, b, output=str(tmp_path / "out"), rejects=str(tmp_path / "rest"), jobs=jobs)
    assert [one.state for one in found.published] == ["unchanged", "unchanged"]
    out = lines_of(tmp_path / "out")
    assert out[:7] == [line(n, pad=FAT)[:-1] + b', "n": %d}\n' % n for n in range(7)]
    assert (len(out), found.differ, found.differing) == (9, 7, ("pad",))


def test_a_reference_has_its_metadata_under_either_name(tmp_path: Path) -> None:
    mask = attribute("m-ref", "s3://o/1.png", "groundtruth/semantic-segmentation", internal_color_map={})
    bare = {"m-ref": mask["m-ref"], "m-metadata": mask["m-ref-metadata"]}
    a, b = write(tmp_path / "a", row(1, mask)), write(tmp_path / "b", row(1, bare))
    found = merge(a, b, output=str(tmp_path / "out"))
    assert (lines_of(tmp_path / "out"), found.differ) == (lines_of(a), 0)
