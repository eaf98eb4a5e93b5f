"""The lines of YOLO's label files: boxes and outlines as parts of the picture's width and height."""

import math
from collections.abc import Iterable, Sequence

from manifest_tools.base.text import shown
from manifest_tools.formats.frames import Size
from manifest_tools.groundtruth.annotations import Box
from manifest_tools.groundtruth.classes import MOST_CLASSES

# A product of two floats is off in its last digits: what is nearer than this to a whole pixel is one.
_NEAR = 1e-6


# ---- writing ----


def label_text(boxes: Iterable[Box], size: Size, outlined: bool = False) -> str:
    """Return the label file of a picture: ``class x y width height`` a line, x and y being the middle.

    ``outlined`` writes ``class x y x y...`` for every box, because Ultralytics takes all lines of a file to
    be of one kind; a box without an outline becomes its four corners.

    >>> label_text([Box(2, 10, 20, 30, 40)], (100, 80))
    '2 0.25 0.5 0.3 0.5\\n'
    """
    line = outline_line if outlined else box_line
    return "".join(line(box, size) for box in boxes)


def box_line(box: Box, size: Size) -> str:
    """Return the line of a box; numbers are written to the last digit that they have."""
    width, height = size
    numbers = (
        (box.left + box.width / 2) / width,
        (box.top + box.height / 2) / height,
        box.width / width,
        box.height / height,
    )
    return f"{box.class_index} {' '.join(map(repr, numbers))}\n"


def outline_line(box: Box, size: Size) -> str:
    """Return the line of an outline, its pieces joined by a line there and back."""
    sides = (size[0], size[1])
    points = joined(box.outline) if box.outline else corners(box)
    numbers = (value / sides[at % 2] for at, value in enumerate(points))
    return f"{box.class_index} {' '.join(map(repr, numbers))}\n"


def corners(box: Box) -> tuple[float, ...]:
    """Return the four corners of a box, clockwise from the upper left one."""
    right, bottom = box.left + box.width, box.top + box.height
    return (box.left, box.top, right, box.top, right, bottom, box.left, bottom)


def joined(pieces: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Return polygons as one: from the first point of the first one to each of the others, and back.

    The area stays the same, for what joins them has none, and ``pieces_of`` takes them apart again.

    >>> joined([(0, 0, 9, 0, 9, 9), (20, 20, 29, 20, 29, 29)])
    (0, 0, 9, 0, 9, 9, 0, 0, 20, 20, 29, 20, 29, 29, 20, 20)
    """
    first, *others = pieces
    if not others:
        return tuple(first)
    start = tuple(first[:2])
    points = (*first, *start)
    for number, piece in enumerate(others):
        points += (start if number else ()) + (*piece, *piece[:2])
    return points


# ---- reading ----


def box_of(line: str, size: Size, index: int) -> Box:
    """Return the box of a line, with a class index; raises ValueError for a line that is none.

    A fifth number is the confidence, as predictions have it; six and more are an outline.

    >>> box_of("2 0.25 0.5 0.3 0.5", (100, 80), 2)
    Box(class_index=2, left=10, top=20, width=30, height=40, confidence=None, outline=())
    """
    numbers = list(map(_number, line.split()[1:]))
    if len(numbers) in (4, 5):
        return _box(index, numbers, size)
    if len(numbers) < 6:
        raise ValueError(f"expected a class and 4 numbers, or an outline, found {len(numbers)} numbers")
    confidence = numbers.pop() if len(numbers) % 2 else None
    return _outlined(index, numbers, size, confidence)


def class_of(line: str) -> int:
    """Return the number of the class of a line; some tools write it as ``3.0``. Raises ValueError."""
    text = line.split(None, 1)[0]
    value = _number(text)
    if value != int(value) or not 0 <= value < MOST_CLASSES:
        raise ValueError(f"expected the number of a class, found {shown(text)}")
    return int(value)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise ValueError(f"expected a number, found {shown(text)}")
    return value


def _box(index: int, numbers: Sequence[float], size: Size) -> Box:
    x, y, width, height, *confidence = numbers
    wide, high = width * size[0], height * size[1]
    left, top = x * size[0] - wide / 2, y * size[1] - high / 2
    sure = confidence[0] if confidence else None
    return Box(index, whole(left), whole(top), whole(wide), whole(high), sure)


def _outlined(index: int, numbers: Sequence[float], size: Size, confidence: float | None) -> Box:
    points = tuple(whole(value * size[at % 2]) for at, value in enumerate(numbers))
    across, down = points[::2], points[1::2]
    left, top = min(across), min(down)
    box = (left, top, max(across) - left, max(down) - top)
    outline = pieces_of(points)
    if outline == (corners(Box(index, *box)),):
        outline = ()
    return Box(index, *box, confidence, outline)


def whole(value: float) -> float:
    """Return a number of pixels, as an integer where it is one but for a rounding.

    >>> whole(29.999999999996), whole(29.9)
    (30, 29.9)
    """
    nearest = round(value)
    return nearest if abs(value - nearest) <= _NEAR else value


def pieces_of(points: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the polygons that ``joined`` made one; one polygon of other tools stays one."""
    pairs = list(zip(points[::2], points[1::2], strict=True))
    start, pieces, at = pairs[0], list[tuple[float, ...]](), 0
    while at < len(pairs):
        end = next((n for n in range(at + 1, len(pairs)) if pairs[n] == pairs[at]), None)
        if end is None or end - at < 3:
            break
        pieces.append(_flat(pairs[at:end]))
        at = end + 1 + (end + 1 < len(pairs) and pairs[end + 1] == start and len(pieces) > 1)
    return tuple(pieces) if pieces and at == len(pairs) else (tuple(points),)


def _flat(pairs: Iterable[tuple[float, float]]) -> tuple[float, ...]:
    return tuple(value for pair in pairs for value in pair)
