import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import Refused
from manifest_tools.io.sources import open_source
from manifest_tools.verbs.diff.columns import read_columns
from manifest_tools.verbs.diff.diff import diff
from manifest_tools.verbs.diff.match_keys import in_order, match_keys
from manifest_tools.verbs.diff.report import Diff
from manifest_tools.verbs.diff.textconv import text_of, textconv
from tests.ground_truth import FAILED, FAT, NAMES, UNLABELLED, chopped, line, manifests, multi, write

WORDY = line(1, 1).replace(b"0.9", b'"high"')
BROKEN = b'{"source-ref": "s3://raw/1.jpg", '
files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

labels = st.builds(line, st.integers(0, 9), st.integers(0, 3), st.sampled_from([0.0, 0.5, 0.75, None]))
several = st.builds(
    lambda picture, confidences: multi(picture, **confidences),
    st.integers(0, 9),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from([0.25, 0.5]), max_size=3),
)
lines = st.lists(labels | several | st.sampled_from([FAILED, UNLABELLED, BROKEN, b"", b"{}"]), max_size=12)


def boxes(picture: object, *found: tuple[int, int, float]) -> bytes:
    """Return a line with boxes: class, left edge and confidence each."""
    annotations = [{"class_id": c, "left": x, "top": 1, "width": 5, "height": 5} for c, x, _ in found]
    metadata = {
        "objects": [{"confidence": sure} for _, _, sure in found],
        "class-map": {str(c): NAMES[c] for c, _, _ in found},
        "type": "groundtruth/object-detection",
    }
    value = {"source-ref": f"s3://raw/{picture}.jpg", "box": {"annotations": annotations}}
    return json.dumps(value | {"box-metadata": metadata}).encode()


def compared(folder: Path, old: list[bytes], new: list[bytes], **options: Any) -> Diff:
    """Compare two manifests of these lines, with a line before them, for an empty file is none."""
    first = line("first")
    one = write(folder / "old.manifest", first, *old)
    other = write(folder / "new.manifest", first, *new)
    return diff(one, other, jobs=1, **options)


def flips(found: Diff) -> dict[tuple[str, str], int]:
    return {(flip.old, flip.new): flip.count for one in found.attributes for flip in one.flips}


@files
@given(lines)
def test_a_manifest_does_not_differ_from_itself(tmp_path: Path, rows: list[bytes]) -> None:
    found = compared(tmp_path, rows, rows)
    assert (found.identical, found.differs) == (True, False)
    spaced = compared(tmp_path, rows, [row + b"\r" for row in rows] + [b"", b"  "])
    assert not spaced.differs
    assert spaced.same == spaced.old_lines == found.old_lines


@files
@given(lines, st.randoms(use_true_random=False))
def test_a_shuffled_manifest_has_moved_lines_and_nothing_else(
    tmp_path: Path, rows: list[bytes], chance: random.Random
) -> None:
    shuffled = chance.sample(rows, len(rows))
    found = compared(tmp_path, rows, shuffled)
    assert (found.added, found.gone, found.changed, found.reformatted, found.relocated) == (0, 0, 0, 0, 0)
    assert not any(one.differs for one in found.attributes)
    rest = [row for row in rows if row.strip()], [row for row in shuffled if row.strip()]
    assert found.differs == (found.moved > 0) == (rest[0] != rest[1])


def in_any_order(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def reversed_diff(found: Diff) -> Diff:
    """Return what ``diff`` should say about the same two files in the other order, but for the samples."""
    names = {"old": "new", "new": "old", "added": "gone", "gone": "added", "rose": "fell", "fell": "rose"}
    names |= {f"{one}_{what}": f"{other}_{what}" for one, other in (("old", "new"), ("new", "old"))
              for what in ("lines", "unread", "type", "labelled")}  # fmt: skip

    def reverse(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: one for key, one in value.items() if key != "samples"}
            kept = {names.get(key, key): reverse(one) for key, one in kept.items()}
            return kept | {key: -kept[key] for key in ("mean", "median") if key in kept}
        return sorted(map(reverse, value), key=in_any_order) if isinstance(value, list | tuple) else value

    found_reversed: Diff = reverse(found.to_json())
    return found_reversed


def sorted_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sorted_lists(one) for key, one in value.items() if key != "samples"}
    return sorted(map(sorted_lists, value), key=in_any_order) if isinstance(value, list | tuple) else value


@files
@given(lines, lines)
def test_comparing_in_the_other_order_swaps_added_and_gone_and_both_sides_of_a_flip(
    tmp_path: Path, old: list[bytes], new: list[bytes]
) -> None:
    there, back = compared(tmp_path, old, new), compared(tmp_path, new, old)
    expected = reversed_diff(there) | {"old": there.old, "new": there.new}  # type: ignore[operator]
    assert sorted_lists(back.to_json()) == expected


@files
@given(lines, lines)
def test_every_line_is_the_same_or_spelt_or_changed_or_in_one_file_only(
    tmp_path: Path, old: list[bytes], new: list[bytes]
) -> None:
    found = compared(tmp_path, old, new)
    if not found.identical:
        both = found.same + found.reformatted + found.changed
        assert found.old_lines == both + found.gone == 1 + sum(bool(row) for row in old)
        assert found.new_lines == both + found.added == 1 + sum(bool(row) for row in new)


@files
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_as_many_flips_as_labels_were_changed(tmp_path: Path, pairs: list[tuple[int, int]]) -> None:
    old = [line(picture, label) for picture, (label, _) in enumerate(pairs)]
    new = [line(picture, label) for picture, (_, label) in enumerate(pairs)]
    found = compared(tmp_path, old, new)
    wanted = Counter((NAMES[a], NAMES[b]) for a, b in pairs if a != b)
    assert flips(found) == wanted
    assert found.changed == wanted.total()
    assert (found.moved, found.added, found.gone) == (0, 0, 0)


@files
@given(manifests(), st.integers(1, 400))
def test_what_is_remembered_does_not_depend_on_the_blocks(tmp_path: Path, data: bytes, step: int) -> None:
    path = tmp_path / "a.manifest"
    path.write_bytes(data)
    whole, parts = read_columns(open_source(str(path)), 1), read_columns(chopped(path, step), 1)
    for column in ("source_keys", "digests", "starts"):
        assert getattr(whole, column).tolist() == getattr(parts, column).tolist()
    assert whole.attributes == parts.attributes


def test_the_result_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    old = write(tmp_path / "old", *(line(at, at % 2, 0.5, pad=FAT) for at in range(10)))
    new = write(tmp_path / "new", *(line(at, at % 3, at / 10, pad=FAT) for at in reversed(range(12))))
    alone = diff(old, new, jobs=1)
    assert alone.moved == 9
    assert diff(old, new, jobs=3) == alone


def brute_longest(values: list[int]) -> int:
    best = [1] * len(values)
    for at, value in enumerate(values):
        best[at] += max((best[other] for other in range(at) if values[other] < value), default=0)
    return max(best, default=0)


@given(st.permutations(range(12)))
def test_lines_that_stay_in_order_are_a_longest_rising_sequence(values: list[int]) -> None:
    kept = in_order(np.array(values))
    chosen = np.array(values)[kept].tolist()
    assert chosen == sorted(chosen)
    assert len(chosen) == brute_longest(values)


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_the_nth_of_equal_keys_is_matched_with_the_nth(old: list[int], new: list[int]) -> None:
    indices, new_indices = match_keys(np.array(old, np.uint64), np.array(new, np.uint64))
    expected = []
    for at, key in enumerate(old):
        others = [place for place, other in enumerate(new) if other == key]
        if (turn := old[:at].count(key)) < len(others):
            expected.append((at, others[turn]))
    assert list(zip(indices.tolist(), new_indices.tolist(), strict=True)) == expected


def test_a_line_put_in_front_moves_no_other(tmp_path: Path) -> None:
    rows = [line(at) for at in range(50)]
    found = compared(tmp_path, rows, [line("new"), *rows])
    assert (found.moved, found.added, found.same) == (0, 1, 51)
    found = compared(tmp_path, rows, [rows[-1], *rows[:-1]])
    assert (found.moved, found.added) == (1, 0)
    assert [(one.old, one.new, one.source) for one in (found.samples or {})["moved"]] == [
        (51, 2, "s3://raw/49.jpg")
    ]


def test_of_several_lines_of_a_picture_those_with_the_same_bytes_are_the_same(tmp_path: Path) -> None:
    found = compared(tmp_path, [line(1, 0), line(1, 1)], [line(1, 1), line(1, 2)])
    assert flips(found) == {("RH", "scratch"): 1}
    assert (found.same, found.moved) == (2, 1)


FLIPS = [
    pytest.param(line(1, 0), line(1, 1), {("RH", "LH"): 1}, id="another class"),
    pytest.param(line(1, 0), b'{"source-ref":"s3://raw/1.jpg"}', {("RH", "(no label)"): 1}, id="none"),
    pytest.param(FAILED, line("f", 1), {("(failed)", "LH"): 1}, id="failed before"),
    pytest.param(
        line(1, 0), line(1, 0).replace(b": 0,", b': "x",'), {("RH", "(unreadable)"): 1}, id="no index"
    ),
    pytest.param(line(1, 0), line(1, 0).replace(b": 0,", b': "0",'), {}, id="the index as a string"),
    pytest.param(line(1, 0), line(1, 0).replace(b": 0,", b": 7,"), {}, id="another index of that name"),
    pytest.param(line(1, 0), WORDY, {("RH", "LH"): 1}, id="and no confidence"),
    pytest.param(line(1, 0), line(1, 0, type="acme/x"), {}, id="an unknown type on that line"),
]


@pytest.mark.parametrize(("old", "new", "expected"), FLIPS)
def test_a_flip_is_another_class_name(
    tmp_path: Path, old: bytes, new: bytes, expected: dict[tuple[str, str], int]
) -> None:
    found = compared(tmp_path, [old], [new])
    assert flips(found) == expected
    assert (found.changed, found.differs) == (1, True)


def test_a_label_without_name_is_called_as_other_lines_of_its_file_call_it(tmp_path: Path) -> None:
    nameless = line(2, 1, class_name=None)
    found = compared(tmp_path, [line(1, 1), line(2, 0)], [line(1, 1), nameless])
    assert flips(found) == {("RH", "LH"): 1}


def test_each_class_that_was_added_to_a_list_or_is_gone_is_counted(tmp_path: Path) -> None:
    old, new = [multi(1, RH=0.5, LH=0.5), multi(2, RH=0.5)], [multi(1, LH=0.25, burr=0.5), multi(2, RH=0.5)]
    found = compared(tmp_path, old, new).attributes[0]
    assert [(one.name, one.added, one.gone) for one in found.changes] == [("RH", 0, 1), ("burr", 1, 0)]
    assert [(one.name, one.rose, one.fell, one.mean) for one in found.confidences] == [
        ("", 0, 1, -0.25),
        ("LH", 0, 1, -0.25),
    ]


def only(found: Diff, name: str) -> Any:
    (one,) = [one for one in found.attributes if one.name == name]
    return one


def test_boxes_are_compared_by_class_and_place(tmp_path: Path) -> None:
    old = boxes(1, (0, 10, 0.5), (0, 20, 0.5), (1, 30, 0.5), (1, 40, 0.5))
    new = boxes(1, (0, 10, 0.9), (1, 20, 0.5), (1, 31, 0.5), (2, 50, 0.5))
    found = only(compared(tmp_path, [old], [new]), "box")
    assert [(flip.old, flip.new, flip.count) for flip in found.flips] == [("RH", "LH", 1)]
    changes = {one.name: (one.added, one.gone, one.moved) for one in found.changes}
    assert changes == {"LH": (0, 1, 1), "scratch": (1, 0, 0)}
    assert [(one.name, one.rose, one.fell, one.median) for one in found.confidences] == [
        ("", 1, 0, 0.4),
        ("RH", 1, 0, 0.4),
    ]
    assert {one.name: (one.old, one.new) for one in found.classes} == {
        "RH": (2, 1),
        "LH": (2, 2),
        "scratch": (None, 1),
    }
    assert [sample.what for sample in found.samples["classes"]] == ["-1 LH, +1 scratch, moved 1 LH"]


def test_boxes_in_another_order_are_no_other_boxes(tmp_path: Path) -> None:
    old, new = boxes(1, (0, 10, 0.5), (1, 20, 0.6)), boxes(1, (1, 20, 0.6), (0, 10, 0.5))
    found = compared(tmp_path, [old], [new])
    assert not any(one.flips or one.changes or one.confidences for one in found.attributes)
    assert {key.path for key in found.keys} == {"$.box", "$.box-metadata.objects"}


def test_confidence_changes_have_a_mean_a_median_and_how_many_rose_and_fell(tmp_path: Path) -> None:
    before, after = [0.5, 0.5, 0.5, 0.5], [0.6, 0.4, 0.9, 0.5]
    old = [line(at, at % 2, share) for at, share in enumerate(before)]
    new = [line(at, at % 2, share) for at, share in enumerate(after)]
    found = compared(tmp_path, old, new).attributes[0].confidences
    assert [(one.name, one.rose, one.fell, one.mean, one.median) for one in found] == [
        ("", 2, 1, 0.1333, 0.1),
        ("LH", 0, 1, -0.1, -0.1),
        ("RH", 2, 0, 0.25, 0.25),
    ]


def test_class_tables_that_differ_are_reported(tmp_path: Path) -> None:
    old, new = [line(1, 0), line(2, 1)], [line(1, 0), line(2, 1, class_name="left hand")]
    (found,) = compared(tmp_path, old, new).attributes
    assert found.tables_differ
    assert [(one.index, one.name, one.old, one.new) for one in found.classes] == [
        (0, "RH", 2, 2),
        (1, "LH", 1, None),
        (1, "left hand", None, 1),
    ]


SPELLINGS = [
    pytest.param(b'{"a": 1.10, "source-ref": "s3://a/b"}', id="spacing, order of keys, 1.10"),
    pytest.param(b'{"source-ref":"s3:\\/\\/a/b","a":11e-1}', id="escapes, an exponent"),
    pytest.param(b'{"source-ref":"s3://a/b","a":2,"a":1.1}', id="a key twice, of which the last counts"),
]


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_another_spelling_is_no_difference(tmp_path: Path, spelt: bytes) -> None:
    found = compared(tmp_path, [b'{"source-ref":"s3://a/b","a":1.1}'], [spelt])
    assert (found.reformatted, found.changed, found.differs, found.identical) == (1, 0, False, False)


def test_other_keys_are_counted_by_their_path(tmp_path: Path) -> None:
    old = [line(at, creation_date="2020-01-01") for at in range(3)]
    new = [line(at, creation_date="2021-01-01")[:-1] + b', "page": 1}' for at in range(3)]
    found = compared(tmp_path, old, new, max_lines=2)
    assert [(key.path, key.changed, key.added, key.gone) for key in found.keys] == [
        ("$.kind-metadata.creation-date", 3, 0, 0),
        ("$.page", 0, 3, 0),
    ]
    assert len((found.samples or {})["keys"]) == 2
    assert not any(one.differs for one in found.attributes)


def test_attributes_that_were_added_gone_or_renamed_are_reported_once(tmp_path: Path) -> None:
    both = [line(at, at % 2) for at in range(4)]
    renamed = [row.replace(b"kind", b"sort") for row in both]
    write(tmp_path / "old", *both)
    write(tmp_path / "new", *renamed)
    found = diff(str(tmp_path / "old"), str(tmp_path / "new"), jobs=1)
    assert [(one.old, one.new, one.differs) for one in found.attributes] == [("kind", "sort", True)]
    assert (found.changed, found.keys, flips(found)) == (4, (), {})
    chained = [row[:-1] + b', "box": {}, "box-metadata": {"type": "groundtruth/custom"}}' for row in both]
    write(tmp_path / "new", *chained)
    found = diff(str(tmp_path / "old"), str(tmp_path / "new"), jobs=1)
    assert [(one.old, one.new, one.differs) for one in found.attributes] == [
        ("kind", "kind", False),
        (None, "box", True),
    ]
    assert found.keys == ()


def test_one_attribute_alone_can_be_compared(tmp_path: Path) -> None:
    old = [line(1, 0, page=1), line(2, 1)]
    new = [boxes(1)[:-1] + b"," + line(1, 0, page=2)[1:], line(2, 0)]
    found = compared(tmp_path, old, new, label_attribute="kind")
    assert [one.name for one in found.attributes] == ["kind"]
    assert [key.path for key in found.keys] == ["$.kind-metadata.page"]
    with pytest.raises(Refused, match="has the label attribute 'sort'; the attributes found: kind, box"):
        compared(tmp_path, old, new, label_attribute="sort")


def test_pictures_in_another_folder_are_relocated_not_gone(tmp_path: Path) -> None:
    old = write(tmp_path / "old", *(line(at) for at in range(9)))
    moved = [line(at, int(at == 3)).replace(b"s3://raw/", b"s3://cooked/a/") for at in range(9)]
    new = write(tmp_path / "new", *moved, line("new"))
    found = diff(old, new, jobs=1)
    assert (found.relocated, found.changed, found.added, found.gone) == (9, 9, 1, 0)
    assert flips(found) == {("RH", "LH"): 1}


def test_a_name_in_two_folders_is_two_pictures(tmp_path: Path) -> None:
    old = write(tmp_path / "old", *(line(f"a/{at}") for at in range(9)))
    new = write(tmp_path / "new", *(line(f"b/{at}") for at in range(5, 20)))
    found = diff(old, new, jobs=1)
    assert (found.relocated, found.added, found.gone) == (0, 15, 9)


@files
@given(st.lists(labels | several, min_size=1, max_size=4), st.data())
def test_no_bytes_stop_a_comparison_or_a_text(tmp_path: Path, rows: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"\n".join(rows))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(1, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b"\\ud800", b"1" * 400, b"1e999", b"null", b"[[[["])
        )
    found = compared(tmp_path, rows, bytes(whole).split(b"\n"))
    json.dumps(found.to_json())
    assert len(list(textconv(str(tmp_path / "new.manifest"), 1))) == bytes(whole).count(b"\n") + 2


def test_a_line_that_is_no_object_equals_only_its_own_bytes(tmp_path: Path) -> None:
    deep = b'{"source-ref":"s3://raw/1.jpg","a":' + b"[" * 100_000
    found = compared(tmp_path, [BROKEN, deep, line(2)], [line(2), BROKEN, deep + b"["])
    assert (found.same, found.added, found.gone, found.changed) == (3, 1, 1, 0)
    assert (found.old_unread, found.new_unread) == (2, 2)


CORPUS = [
    pytest.param(
        ("workshop-train-lab1", "workshop-train"),
        {"relocated": 55, "changed": 55, "moved": 0, "added": 0, "gone": 0, "same": 0},
        id="the placeholder went in: another bucket, attribute and job, the same labels",
    ),
    pytest.param(
        ("workshop-output", "workshop-train-lab1"),
        {"reformatted": 55, "gone": 14, "changed": 0, "added": 0, "relocated": 0},
        id="train is 55 of the 69 lines of the output, with other spacing",
    ),
    pytest.param(
        ("workshop-train-lab1", "workshop-validation-lab1"),
        {"added": 14, "gone": 55, "relocated": 0, "same": 0},
        id="train and validation have no picture in common",
    ),
    pytest.param(
        ("boxes-yolov5-sample", "boxes-textract-1"),
        {"added": 50, "gone": 100, "relocated": 0},
        id="two data sets have nothing in common",
    ),
]


@pytest.mark.parametrize(("names", "expected"), CORPUS)
def test_real_manifests(corpus: Path, names: tuple[str, str], expected: dict[str, int]) -> None:
    found = diff(*(str(corpus / f"{name}.manifest") for name in names), jobs=1)
    assert {name: getattr(found, name) for name in expected} == expected
    assert flips(found) == {}


def test_the_placeholder_renames_the_attribute_and_changes_the_job_name(corpus: Path) -> None:
    found = diff(str(corpus / "workshop-train-lab1.manifest"), str(corpus / "workshop-train.manifest"))
    assert [(one.old, one.new) for one in found.attributes] == [("lab1-labeling-job", "lab#-labeling-job")]
    assert [(key.path, key.changed) for key in found.keys] == [("$.lab1-labeling-job-metadata.job-name", 55)]


def test_every_real_manifest_is_shown_a_line_a_line(corpus: Path) -> None:
    for path in sorted(corpus.glob("*.manifest")):
        texts = list(textconv(str(path), 1))
        wanted = path.read_bytes().removesuffix(b"\n").split(b"\n") if path.stat().st_size else []
        assert len(texts) == len(wanted)
        for text, row in zip(texts, wanted, strict=True):
            assert bool(text) == bool(row.strip())


@files
@given(labels | several, labels | several)
def test_texts_differ_where_lines_mean_something_else(one: bytes, other: bytes) -> None:
    assert (text_of(one) == text_of(other)) == (json.loads(one) == json.loads(other))


TEXTS = [
    pytest.param(line(1, 1, 0.75), "s3://raw/1.jpg  kind: 1 LH 0.75", id="one class"),
    pytest.param(WORDY, "s3://raw/1.jpg  kind: 1 LH  confidence=high", id="no confidence"),
    pytest.param(multi(1, LH=0.5, RH=0.25), "s3://raw/1.jpg  kind: [1,0] LH 0.5, RH 0.25", id="a list"),
    pytest.param(
        b'{"source":"x","k":[1],"k-metadata":{"type":[],"class-map":{"1":"a"}}}',
        "x  k: [1] a  type=[]",
        id="an array for a type",
    ),
    pytest.param(
        b'{"source":"x","k":[1],"k-metadata":{"class-map":{"1":"a"},"confidence-map":true}}',
        "x  k: [1] a  confidence-map=true",
        id="true for a map of confidences",
    ),
    pytest.param(
        FAILED, "s3://raw/f.jpg  kind: (failed)  failure-reason=expired  retry-count=1", id="a failed line"
    ),
    pytest.param(
        boxes(1, (0, 10, 0.5)),
        's3://raw/1.jpg  box: 1  [0 RH 0.5 height=5 left=10 top=1 width=5]  class-map={"0":"RH"}',
        id="boxes",
    ),
    pytest.param(b'{"source": "hi", "b": 1.0, "a": [true]}', "hi  a=[true]  b=1", id="no label"),
    pytest.param(
        multi(1, RH=0.5).replace(b'"confidence-map": {"0": 0.5}', b'"confidence-map": 7'),
        "s3://raw/1.jpg  kind: [0] RH  confidence-map=7",
        id="a map that is a number",
    ),
    pytest.param(b"\xff{", "\\xff{", id="no JSON at all"),
]


@pytest.mark.parametrize(("row", "expected"), TEXTS)
def test_a_line_as_text(row: bytes, expected: str) -> None:
    assert text_of(row) == expected
