"""Nothing on a line makes the rules of a label kind raise, and what they cannot read is an error."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.label_kinds import TYPES, label_kind
from manifest_tools.groundtruth.rows import BadLine, read_rows
from manifest_tools.verbs.validate.engine.run_rules import RuleContext, rule_line, run_line_rules, run_rules
from tests.label_lines import GOOD

LEAVES: list[Any] = [
    *(None, True, False, 0, 1, -1, 7, 10**400, -(10**400), 0.5, 1e300, float("inf"), -0.0, 10**9),
    *("", "0", "00", "1", "x", "\ud800", "\x00\x1b[31m", "#ffffff", "s3://b/a.png", "yes", "a" * 300),
]
KEYS = (
    *("annotations", "image_size", "class_id", "left", "width", "objects", "entities", "labels"),
    *("label", "startOffset", "class-map", "class_map", "internal-color-map", "class-name"),
    *("hex-color", "confidence", "0", "x"),
)
anything = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, ...]]:
    """Return the way to every value inside another."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [()] + [(key, *rest) for key, part in inner for rest in places(part)]


def replaced(value: Any, way: tuple[Any, ...], new: Any) -> Any:
    if not way:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[way[0]] = replaced(value[way[0]], way[1:], new)
    return changed


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a line of any type with up to three values anywhere replaced by anything."""
    value: Any = draw(st.sampled_from(list(GOOD.values())))
    for _ in range(draw(st.integers(0, 3))):
        ways = [way for way in places(value) if way]
        value = replaced(value, draw(st.sampled_from(ways)), draw(anything))
    assert isinstance(value, dict)
    return value


@settings(max_examples=1000, deadline=None)
@given(mutated())
def test_anything_anywhere_is_a_problem_or_none_but_never_raises(value: dict[str, Any]) -> None:
    for rule, (where, message, *_) in run_line_rules(rule_line(value, RuleContext())):
        assert where.startswith("$"), rule.code
        assert (where + message).isprintable(), rule.code
        assert len(message) < 250, rule.code


@settings(max_examples=300, deadline=None)
@given(anything, anything, st.sampled_from(list(TYPES)))
def test_a_label_and_metadata_of_anything_never_raise(label: Any, fields: Any, kind: str) -> None:
    metadata = {**(fields if isinstance(fields, dict) else {"objects": fields}), "type": kind}
    run_line_rules(rule_line({"source": "text", "x": label, "x-metadata": metadata}, RuleContext()))


@settings(max_examples=1000, deadline=None)
@given(mutated())
def test_what_the_label_kinds_cannot_read_is_an_error(value: dict[str, Any]) -> None:
    name = next((key for key in ("x", "x-ref") if value.get(key) is not None), None)
    metadata = value.get(f"{name}-metadata")
    if name is None or not isinstance(metadata, dict) or not isinstance(metadata.get("type"), str):
        return
    attribute = LabelAttribute(name, f"{name}-metadata", metadata["type"], True)
    text = json.dumps(value).replace("Infinity", "1e999").encode()
    try:
        fields = (*attribute.kind.class_fields, *attribute.kind.confidence_fields)
        for row in read_rows(text, attribute.peek(*fields)).rows:
            attribute.kind.indices(row), attribute.kind.names(row), attribute.kind.confidences(row)
    except (BadLine, ValueError, msgspec.MsgspecError):
        found, _ = run_rules(text, RuleContext())
        assert not label_kind(metadata["type"]).has_classes or any(
            rule.severity == "error" for rule, _ in found
        )
