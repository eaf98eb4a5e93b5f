"""Named entities: each is a part of the text, of a category that the label lists."""

from collections.abc import Iterator
from typing import Any, TypeGuard

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import shown
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.line.boxes import unmatched
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import in_label, value_at

_KINDS = ("entities",)
_ADA = {"label": "Person", "startOffset": 0, "endOffset": 3}


@rule(
    "MT260",
    "error",
    "label",
    breaks=lambda: _line({"startOffset": "0"}),
    keeps=lambda: _line({}),
    fix="Write annotations with labels and entities; each entity has label, startOffset and endOffset.",
    source=OUTPUT,
    kinds=_KINDS,
)
def has_labels_and_entities(label: LineLabel) -> Iterator[Finding]:
    """A label of named entities has an array of categories, and one of entities with their offsets."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    spans = label.value.get("annotations")
    if not isinstance(spans, dict):
        message = f"expected an object with labels and entities, found {shown(spans)}"
        yield in_label(label, "annotations", message, "annotations")
        return
    for key in ("labels", "entities"):
        found = spans.get(key)
        if not isinstance(found, list):
            message = f"expected an array of objects, found {shown(found)}"
            yield in_label(label, key, message, "annotations", key)
        for at, part in enumerate(found if isinstance(found, list) else ()):
            yield from _check_part(label, key, at, part)


def _check_part(label: LineLabel, key: str, at: int, part: Any) -> Iterator[Finding]:
    """Yield what is missing of a category (``labels``) or of an entity (``entities``)."""
    if not isinstance(part, dict):
        yield _about(label, key, at, f"expected an object, found {shown(part)}")
        return
    if not isinstance(part.get("label"), str):
        message = f"expected label as the name of a category, found {value_at(part, 'label')}"
        yield _about(label, key, at, message, "label")
    for offset in ("startOffset", "endOffset") if key == "entities" else ():
        if not _is_offset(part.get(offset)):
            message = f"expected {offset} as a number of characters, found {value_at(part, offset)}"
            yield _about(label, key, at, message, offset)


@rule(
    "MT261",
    "error",
    "label",
    breaks=lambda: _line({"endOffset": 0}),
    keeps=lambda: _line({}),
    fix="Count from 0; endOffset is the offset of the first character after the entity.",
    source=OUTPUT,
    kinds=_KINDS,
)
def entities_end_after_they_start(label: LineLabel) -> Iterator[Finding]:
    """An entity starts at 0 or later, and ends after its start."""
    for at, start, end in _offsets(label):
        if start < 0 or start >= end:
            message = (
                f"expected startOffset from 0 and below endOffset, found {shown(start)} and {shown(end)}"
            )
            yield _about(label, "entities", at, message)


@rule(
    "MT262",
    "error",
    "line",
    breaks=lambda: _line({"endOffset": 23}),
    keeps=lambda: _line({"startOffset": 16, "endOffset": 22}),
    fix="Count the characters of source, not its bytes.",
    source=OUTPUT,
)
def entities_are_in_the_text(line: RuleLine) -> Iterator[Finding]:
    """An entity ends within its text."""
    text = line.value.get("source")
    for label in line.labels:
        if label.kind.name == "entities" and isinstance(text, str):
            yield from _beyond(label, _length(text))


def _beyond(label: LineLabel, length: int) -> Iterator[Finding]:
    for at, _, end in _offsets(label):
        if end > length:
            message = f"endOffset {shown(end)} is beyond the text, which has {length:,} characters"
            yield _about(label, "entities", at, message, "endOffset")


def _length(text: str) -> int:
    """Return the number of characters as JavaScript counts them: labeling tools run in a browser."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


@rule(
    "MT263",
    "error",
    "label",
    breaks=lambda: _line({"label": "Place"}),
    keeps=lambda: _line({}),
    fix="Add the category to labels; its position there is the class index.",
    source=OUTPUT,
    kinds=_KINDS,
)
def entities_are_of_a_category(label: LineLabel) -> Iterator[Finding]:
    """The category of an entity is one of those in labels."""
    labels = _parts(label, "labels")
    known = {name for _, part in labels or () if isinstance(name := part.get("label"), str)}
    for at, entity in _parts(label, "entities") or () if labels is not None else ():
        name = entity.get("label")
        if isinstance(name, str) and name not in known:
            message = f"the category {shown(name)} is not in labels"
            yield _about(label, "entities", at, message, "label")


@rule(
    "MT264",
    "error",
    "label",
    breaks=lambda: _line({}, entities=[]),
    keeps=lambda: _line({}),
    fix="Write one confidence for each entity, in the order of the entities.",
    source=OUTPUT,
    kinds=_KINDS,
)
def a_confidence_for_each_entity(label: LineLabel) -> Iterator[Finding]:
    """The metadata has one confidence for each entity: they are matched by position."""
    spans = label.value.get("annotations") if isinstance(label.value, dict) else None
    found = spans.get("entities") if isinstance(spans, dict) else None
    yield from unmatched(label, "entities", len(found) if isinstance(found, list) else None, "entity")


def _line(*changes: dict[str, Any], **metadata: Any) -> str:
    """Return a line with an entity for each of ``changes``, which change the entity Ada."""
    label = {"labels": [{"label": "Person"}], "entities": [_ADA | one for one in changes]}
    usual = {"entities": [{"confidence": 0.9} for _ in changes]}
    line = labelled("names", {"annotations": label}, "text-span", **usual | metadata)
    del line["source-ref"]
    return lines({"source": "Ada was born in London", **line})


def _about(label: LineLabel, part: str, at: int, message: str, *key: str) -> Finding:
    """Return a finding about one of the ``labels`` or ``entities``; the message says which."""
    return in_label(label, f"{part}[{at}]", message, "annotations", part, at, *key)


def _parts(label: LineLabel, key: str) -> list[tuple[int, dict[str, Any]]] | None:
    """Return the entities or the categories of a label with their positions; None where they are no array."""
    spans = label.value.get("annotations") if isinstance(label.value, dict) else None
    found = spans.get(key) if isinstance(spans, dict) and label.state == "labelled" else None
    if not isinstance(found, list):
        return None
    return [part for part in enumerate(found) if isinstance(part[1], dict)]


def _offsets(label: LineLabel) -> Iterator[tuple[int, int, int]]:
    for at, entity in _parts(label, "entities") or ():
        start, end = entity.get("startOffset"), entity.get("endOffset")
        if _is_offset(start) and _is_offset(end):
            yield at, start, end


def _is_offset(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


RULES = (
    has_labels_and_entities,
    entities_end_after_they_start,
    entities_are_in_the_text,
    entities_are_of_a_category,
    a_confidence_for_each_entity,
)
