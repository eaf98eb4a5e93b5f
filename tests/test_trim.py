from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.record import Peek
from manifest_tools.trim import trim
from tests.json_lines import Pairs, pairs_of, spaces, values

PEEK = Peek("t", "t-metadata")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(
            b'{"t": [3, 0], "t-metadata": {"class-map": {"3": "a"}}}', id="a class that is not there"
        ),
        pytest.param(
            b'{"t": [], "t-metadata": {"class-map": {}, "confidence-map": {}}}', id="no class at all"
        ),
        pytest.param(
            b'{"t" :[10,11] , "t-metadata":{"class-map":{"10":"x"}}}', id="1 is no part of 10 or 11"
        ),
        pytest.param(
            b'{"u": [1], "u-metadata": {"class-map": {"1": "x"}}, "t": [2]}', id="another attribute"
        ),
        pytest.param(
            b'{"t": [2], "t-metadata": {"color-map": {"1": "x"}}}', id="another map of the metadata"
        ),
        pytest.param(
            b'{"t": [2], "t-metadata": {"deep": {"class-map": {"1": 0}}}}', id="a class-map further in"
        ),
        pytest.param(
            b'{"t": [2], "class-map": {"1": "x"}, "confidence-map": {"1": 1}}', id="maps of the line"
        ),
        pytest.param(b'{"t": [2], "t-metadata": null}', id="metadata that is null"),
        pytest.param(b'{"t": [2], "t-metadata": {"class-map": null, "confidence-map": [1]}}', id="no maps"),
        pytest.param(
            b'{"t": [2], "t-metadata": {"class-map": {"one": "x", "": "y", "-1": "z"}}}', id="odd keys"
        ),
    ],
)
def test_what_is_not_the_class_is_left_alone(line: bytes) -> None:
    assert trim(line, PEEK, frozenset({1})) == line


@pytest.mark.parametrize(
    ("line", "trimmed"),
    [
        pytest.param(
            b'{"t": [3, 1], "t-metadata": {"class-map": {"3": "a", "1": "b"}, '
            b'"confidence-map": {"3": 1.10, "1": 0}}}',
            b'{"t": [3], "t-metadata": {"class-map": {"3": "a"}, "confidence-map": {"3": 1.10}}}',
            id="the last of two",
        ),
        pytest.param(
            b'{"t":[1,3],"t-metadata":{"confidence-map":{"1":0,"3":0.90},"class-map":{"1":"b","3":"a"}}}\r\n',
            b'{"t":[3],"t-metadata":{"confidence-map":{"3":0.90},"class-map":{"3":"a"}}}\r\n',
            id="the first of two, and the line end stays",
        ),
        pytest.param(
            b'{"t": ["1"], "t-metadata": {"class-map": {"1": "b"}}}',
            b'{"t": [], "t-metadata": {"class-map": {}}}',
            id="the only one, written as a string",
        ),
        pytest.param(
            b'{"t": ["\\u0031", 2], "t-metadata": {"class-map": {"\\u0031": "b", "2": "c"}}}',
            b'{"t": [2], "t-metadata": {"class-map": {"2": "c"}}}',
            id="spelt with an escape",
        ),
        pytest.param(
            b'{"t": [1, 2], "t": [1], "t-metadata": {"class-map": {"1": "b", "1": "b"}}}',
            b'{"t": [2], "t": [], "t-metadata": {"class-map": {}}}',
            id="every duplicate",
        ),
        pytest.param(
            b'{"t": [1, 2, 1], "n": 123456789012345678901234567890, "t-metadata": {}}',
            b'{"t": [2], "n": 123456789012345678901234567890, "t-metadata": {}}',
            id="twice in one label, and no map",
        ),
    ],
)
def test_a_class_leaves_label_and_both_maps(line: bytes, trimmed: bytes) -> None:
    assert trim(line, PEEK, frozenset({1})) == trimmed


classes = st.integers(0, 12)


@st.composite
def multi_label_lines(draw: st.DrawFn) -> bytes:
    """Draw a line with a label, both maps, and any other JSON around them."""

    def mapping(indices: list[int]) -> str:
        inside = (f'{draw(spaces)}"{i}"{draw(spaces)}:{draw(spaces)}{draw(values)}' for i in indices)
        return "{" + ",".join(inside) + "}"

    label = ",".join(f"{draw(spaces)}{i}{draw(spaces)}" for i in draw(st.lists(classes, max_size=5)))
    maps = (
        f'"class-map":{mapping(draw(st.lists(classes)))},"confidence-map":{mapping(draw(st.lists(classes)))}'
    )
    metadata = f'{{"x":{draw(values)},{draw(spaces)}{maps}{draw(spaces)},"y" :{draw(values)}}}'
    return f'{{"a":{draw(values)},"t":[{label}],"t-metadata":{metadata},"a":{draw(values)}}}'.encode()


def without(value: Any, leaving: frozenset[int], path: tuple[str, ...] = ()) -> Any:
    """Return a decoded line without some classes, the slow way."""
    if path == ("t",):
        return [item for item in value if int(item) not in leaving]
    if path in (("t-metadata", "class-map"), ("t-metadata", "confidence-map")):
        return Pairs((key, item) for key, item in value if int(key) not in leaving)
    if isinstance(value, Pairs) and len(path) < 2:
        return Pairs((key, without(item, leaving, (*path, key))) for key, item in value)
    return value


@given(multi_label_lines(), st.frozensets(classes, max_size=4))
def test_label_and_maps_lose_the_classes_and_nothing_else_is_lost(
    line: bytes, leaving: frozenset[int]
) -> None:
    trimmed = trim(line, PEEK, leaving)
    assert pairs_of(trimmed) == without(pairs_of(line), leaving)
    assert trim(trimmed, PEEK, leaving) == trimmed
