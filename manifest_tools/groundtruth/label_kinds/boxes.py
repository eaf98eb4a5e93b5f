"""Bounding boxes: an object with ``annotations`` and ``image_size``, names in ``class-map``.

``objects`` of the metadata has a confidence a box, by position. An image without a box has empty lists; it
is a label like any other.
"""

from collections.abc import Sequence
from typing import Any, TypeGuard

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_schemas import Confidence
from manifest_tools.groundtruth.record import Row

_HUGE = 1e15  # larger numbers are not reckoned with, for the next one is no longer the number plus one


def indices(row: Row) -> tuple[int, ...]:
    """Return the class index of every box."""
    return tuple([class_index(box.class_id) for box in row.label.annotations])


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every box, None where the metadata has none for it."""
    return matched(row.metadata.objects if row.metadata else None, len(row.label.annotations))


def matched(shares: Sequence[Confidence] | None, count: int) -> tuple[float | None, ...]:
    """Return the confidences of ``count`` boxes or entities, which are matched by position."""
    found = [share.confidence for share in (shares or ())[:count]]
    return (*found, *[None] * (count - len(found)))


def is_number(value: Any) -> TypeGuard[float]:
    """Say whether a value is a number that can be reckoned with: no boolean, and none of 400 digits.

    >>> is_number(1.5), is_number(True), is_number(10**400)
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and -_HUGE < value < _HUGE
