"""Labels that differ for one picture, of which a person's mark wants one."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData
from manifest_tools.groundtruth.marks import Mark, encode_mark
from manifest_tools.verbs.merge.merge import merge
from tests.ground_truth import NAMES, boxes, line, lines_of, multi, write


def marks_file(path: Path, *marks: Mark) -> str:
    path.write_bytes(b"".join(map(encode_mark, marks)))
    return str(path)


def mark(picture: object, what: str, was: str | None, becomes: str | None = None, name: str = "kind") -> Mark:
    classes = None if becomes is None else (becomes,)
    return Mark(f"s3://raw/{picture}.jpg", name, what, None if was is None else (was,), classes)


def class_of(row: bytes) -> str:
    return str(json.loads(row)["kind-metadata"]["class-name"])


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=12),
    st.dictionaries(
        st.integers(0, 4), st.tuples(st.sampled_from(NAMES[:3]), st.none() | st.sampled_from(NAMES[:4]))
    ),
)
def test_the_class_of_a_mark_stays_and_a_wrong_one_goes_if_there_is_another(
    rows: list[tuple[int, int]], marks: dict[int, tuple[str, str | None]]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = [write(folder / f"{at}", line(*row)) for at, row in enumerate(rows)]
        file = marks_file(
            folder / "m", *(mark(at, "class" if to else "wrong", was, to) for at, (was, to) in marks.items())
        )
        merge(*paths, output=str(folder / "out"), on_conflict="last", marks=file, jobs=1)
        found = {json.loads(row)["source-ref"]: class_of(row) for row in lines_of(folder / "out")}
    for picture in {picture for picture, _ in rows}:
        labels = [NAMES[label] for at, label in rows if at == picture]
        was, wanted = marks.get(picture, (None, None))
        others = [label for label in labels if label != was]
        expected = wanted if wanted in labels else (others or labels)[-1]
        assert found[f"s3://raw/{picture}.jpg"] == expected


def test_marks_decide_before_the_policy_and_are_counted(tmp_path: Path) -> None:
    one = write(tmp_path / "a", line(1, 0), line(2, 0), line(3, 0))
    two = write(tmp_path / "b", line(1, 1), line(2, 1), line(3, 0))
    first = mark(1, "class", "RH", "LH")
    with pytest.raises(BadData, match=r"a:2 'RH' and .*b:2 'LH': different labels"):
        merge(one, two, output=str(tmp_path / "c"), marks=marks_file(tmp_path / "m", first))
    file = marks_file(
        tmp_path / "n", first, mark(2, "wrong", "LH"), mark(3, "wrong", "RH"), mark(9, "wrong", "RH")
    )
    found = merge(one, two, output=str(tmp_path / "c"), marks=file)
    assert [class_of(row) for row in lines_of(tmp_path / "c")] == ["RH", "RH", "LH"]
    assert (found.decided_by_marks, found.conflicts) == (2, 0)


def test_a_list_of_classes_is_chosen_as_a_set(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a", multi(1, RH=0.9)), write(tmp_path / "b", multi(1, LH=0.9, RH=0.5))
    wanted = Mark("s3://raw/1.jpg", "kind", "class", ("RH",), ("LH", "RH"))
    merge(one, two, output=str(tmp_path / "c"), marks=marks_file(tmp_path / "m", wanted))
    assert lines_of(tmp_path / "c") == lines_of(two)


def test_marks_are_of_an_attribute_by_its_old_name_too(tmp_path: Path) -> None:
    one = write(tmp_path / "a", line(1, 0))
    two = write(tmp_path / "b", line(1, 1).replace(b'"kind', b'"side'))
    file = marks_file(tmp_path / "m", mark(1, "class", "RH", "LH", "side"))
    merge(one, two, output=str(tmp_path / "c"), label_attribute="kind", marks=file)
    assert [class_of(row) for row in lines_of(tmp_path / "c")] == ["LH"]


def test_marks_on_boxes_are_not_heeded_and_that_is_said(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a", boxes(1, ("RH", 0.9))), write(tmp_path / "b", boxes(1, ("LH", 0.9)))
    file = marks_file(tmp_path / "m", mark(1, "wrong", "RH"))
    found = merge(one, two, output=str(tmp_path / "c"), on_conflict="first", marks=file)
    assert found.conflicts == 1
    assert found.notes[0] == (
        "'kind': 1 mark not heeded, for a mark chooses between classes, and these labels are none"
    )
