"""The label itself: its form, its class indices, what they are called, how sure they are."""

from collections.abc import Iterator, Mapping
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.io import s3uri
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines, several, single
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import rule


def form_fits_the_type(label: LineLabel) -> Iterator[Finding]:
    """A label has the form that its type asks for."""
    if label.state != "labelled":
        return
    value = label.value
    kind = label.type.lower().removeprefix("groundtruth/")
    wanted = ""
    if label.single and isinstance(value, list | dict):
        wanted = "one class index"
    elif label.multi and not isinstance(value, list):
        wanted = "an array of class indices"
    elif label.kind.items and not isinstance(value, dict):
        wanted = "an object"
    elif label.kind.label_object and not _is_uri(value):
        wanted = "s3://bucket/key"
    if wanted:
        yield Finding(path(label.name), f"{kind} asks for {wanted}, found {shown(value)}")


def _is_uri(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(s3uri.parse(value))
    except ValueError:
        return False


def indices_are_indices(label: LineLabel) -> Iterator[Finding]:
    """A class index is a whole number from 0, or a string of digits."""
    for value in label.index_values():
        if index_of(value) is None:
            yield Finding(path(label.name), f"expected a class index from 0, found {shown(value)}")


def has_a_class_name(label: LineLabel) -> Iterator[Finding]:
    """A single-label line names its class: nothing else says what the index means."""
    name = label.metadata.get("class-name")
    if label.single and label.state == "labelled" and (name is None or name == ""):
        yield Finding(path(label.metadata_key), "no class-name, so nothing says what the index means")


def class_map_names_the_label(label: LineLabel) -> Iterator[Finding]:
    """A ``class-map`` names every class of its label."""
    if not label.multi:
        return
    named = label.class_map
    lacking = _lacking(label.indices(), named if isinstance(named, dict) else {})
    if lacking:
        yield Finding(
            path(label.metadata_key, "class-map"), f"class-map does not name {lacking} of the label"
        )


def confidence_map_has_the_label(label: LineLabel) -> Iterator[Finding]:
    """A ``confidence-map``, where there is one, has every class of its label."""
    table = label.metadata.get("confidence-map")
    if not label.multi or not isinstance(table, dict):
        return
    lacking = _lacking(label.indices(), table)
    if lacking:
        where = path(label.metadata_key, "confidence-map")
        yield Finding(where, f"confidence-map does not have {lacking} of the label")


def _lacking(wanted: list[int], table: Mapping[str, Any]) -> str:
    missing = [str(index) for index in wanted if str(index) not in table]
    return "class " + ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "") if missing else ""


def confidence_is_a_share(label: LineLabel) -> Iterator[Finding]:
    """A confidence is a number from 0 to 1."""
    yield from _shares({"confidence": label.metadata.get("confidence")}, label.metadata_key)
    table = label.metadata.get("confidence-map")
    if isinstance(table, dict):
        yield from _shares(table, label.metadata_key, "confidence-map")
    elif table is not None:
        where = path(label.metadata_key, "confidence-map")
        yield Finding(where, f"expected an object of class index and confidence, found {shown(table)}")
    for key in () if label.single or label.multi else ("objects", "entities"):
        parts = label.metadata.get(key)
        for at, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict) and "confidence" in part and not isinstance(part["confidence"], list):
                yield from _shares({"confidence": part["confidence"]}, label.metadata_key, key, at)


def _shares(table: Mapping[str, Any], *where: str | int) -> Iterator[Finding]:
    for key, value in table.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and 0 <= value <= 1):
            yield Finding(path(*where, key), f"expected a confidence from 0 to 1, found {shown(value)}")


def index_is_a_number(label: LineLabel) -> Iterator[Finding]:
    """A class index is written as a number, as Ground Truth does, not as a string."""
    if label.kind.index_is_text:
        return
    texts = [
        value for value in label.index_values() if isinstance(value, str) and index_of(value) is not None
    ]
    if texts:
        yield Finding(path(label.name), f"expected a class index as a number, found {shown(texts[0])}")


RULES = (
    rule(
        "MT210",
        "error",
        "label",
        form_fits_the_type,
        breaks=lines(single([0])),
        keeps=lines(single(0), several([0], {"0": "RH"})),
        fix="Write the label in the form of its type, or the type that the label has.",
        source=OUTPUT,
    ),
    rule(
        "MT211",
        "error",
        "label",
        indices_are_indices,
        breaks=lines(single("RH"), single(-1)),
        keeps=lines(single(0)),
        fix="Write the index of the class in the job's list of categories, counted from 0.",
        source=OUTPUT,
    ),
    rule(
        "MT215",
        "warning",
        "label",
        index_is_a_number,
        breaks=lines(single("0")),
        keeps=lines(single(0), labelled("check", "0", "label-verification", class_name="RH")),
        fix="mtool validate --fix writes the number.",
        source=OUTPUT,
    ),
    rule(
        "MT220",
        "warning",
        "label",
        has_a_class_name,
        breaks=lines(single(name=None)),
        keeps=lines(single(name="RH")),
        fix="Add class-name to the metadata, or hand the table to split and train with --classes.",
        source=OUTPUT,
    ),
    rule(
        "MT221",
        "warning",
        "label",
        class_map_names_the_label,
        breaks=lines(several([0, 1], {"0": "RH"})),
        keeps=lines(several([0, 1], {"0": "RH", "1": "LH"})),
        fix="Add the class to the class-map.",
        source=OUTPUT,
    ),
    rule(
        "MT222",
        "warning",
        "label",
        confidence_map_has_the_label,
        breaks=lines(several([0], {"0": "RH"}, confidence_map={"1": 0.9})),
        keeps=lines(several([0], {"0": "RH"}, confidence_map={"0": 0.9})),
        fix="Add the confidence; mtool filter --min-confidence takes the class for one without.",
        source=OUTPUT,
    ),
    rule(
        "MT230",
        "error",
        "label",
        confidence_is_a_share,
        breaks=lines(single(confidence=95)),
        keeps=lines(single(confidence=0.95), single(confidence=0)),
        fix="Write a share of 1: 95 percent is 0.95.",
        source=OUTPUT,
    ),
)
