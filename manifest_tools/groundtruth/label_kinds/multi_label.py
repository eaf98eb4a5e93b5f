"""Several classes for a picture or a text: a list of class indices, with maps of names and confidences.

The list has every class that at least one worker chose. Only ``confidence-map`` tells the sure ones.
"""

from functools import lru_cache

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the class indices, in the order of the label."""
    return tuple(map(class_index, row.label))


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes that ``class-map`` names, in the label or not; raises ValueError for another key."""
    metadata = row.metadata
    # Documentation writes class_map for cuboids; rows of other kinds do not have that attribute.
    class_map = metadata and (metadata.class_map or getattr(metadata, "class_map_", None))
    return tuple([(_key(key), name) for key, name in (class_map or {}).items()])


@lru_cache(maxsize=4096)
def _key(key: str) -> int:
    """Return the class index of a key; cached, because every line repeats the same keys."""
    return class_index(key)


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of each class of the label, None where the map has none."""
    found = (row.metadata and row.metadata.confidence_map) or {}
    return tuple(found.get(str(index)) for index in indices(row))
