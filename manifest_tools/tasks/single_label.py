"""One class a line: the label is an index, the name stands in ``class-name``, one ``confidence``."""

from manifest_tools.classes import MOST_CLASSES
from manifest_tools.record import Row

LABEL = "index"


def indices(row: Row) -> tuple[int, ...]:
    """Return the one class index; documentation and hand-made files write it as a string too."""
    return (class_index(row.label),)


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return the class with its name, where the line has one."""
    if row.metadata is None or row.metadata.class_name is None:
        return ()
    return ((class_index(row.label), row.metadata.class_name),)


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return the one confidence, None where the line has none."""
    return (None if row.metadata is None else row.metadata.confidence,)


def class_index(label: int | str) -> int:
    """Return a label's index; raises ValueError for what is none.

    >>> class_index("7")
    7
    """
    if isinstance(label, str) and label.isascii() and label.isdecimal() and len(label) < 9:
        label = int(label)
    if isinstance(label, int) and 0 <= label < MOST_CLASSES:
        return label
    raise ValueError(f"expected a class index from 0, found {label!r:.100}")
