"""Semantic segmentation: the label is the URI of a mask, a PNG; ``internal-color-map`` names its colours.

The map lists the classes of the picture, and BACKGROUND as class 0. A picture of background alone has no
class. The confidence is of the whole picture, so it is the same for every class.
"""

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_schemas import Colour
from manifest_tools.groundtruth.record import Row

_BACKGROUND = "background"


def indices(row: Row) -> tuple[int, ...]:
    """Return the classes of the mask, without the background."""
    return tuple(class_confidences(_colours(row)))


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes of the map with their names, the background included."""
    return class_names(_colours(row))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence that the map gives each class."""
    return tuple(class_confidences(_colours(row)).values())


def _colours(row: Row) -> dict[str, Colour]:
    return (row.metadata and row.metadata.internal_color_map) or {}


def class_confidences(colours: dict[str, Colour]) -> dict[int, float | None]:
    """Return the confidence of each class of a colour map, without the background."""
    return {
        class_index(key): colour.confidence
        for key, colour in colours.items()
        if (colour.class_name or "").lower() != _BACKGROUND
    }


def class_names(colours: dict[str, Colour]) -> tuple[tuple[int, str], ...]:
    """Return the classes of a colour map with their names."""
    found = ((class_index(key), colour.class_name) for key, colour in colours.items())
    return tuple((index, name) for index, name in found if name is not None)
