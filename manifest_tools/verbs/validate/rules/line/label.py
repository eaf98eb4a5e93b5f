"""The label itself: its form, its class indices, their names and their confidence."""

from collections.abc import Iterator, Mapping
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import listed, path, shown
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.io import s3uri
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import labelled, lines, several, single
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import in_label, in_metadata, missing_in_metadata


@rule(
    "MT210",
    "error",
    "label",
    breaks=lambda: lines(single([0])),
    keeps=lambda: lines(single(0), several([0], {"0": "RH"})),
    fix="Write the label in the form of its type, or write another type.",
    source=OUTPUT,
)
def form_fits_the_type(label: LineLabel) -> Iterator[Finding]:
    """A label has the form of its type."""
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
        message = (
            f"the type of {shown(label.name)} is {kind}: expected {wanted} as label, found {shown(value)}"
        )
        yield Finding(path(label.name), message)


def _is_uri(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(s3uri.parse(value))
    except ValueError:
        return False


@rule(
    "MT211",
    "error",
    "label",
    breaks=lambda: lines(single("RH"), single(-1)),
    keeps=lambda: lines(single(0)),
    fix="Write the position of the class in the job's list of categories, counted from 0.",
    source=OUTPUT,
)
def indices_are_indices(label: LineLabel) -> Iterator[Finding]:
    """A class index is a whole number from 0, or a string of digits."""
    for value in label.index_values():
        if index_of(value) is None:
            yield in_label(label, "class", f"expected a class index from 0, found {shown(value)}")


@rule(
    "MT215",
    "warning",
    "label",
    breaks=lambda: lines(single("0")),
    keeps=lambda: lines(single(0), labelled("check", "0", "label-verification", class_name="RH")),
    fix="mtool validate --fix writes the number.",
    source=OUTPUT,
    never_for=("builtin",),  # which is sent the digits in either form
)
def index_is_a_number(label: LineLabel) -> Iterator[Finding]:
    """A class index is a number, as Ground Truth writes it, and no string."""
    if label.kind.index_is_text:
        return
    texts = [
        value for value in label.index_values() if isinstance(value, str) and index_of(value) is not None
    ]
    if texts:
        message = f"expected a class index as a number, found the string {shown(texts[0])}"
        yield in_label(label, "class", message)


@rule(
    "MT220",
    "warning",
    "label",
    breaks=lambda: lines(single(name=None)),
    keeps=lambda: lines(single(name="RH")),
    fix="Add class-name to the metadata, or name the classes for split and train with --classes.",
    source=OUTPUT,
    never_for=("rekognition",),  # which has a code of its own for it
)
def has_a_class_name(label: LineLabel) -> Iterator[Finding]:
    """The metadata of a single class has its class-name: nothing else says what the index means."""
    name = label.metadata.get("class-name")
    if label.single and label.state == "labelled" and (name is None or name == ""):
        yield missing_in_metadata(label, "class-name", f"the name of class {shown(label.value)} is unknown")


@rule(
    "MT221",
    "warning",
    "label",
    breaks=lambda: lines(several([0, 1], {"0": "RH"})),
    keeps=lambda: lines(several([0, 1], {"0": "RH", "1": "LH"})),
    fix="Add the class to the class-map.",
    source=OUTPUT,
)
def class_map_names_the_label(label: LineLabel) -> Iterator[Finding]:
    """The ``class-map`` has a name for every class of the label."""
    if not label.multi:
        return
    unnamed = _missing(label.indices(), label.class_map if isinstance(label.class_map, dict) else {})
    if unnamed:
        yield in_metadata(label, "class-map", f"no name for class {listed(unnamed)}", "class-map")


@rule(
    "MT222",
    "warning",
    "label",
    breaks=lambda: lines(several([0], {"0": "RH"}, confidence_map={"1": 0.9})),
    keeps=lambda: lines(several([0], {"0": "RH"}, confidence_map={"0": 0.9})),
    fix="Add the confidence; mtool filter --min-confidence treats the class as one without confidence.",
    source=OUTPUT,
)
def confidence_map_has_the_label(label: LineLabel) -> Iterator[Finding]:
    """A ``confidence-map`` has a confidence for every class of the label."""
    table = label.metadata.get("confidence-map")
    if not label.multi or not isinstance(table, dict):
        return
    unsure = _missing(label.indices(), table)
    if unsure:
        message = f"no confidence for class {listed(unsure)}"
        yield in_metadata(label, "confidence-map", message, "confidence-map")


@rule(
    "MT230",
    "error",
    "label",
    breaks=lambda: lines(single(confidence=95)),
    keeps=lambda: lines(single(confidence=0.95), single(confidence=0)),
    fix="Write a fraction: 95 percent is 0.95.",
    source=OUTPUT,
)
def confidences_are_up_to_1(label: LineLabel) -> Iterator[Finding]:
    """A confidence is a number from 0 to 1."""
    yield from _confidence(label, "", label.metadata, "confidence")
    table = label.metadata.get("confidence-map")
    if isinstance(table, dict):
        for index in table:
            yield from _confidence(label, f"class {shown(index)}", table, index, "confidence-map")
    elif table is not None:
        message = f"expected an object of class indices and confidences, found {shown(table)}"
        yield in_metadata(label, "confidence-map", message, "confidence-map")
    for key in () if label.single or label.multi else ("objects", "entities"):
        parts = label.metadata.get(key)
        for at, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict) and "confidence" in part and not isinstance(part["confidence"], list):
                yield from _confidence(label, f"{key}[{at}]", part, "confidence", key, at)


def _confidence(
    label: LineLabel, part: str, table: Mapping[str, Any], key: str, *keys: str | int
) -> Iterator[Finding]:
    """Yield the confidence of a part under a key of a table, to which ``keys`` lead, if not from 0 to 1."""
    value = table.get(key)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and 0 <= value <= 1):
        message = f"expected a number from 0 to 1, found {shown(value)}"
        yield in_metadata(label, f"confidence of {part}" if part else key, message, *keys, key)


def _missing(wanted: list[int], table: Mapping[str, Any]) -> list[int]:
    return [index for index in wanted if str(index) not in table]


RULES = (
    form_fits_the_type,
    indices_are_indices,
    index_is_a_number,
    has_a_class_name,
    class_map_names_the_label,
    confidence_map_has_the_label,
    confidences_are_up_to_1,
)
