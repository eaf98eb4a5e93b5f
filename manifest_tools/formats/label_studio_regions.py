"""Regions of Label Studio, which are in percent of the picture, and boxes in pixels."""

import math
from collections.abc import Iterable, Sequence

from manifest_tools.formats.label_studio_tasks import Number, Result, Value
from manifest_tools.groundtruth.annotations import Box


def size_of(results: Iterable[Result]) -> tuple[Number, Number] | None:
    """Return the size of the picture that its regions are in percent of; raises ValueError for nonsense."""
    for result in results:
        width, height = result.original_width, result.original_height
        if width is not None and height is not None:
            if not (0 < width < _MOST_PIXELS and 0 < height < _MOST_PIXELS):
                raise ValueError(f"expected the width and height of a picture, found {width} and {height}")
            return width, height
    return None


_MOST_PIXELS = 10**9  # of an edge


def box_of(result: Result, size: tuple[Number, Number], index: int) -> Box:
    """Return the box around a rectangle or polygon in pixels; raises ValueError for one without a place."""
    value = result.value or Value()
    if value.points is not None:
        points = [(_pixels(x, size[0]), _pixels(y, size[1])) for x, y in value.points]
        if not points:
            raise ValueError("expected points of a polygon, found none")
        return _around(points, index, result.score, outline=True)
    if value.x is None or value.y is None or value.width is None or value.height is None:
        raise ValueError("expected x, y, width and height of a rectangle, found only some of them")
    left, top = _pixels(value.x, size[0]), _pixels(value.y, size[1])
    width, height = _pixels(value.width, size[0]), _pixels(value.height, size[1])
    if not value.rotation:
        return Box(index, left, top, width, height, result.score)
    return _around(_turned(left, top, width, height, value.rotation), index, result.score)


def _around(
    points: Sequence[tuple[Number, Number]], index: int, score: Number | None, outline: bool = False
) -> Box:
    left, top = min(x for x, _ in points), min(y for _, y in points)
    width, height = max(x for x, _ in points) - left, max(y for _, y in points) - top
    flat = (tuple(number for point in points for number in point),) if outline else ()
    return Box(index, left, top, width, height, score, flat)


def _turned(
    left: Number, top: Number, width: Number, height: Number, degrees: Number
) -> list[tuple[Number, Number]]:
    """Return the corners of a rectangle that is turned clockwise around its upper left corner."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [
        (left + x * cosine - y * sine, top + x * sine + y * cosine)
        for x, y in ((0, 0), (width, 0), (width, height), (0, height))
    ]


def _pixels(percent: Number, edge: Number) -> Number:
    """Return a share of an edge in pixels; a whole number of them comes back as one.

    >>> _pixels(100 * 7 / 640, 640), _pixels(0.5, 999)
    (7, 4.995)
    """
    pixels = percent * edge / 100
    if not abs(pixels) < 10**15:
        raise ValueError(f"expected a share of the picture in percent, found {percent}")
    whole = round(pixels)
    return whole if abs(pixels - whole) < _NOTHING else pixels


_NOTHING = 1e-7  # of a pixel: what is lost in percent


def percent(pixels: Number, edge: Number) -> float:
    """Return pixels as a share of an edge."""
    return 100 * pixels / edge
