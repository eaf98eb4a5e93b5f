"""Several classes a line: a list of indices, with ``class-map`` and ``confidence-map`` by index.

The list holds every class that at least one worker chose: a union, not a vote, so ``confidence-map`` is the
only way to thin it.
"""

from manifest_tools.record import Row
from manifest_tools.tasks.single_label import class_index

LABEL = "indices"


def indices(row: Row) -> tuple[int, ...]:
    """Return the class indices, in the order of the label."""
    return tuple(map(class_index, row.label))


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the classes that the line's ``class-map`` names, whether the label has them or not."""
    if row.metadata is None or row.metadata.class_map is None:
        return ()
    return tuple((class_index(key), name) for key, name in row.metadata.class_map.items())


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the confidence of each class of the label, None where the map has none."""
    table = (row.metadata and row.metadata.confidence_map) or {}
    return tuple(table.get(str(index)) for index in indices(row))
