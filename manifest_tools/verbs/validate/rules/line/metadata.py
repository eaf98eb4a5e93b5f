"""A label and its metadata: that both are there, and that the metadata has the form of its type."""

from collections.abc import Iterator, Mapping
from typing import Any

from manifest_tools.base.dates import parse_date
from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_kinds import TYPES
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules.examples import line as example
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.references import OUTPUT, VERIFY
from manifest_tools.verbs.validate.rules.rule import rule

# Of these something is said by a rule of its own.
_OBJECTS = ("class-map", "class_map")
_TEXTS = ("type", "class-name", "human-annotated", "creation-date", "job-name", "failure-reason")


def a_label_has_metadata(line: RuleLine) -> Iterator[Finding]:
    """A label that has metadata on other lines has it on this one too."""
    there = {label.name for label in line.labels}
    for name in line.expected:
        if name not in there and line.value.get(name) is not None and line.value.get(name + METADATA) is None:
            yield Finding(path(name), f"{shown(name)} has no {shown(name + METADATA)} beside it")


def metadata_is_an_object(line: RuleLine) -> Iterator[Finding]:
    """The metadata of a label is an object."""
    for key, value in line.value.items():
        name = key.removesuffix(METADATA)
        if name == key or name in SOURCES or line.value.get(name) is None:
            continue
        if value is not None and not isinstance(value, dict):
            yield Finding(
                path(key), f"expected the metadata of {shown(name)}, an object, found {shown(value)}"
            )


def metadata_has_a_label(label: LineLabel) -> Iterator[Finding]:
    """Metadata stands beside a label, or says why labelling failed."""
    if label.state == "unlabelled":
        yield Finding(path(label.metadata_key), f"metadata without its label {shown(label.name)}")


def fields_have_their_form(label: LineLabel) -> Iterator[Finding]:
    """A field of the metadata has the form that Ground Truth gives it."""
    for name in _TEXTS:
        value = label.metadata.get(name)
        if value is not None and not isinstance(value, str):
            yield Finding(path(label.metadata_key, name), f"expected text, found {shown(value)}")
    for name in _OBJECTS:
        value = label.metadata.get(name)
        if value is not None and not _is_class_map(value):
            found = "another" if isinstance(value, dict) else shown(value)
            where = path(label.metadata_key, name)
            yield Finding(where, f"expected an object of class index and name, found {found}")


def _is_class_map(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    try:
        return all(isinstance(name, str) and class_index(key) >= 0 for key, name in value.items())
    except ValueError:
        return False


def names_its_type(label: LineLabel) -> Iterator[Finding]:
    """The metadata of a label names its task type."""
    if label.state == "labelled" and label.metadata.get("type") is None:
        yield Finding(path(label.metadata_key), "no type, such as groundtruth/image-classification")


def type_is_known(label: LineLabel) -> Iterator[Finding]:
    """The task type is one that Ground Truth writes."""
    kind = label.metadata.get("type")
    if isinstance(kind, str) and kind.lower() not in TYPES:
        yield Finding(path(label.metadata_key, "type"), f"no type of Ground Truth's: {shown(kind)}")


def dates_can_be_read(label: LineLabel) -> Iterator[Finding]:
    """A creation-date is a date."""
    said = label.metadata.get("creation-date")
    if isinstance(said, str) and parse_date(said) is None:
        where = path(label.metadata_key, "creation-date")
        yield Finding(where, f"expected a date such as 2018-10-18T22:18:13.527256, found {shown(said)}")


def the_annotator_is_said(label: LineLabel) -> Iterator[Finding]:
    """The field human-annotated says yes or no."""
    said = label.metadata.get("human-annotated")
    if label.state == "labelled" and isinstance(said, str) and said not in ("yes", "no"):
        yield Finding(path(label.metadata_key, "human-annotated"), f"expected yes or no, found {shown(said)}")


def adjustment_is_said(label: LineLabel) -> Iterator[Finding]:
    """The field adjustment-status says adjusted or unadjusted."""
    said = label.metadata.get("adjustment-status")
    if said is not None and said not in ("adjusted", "unadjusted"):
        where = path(label.metadata_key, "adjustment-status")
        yield Finding(where, f"expected adjusted or unadjusted, found {shown(said)}")


def a_failed_object_has_no_label(label: LineLabel) -> Iterator[Finding]:
    """A label stands beside no failure-reason."""
    if label.state == "labelled" and label.metadata.get("failure-reason") is not None:
        where = path(label.metadata_key, "failure-reason")
        yield Finding(where, f"labelling failed, it says, but {shown(label.name)} is there")


def metadata_is_named_after_its_label(line: RuleLine) -> Iterator[Finding]:
    """Metadata has the name of its label, with -metadata behind it."""
    strays = stray(line.value)
    if strays is not None:
        key, name = strays
        yield Finding(
            path(key), f"expected {shown(name + METADATA)} beside {shown(name)}, found {shown(key)}"
        )


def stray(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the metadata key of a line that belongs to a label of another name, and that label.

    Only where something shows whose it is: nearly the same name, a job of the label's name, or, as console
    tools have written it, the label called after its class.
    """
    lonely = [key for key in value if _looks_like_metadata(key, value)]
    if len(lonely) != 1:
        return None
    labels = [key for key in value if _is_bare_label(key, value) and _belongs(lonely[0], key, value)]
    return (lonely[0], labels[0]) if len(labels) == 1 else None


def _looks_like_metadata(key: str, value: Mapping[str, Any]) -> bool:
    """Say whether a key ends nearly as metadata does, and has no label of its own."""
    found = value[key]
    if not isinstance(found, dict) or found.get("failure-reason") is not None or "type" not in found:
        return False
    stem = _plain(key).removesuffix(METADATA)
    if stem == _plain(key) or stem in SOURCES:
        return False
    exact = key.endswith(METADATA)
    name = key.removesuffix(METADATA)
    return not (exact and (value.get(name) is not None or value.get(f"{name}-ref") is not None))


def _is_bare_label(key: str, value: Mapping[str, Any]) -> bool:
    if key in SOURCES or value[key] is None or _plain(key).endswith(METADATA):
        return False
    return not any(twin in value for twin in (key + METADATA, key.removesuffix("-ref") + METADATA))


def _belongs(metadata_key: str, name: str, value: Mapping[str, Any]) -> bool:
    found = value[metadata_key]
    job = found.get("job-name")
    called = job.removeprefix("labeling-job/") if isinstance(job, str) else None
    return name in (called, found.get("class-name")) or _plain(metadata_key) == _plain(name) + METADATA


def _plain(key: str) -> str:
    """Return a key without what people misspell in it: case, blanks, what cannot be seen, underscores."""
    return "".join(c for c in key.lower().replace("_", "-") if c.isprintable() and not c.isspace())


RULES = (
    rule(
        "MT201",
        "error",
        "line",
        a_label_has_metadata,
        breaks=lines(single(), {"source-ref": "s3://lab3-rawdata/IMG_0086.JPG", "hand": 0}),
        keeps=lines(single(), single(ref="s3://lab3-rawdata/IMG_0086.JPG")),
        fix="Add the metadata, or take the label out and label the picture again.",
        source=OUTPUT,
    ),
    rule(
        "MT202",
        "error",
        "line",
        metadata_is_an_object,
        breaks=lines(example(hand=0, hand_metadata="RH")),
        keeps=lines(single()),
        fix='Write an object: {"class-name": "RH", "type": "groundtruth/image-classification"}.',
        source=OUTPUT,
    ),
    rule(
        "MT203",
        "error",
        "label",
        metadata_has_a_label,
        breaks=lines(single(None)),
        keeps=lines(single(), example(hand_metadata={"failure-reason": "expired", "retry-count": 1})),
        fix="mtool filter --labelled leaves such lines out.",
        source=OUTPUT,
    ),
    rule(
        "MT204",
        "error",
        "label",
        fields_have_their_form,
        breaks=lines(single(human_annotated=True)),
        keeps=lines(single(human_annotated="yes")),
        fix="Write the field as Ground Truth does: text as a string, a class-map as an object.",
        source=OUTPUT,
    ),
    rule(
        "MT205",
        "warning",
        "label",
        names_its_type,
        breaks=lines(single(type=None)),
        keeps=lines(single()),
        fix="Add the type; without it the form of the label has to be guessed.",
        source=OUTPUT,
    ),
    rule(
        "MT206",
        "warning",
        "label",
        type_is_known,
        breaks=lines(single(type="groundtruth/stickers")),
        keeps=lines(single(type="groundtruth/custom"), single(type="GroundTruth/Image-Classification")),
        fix="Write one of Ground Truth's types; lines of any other pass through every command unread.",
        source=OUTPUT,
    ),
    rule(
        "MT207",
        "warning",
        "label",
        dates_can_be_read,
        breaks=lines(single(creation_date="yesterday")),
        keeps=lines(single(creation_date="2022-08-22T20:52:51.851Z"), single(creation_date=None)),
        fix="Write the date in ISO 8601; mtool filter --before and --after cannot place it otherwise.",
        source=OUTPUT,
    ),
    rule(
        "MT208",
        "warning",
        "label",
        the_annotator_is_said,
        breaks=lines(single(human_annotated="true")),
        keeps=lines(single(human_annotated="no"), single(human_annotated=None)),
        fix='Write "yes" for people, "no" for a model.',
        source=OUTPUT,
    ),
    rule(
        "MT209",
        "warning",
        "label",
        adjustment_is_said,
        breaks=lines(single(adjustment_status="changed")),
        keeps=lines(single(adjustment_status="adjusted"), single()),
        fix='Write "adjusted" where a worker changed the label, "unadjusted" where none did.',
        source=VERIFY,
    ),
    rule(
        "MT216",
        "warning",
        "label",
        a_failed_object_has_no_label,
        breaks=lines(single(failure_reason="expired")),
        keeps=lines(single()),
        fix="Take the label out, or the failure-reason; every command takes the line for labelled.",
        source=OUTPUT,
    ),
    rule(
        "MT213",
        "error",
        "line",
        metadata_is_named_after_its_label,
        breaks=lines(
            {key.replace("hand-m", "auto-label-m"): value for key, value in single().items()},
            {key.replace("hand-m", "hand_m"): value for key, value in single().items()},
        ),
        keeps=lines(single(), example(hand=0, notes_metadata={})),
        fix="mtool validate --fix gives the metadata the name of its label.",
        source=OUTPUT,
    ),
)
