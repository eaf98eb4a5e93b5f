"""One class a line, of a picture, a text or a video clip: an index, ``class-name``, one ``confidence``."""

from typing import Any

from manifest_tools.groundtruth.classes import MOST_CLASSES
from manifest_tools.groundtruth.record import Row

LABEL = "index"
CLASS_FIELDS = ("class-name",)
CONFIDENCE_FIELDS = ("confidence",)
ITEM = "label"


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


def class_index(label: int | str | None) -> int:
    """Return a label's index; raises ValueError for what is none.

    >>> class_index("7")
    7
    """
    if isinstance(label, str) and label.isascii() and label.isdecimal() and len(label) < 9:
        label = int(label)
    if isinstance(label, int) and 0 <= label < MOST_CLASSES:
        return label
    raise ValueError(f"expected a class index from 0, found {label!r:.100}")


def is_index(value: Any) -> bool:
    """Say whether a value can be read as a class index: a boolean is none, nor is 1.0.

    >>> is_index("7"), is_index(True), is_index(1.0)
    (True, False, False)
    """
    try:
        return not isinstance(value, bool) and class_index(value) >= 0
    except ValueError:
        return False


def index_of(value: Any) -> int | None:
    """Return a label's class index, or None for what is none: a boolean is none, nor is 1.0."""
    try:
        return None if isinstance(value, bool) else class_index(value)
    except ValueError:
        return None
