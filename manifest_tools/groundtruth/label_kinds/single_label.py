"""One class for a picture, a text or a video: a class index, with ``class-name`` and ``confidence``."""

from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the one class index; some files write it as a string."""
    return (class_index(row.label),)


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the class with its name, where the line has one."""
    if row.metadata is None or row.metadata.class_name is None:
        return ()
    return ((class_index(row.label), row.metadata.class_name),)


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the one confidence, None where the line has none."""
    return (None if row.metadata is None else row.metadata.confidence,)
