import gzip
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.edits.rename import RenameClass
from manifest_tools.groundtruth.marks import Mark, encode_mark
from manifest_tools.verbs.filter.filter import filter
from manifest_tools.verbs.rewrite.rewrite import rewrite
from manifest_tools.verbs.validate.validate import validate
from tests.ground_truth import FAILED, FAT, NAMES, UNLABELLED, boxes, line, lines_of, manifests, multi, write


def marked(picture: object, was: str, becomes: str | None = None, mark: str = "class") -> Mark:
    classes = None if becomes is None else (becomes,)
    return Mark(f"s3://raw/{picture}.jpg", "kind", mark if classes is None else "class", (was,), classes)


def marks_file(path: Path, *marks: Mark) -> str:
    path.write_bytes(b"".join(map(encode_mark, marks)))
    return str(path)


def parts(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def class_of(row: bytes) -> str | None:
    value = json.loads(row) if row.strip() else {}
    return value.get("kind-metadata", {}).get("class-name") if "kind" in value else None


some_marks = st.dictionaries(
    st.integers(0, 60), st.tuples(st.sampled_from(NAMES[:4]), st.sampled_from(NAMES[:4])), max_size=25
)


@given(manifests(), some_marks, st.sampled_from([0.0, 0.9]))
def test_exactly_the_marked_lines_change_and_doing_it_twice_is_doing_it_once(
    data: bytes, wanted: dict[int, tuple[str, str]], confidence: float
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.manifest"
        path.write_bytes(data)
        marks = [marked(picture, *pair) for picture, pair in wanted.items()]
        file = marks_file(Path(folder) / "m", *marks, marked("none", "RH", "LH"))
        (first,) = rewrite(str(path), from_marks=file, add_class=True, jobs=1)
        after = path.read_bytes()
        (second,) = rewrite(str(path), from_marks=file, add_class=True, jobs=1)
        assert (path.read_bytes(), second.changed) == (after, 0)
    by_source = {mark.source: mark for mark in marks}
    changed = 0
    for before, now in zip(parts(data), parts(after), strict=True):
        mark = by_source.get(json.loads(before).get("source-ref") if before.strip() else "")
        if (
            mark is None
            or class_of(before) is None
            or (class_of(before),) != mark.was
            or mark.was == mark.classes
        ):
            assert now == before
        else:
            assert (class_of(now),) == mark.classes
            changed += 1
    assert first.changed == changed


@given(manifests(st.just(0.0)), some_marks)
def test_the_inverse_marks_give_the_bytes_back_where_no_confidence_was_lost(
    data: bytes, wanted: dict[int, tuple[str, str]]
) -> None:
    data = b"".join(line(f"none {at}", at, 0.0) + b"\n" for at in range(4)) + data  # no class dies out
    labels = {(json.loads(row).get("source-ref"), class_of(row)) for row in parts(data) if row.strip()}
    marks = [marked(picture, *pair) for picture, pair in wanted.items()]
    # Where a picture has both labels on two lines, the marks make them one, and nothing tells them apart.
    marks = [mark for mark in marks if (mark.source, *(mark.classes or ())) not in labels]
    back = [replace(mark, was=mark.classes, classes=mark.was) for mark in marks]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.manifest"
        path.write_bytes(data)
        for name, some in ("m", marks), ("n", back):
            if some:
                rewrite(str(path), from_marks=marks_file(Path(folder) / name, *some), jobs=1)
        assert path.read_bytes() == data


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_any_number_of_workers_and_gzip_give_the_same_lines(tmp_path: Path, jobs: int, suffix: str) -> None:
    rows = [line(number, number % 2, pad=FAT) for number in range(9)]
    plain = write(tmp_path / "a.manifest", *rows, b"", end=b"")
    path = plain + suffix
    if suffix:
        Path(path).write_bytes(gzip.compress(Path(plain).read_bytes()))
    file = marks_file(tmp_path / "m", *(marked(number, "RH", "LH") for number in (0, 6, 8)))
    (done,) = rewrite(path, from_marks=file, jobs=jobs)
    data = Path(path).read_bytes()
    now = (gzip.decompress(data) if suffix else data).split(b"\n")
    assert [class_of(row) for row in now] == ["LH", "LH", "RH", "LH", "RH", "LH", "LH", "LH", "LH", None]
    assert [at for at, row in enumerate(now[:-1]) if row != rows[at]] == [0, 6, 8]
    assert (done.changed, done.lines, [one.line for one in done.changes]) == (3, 9, [1, 7, 9])


def test_marks_that_change_nothing_are_counted_by_their_reason(tmp_path: Path) -> None:
    rows = [line(number) for number in range(5)]
    path = write(tmp_path / "a.manifest", *rows, line(5, 1), FAILED, UNLABELLED)
    file = marks_file(
        tmp_path / "m",
        marked(0, "RH", mark="wrong"),
        marked(1, "RH", mark="unsure"),
        marked(2, "LH", "RH"),
        marked(3, "LH", "scratch"),
        marked(5, "LH", "RH"),
        marked("f", "RH", "LH"),
        marked("nowhere", "RH", "LH"),
        Mark("s3://raw/4.jpg", "another attribute", "wrong"),
    )
    (done,) = rewrite(path, from_marks=file, label_attribute="kind")
    assert (done.changed, done.unmatched) == (1, 1)
    assert done.unchanged == {
        "mark without a class": 2,
        "has the class already": 1,
        "label is another since the mark": 1,
        "no label": 1,
    }
    assert lines_of(path)[:5] == [row + b"\n" for row in rows]


def test_a_corrected_label_is_valid_and_a_filter_by_confidence_does_not_take_it_for_a_sure_one(
    tmp_path: Path,
) -> None:
    fields: dict[str, Any] = {"job_name": "labeling-job/k", "human_annotated": "no"}
    fields["creation_date"] = "2024-01-01T00:00:00"
    rows = [line(number, number % 2, 0.5 + number / 100, **fields) for number in range(4)]
    path = write(tmp_path / "a.manifest", *rows)
    before = [problem.code for problem in validate(path)]
    mark = replace(marked(0, "RH", "LH"), date="2026-11-28T09:30:00")
    rewrite(path, from_marks=marks_file(tmp_path / "m", mark))
    metadata = json.loads(lines_of(path)[0])["kind-metadata"]
    assert metadata["confidence"] == 0
    assert (metadata["human-annotated"], metadata["creation-date"]) == ("yes", "2026-11-28T09:30:00")
    assert [problem.code for problem in validate(path)] == before
    found = filter(path, str(tmp_path / "b"), min_confidence=0.4)
    assert (found.kept, found.reasons) == (3, {"confidence 0": 1})
    assert filter(path, str(tmp_path / "c"), min_confidence=0.4, zero_confidence="keep").kept == 4


def test_a_list_of_classes_is_corrected_as_a_set(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", multi(1, RH=0.9, LH=0.2), multi(2, scratch=0.5))
    mark = Mark("s3://raw/1.jpg", "kind", "class", ("LH", "RH"), ("LH", "scratch"))
    (done,) = rewrite(path, from_marks=marks_file(tmp_path / "m", mark))
    assert done.changed == 1
    assert json.loads(lines_of(path)[0])["kind-metadata"]["confidence-map"] == {"1": 0.2, "2": 0}


def test_a_new_class_gets_the_next_index_when_a_word_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", line(1), line(2, 3), line(3))
    file = marks_file(tmp_path / "m", marked(3, "RH", "stain"), marked(1, "RH", "ink"))
    with pytest.raises(
        Refused, match="no line has the class 'ink' of a mark; the classes: RH, burr; type --add"
    ):
        rewrite(path, from_marks=file)
    rewrite(path, from_marks=file, add_class=True)
    assert [json.loads(row)["kind"] for row in lines_of(path)] == [4, 3, 5]


def test_two_manifests_get_one_index_for_a_new_class(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a", line(1), line(2, 1)), write(tmp_path / "b", line(3))
    file = marks_file(tmp_path / "m", marked(3, "RH", "ink"), marked(9, "RH", "ink"))
    first, second = rewrite(one, two, from_marks=file, add_class=True)
    assert (first.changed, second.changed, second.unmatched) == (0, 1, 1)
    assert json.loads(lines_of(two)[0])["kind"] == 2


@pytest.mark.parametrize(
    ("row", "mark", "message"),
    [
        (
            boxes(1, ("RH", 0.9)),
            marked(1, "RH", "LH"),
            "a:1: a mark sets the class of classification alone, and kind is object-detection",
        ),
        (
            line(1),
            Mark("s3://raw/1.jpg", "kind", "class", ("RH",), ("LH", "RH")),
            "a:1: expected a mark of one class, found 'LH', 'RH'",
        ),
        (line(1), Mark("s3://raw/1.jpg", "side", "wrong"), "a: no line has the label attribute 'side'"),
    ],
)
def test_what_a_mark_cannot_say_of_a_label_is_refused(
    tmp_path: Path, row: bytes, mark: Mark, message: str
) -> None:
    path = write(tmp_path / "a", row)
    with pytest.raises(Refused) as raised:
        rewrite(path, from_marks=marks_file(tmp_path / "m", mark))
    assert message in str(raised.value)
    assert lines_of(path) == [row + b"\n"]


def test_marks_and_other_edits_are_two_steps(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="changes labels alone"):
        rewrite("a", edits=[RenameClass("a", "b")], from_marks="m")


def test_a_dry_run_shows_the_changes_and_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a", line(1))
    (done,) = rewrite(
        path, from_marks=marks_file(tmp_path / "m", marked(1, "RH", "LH")), add_class=True, dry_run=True
    )
    assert (class_of(done.changes[0].before), class_of(done.changes[0].after)) == ("RH", "LH")
    assert lines_of(path) == [line(1) + b"\n"]


def test_a_bad_file_of_marks_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a", line(1))
    (tmp_path / "m").write_text("{}")
    with pytest.raises(MtoolError, match="m:1: expected a mark"):
        rewrite(path, from_marks=str(tmp_path / "m"))
    assert lines_of(path) == [line(1) + b"\n"]


@pytest.mark.parametrize(
    "alone", [{"add_class": True}, {"label_attribute": "kind"}], ids=lambda one: next(iter(one))
)
def test_what_is_about_marks_or_classes_is_refused_without_them(
    tmp_path: Path, alone: dict[str, Any]
) -> None:
    path = tmp_path / "a.manifest"
    path.write_bytes(b"{}\n")
    with pytest.raises(Refused, match="has no effect without .*--from-marks"):
        rewrite(path, lab="lab3", **alone)
