import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.label_kinds import KINDS
from manifest_tools.groundtruth.marks import (
    CLEARED,
    MAX_LINE,
    WHATS,
    Mark,
    classes_on,
    cleared,
    decode_mark,
    encode_mark,
    read_marks,
)
from manifest_tools.groundtruth.record import Peek, decoder

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.lists(texts, max_size=3, unique=True).map(sorted).map(tuple)


@st.composite
def marks(draw: st.DrawFn) -> Mark:
    what = draw(st.sampled_from([*WHATS, CLEARED]))
    return Mark(
        source=draw(texts.filter(bool)),
        attribute=draw(st.sampled_from(["kind", "a kind"])),
        mark=what,
        was=draw(st.none() | names),
        classes=draw(names) if what == "class" else None,
        note=draw(texts),
        date=draw(st.sampled_from(["", "2026-11-28T09:30:00"])),
        manifest=draw(texts),
        line=draw(st.integers(0, 10**9)),
        is_text=draw(st.booleans()),
    )


def write(path: Path, *found: Mark) -> str:
    path.write_bytes(b"".join(map(encode_mark, found)))
    return str(path)


@given(marks())
def test_a_mark_is_read_as_it_was_written(mark: Mark) -> None:
    line = encode_mark(mark)
    assert line.count(b"\n") == 1
    assert decode_mark(line) == mark


@given(marks())
def test_a_line_with_the_marked_label_is_as_marked_and_one_with_the_wanted_label_is_corrected(
    mark: Mark,
) -> None:
    same = mark.was is not None and mark.was == mark.classes
    assert mark.agreement(mark.was) == ("corrected" if same else "as marked")
    if mark.classes is not None:
        assert mark.agreement(mark.classes) == "corrected"
    assert mark.agreement((*(mark.was or ()), *(mark.classes or ()), "x")) == "other label"


def test_the_last_mark_of_a_picture_and_label_attribute_counts_and_a_cleared_one_does_not(
    tmp_path: Path,
) -> None:
    one, two = Mark("1.jpg", "kind", "wrong", ("RH",)), Mark("2.jpg", "kind", "unsure", ("RH",))
    later = Mark("1.jpg", "kind", "class", ("RH",), ("LH",))
    other = Mark("1.jpg", "side", "note", None, note="x")
    found = read_marks(write(tmp_path / "m", one, two, other, later, cleared(two)))
    assert list(found.by_line.values()) == [other, later]
    assert found.of("kind") == {"1.jpg": later}


def test_a_line_may_be_blank_and_unknown_keys_are_for_later_versions(tmp_path: Path) -> None:
    (tmp_path / "m").write_text(
        '\n{"source-ref": "1.jpg", "label-attribute": "kind", "mark": "wrong", "worker": {"id": 1}}\r\n\n'
    )
    assert list(read_marks(str(tmp_path / "m")).by_line) == [("1.jpg", "kind")]


GOOD = {"source-ref": "1.jpg", "label-attribute": "kind", "mark": "wrong"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "expected a mark, a JSON object; found an array"),
        ({"label-attribute": "kind", "mark": "wrong"}, "expected a mark with source-ref or source"),
        (GOOD | {"source": "x"}, "expected a mark with source-ref or source"),
        (GOOD | {"source-ref": ""}, "expected source-ref to be a text, found ''"),
        (GOOD | {"source-ref": "\ud800"}, "expected source-ref to be a text, found '\\ud800'"),
        (GOOD | {"label-attribute": 1}, "expected label-attribute to be a text, found 1"),
        (GOOD | {"mark": "bad"}, "expected mark to be wrong, unsure, class, note or cleared, found 'bad'"),
        (GOOD | {"mark": ["class"]}, "expected mark to be a text, found an array"),
        (GOOD | {"class": "RH"}, "expected class in a mark of class, and in no other"),
        (GOOD | {"mark": "class"}, "expected class in a mark of class, and in no other"),
        (GOOD | {"mark": "class", "class": None}, "the name of a class, or a list of names; found null"),
        (GOOD | {"mark": "class", "class": [1]}, "the name of a class, or a list of names; found an array"),
        (GOOD | {"was": {"0": 1}}, "expected was to be the name of a class, or a list of names"),
        (GOOD | {"was": ["x"] * 1001}, "expected was to be the name of a class, or a list of names"),
        (GOOD | {"note": "x" * 10_001}, "expected a note of at most 10,000 characters, found 10,001"),
        (GOOD | {"date": "soon"}, "expected date to be a date such as 2026-11-28T09:30:00, found 'soon'"),
        (GOOD | {"line": -1}, "expected line to be a number from 1, found -1"),
        (GOOD | {"line": True}, "expected line to be a number from 1, found true"),
    ],
)
def test_what_is_no_mark_is_named_with_file_and_line(tmp_path: Path, value: Any, message: str) -> None:
    (tmp_path / "m").write_text(f"{json.dumps(GOOD)}\n\n{json.dumps(value)}\n")
    with pytest.raises(BadData) as raised:
        read_marks(str(tmp_path / "m"))
    assert str(raised.value).startswith(f"{tmp_path / 'm'}:3: ")
    assert message in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("line", [b"{", b"\xff", b"[" * 100_000, b'{"a": ' + b" " * MAX_LINE + b"1}"])
def test_what_is_not_json_or_far_too_long_is_refused_with_file_and_line(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "m").write_bytes(line)
    with pytest.raises(BadData, match=r"m:1: expected a mark"):
        read_marks(str(tmp_path / "m"))


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected a file of marks, found: no such file or directory"):
        read_marks(str(tmp_path / "m"))
    with pytest.raises(Refused, match="expected a file of marks, found something else"):
        read_marks(str(tmp_path))


def test_marks_of_several_label_attributes_want_one_to_be_named(tmp_path: Path) -> None:
    both = [Mark("1.jpg", name, "wrong", None) for name in ("kind", "side")]
    found = read_marks(write(tmp_path / "m", *both))
    assert found.attribute("side") == "side"
    with pytest.raises(Refused, match="of the label attributes 'kind', 'side'; type --label-attribute NAME"):
        found.attribute(None)
    assert read_marks(write(tmp_path / "n", both[0])).attribute(None) == "kind"
    with pytest.raises(BadData, match="expected marks, found none"):
        read_marks(write(tmp_path / "o")).attribute(None)


@pytest.mark.parametrize(
    ("kind", "line", "classes"),
    [
        ("single_label", b'{"x": 1, "x-metadata": {"class-name": "LH"}}', ("LH",)),
        ("single_label", b'{"x": "1", "x-metadata": {}}', ("class 1",)),
        ("single_label", b'{"x-metadata": {"failure-reason": "expired"}}', None),
        ("multi_label", b'{"x": [3, 0, 3], "x-metadata": {"class-map": {"0": "z", "3": "a"}}}', ("a", "z")),
        ("multi_label", b'{"x": [], "x-metadata": {"class-map": {}}}', ()),
        ("boxes", b'{"x": {"annotations": [{"class_id": 0}, {"class_id": 0}]}}', ("class 0",)),
        ("custom", b'{"x": {"any": 1}}', ()),
    ],
)
def test_a_label_has_the_sorted_names_of_its_classes(
    kind: str, line: bytes, classes: tuple[str, ...] | None
) -> None:
    found = KINDS[kind]
    peek = Peek("x", "x-metadata", found.schema, found.class_fields)
    assert classes_on(found, decoder(peek).decode(line)) == classes
