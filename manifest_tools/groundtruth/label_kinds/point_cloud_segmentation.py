"""3D point cloud semantic segmentation: the URI of a ``.zlib``, a class a point, named in ``color-map``."""

from manifest_tools.groundtruth.label_kinds.segmentation import named, shown
from manifest_tools.groundtruth.label_schemas import Colour
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the classes of the map, without the background."""
    return tuple(shown(_colours(row)))


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes of the map with their names, the background too."""
    return named(_colours(row))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence that the map gives each class."""
    return tuple(shown(_colours(row)).values())


def _colours(row: Row) -> dict[str, Colour]:
    return (row.metadata and row.metadata.color_map) or {}
