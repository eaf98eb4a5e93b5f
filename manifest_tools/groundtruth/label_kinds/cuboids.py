"""3D point cloud object detection: cuboids on the line itself, ``class-id`` each, ``class_map`` for names."""

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_kinds.boxes import matched
from manifest_tools.groundtruth.label_kinds.multi_label import table
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the class index of every cuboid."""
    return tuple([class_index(cuboid.class_id) for cuboid in row.label.annotations])


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes of the map, which documentation spells with an underscore here."""
    return () if row.metadata is None else table(row.metadata.class_map or row.metadata.class_map_)


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of every cuboid, None where the metadata has none for it."""
    return matched(row.metadata.objects if row.metadata else None, len(row.label.annotations))
