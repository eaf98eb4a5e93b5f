import json
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData
from manifest_tools.groundtruth.label_schemas import FIELDS, LABELS
from manifest_tools.groundtruth.record import Metadata, Peek, decoder, state

names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1, max_size=8
)
EVERYTHING = {
    "type": "groundtruth/image-classification",
    "class-name": "RH",
    "class-map": {"0": "RH"},
    "class_map": {"0": "LH"},
    "internal-color-map": {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.25}},
    "color-map": {"1": {"class-name": "Car", "hex-color": "#000000", "confidence": 0.75}},
    "confidence": 0.5,
    "confidence-map": {"0": 0.5},
    "human-annotated": "yes",
    "creation-date": "2018-10-18T22:18:13.527256",
    "job-name": "labeling-job/lab1",
    "failure-reason": "none at all",
    "objects": [{"confidence": 0.5}, {"confidence": None}],
    "entities": [{"confidence": 0.25}],
    "adjustment-status": "adjusted",
}
# A label in each schema, and one that is no such thing.
BY_SCHEMA: dict[str, tuple[Any, Any]] = {
    "index": ("0", [0]),
    "indices": ([0, "1"], 0),
    "boxes": (
        {
            "annotations": [{"class_id": "0", "left": 1.5, "top": 2.0, "width": 3.0, "height": 4.0}],
            "image_size": [{"width": 640.0, "height": 480.0, "depth": 3.0}],
        },
        {"annotations": [[]]},
    ),
    "cuboids": ({"annotations": [{"class-id": 1}]}, {"annotations": {}}),
    "entities": (
        {
            "annotations": {
                "entities": [{"label": "Place", "startOffset": 16, "endOffset": 22}],
                "labels": [{"label": "Place"}],
            }
        },
        {"annotations": []},
    ),
    "any": ({"a": [1]}, None),
}


def fields_of(metadata: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    found = {name: getattr(metadata, ATTRIBUTES[name]) for name in fields}
    return {name: msgspec.to_builtins(value) for name, value in found.items()}


ATTRIBUTES = {name: name.replace("-", "_") for name in FIELDS} | {"class_map": "class_map_"}


def test_the_fields_here_are_those_of_the_table() -> None:
    assert set(EVERYTHING) == set(FIELDS)
    assert set(BY_SCHEMA) == set(LABELS)
    assert len(set(ATTRIBUTES.values())) == len(FIELDS)
    assert set(Metadata.__annotations__) == set(ATTRIBUTES.values())


@given(st.sets(st.sampled_from(list(FIELDS))), st.sampled_from(list(LABELS)))
def test_the_fields_that_were_asked_for_are_read_and_no_other(fields: set[str], schema: str) -> None:
    asked = tuple(sorted(fields))
    label, _ = BY_SCHEMA[schema]
    line = json.dumps({"k": label, "k-metadata": EVERYTHING, "source-ref": "s3://b/k"}).encode()
    row = decoder(Peek("k", "k-metadata", schema, asked)).decode(line)
    assert row.metadata is not None
    assert fields_of(row.metadata, asked) == {name: EVERYTHING[name] for name in asked}
    assert msgspec.to_builtins(row.label) == label
    assert not hasattr(row, "source_ref")
    unasked = set(FIELDS) - fields - {"failure-reason"}
    assert not any(hasattr(row.metadata, ATTRIBUTES[name]) for name in unasked)


@pytest.mark.parametrize("schema", BY_SCHEMA)
def test_a_label_of_another_schema_is_an_error(schema: str) -> None:
    _, other = BY_SCHEMA[schema]
    decode = decoder(Peek("k", "k-metadata", schema)).decode
    if schema == "any":
        assert decode(json.dumps({"k": other})).label is other
        return
    with pytest.raises(msgspec.ValidationError, match=r"at `\$\.k"):
        decode(json.dumps({"k": other}))


@pytest.mark.parametrize("schema", BY_SCHEMA)
def test_what_a_schema_does_not_know_is_passed_over(schema: str) -> None:
    label, _ = BY_SCHEMA[schema]
    line = json.dumps({"k": _with_more(label)})
    assert state(decoder(Peek("k", "k-metadata", schema)).decode(line)) == "labelled"


def _with_more(value: Any) -> Any:
    """Return the value with something more in every object."""
    if isinstance(value, list):
        return [_with_more(one) for one in value]
    if isinstance(value, dict):
        return {key: _with_more(one) for key, one in value.items()} | {"more": [{}, None, "x"]}
    return value


@given(names.filter(lambda name: name not in ("source", "source-ref")), st.integers(0, 99))
def test_an_attribute_may_have_any_name(name: str, label: int) -> None:
    line = json.dumps({name: label, name + "-metadata": {"class-name": "x"}, "source-ref": "s"}).encode()
    row = decoder(Peek(name, name + "-metadata", "index", ("class-name",), ("source-ref",))).decode(line)
    assert (row.label, row.source_ref) == (label, "s")
    assert row.metadata is not None
    assert row.metadata.class_name == "x"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param('a"b', id="a quote"),
        pytest.param("a\\b", id="a backslash"),
        pytest.param("a\nb", id="a newline"),
        pytest.param("source-ref", id="the name of the source"),
    ],
)
def test_a_name_that_no_decoder_can_be_made_for_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(BadData, match="no label attribute can be called") as raised:
        decoder(Peek(name, name + "-metadata", "index", (), ("source-ref",)))
    assert str(raised.value).isprintable()


def test_a_key_that_only_looks_alike_is_another() -> None:
    row = decoder(Peek("k", "k-metadata", "index", ("class-name",))).decode(
        b'{"K": 1, " k": 2, "k_metadata": {"class-name": "x"}, "k-Metadata": {"class_name": "y"}}'
    )
    assert (row.label, row.metadata) == (None, None)


@pytest.mark.parametrize("name", FIELDS)
def test_a_null_is_as_good_as_absent(name: str) -> None:
    for metadata in ({name: None}, {}):
        line = json.dumps({"k-metadata": metadata}).encode()
        row = decoder(Peek("k", "k-metadata", "any", (name,))).decode(line)
        assert row.metadata is not None
        assert fields_of(row.metadata, (name,)) == {name: None}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_another_schema_is_an_error_where_it_is_asked_for_and_only_there(name: str) -> None:
    line = json.dumps({"k": 1, "k-metadata": {name: [[True]]}}).encode()
    with pytest.raises(msgspec.ValidationError, match=rf"at `\$\.k-metadata\.{name}(\[0\])?`"):
        decoder(Peek("k", "k-metadata", "any", (name,))).decode(line)
    if name != "failure-reason":
        assert decoder(Peek("k", "k-metadata", "any")).decode(line).label == 1


@pytest.mark.parametrize(
    ("schema", "label", "fits"),
    [
        ("index", "1", True),
        ("index", '"1"', True),
        ("index", "null", True),
        ("index", "true", False),
        ("index", "1.0", False),
        ("index", "[1]", False),
        ("index", "{}", False),
        ("indices", "[]", True),
        ("indices", '[1, "2"]', True),
        ("indices", "null", True),
        ("indices", "1", False),
        ("indices", "[null]", False),
        ("indices", "[true]", False),
        ("indices", "[[1]]", False),
        ("any", "[[1.5, {}], true]", True),
        ("any", "null", True),
    ],
)
def test_which_label_has_which_form(schema: str, label: str, fits: bool) -> None:
    decode = decoder(Peek("k", "k-metadata", schema)).decode
    line = f'{{"k": {label}}}'.encode()
    if fits:
        assert decode(line).label == json.loads(label)
    else:
        with pytest.raises(msgspec.ValidationError, match=r"at `\$\.k"):
            decode(line)


def test_a_recipe_goes_to_other_processes_and_finds_the_decoder_that_is_there() -> None:
    peek = Peek("k", "k-metadata", "index", ("class-name",), ("source-ref",), exclusive=True)
    again = pickle.loads(pickle.dumps(peek))
    assert again == peek
    assert decoder(again) is decoder(peek)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"k": 0}', "labelled"),
        ('{"k": []}', "labelled"),
        ('{"k": false}', "labelled"),
        ('{"k": 0, "k-metadata": {"failure-reason": "x"}}', "labelled"),
        ('{"k": null, "k-metadata": {"failure-reason": "x"}}', "failed"),
        ('{"k-metadata": {"failure-reason": "x", "class-name": "RH"}}', "failed"),
        ('{"k-metadata": {"failure-reason": null}}', "unlabelled"),
        ('{"k-metadata": {"class-name": "RH"}}', "unlabelled"),
        ('{"k": null}', "unlabelled"),
        ("{}", "unlabelled"),
    ],
)
def test_a_line_is_labelled_or_failed_or_neither(line: str, expected: str) -> None:
    assert state(decoder(Peek("k", "k-metadata")).decode(line.encode())) == expected
