"""Named entities: that each is a stretch of the text, of a category that the label lists."""

from collections.abc import Iterator
from typing import Any, TypeGuard

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules.examples import labelled, lines
from manifest_tools.verbs.validate.rules.line.boxes import said, unmatched
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import rule

_KINDS = ("entities",)
_ADA = {"label": "Person", "startOffset": 0, "endOffset": 3}


def _line(*changes: dict[str, Any], **metadata: Any) -> str:
    """Return a line with an entity for each of ``changes``, which are of the name at its beginning."""
    label = {"labels": [{"label": "Person"}], "entities": [_ADA | one for one in changes]}
    usual = {"entities": [{"confidence": 0.9} for _ in changes]}
    line = labelled("names", {"annotations": label}, "text-span", **usual | metadata)
    del line["source-ref"]
    return lines({"source": "Ada was born in London", **line})


def has_spans(label: LineLabel) -> Iterator[Finding]:
    """A label of named entities has a list of categories, and one of entities with their offsets."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    spans = label.value.get("annotations")
    if not isinstance(spans, dict):
        yield Finding(path(label.name, "annotations"), f"expected labels and entities, found {shown(spans)}")
        return
    for key in ("labels", "entities"):
        where = (label.name, "annotations", key)
        found = spans.get(key)
        if not isinstance(found, list):
            yield Finding(path(*where), f"expected {key} as an array of objects, found {shown(found)}")
        for at, part in enumerate(found if isinstance(found, list) else ()):
            yield from _misshapen(part, key, *where, at)


def _misshapen(part: Any, key: str, *where: str | int) -> Iterator[Finding]:
    at = f"{key}[{where[-1]}]"
    if not isinstance(part, dict):
        yield Finding(path(*where), f"{at}: expected an object, found {shown(part)}")
        return
    if not isinstance(part.get("label"), str):
        found = said(part, "label")
        yield Finding(path(*where, "label"), f"{at}: expected the name of a category as label, found {found}")
    for offset in ("startOffset", "endOffset") if key == "entities" else ():
        if not _is_offset(part.get(offset)):
            found = said(part, offset)
            message = f"{at}: expected a number of characters as {offset}, found {found}"
            yield Finding(path(*where, offset), message)


def entities_end_after_they_start(label: LineLabel) -> Iterator[Finding]:
    """An entity starts in its text, and ends after its start."""
    for at, start, end in _offsets(label):
        if start < 0 or start >= end:
            stretch = f"{shown(start)} to {shown(end)}"
            yield _about(label, at, f"expected a stretch of text, found characters {stretch}")


def entities_are_in_the_text(line: RuleLine) -> Iterator[Finding]:
    """An entity ends before its text does."""
    text = line.value.get("source")
    for label in line.labels:
        if label.kind.name == "entities" and isinstance(text, str):
            yield from _beyond(label, _length(text))


def _beyond(label: LineLabel, length: int) -> Iterator[Finding]:
    for at, _, end in _offsets(label):
        if end > length:
            message = f"the text has {length:,} characters, found endOffset {shown(end)}"
            yield _about(label, at, message, "endOffset")


def _length(text: str) -> int:
    """Count a text's characters as JavaScript does, for a tool of the browser may have counted them."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def entities_are_of_a_category(label: LineLabel) -> Iterator[Finding]:
    """The category of an entity is one of the label's."""
    labels = _parts(label, "labels")
    known = {name for _, part in labels or () if isinstance(name := part.get("label"), str)}
    for at, entity in _parts(label, "entities") or () if labels is not None else ():
        name = entity.get("label")
        if isinstance(name, str) and name not in known:
            yield _about(label, at, f"labels do not list {shown(name)}", "label")


def a_confidence_for_each_entity(label: LineLabel) -> Iterator[Finding]:
    """The confidences in the metadata are as many as the entities, for they are matched by position."""
    spans = label.value.get("annotations") if isinstance(label.value, dict) else None
    found = spans.get("entities") if isinstance(spans, dict) else None
    yield from unmatched(label, "entities", len(found) if isinstance(found, list) else None, "entity")


def _about(label: LineLabel, at: int, message: str, *key: str) -> Finding:
    """Return a finding about one entity; the message says which."""
    return Finding(path(label.name, "annotations", "entities", at, *key), f"entities[{at}]: {message}")


def _parts(label: LineLabel, key: str) -> list[tuple[int, dict[str, Any]]] | None:
    """Return the entities or the categories of a label with their places; None where they are no list."""
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
    rule(
        "MT260",
        "error",
        "label",
        has_spans,
        breaks=_line({"startOffset": "0"}),
        keeps=_line({}),
        fix="Write annotations with labels and entities; each entity has label, startOffset and endOffset.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT261",
        "error",
        "label",
        entities_end_after_they_start,
        breaks=_line({"endOffset": 0}),
        keeps=_line({}),
        fix="Count from 0; endOffset is that of the first character behind the entity.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT262",
        "error",
        "line",
        entities_are_in_the_text,
        breaks=_line({"endOffset": 23}),
        keeps=_line({"startOffset": 16, "endOffset": 22}),
        fix="Count characters, not bytes, in the very text of source.",
        source=OUTPUT,
    ),
    rule(
        "MT263",
        "error",
        "label",
        entities_are_of_a_category,
        breaks=_line({"label": "Place"}),
        keeps=_line({}),
        fix="Add the category to labels; its place there is the index of the class.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
    rule(
        "MT264",
        "error",
        "label",
        a_confidence_for_each_entity,
        breaks=_line({}, entities=[]),
        keeps=_line({}),
        fix="Give every entity one confidence, in the order of the entities.",
        source=OUTPUT,
        kinds=_KINDS,
    ),
)
