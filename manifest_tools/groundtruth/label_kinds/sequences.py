"""Frames of a video, or of point clouds: the label is the URI of a SeqLabel.json, one line a sequence.

What was found on which frame stands in that file; the line itself has the ``class-map``. So the classes of a
line are those of the map, and there is no confidence a line.
"""

from manifest_tools.groundtruth.label_kinds import multi_label
from manifest_tools.groundtruth.record import Row


def indices(row: Row) -> tuple[int, ...]:
    """Return the classes that the sequence has."""
    return tuple(index for index, _ in multi_label.names(row))


def confidences(row: Row) -> tuple[float | None, ...]:
    """Return nothing known for every class: confidences are in the SeqLabel.json."""
    return (None,) * len(indices(row))
