"""Frames of a video or of point clouds, one line for each sequence: the label is the URI of a SeqLabel.json.

That file has the items of each frame and their confidences. The line has only ``class-map``, so its classes
are those of the map.
"""

from manifest_tools.groundtruth.label_kinds import multi_label
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the classes of the map."""
    return tuple(index for index, _ in multi_label.names(row))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return None for every class."""
    return (None,) * len(indices(row))
