import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.marks import WHATS, Mark, encode_mark
from manifest_tools.verbs.filter.filter import filter
from tests.ground_truth import FAILED, NAMES, UNLABELLED, boxes, line, lines_of, manifests, write

some_marks = st.dictionaries(
    st.integers(0, 60), st.tuples(st.sampled_from(WHATS), st.sampled_from(NAMES[:4])), max_size=25
)


def marks_file(path: Path, *marks: Mark) -> str:
    path.write_bytes(b"".join(map(encode_mark, marks)))
    return str(path)


def marked(picture: object, mark: str = "wrong", was: str | None = "RH") -> Mark:
    classes = ("LH",) if mark == "class" else None
    return Mark(f"s3://raw/{picture}.jpg", "kind", mark, None if was is None else (was,), classes)


@given(manifests(), some_marks, st.lists(st.sampled_from(WHATS), max_size=2, unique=True))
def test_what_is_marked_and_what_is_not_are_the_whole_manifest_but_for_labels_that_changed(
    data: bytes, wanted: dict[int, tuple[str, str]], mark: list[str]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a").write_bytes(data)
        file = marks_file(folder / "m", marked("none"), *(marked(at, *pair) for at, pair in wanted.items()))
        yes = filter(folder / "a", folder / "yes", marked=file, mark=mark, jobs=1)
        no = filter(folder / "a", folder / "no", unmarked=file, mark=mark, jobs=1)
        kept, left = lines_of(folder / "yes"), lines_of(folder / "no")
    rows = [row for row in data.splitlines(keepends=True) if row.strip()]
    assert sorted([*kept, *left]) == sorted(rows)
    assert (yes.relabelled, yes.unmatched >= 1) == (no.relabelled, True)
    assert yes.reasons.get("label is another since the mark", 0) == yes.relabelled
    for row in kept:
        value = json.loads(row)
        what, was = wanted[int(value["source-ref"].removeprefix("s3://raw/").removesuffix(".jpg"))]
        assert what in (mark or WHATS)
        assert value["kind-metadata"]["class-name"] in (was, "LH" if what == "class" else was)


def test_marks_are_counted_and_so_is_what_they_are_not_of(tmp_path: Path) -> None:
    path = write(tmp_path / "a", line(1), line(2), line(3, 1), line(4), UNLABELLED, FAILED)
    marks = marked(1), marked(2, "unsure"), marked(3, was="scratch"), marked("u", "note", None), marked(9)
    file = marks_file(tmp_path / "m", *marks)
    yes = filter(path, tmp_path / "yes", marked=file, mark=["wrong", "note"])
    assert lines_of(tmp_path / "yes") == [line(1) + b"\n", UNLABELLED + b"\n"]
    assert yes.reasons == {"other mark": 1, "label is another since the mark": 1, "not marked": 2}
    assert (yes.unmatched, yes.relabelled) == (1, 1)
    no = filter(path, tmp_path / "no", unmarked=file)
    assert lines_of(tmp_path / "no") == [line(3, 1) + b"\n", line(4) + b"\n", FAILED + b"\n"]
    assert no.reasons == {"marked wrong": 1, "marked unsure": 1, "marked note": 1}


def test_marks_and_other_conditions_are_all_to_be_met(tmp_path: Path) -> None:
    path = write(tmp_path / "a", line(1, confidence=0.5), line(2, confidence=0.9), line(3, confidence=0.9))
    file = marks_file(tmp_path / "m", marked(1), marked(2))
    found = filter(path, tmp_path / "b", marked=file, min_confidence=0.8)
    assert lines_of(tmp_path / "b") == [line(2, confidence=0.9) + b"\n"]
    assert found.reasons == {"below confidence": 1, "not marked": 1}


def test_lines_with_boxes_can_be_marked_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a", boxes(1, ("RH", 0.9), ("RH", 0.8)), boxes(2, ("LH", 0.9)))
    file = marks_file(tmp_path / "m", marked(1), marked(2))
    assert filter(path, tmp_path / "b", marked=file).kept == 1


def test_of_several_label_attributes_the_marks_say_which_one_is_meant(tmp_path: Path) -> None:
    row = (
        b'{"source-ref":"s3://raw/1.jpg","kind":0,"kind-metadata":{"class-name":"RH"},"b":1,"b-metadata":{}}'
    )
    path = write(tmp_path / "a", row)
    assert filter(path, tmp_path / "b", marked=marks_file(tmp_path / "m", marked(1))).kept == 1


def test_conditions_on_marks_that_say_nothing_are_refused(tmp_path: Path) -> None:
    path, file = write(tmp_path / "a", line(1)), marks_file(tmp_path / "m", marked(1))
    with pytest.raises(Refused, match="--marked and --unmarked keep opposite lines"):
        filter(path, tmp_path / "b", marked=file, unmarked=file)
    with pytest.raises(Refused, match="--mark has no effect without --marked or --unmarked"):
        filter(path, tmp_path / "b", mark="wrong")
    with pytest.raises(Refused, match="expected --mark to be wrong, unsure, class or note, found 'bad'"):
        filter(path, tmp_path / "b", marked=file, mark="bad")
    with pytest.raises(BadData, match="expected marks, found none"):
        filter(path, tmp_path / "b", marked=marks_file(tmp_path / "n"))
