"""Bounding boxes: an object with ``annotations`` and ``image_size``, names in ``class-map``.

``objects`` of the metadata has a confidence a box, by position. An image without a box has empty lists; it
is a label like any other.
"""

from collections.abc import Sequence

from manifest_tools.forms import Share
from manifest_tools.record import Row
from manifest_tools.tasks import multi_label
from manifest_tools.tasks.single_label import class_index

LABEL = "boxes"
FIELDS = ("class-map",)
DOUBTS = ("objects",)
UNIT = "box"


def indices(row: Row) -> tuple[int, ...]:
    """Return the class index of every box."""
    return tuple([class_index(box.class_id) for box in row.label.annotations])


names = multi_label.names


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every box, None where the metadata has none for it."""
    return matched(row.metadata.objects if row.metadata else None, len(row.label.annotations))


def matched(shares: Sequence[Share] | None, count: int) -> tuple[float | None, ...]:
    """Return the confidences of ``count`` boxes or entities, which are matched by position."""
    found = [share.confidence for share in (shares or ())[:count]]
    return (*found, *[None] * (count - len(found)))
