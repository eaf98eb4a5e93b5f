"""Bounding boxes of pictures and cuboids of point clouds: an object with ``annotations``.

``objects`` in the metadata has a confidence for each of them, in the same order. A picture without a box is
labelled: its lists are empty.
"""

from collections.abc import Sequence
from typing import Any, TypeGuard

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_schemas import Confidence
from manifest_tools.groundtruth.record import Row

_HUGE = 1e15  # a float much larger than this equals the float plus 1


def indices(row: Row) -> tuple[int, ...]:
    """Return the class index of every box or cuboid."""
    return tuple([class_index(box.class_id) for box in row.label.annotations])


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every box or cuboid, None where the metadata has none for it."""
    return item_confidences(row.metadata.objects if row.metadata else None, len(row.label.annotations))


def item_confidences(listed: Sequence[Confidence] | None, count: int) -> tuple[float | None, ...]:
    """Return the confidences of the first ``count`` items, None for each that the list does not reach."""
    found = [one.confidence for one in (listed or ())[:count]]
    return (*found, *[None] * (count - len(found)))


def is_number(value: Any) -> TypeGuard[float]:
    """Say whether a value is a number below 10^15; a boolean is none.

    >>> is_number(1.5), is_number(True), is_number(10**400)
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and -_HUGE < value < _HUGE
