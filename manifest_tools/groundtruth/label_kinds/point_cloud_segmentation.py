"""3D point cloud segmentation: the URI of a ``.zlib``, a class for each point; ``color-map`` names them."""

from manifest_tools.groundtruth.label_kinds.segmentation import class_confidences, class_names
from manifest_tools.groundtruth.label_schemas import Colour
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the classes of the map, without the background."""
    return tuple(class_confidences(_colours(row)))


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes of the map with their names, the background included."""
    return class_names(_colours(row))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence that the map gives each class."""
    return tuple(class_confidences(_colours(row)).values())


def _colours(row: Row) -> dict[str, Colour]:
    return (row.metadata and row.metadata.color_map) or {}
