"""A label in a form in which equal labels are equal: its class indices, and the rest of it as one text.

The order of boxes, entities or classes does not count, nor how a number is spelt. Indices of two manifests
are compared once they mean the same class names.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.groundtruth.record import Row
from manifest_tools.io.json_values import canonical

NormalizedLabel = tuple[tuple[int, ...], str | None]
"""The class index of each box or cuboid, of other labels the set, sorted; and the rest, None for classes."""


def normalizer(kind: LabelKind) -> Callable[[Row], NormalizedLabel]:
    """Return the function that normalizes the label of a labelled row.

    It raises ValueError for a label that is not of its kind.
    """
    if kind.is_classification:
        return lambda row: (tuple(sorted(set(kind.indices(row)))), None)
    if not kind.items_have_positions:
        return lambda row: (tuple(sorted(set(kind.indices(row)))), canonical(row.label))
    return partial(_normalized_entities if kind.index_path is None else _normalized_boxes, kind)


def _normalized_boxes(kind: LabelKind, row: Row) -> NormalizedLabel:
    """Return the class indices in the order of the boxes or cuboids, which are sorted by where they are."""
    pairs = sorted((_without_class(kind, one) for one in _objects(kind, row)), key=lambda pair: pair[1])
    return tuple([index for index, _ in pairs]), "\n".join([text for _, text in pairs])


def _normalized_entities(kind: LabelKind, row: Row) -> NormalizedLabel:
    """Return no index: entities have the names of their classes."""
    return (), "\n".join(sorted(map(canonical, _objects(kind, row))))


def schema(kind: LabelKind) -> str:
    """Return what ``normalizer`` wants the label decoded as: a key of ``label_schemas.LABELS``."""
    return kind.schema if kind.is_classification else "any"


def _objects(kind: LabelKind, row: Row) -> list[Any]:
    items = kind.items_of(row.label)
    if items is None:
        raise ValueError(f"expected a label with a list of {'.'.join(kind.items or ())}, found none")
    return items


def _without_class(kind: LabelKind, one: Any) -> tuple[int, str]:
    """Return the class index of a box or a cuboid, and the rest of it as text."""
    if not isinstance(one, dict):
        raise ValueError("expected annotations that are objects, found another JSON value")
    return class_index(one.get(kind.class_key)), canonical(kind.without_class(one))


def mean_confidence(kind: LabelKind, row: Row) -> float:
    """Return the mean confidence from 0 to 1 of the classes or boxes of a label, 0 where none is known."""
    metadata = row.metadata
    if metadata is None or not kind.confidence_fields:
        return 0.0
    if kind.items_have_positions:
        found = getattr(metadata, kind.confidence_fields[0]) or ()
        return _mean(one.confidence for one in found)
    return _mean(kind.confidences(row))


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value]
    return sum(known) / len(known) if known else 0.0
