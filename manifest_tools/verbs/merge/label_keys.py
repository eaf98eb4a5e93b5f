"""What a label says, in two parts: its class indices, and all the rest of it as one text.

Two labels are equal when both parts are, once the indices mean the same names. The order of boxes, entities
or classes does not count, nor how a number is spelt.
"""

from collections.abc import Callable, Iterable
from typing import Any

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.groundtruth.record import Row
from manifest_tools.io.json_values import canonical

Said = tuple[tuple[int, ...], str | None]


def said(kind: LabelKind) -> Callable[[Row], Said]:
    """Return the function that takes the label of a row apart; it raises ValueError for what is no label."""
    if kind.schema in ("index", "indices"):
        return lambda row: (tuple(sorted(set(kind.indices(row)))), None)
    if kind.name in _READERS:
        return _READERS[kind.name]
    return lambda row: (tuple(sorted(set(kind.indices(row)))), canonical(row.label))


def form(kind: LabelKind) -> str:
    """Return the form of ``label_schemas.LABELS`` that the label is decoded in."""
    return kind.schema if kind.schema in ("index", "indices") else "any"


def _items(key: str, row: Row) -> Said:
    """Return the boxes or cuboids, sorted by where they are; ``key`` is how their class is spelt."""
    found = [_item(key, one) for one in _list(row.label, "annotations")]
    found.sort(key=lambda item: item[1])
    return tuple([index for index, _ in found]), "\n".join([text for _, text in found])


def _item(key: str, one: Any) -> tuple[int, str]:
    if not isinstance(one, dict):
        raise ValueError("expected annotations that are objects, found another JSON value")
    rest = {name: value for name, value in one.items() if name != key}
    return class_index(one.get(key)), canonical(rest)


def _boxes(row: Row) -> Said:
    return _items("class_id", row)


def _cuboids(row: Row) -> Said:
    return _items("class-id", row)


def _entities(row: Row) -> Said:
    """Return no index: entities name their classes themselves."""
    spans = row.label.get("annotations") if isinstance(row.label, dict) else None
    return (), "\n".join(sorted(map(canonical, _list(spans, "entities"))))


_READERS: dict[str, Callable[[Row], Said]] = {
    "boxes": _boxes,
    "cuboids": _cuboids,
    "entities": _entities,
}


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise ValueError(f"expected a label with a list of {key}, found another JSON value")
    return found


def confidence(kind: LabelKind, row: Row) -> float:
    """Return how sure a label is: the mean over its classes or boxes, 0 where nothing is known."""
    metadata = row.metadata
    if metadata is None or not kind.confidence_fields:
        return 0.0
    if kind.name in _READERS:
        shares = getattr(metadata, kind.confidence_fields[0]) or ()
        return _mean(share.confidence for share in shares)
    return _mean(kind.confidences(row))


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value]
    return sum(known) / len(known) if known else 0.0
