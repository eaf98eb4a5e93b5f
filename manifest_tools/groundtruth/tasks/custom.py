"""Custom jobs, and types that are not Ground Truth's: the label is whatever a consolidation function wrote.

Lines pass through, and nothing is said about their classes.
"""

from manifest_tools.groundtruth.record import Row

LABEL = "any"
CLASS_FIELDS = ()
CONFIDENCE_FIELDS = ()
ITEM = "label"


def indices(row: Row) -> tuple[int, ...]:
    """Return nothing."""
    return ()


def names(row: Row) -> tuple[tuple[int, str], ...]:
    """Return nothing."""
    return ()


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return nothing."""
    return ()
