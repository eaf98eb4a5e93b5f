"""Laws of every row of the table of label kinds; a row that is added is tested by being there.

A line is made from the paths of a row alone. So the functions of the row, which read decoded lines, and the
edits, which follow the paths in the bytes, must agree with what was drawn.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.edits.class_indices import change_indices
from manifest_tools.edits.rename import RenameClass
from manifest_tools.edits.trim import trim
from manifest_tools.groundtruth.annotations import TYPE_OF_KIND
from manifest_tools.groundtruth.label_kinds import CUSTOM, KINDS, TYPES, LabelKind, label_kind
from manifest_tools.groundtruth.label_schemas import FIELDS
from manifest_tools.groundtruth.record import Peek, Row, decoder
from manifest_tools.io.json_paths import ELEMENTS, VALUES, Path, values_at
from manifest_tools.verbs.merge.normalized_label import normalizer, schema

ALL = [pytest.param(kind, id=name) for name, kind in KINDS.items() if name != CUSTOM]
WITH_ITEMS = [pytest.param(kind, id=name) for name, kind in KINDS.items() if kind.items is not None]
CLASSES = range(6)


@dataclass(frozen=True)
class Drawn:
    """A line of a kind, and what it was made of: a class index and a confidence for each item."""

    kind: LabelKind
    line: bytes
    classes: tuple[int, ...]
    confidences: tuple[float | None, ...]

    def row(self, line: bytes | None = None) -> Row:
        """Return the line, or another of this kind, decoded as verbs do."""
        fields = tuple(dict.fromkeys((*self.kind.class_fields, *self.kind.confidence_fields)))
        peek = Peek("x", "x-metadata", self.kind.schema, fields)
        return decoder(peek).decode(self.line if line is None else line)

    @property
    def label(self) -> Any:
        return json.loads(self.line)["x"]


def name(index: int) -> str:
    return f"class-{index}"


def nested(path: Path, value: Any) -> Any:
    """Return an object that has ``value`` at a path of keys."""
    for key in reversed(path):
        value = {key: value}
    return value


def filled(table: dict[str, Any], path: Path, values: list[tuple[int, Any]]) -> None:
    """Put values at a path, each with its class index as key where the path goes through a map."""
    field, *rest = path
    if not rest:
        table[field] = values[0][1]
    elif rest[0] == VALUES:
        entries = table.setdefault(field, {})
        for index, value in values:
            if len(rest) == 1:
                entries[str(index)] = value
            else:
                entries.setdefault(str(index), {}).update(nested(tuple(rest[1:]), value))
    else:
        assert rest[0] == ELEMENTS
        table[field] = [nested(tuple(rest[1:]), value) for _, value in values]


def label_of(kind: LabelKind, classes: list[int]) -> Any:
    """Return a label with an item for each class."""
    if kind.items is None:
        return classes[0] if kind.schema == "index" else "s3://bucket/key"
    spelt = [name(index) if kind.categories else index for index in classes]
    items = [{kind.class_key: one, "at": n} if kind.class_key else one for n, one in enumerate(spelt)]
    label = nested(kind.items, items)
    if kind.categories:
        parent = label
        *path, last, step, key = kind.categories
        assert step == ELEMENTS
        for part in path:
            parent = parent[part]
        parent[last] = [{key: name(index)} for index in CLASSES]
    return label


@st.composite
def drawn(draw: st.DrawFn, kind: LabelKind) -> Drawn:
    """Draw a line of a kind."""
    once = kind.class_key == ""  # without items of their own, a class is on a label once
    classes = draw(st.lists(st.sampled_from(CLASSES), min_size=1, max_size=5, unique=once))
    classes = classes[:1] if kind.schema == "index" else classes
    sure = draw(st.lists(st.floats(0, 1), min_size=len(classes), max_size=len(classes)))
    metadata: dict[str, Any] = {"other": {"0": [1.5]}, "type": "x"}
    for path in kind.class_names:
        filled(metadata, path, [(index, name(index)) for index in dict.fromkeys(classes)])
    if kind.item_confidences:
        filled(metadata, kind.item_confidences, list(zip(classes, sure, strict=True)))
    value = {"n": 1, "x": label_of(kind, classes), "x-metadata": metadata, "y": {"annotations": [1]}}
    line = json.dumps(value, separators=draw(st.sampled_from([(",", ":"), (", ", ": ")]))).encode()
    confidences = tuple(sure) if kind.item_confidences else (None,) * len(classes)
    return Drawn(kind, line, tuple(classes), confidences)


@pytest.mark.parametrize("kind", ALL)
@given(data=st.data())
def test_the_functions_of_a_row_read_what_stands_at_its_paths(kind: LabelKind, data: st.DataObject) -> None:
    one = data.draw(drawn(kind))
    row = one.row()
    assert kind.indices(row) == one.classes
    assert kind.confidences(row) == one.confidences
    named = dict(kind.names(row))
    assert {index: named[index] for index in one.classes} == {index: name(index) for index in one.classes}
    if kind.item_classes is not None:
        found = [value for _, value in values_at(one.label, kind.item_classes)]
        assert found == [name(index) if kind.categories else index for index in one.classes]


@pytest.mark.parametrize("kind", ALL)
def test_the_fields_of_a_row_are_decoded_as_its_paths_say(kind: LabelKind) -> None:
    fields = {*kind.class_fields, *kind.confidence_fields}
    assert fields <= FIELDS.keys()
    assert set(kind.index_maps) == {field for field in fields if str(FIELDS[field]).startswith("dict")}
    assert (kind.item_list is not None) == (kind.class_key != "")
    assert (kind.items is not None) + (kind.label_object is not None) + (kind.schema == "index") == 1
    assert not kind.object_has_indices or kind.label_object


@pytest.mark.parametrize("kind", WITH_ITEMS)
@given(data=st.data())
def test_trimmed_items_leave_with_their_classes_and_confidences(kind: LabelKind, data: st.DataObject) -> None:
    one = data.draw(drawn(kind))
    positions = data.draw(st.sets(st.integers(0, len(one.classes) - 1)))
    stay = [n for n in range(len(one.classes)) if n not in positions]
    gone = set(one.classes) - {one.classes[n] for n in stay}
    line = trim(one.line, "x", "x-metadata", kind, positions, gone)
    row = one.row(line)
    assert kind.indices(row) == tuple(one.classes[n] for n in stay)
    assert kind.confidences(row) == tuple(one.confidences[n] for n in stay)
    if not kind.categories:  # those of the job stay on every line
        assert not gone & {index for index, _ in kind.names(row)}
    assert (line is one.line) == (not positions)


@pytest.mark.parametrize("kind", ALL)
@given(data=st.data(), moved=st.permutations([*CLASSES]))
def test_changed_indices_are_changed_wherever_they_stand(
    kind: LabelKind, data: st.DataObject, moved: list[int]
) -> None:
    one = data.draw(drawn(kind))
    index_map = dict(zip(CLASSES, moved, strict=True))
    line = change_indices(one.line, "x", "x-metadata", kind, index_map)
    row = one.row(line)
    if kind.categories:
        assert line == one.line
    else:
        assert kind.indices(row) == tuple(index_map[index] for index in one.classes)
        assert dict(kind.names(row)) == {index_map[index]: name(index) for index in one.classes}
    assert kind.confidences(row) == one.confidences
    back = {new: old for old, new in index_map.items()}
    assert change_indices(line, "x", "x-metadata", kind, back) == one.line


@pytest.mark.parametrize("kind", ALL)
@given(data=st.data(), index=st.sampled_from(CLASSES), attribute=st.sampled_from([None, "x"]))
def test_a_renamed_class_is_renamed_wherever_it_is_named(
    kind: LabelKind, data: st.DataObject, index: int, attribute: str | None
) -> None:
    one = data.draw(drawn(kind))
    line = RenameClass(name(index), "new", attribute)(one.line)
    row = one.row(line)
    expected = {number: "new" if number == index else called for number, called in kind.names(one.row())}
    assert dict(kind.names(row)) == expected
    assert kind.indices(row) == one.classes
    assert RenameClass("new", name(index), attribute)(line) == one.line
    assert RenameClass(name(index), "new", "y")(one.line) is one.line


@pytest.mark.parametrize("kind", WITH_ITEMS)
@given(data=st.data())
def test_an_item_without_its_class_says_the_rest(kind: LabelKind, data: st.DataObject) -> None:
    one = data.draw(drawn(kind))
    items = kind.items_of(one.label)
    assert items is not None and len(items) == len(one.classes)
    if kind.items_have_positions:
        assert [kind.without_class(item) for item in items] == [{"at": n} for n in range(len(items))]
    for other in (None, 3, "x", {"annotations": None}, {"annotations": {"entities": 1}}):
        assert kind.items_of(other) is None


@pytest.mark.parametrize("kind", WITH_ITEMS)
@given(data=st.data())
def test_labels_are_equal_in_any_order_of_items_and_not_with_another_class(
    kind: LabelKind, data: st.DataObject
) -> None:
    one = data.draw(drawn(kind))
    order = data.draw(st.permutations(range(len(one.classes))))
    value = json.loads(one.line)
    items = kind.items_of(value["x"])
    assert items is not None
    items[:] = [items[n] for n in order]
    normalized = normalizer(kind)
    decode = decoder(Peek("x", "x-metadata", schema(kind), kind.class_fields)).decode
    assert normalized(decode(json.dumps(value))) == normalized(decode(one.line))
    other = name(99) if kind.categories else 99
    items[0] = {**items[0], kind.class_key: other} if kind.class_key else other
    assert normalized(decode(json.dumps(value))) != normalized(decode(one.line))


def test_every_kind_of_picture_labels_is_a_kind() -> None:
    assert {kind: label_kind(type_name).name for kind, type_name in TYPE_OF_KIND.items()} == {
        kind: kind for kind in TYPE_OF_KIND
    }


def test_every_type_has_a_kind_and_every_kind_a_type() -> None:
    assert {one.kind for one in TYPES.values()} == KINDS.keys()
    assert all(label_kind(type_name) is KINDS[one.kind] for type_name, one in TYPES.items())
    assert all(name == kind.name for name, kind in KINDS.items())
