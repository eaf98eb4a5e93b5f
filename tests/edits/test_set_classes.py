import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.edits.set_classes import Correction, set_classes
from manifest_tools.groundtruth.label_kinds import KINDS

NAMES = {0: "RH", 1: "LH", 2: "scratch", 3: 'a "b" \u00fc'}


def one(line: bytes, old: int, new: int, date: str = "") -> bytes:
    return set_classes(
        line, "x", "x-metadata", KINDS["single_label"], Correction((old,), (new,), NAMES, date)
    )


def many(line: bytes, old: tuple[int, ...], new: tuple[int, ...]) -> bytes:
    return set_classes(line, "x", "x-metadata", KINDS["multi_label"], Correction(old, new, NAMES))


@pytest.mark.parametrize(
    ("line", "corrected"),
    [
        pytest.param(
            b'{"x": 0 ,"x-metadata" : {"class-name" :"RH", "n": 1.10, "confidence": 0.95}, "y": 0}',
            b'{"x": 1 ,"x-metadata" : {"class-name" :"LH", "n": 1.10, "confidence": 0}, "y": 0}',
            id="index, name and confidence",
        ),
        pytest.param(
            b'{"x":"0","x-metadata":{"class-name":"RH"}}',
            b'{"x":"1","x-metadata":{"class-name":"LH"}}',
            id="an index in digits stays in digits",
        ),
        pytest.param(
            b'{"x":0,"x-metadata":{"confidence":0.0,"human-annotated":"no"}}',
            b'{"x":1,"x-metadata":{"confidence":0.0,"human-annotated":"yes","class-name":"LH"}}',
            id="no score stays as it is written, a person made the label, and its name is added",
        ),
        pytest.param(
            b'{"x": 0, "x-metadata": {"confidence": null, "creation-date": "2018"}}',
            b'{"x": 1, "x-metadata": {"confidence": null, "creation-date": "2018", "class-name": "LH"}}',
            id="null stays null, and the date stays without another one",
        ),
        pytest.param(
            b'{"x": 0, "x": 0, "x-metadata": {"class-name": "RH"}, "x-metadata": {"class-name": "RH"}}',
            b'{"x": 1, "x": 1, "x-metadata": {"class-name": "LH"}, "x-metadata": {"class-name": "LH"}}',
            id="duplicate keys say the same",
        ),
        pytest.param(b'{"s": "a", "x": 0}', b'{"s": "a", "x": 1}', id="a label without metadata"),
    ],
)
def test_one_class_becomes_another(line: bytes, corrected: bytes) -> None:
    assert one(line, 0, 1) == corrected


def test_a_class_without_a_name_takes_the_name_of_the_old_one_away() -> None:
    assert (
        one(b'{"x": 0, "x-metadata": {"class-name": "RH", "n": 1}}', 0, 9)
        == b'{"x": 9, "x-metadata": {"n": 1}}'
    )


def test_the_date_of_the_mark_becomes_that_of_the_label() -> None:
    line = b'{"x": 0, "x-metadata": {"creation-date": "2018-10-18T22:18:13", "class-name": "RH"}}'
    assert b'"creation-date": "2026-11-28T09:30:00"' in one(line, 0, 1, "2026-11-28T09:30:00")


@pytest.mark.parametrize(
    ("old", "new", "line", "corrected"),
    [
        (
            (2, 0),
            (0, 1),
            b'{"x":[2,0],"x-metadata":{"class-map":{"2":"scratch","0":"RH"},"confidence-map":{"2":0.9,"0":0.5}}}',
            b'{"x":[0,1],"x-metadata":{"class-map":{"0":"RH","1":"LH"},"confidence-map":{"0":0.5,"1":0}}}',
        ),
        (
            (),
            (1, 3),
            b'{"x": [], "x-metadata": {"class-map": {}, "confidence-map": {}}}',
            b'{"x": [1, 3], "x-metadata": {"class-map": {"1": "LH", "3": "a \\"b\\" \xc3\xbc"}, '
            b'"confidence-map": {"1": 0, "3": 0}}}',
        ),
        (
            (0,),
            (),
            b'{"x": ["0"], "x-metadata": {"class-map": {"0": "RH"}}}',
            b'{"x": [], "x-metadata": {"class-map": {}}}',
        ),
        (
            (0,),
            (0, 1),
            b'{"x": ["0"], "x-metadata": {"class-map": {"0": "RH", "1":"LH"}}}',
            b'{"x": ["0", "1"], "x-metadata": {"class-map": {"0": "RH", "1":"LH"}}}',
        ),
        ((0,), (1,), b'{"s": 1, "x": [0]}', b'{"s": 1, "x": [1]}'),
    ],
)
def test_a_list_loses_classes_and_gets_others_at_its_end(
    old: tuple[int, ...], new: tuple[int, ...], line: bytes, corrected: bytes
) -> None:
    assert many(line, old, new) == corrected


sets = st.lists(st.integers(0, 3), max_size=4, unique=True).map(tuple)


@given(sets, sets, st.booleans())
def test_there_and_back_again_is_the_same_set_of_classes(
    old: tuple[int, ...], new: tuple[int, ...], compact: bool
) -> None:
    metadata = {"class-map": {str(i): NAMES[i] for i in old}, "confidence-map": {str(i): 0 for i in old}}
    value = {"source-ref": "1.jpg", "x": list(old), "x-metadata": metadata}
    line = json.dumps(value, separators=(",", ":") if compact else None, ensure_ascii=False).encode()
    there = many(line, old, new)
    now = json.loads(there)
    assert set(now["x"]) == set(new)
    assert {int(key) for key in now["x-metadata"]["class-map"]} == set(new)
    back = many(there, tuple(now["x"]), old)
    assert {**json.loads(back), "x": 0} == {**value, "x": 0}
    assert set(json.loads(back)["x"]) == set(old)
    if set(old) == set(new):
        assert there is line
