"""Several classes a line, of a picture or a text: a list of indices, with maps of names and confidences.

The list holds every class that at least one worker chose: a union, not a vote, so ``confidence-map`` is the
only way to thin it.
"""

from functools import lru_cache

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the class indices, in the order of the label."""
    return tuple(map(class_index, row.label))


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes that the line's ``class-map`` names, whether the label has them or not."""
    return table(None if row.metadata is None else row.metadata.class_map)


def table(class_map: dict[str, str] | None) -> tuple[tuple[int, str], ...]:
    """Return the classes of a ``class-map``; raises ValueError for a key that is no index."""
    return tuple([(_key(key), name) for key, name in (class_map or {}).items()])


@lru_cache(maxsize=4096)
def _key(key: str) -> int:
    """Return the index that a map has as a key; every line repeats the same few."""
    return class_index(key)


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of each class of the label, None where the map has none."""
    shares = (row.metadata and row.metadata.confidence_map) or {}
    return tuple(shares.get(str(index)) for index in indices(row))
