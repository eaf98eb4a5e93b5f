"""Segmentation: the label is the URI of a mask, or of the classes of the points of a cloud.

``internal-color-map`` (``color-map`` for points) lists the classes, and BACKGROUND as class 0. A picture of
background alone has no class. The confidence is of the whole picture, so it is the same for every class.
"""

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_schemas import Colour
from manifest_tools.groundtruth.record import Row

_BACKGROUND = "background"


def indices(row: Row) -> tuple[int, ...]:
    """Return the classes of the map, without the background."""
    return tuple(_classes(row))


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes of the map with their names, the background included."""
    found = ((class_index(key), colour.class_name) for key, colour in colours(row).items())
    return tuple((index, name) for index, name in found if name is not None)


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence that the map gives each class, without the background."""
    return tuple(_classes(row).values())


def _classes(row: Row) -> dict[int, float | None]:
    """Return the confidence of each class of the map, without the background."""
    return {
        class_index(key): colour.confidence
        for key, colour in colours(row).items()
        if (colour.class_name or "").lower() != _BACKGROUND
    }


def colours(row: Row) -> dict[str, Colour]:
    """Return the colour map; a row has the map of its label kind only."""
    found: dict[str, Colour] | None = getattr(row.metadata, "internal_color_map", None)
    return found or getattr(row.metadata, "color_map", None) or {}
