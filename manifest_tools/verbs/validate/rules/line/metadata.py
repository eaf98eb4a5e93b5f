"""A label and its metadata: both are there, and the metadata has the form of its type."""

from collections.abc import Iterator
from typing import Any

from manifest_tools.base.dates import parse_date
from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_kinds import TYPES
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.verbs.validate.preflight.inputs import TRAINING
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules.examples import line as example
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.references import OUTPUT, VERIFY
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import in_metadata, missing_in_metadata

# The fields that are objects of class indices and names, and those that are texts.
_OBJECTS = ("class-map", "class_map")
_TEXTS = ("type", "class-name", "human-annotated", "creation-date", "job-name", "failure-reason")


@rule(
    "MT201",
    "error",
    "line",
    breaks=lambda: lines(single(), {"source-ref": "s3://lab3-rawdata/IMG_0086.JPG", "hand": 0}),
    keeps=lambda: lines(single(), single(ref="s3://lab3-rawdata/IMG_0086.JPG")),
    fix="Add the metadata, or remove the label and label the picture again.",
    source=OUTPUT,
    never_for=TRAINING,  # which is sent the label alone
)
def a_label_has_metadata(line: RuleLine) -> Iterator[Finding]:
    """A label that has metadata on other lines has it on this line too."""
    there = {label.name for label in line.labels}
    for name in line.expected:
        if name not in there and line.value.get(name) is not None and line.value.get(name + METADATA) is None:
            yield Finding(
                path(name), f"the label {shown(name)} has no metadata: {shown(name + METADATA)} is missing"
            )


@rule(
    "MT202",
    "error",
    "line",
    breaks=lambda: lines(example(hand=0, hand_metadata="RH")),
    keeps=lambda: lines(single()),
    fix='Write an object: {"class-name": "RH", "type": "groundtruth/image-classification"}.',
    source=OUTPUT,
)
def metadata_is_an_object(line: RuleLine) -> Iterator[Finding]:
    """The metadata of a label is an object."""
    for key, value in line.value.items():
        name = key.removesuffix(METADATA)
        if name == key or name in SOURCES or line.value.get(name) is None:
            continue
        if value is not None and not isinstance(value, dict):
            message = f"expected the metadata of {shown(name)} as an object, found {shown(value)}"
            yield Finding(path(key), f"{shown(key)}: {message}")


@rule(
    "MT203",
    "error",
    "line",
    breaks=lambda: lines(single(), single(None)),
    keeps=lambda: lines(
        single(),
        example(hand_metadata={"failure-reason": "expired", "retry-count": 1}),
        example(page_metadata={"info": "an attribute of the input"}),
    ),
    fix="mtool filter --labelled leaves such lines out.",
    source=OUTPUT,
    never_for=("rekognition",),  # which has a code of its own for it
)
def metadata_has_a_label(line: RuleLine) -> Iterator[Finding]:
    """Metadata of an attribute that other lines have has a label, or says why labeling failed."""
    for label in line.labels:
        if label.state == "unlabelled" and label.name in line.expected:
            message = f"{shown(label.metadata_key)} has no label: {shown(label.name)} is missing"
            yield Finding(path(label.metadata_key), message)


@rule(
    "MT204",
    "error",
    "label",
    breaks=lambda: lines(single(human_annotated=True)),
    keeps=lambda: lines(single(human_annotated="yes")),
    fix="Write the field as Ground Truth does: a text as a string, a class-map as an object.",
    source=OUTPUT,
)
def fields_have_their_form(label: LineLabel) -> Iterator[Finding]:
    """A field of the metadata has the form that Ground Truth writes."""
    for name in _TEXTS:
        value = label.metadata.get(name)
        if value is not None and not isinstance(value, str):
            yield in_metadata(label, name, f"expected a text, found {shown(value)}", name)
    for name in _OBJECTS:
        value = label.metadata.get(name)
        if value is not None and not _is_class_map(value):
            found = "other keys or values" if isinstance(value, dict) else shown(value)
            yield in_metadata(
                label, name, f"expected an object of class indices and names, found {found}", name
            )


def _is_class_map(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    try:
        return all(isinstance(name, str) and class_index(key) >= 0 for key, name in value.items())
    except ValueError:
        return False


@rule(
    "MT205",
    "warning",
    "label",
    breaks=lambda: lines(single(type=None)),
    keeps=lambda: lines(single()),
    fix="Add the type, such as groundtruth/image-classification.",
    source=OUTPUT,
    never_for=("rekognition",),  # which has a code of its own for it
)
def names_its_type(label: LineLabel) -> Iterator[Finding]:
    """The metadata of a label names its task type."""
    if label.state == "labelled" and label.metadata.get("type") is None:
        yield missing_in_metadata(label, "type", "the form of its label is unknown")


@rule(
    "MT206",
    "warning",
    "label",
    breaks=lambda: lines(single(type="groundtruth/stickers")),
    keeps=lambda: lines(single(type="groundtruth/custom"), single(type="GroundTruth/Image-Classification")),
    fix="Write one of Ground Truth's types; labels of other types are not read.",
    source=OUTPUT,
)
def type_is_known(label: LineLabel) -> Iterator[Finding]:
    """The task type is one of Ground Truth's."""
    kind = label.metadata.get("type")
    if isinstance(kind, str) and kind.lower() not in TYPES:
        message = f"expected a type of Ground Truth, found {shown(kind)}"
        yield in_metadata(label, "type", message, "type")


@rule(
    "MT207",
    "warning",
    "label",
    breaks=lambda: lines(single(creation_date="yesterday")),
    keeps=lambda: lines(single(creation_date="2022-08-22T20:52:51.851Z"), single(creation_date=None)),
    fix="Write the date in ISO 8601: mtool filter --before and --after cannot read another form.",
    source=OUTPUT,
)
def dates_can_be_read(label: LineLabel) -> Iterator[Finding]:
    """A creation-date is a date."""
    found = label.metadata.get("creation-date")
    if isinstance(found, str) and parse_date(found) is None:
        message = f"expected a date such as 2018-10-18T22:18:13.527256, found {shown(found)}"
        yield in_metadata(label, "creation-date", message, "creation-date")


@rule(
    "MT208",
    "warning",
    "label",
    breaks=lambda: lines(single(human_annotated="true")),
    keeps=lambda: lines(single(human_annotated="no"), single(human_annotated=None)),
    fix='Write "yes" if people labelled the line, "no" if a model did.',
    source=OUTPUT,
)
def human_annotated_is_yes_or_no(label: LineLabel) -> Iterator[Finding]:
    """The field human-annotated is yes or no."""
    found = label.metadata.get("human-annotated")
    if label.state == "labelled" and isinstance(found, str) and found not in ("yes", "no"):
        message = f"expected yes or no, found {shown(found)}"
        yield in_metadata(label, "human-annotated", message, "human-annotated")


@rule(
    "MT209",
    "warning",
    "label",
    breaks=lambda: lines(single(adjustment_status="changed")),
    keeps=lambda: lines(single(adjustment_status="adjusted"), single()),
    fix='Write "adjusted" if a worker changed the label, "unadjusted" if nobody did.',
    source=VERIFY,
)
def adjustment_status_is_known(label: LineLabel) -> Iterator[Finding]:
    """The field adjustment-status is adjusted or unadjusted."""
    found = label.metadata.get("adjustment-status")
    if found is not None and found not in ("adjusted", "unadjusted"):
        message = f"expected adjusted or unadjusted, found {shown(found)}"
        yield in_metadata(label, "adjustment-status", message, "adjustment-status")


@rule(
    "MT216",
    "warning",
    "label",
    breaks=lambda: lines(single(failure_reason="expired")),
    keeps=lambda: lines(single()),
    fix="Remove the label or the failure-reason; every command treats the line as labelled.",
    source=OUTPUT,
)
def a_failed_object_has_no_label(label: LineLabel) -> Iterator[Finding]:
    """The metadata of a label has no failure-reason."""
    if label.state == "labelled" and label.metadata.get("failure-reason") is not None:
        message = f"the metadata of {shown(label.name)} has a failure-reason, but the label is there"
        yield Finding(path(label.metadata_key, "failure-reason"), message)


RULES = (
    a_label_has_metadata,
    metadata_is_an_object,
    metadata_has_a_label,
    fields_have_their_form,
    names_its_type,
    type_is_known,
    dates_can_be_read,
    human_annotated_is_yes_or_no,
    adjustment_status_is_known,
    a_failed_object_has_no_label,
)
