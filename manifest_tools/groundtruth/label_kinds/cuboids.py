"""Cuboids of 3D point cloud object detection: an object with ``annotations``, each with a ``class-id``."""

from manifest_tools.groundtruth.label_kinds.multi_label import class_pairs
from manifest_tools.groundtruth.record import Row


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes that the map names; documentation writes ``class_map`` here."""
    return () if row.metadata is None else class_pairs(row.metadata.class_map or row.metadata.class_map_)
