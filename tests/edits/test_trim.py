import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.edits.trim import trim
from manifest_tools.groundtruth.label_kinds import KINDS
from tests.json_lines import Pairs, pairs_of, spaces, values


def trim_classes(line: bytes, leaving: frozenset[int]) -> bytes:
    """Return a multi-label line without some of its classes, which may stand anywhere in the label."""
    label = json.loads(line)["t"]
    positions = [position for position, index in enumerate(label) if int(index) in leaving]
    return trim(line, "t", "t-metadata", KINDS["multi_label"], positions, leaving)


def trim_items(kind: str, line: bytes, positions: set[int], gone: frozenset[int]) -> bytes:
    return trim(line, "t", "t-metadata", KINDS[kind], positions, gone)


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
    assert trim_classes(line, frozenset({1})) is line


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
            id="written with an escape",
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
    assert trim_classes(line, frozenset({1})) == trimmed


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
    trimmed = trim_classes(line, leaving)
    assert pairs_of(trimmed) == without(pairs_of(line), leaving)
    assert trim_classes(trimmed, leaving) == trimmed


@pytest.mark.parametrize(
    ("kind", "line", "trimmed"),
    [
        pytest.param(
            "boxes",
            b'{"t":{"image_size":[{"width":9}],"annotations":[{"class_id":0},{"class_id":1, "left": 1.50}]},'
            b'"t-metadata":{"objects":[{"confidence":0.10},{"confidence":0.90}],"class-map":{"0":"a","1":"b"}}}',
            b'{"t":{"image_size":[{"width":9}],"annotations":[{"class_id":1, "left": 1.50}]},'
            b'"t-metadata":{"objects":[{"confidence":0.90}],"class-map":{"1":"b"}}}',
            id="a box, its object and its class",
        ),
        pytest.param(
            "boxes",
            b'{"t-metadata": {"class-map": {"0": "a"}, "objects": [ {"confidence": 1} ]}, '
            b'"t": {"annotations": [ {"class_id": "0"} ]}}\r\n',
            b'{"t-metadata": {"class-map": {}, "objects": []}, "t": {"annotations": []}}\r\n',
            id="the only box of a line in reversed order, and the line end stays",
        ),
        pytest.param(
            "cuboids",
            b'{"t":{"annotations":[{"class-id":0},{"class-id":1}]},"t-metadata":{"objects":[],'
            b'"class_map":{"0":"a","1":"b"}}}',
            b'{"t":{"annotations":[{"class-id":1}]},"t-metadata":{"objects":[],"class_map":{"1":"b"}}}',
            id="a cuboid without object",
        ),
        pytest.param(
            "entities",
            b'{"t":{"annotations":{"labels":[{"label":"0"}],"entities":[{"label":"0"},{"label":"1"}]}},'
            b'"t-metadata":{"entities":[{"confidence":0},{"confidence":1.0}]}}',
            b'{"t":{"annotations":{"labels":[{"label":"0"}],"entities":[{"label":"1"}]}},'
            b'"t-metadata":{"entities":[{"confidence":1.0}]}}',
            id="an entity, the categories of the job staying",
        ),
        pytest.param(
            "boxes",
            b'{"t":{"annotations":[{"class_id":0}],"annotations":[{"class_id":0},{}]},"t-metadata":null}',
            b'{"t":{"annotations":[],"annotations":[{}]},"t-metadata":null}',
            id="every duplicate, and no metadata",
        ),
        pytest.param(
            "boxes",
            b'{"u":{"annotations":[{}]},"t":{"annotations":null},"objects":[{}],"t-metadata":{"objects":{}}}',
            b'{"u":{"annotations":[{}]},"t":{"annotations":null},"objects":[{}],"t-metadata":{"objects":{}}}',
            id="nothing of what is no list, or another's",
        ),
    ],
)
def test_an_item_leaves_with_what_is_said_of_it(kind: str, line: bytes, trimmed: bytes) -> None:
    assert trim_items(kind, line, {0}, frozenset({0})) == trimmed


@st.composite
def box_lines(draw: st.DrawFn) -> bytes:
    """Draw a line with boxes that are any JSON, their objects, and any JSON around them."""
    parts = st.tuples(spaces, values, spaces).map("".join)
    lists = [f"[{','.join(draw(st.lists(parts, max_size=6)))}]" for _ in range(2)]
    names = ",".join(f'"{i}":{draw(values)}' for i in draw(st.lists(classes, max_size=4)))
    label = f'{{"x":{draw(values)},"annotations"{draw(spaces)}:{lists[0]},"y":{draw(values)}}}'
    metadata = f'{{"z":{draw(values)},"objects":{lists[1]},{draw(spaces)}"class-map":{{{names}}}}}'
    return f'{{"a":{draw(values)},"t":{label},"t-metadata":{metadata},"a":{draw(values)}}}'.encode()


def without_items(value: Any, positions: set[int], gone: frozenset[int], path: tuple[str, ...] = ()) -> Any:
    """Return a decoded line without some boxes, the slow way."""
    if path in (("t", "annotations"), ("t-metadata", "objects")):
        return [one for position, one in enumerate(value) if position not in positions]
    if path == ("t-metadata", "class-map"):
        return Pairs((key, one) for key, one in value if int(key) not in gone)
    if isinstance(value, Pairs) and len(path) < 2 and (not path or path[0] in ("t", "t-metadata")):
        return Pairs((key, without_items(one, positions, gone, (*path, key))) for key, one in value)
    return value


@given(box_lines(), st.sets(st.integers(0, 7)), st.frozensets(classes, max_size=3))
def test_label_and_objects_lose_the_same_positions_and_nothing_else_is_lost(
    line: bytes, positions: set[int], gone: frozenset[int]
) -> None:
    there = set(range(len(json.loads(line)["t"]["annotations"])))
    if positions - there:
        with pytest.raises(ValueError, match="items in the label, found"):
            trim_items("boxes", line, positions, gone)
    positions = positions & there
    trimmed = trim_items("boxes", line, positions, gone)
    assert pairs_of(trimmed) == without_items(pairs_of(line), positions, gone)
    assert trim_items("boxes", line, set(), frozenset()) is line


def test_space_before_the_line_does_not_matter() -> None:
    line = b' {"t": {"annotations": [{}, {"class_id": 1}]}, "t-metadata": {"objects": [{}, {}]}}'
    trimmed = b' {"t": {"annotations": [{}]}, "t-metadata": {"objects": [{}]}}'
    assert trim_items("boxes", line, {1}, frozenset()) == trimmed
