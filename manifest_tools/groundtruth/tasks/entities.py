"""Named entities: stretches of a text, each with the name of its category; no index stands on the line.

A class index is the place of the category in ``labels``, which repeats the job's category list on every line.
"""

from collections.abc import Iterator
from typing import Any, TypeGuard

from manifest_tools.groundtruth.record import Row
from manifest_tools.groundtruth.tasks.boxes import matched, said, unmatched
from manifest_tools.verbs.validate.line import Found, Label, Line, path, shown

LABEL = "entities"
FIELDS = ()  # the label itself names its classes
DOUBTS = ("entities",)
UNIT = "entity"


def indices(row: Row) -> tuple[int, ...]:
    """Return the category of every entity; raises ValueError for one that ``labels`` does not have."""
    spans = row.label.annotations
    places = {category.label: at for at, category in enumerate(spans.labels)}
    try:
        return tuple([places[entity.label] for entity in spans.entities])
    except KeyError as error:
        raise ValueError(f"an entity is a {error.args[0]!r:.100}, which its labels do not list") from error


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the categories in their order."""
    return tuple((at, category.label) for at, category in enumerate(row.label.annotations.labels))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every entity, None where the metadata has none for it."""
    spans = row.label.annotations
    return matched(row.metadata.entities if row.metadata else None, len(spans.entities))


def has_spans(label: Label) -> Iterator[Found]:
    """A label of named entities has a list of categories, and one of entities with their offsets."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return
    spans = label.value.get("annotations")
    if not isinstance(spans, dict):
        yield Found(path(label.name, "annotations"), f"expected labels and entities, found {shown(spans)}")
        return
    for key in ("labels", "entities"):
        where = (label.name, "annotations", key)
        found = spans.get(key)
        if not isinstance(found, list):
            yield Found(path(*where), f"expected {key} as an array of objects, found {shown(found)}")
        for at, part in enumerate(found if isinstance(found, list) else ()):
            yield from _misshapen(part, key, *where, at)


def _misshapen(part: Any, key: str, *where: str | int) -> Iterator[Found]:
    at = f"{key}[{where[-1]}]"
    if not isinstance(part, dict):
        yield Found(path(*where), f"{at}: expected an object, found {shown(part)}")
        return
    if not isinstance(part.get("label"), str):
        found = said(part, "label")
        yield Found(path(*where, "label"), f"{at}: expected the name of a category as label, found {found}")
    for offset in ("startOffset", "endOffset") if key == "entities" else ():
        if not _is_offset(part.get(offset)):
            found = said(part, offset)
            message = f"{at}: expected a number of characters as {offset}, found {found}"
            yield Found(path(*where, offset), message)


def entities_end_after_they_start(label: Label) -> Iterator[Found]:
    """An entity starts in its text, and ends after its start."""
    for at, start, end in _offsets(label):
        if start < 0 or start >= end:
            stretch = f"{shown(start)} to {shown(end)}"
            yield _about(label, at, f"expected a stretch of text, found characters {stretch}")


def entities_are_in_the_text(line: Line) -> Iterator[Found]:
    """An entity ends before its text does."""
    text = line.value.get("source")
    for label in line.labels:
        if label.room == "entities" and isinstance(text, str):
            yield from _beyond(label, _length(text))


def _beyond(label: Label, length: int) -> Iterator[Found]:
    for at, _, end in _offsets(label):
        if end > length:
            message = f"the text has {length:,} characters, found endOffset {shown(end)}"
            yield _about(label, at, message, "endOffset")


def _length(text: str) -> int:
    """Count a text's characters as JavaScript does, for a tool of the browser may have counted them."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def entities_are_of_a_category(label: Label) -> Iterator[Found]:
    """The category of an entity is one of the label's."""
    labels = _parts(label, "labels")
    known = {name for _, part in labels or () if isinstance(name := part.get("label"), str)}
    for at, entity in _parts(label, "entities") or () if labels is not None else ():
        name = entity.get("label")
        if isinstance(name, str) and name not in known:
            yield _about(label, at, f"labels do not list {shown(name)}", "label")


def a_confidence_for_each_entity(label: Label) -> Iterator[Found]:
    """The confidences in the metadata are as many as the entities, for they are matched by position."""
    spans = label.value.get("annotations") if isinstance(label.value, dict) else None
    found = spans.get("entities") if isinstance(spans, dict) else None
    yield from unmatched(label, "entities", len(found) if isinstance(found, list) else None, UNIT)


def _about(label: Label, at: int, message: str, *key: str) -> Found:
    """Return a finding about one entity; the message says which."""
    return Found(path(label.name, "annotations", "entities", at, *key), f"entities[{at}]: {message}")


def _parts(label: Label, key: str) -> list[tuple[int, dict[str, Any]]] | None:
    """Return the entities or the categories of a label with their places; None where they are no list."""
    spans = label.value.get("annotations") if isinstance(label.value, dict) else None
    found = spans.get(key) if isinstance(spans, dict) and label.state == "labelled" else None
    if not isinstance(found, list):
        return None
    return [part for part in enumerate(found) if isinstance(part[1], dict)]


def _offsets(label: Label) -> Iterator[tuple[int, int, int]]:
    for at, entity in _parts(label, "entities") or ():
        start, end = entity.get("startOffset"), entity.get("endOffset")
        if _is_offset(start) and _is_offset(end):
            yield at, start, end


def _is_offset(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
