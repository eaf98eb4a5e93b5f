"""Outlines of the regions of a mask, along the edges of its pixels: filling them gives the mask again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Polygon = tuple[float, ...]
"""``x, y, x, y...`` in pixels from the upper left corner of the picture."""

_Point = tuple[int, int]


def outlines_of(mask: NDArray[np.bool_]) -> list[Polygon]:
    """Return a polygon for each region of a mask of rows and columns, from the top down.

    Pixels that touch at a corner alone are two regions. A hole is joined to what surrounds it by a bridge
    without width, for one polygon is all that YOLO has; the even-odd and the non-zero rule leave it empty.

    >>> outlines_of(np.array([[0, 1, 1], [0, 1, 0]], bool))
    [(1, 0, 3, 0, 3, 1, 2, 1, 2, 2, 1, 2)]
    """
    mask = np.asarray(mask, bool)
    if not mask.any():
        return []
    corners = _corners(mask)
    loops = list(_loops(corners, mask))
    bridges = _bridges(mask, corners, loops)
    return [_polygon(corners, bridges, loop) for loop in loops if not loop.is_hole]


@dataclass(frozen=True, slots=True)
class _Corners:
    """Where the edge of a region turns, sorted by row and then column.

    Where two pixels touch at a corner, that corner is there twice, once for each of them.
    """

    xs: list[int]
    ys: list[int]
    beside: list[int]
    """The corner at the other end of the horizontal edge."""

    above_or_below: list[int]
    """The corner at the other end of the vertical edge."""

    starts: NDArray[np.int64]
    """``row * width + column`` of the left end of each horizontal edge, sorted; the first corner is 0."""

    width: int


def _corners(mask: NDArray[np.bool_]) -> _Corners:
    """Find the corners and pair them: in a row, and in a column, every second one ends an edge."""
    height, width = mask.shape
    padded = np.zeros((height + 2, width + 2), np.uint8)
    padded[1:-1, 1:-1] = mask
    upper, lower = padded[:-1], padded[1:]
    # The four pixels around each point, as bits: upper left, upper right, lower left, lower right.
    around = upper[:, :-1] | upper[:, 1:] << 1 | lower[:, :-1] << 2 | lower[:, 1:] << 3
    found = np.flatnonzero(_IS_CORNER[around])
    kinds = around.ravel()[found]
    # Of two corners in one place, that at the end of an edge from the left comes first.
    places = np.repeat(found, 1 + _IS_TWICE[kinds])
    kinds = np.repeat(kinds, 1 + _IS_TWICE[kinds])
    ys, xs = np.divmod(places, width + 1)
    count = len(places)
    beside = np.arange(count) ^ 1
    # In a column that at the end of an edge from above comes first: where both rise, the second of the two.
    again = np.zeros(count, bool)
    again[1:] = places[1:] == places[:-1]
    order = np.lexsort((np.where(kinds == _RISING, ~again, again), ys, xs))
    vertical = np.empty(count, np.int64)
    vertical[order] = order[np.arange(count) ^ 1]
    return _Corners(xs.tolist(), ys.tolist(), beside.tolist(), vertical.tolist(), places[::2], width + 1)


_IS_CORNER = np.array([bin(bits).count("1") % 2 == 1 or bits in (6, 9) for bits in range(16)])
_IS_TWICE = np.array([int(bits in (6, 9)) for bits in range(16)])
_RISING = 6  # upper right and lower left


@dataclass(frozen=True, slots=True)
class _Loop:
    """An edge that closes: around a region, or around a hole."""

    number: int
    corners: list[int]
    """In the order of travel, region on the right hand; the first is the leftmost of the uppermost."""

    is_hole: bool


def _loops(corners: _Corners, mask: NDArray[np.bool_]) -> Iterator[_Loop]:
    """Yield every loop, from the top down."""
    seen = bytearray(len(corners.xs))
    number = 0
    for first in range(len(seen)):
        if seen[first]:
            continue
        is_hole = not mask[corners.ys[first], corners.xs[first]]
        ways = (corners.above_or_below, corners.beside)
        one, other = ways if is_hole else ways[::-1]
        found: list[int] = []
        at = first
        while not seen[at]:
            after = one[at]
            seen[at] = seen[after] = 1
            found += (at, after)
            at = other[after]
        yield _Loop(number, found, is_hole)
        number += 1


@dataclass(frozen=True, slots=True)
class _Bridge:
    """From the first corner of a hole straight up to the next edge."""

    hole: _Loop
    x: int
    y: int


def _bridges(mask: NDArray[np.bool_], corners: _Corners, loops: list[_Loop]) -> dict[int, list[_Bridge]]:
    """Return by the left end of a horizontal edge the bridges that end on it, from left to right."""
    found: dict[int, list[_Bridge]] = {}
    for hole in loops:
        if hole.is_hole:
            x, y = corners.xs[hole.corners[0]], corners.ys[hole.corners[0]]
            outside = np.flatnonzero(~mask[:y, x])
            top = int(outside[-1]) + 1 if outside.size else 0
            edge = int(np.searchsorted(corners.starts, top * corners.width + x, "right")) - 1
            found.setdefault(2 * edge, []).append(_Bridge(hole, x, top))
    for bridges in found.values():
        bridges.sort(key=lambda bridge: bridge.x)
    return found


def _polygon(corners: _Corners, bridges: Mapping[int, list[_Bridge]], loop: _Loop) -> Polygon:
    """Return the points of a loop, with those of the holes where their bridges end."""
    points: list[_Point] = []
    ways = [_way(corners, bridges, loop)]  # holes hang on holes: no recursion, for they may be thousands
    while ways:
        step = next(ways[-1], None)
        if step is None:
            ways.pop()
        elif isinstance(step, _Bridge):
            ways.append(_way_over(corners, bridges, step))
        elif not points or step != points[-1]:
            points.append(step)
    return tuple(value for point in points for value in point)


def _way(
    corners: _Corners, bridges: Mapping[int, list[_Bridge]], loop: _Loop
) -> Iterator["_Point | _Bridge"]:
    """Yield the corners of a loop, and each bridge where it ends."""
    for at, after in zip(loop.corners, [*loop.corners[1:], loop.corners[0]], strict=True):
        yield corners.xs[at], corners.ys[at]
        if after == at ^ 1:  # along a row
            ending = bridges.get(min(at, after), ())
            yield from ending if at < after else reversed(ending)


def _way_over(
    corners: _Corners, bridges: Mapping[int, list[_Bridge]], bridge: _Bridge
) -> Iterator["_Point | _Bridge"]:
    """Yield the way over a bridge, around the hole, and back."""
    first = bridge.hole.corners[0]
    yield bridge.x, bridge.y
    yield from _way(corners, bridges, bridge.hole)
    yield corners.xs[first], corners.ys[first]
    yield bridge.x, bridge.y
