"""Boxes among the labels of a ``.lst`` or a ``.rec``, as MXNet's detectors read them.

They begin with the length of this header and that of a box. The header may hold more, such as the size of the
picture; a box is a class, left, top, right and bottom, and may hold more.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.text import counted

MOST_EXACT = 1 << 24
"""Whole numbers up to here are the same as 32-bit floats."""

HEADER, BOX = 2, 5
"""What the header, and a box, have at least."""


def no_boxes(labels: Sequence[float]) -> str:
    """Say why labels are no boxes for a detector; empty where they are.

    >>> no_boxes([2, 5, 0, 0.1, 0.1, 0.5, 0.5]), no_boxes([4, 5, 320, 240, 0, 0.1, 0.1, 0.5, 0.5])
    ('', '')
    >>> no_boxes([3])
    'expected the length of the header (2 or more), that of a box (5 or more), then boxes; found 1 number'
    """
    wanted = "expected the length of the header (2 or more), that of a box (5 or more), then boxes; found"
    if len(labels) < HEADER + BOX:
        return f"{wanted} {counted(len(labels), 'number')}"
    header, box = labels[0], labels[1]
    if not (_is_length(header, HEADER) and _is_length(box, BOX)) or header > len(labels):
        return f"{wanted} {header:g} and {box:g} at the beginning"
    rest = len(labels) - int(header)
    if rest % int(box):
        return f"{wanted} {rest} numbers after a header of {header:g}, which are no boxes of {box:g} each"
    boxes = boxes_of(labels)
    if (boxes[:, 0] < 0).any() or (boxes[:, 0] % 1 != 0).any():
        return "expected a class index from 0 as the first number of each box"
    if (boxes[:, 1:BOX] < 0).any() or (boxes[:, 1:BOX] > 1).any():
        return "expected the corners of a box as fractions of the picture's width and height, from 0 to 1"
    if (boxes[:, 3:BOX] <= boxes[:, 1:3]).any():
        return "expected left, top, right and bottom of each box, in this order"
    return ""


def _is_length(number: float, least: int) -> bool:
    return least <= number < MOST_EXACT and number % 1 == 0


def boxes_of(labels: Sequence[float]) -> NDArray[np.float64]:
    """Return the boxes of a detector's labels, ``(boxes, numbers of a box)``: class, left, top and so on."""
    return np.asarray(labels[int(labels[0]) :], float).reshape(-1, int(labels[1]))
