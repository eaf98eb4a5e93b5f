import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from manifest_tools.images.outlines import Polygon, outlines_of

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9))


def mask(*rows: str) -> NDArray[np.bool_]:
    return np.array([[sign == "#" for sign in row] for row in rows])


def points(polygon: Polygon) -> list[tuple[float, float]]:
    return list(zip(polygon[::2], polygon[1::2], strict=True))


def winding(polygon: Polygon, shape: tuple[int, int]) -> NDArray[np.int_]:
    """Return how often a polygon of vertical and horizontal lines goes around each pixel, with its sign."""
    edges = np.zeros((shape[0], shape[1] + 1), int)
    found = points(polygon)
    for (x, y), (next_x, next_y) in zip(found, found[1:] + found[:1], strict=True):
        assert x == next_x or y == next_y
        if y != next_y:
            edges[int(min(y, next_y)) : int(max(y, next_y)), int(x)] += 1 if y > next_y else -1
    around: NDArray[np.int_] = np.cumsum(edges, axis=1)[:, :-1]
    return around


def regions(found: NDArray[np.bool_]) -> int:
    """Count what hangs together by the sides of pixels."""
    left, count = set(zip(*map(np.ndarray.tolist, np.nonzero(found)), strict=True)), 0
    while left:
        count += 1
        waiting = [left.pop()]
        while waiting:
            y, x = waiting.pop()
            beside = {(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)} & left
            left -= beside
            waiting += beside
    return count


@given(masks)
def test_each_region_has_a_polygon_and_filling_them_gives_the_mask(found: NDArray[np.bool_]) -> None:
    polygons = outlines_of(found)
    height, width = found.shape
    around = [winding(polygon, (height, width)) for polygon in polygons]
    # Once around each of its pixels and nothing else: filled alike by the even-odd and the non-zero rule.
    assert np.array_equal(sum(around, np.zeros(found.shape, int)), found)
    assert all(set(np.unique(one)) <= {0, 1} for one in around)
    assert len(polygons) == regions(found)


@given(masks)
def test_pycocotools_fills_them_alike(found: NDArray[np.bool_]) -> None:
    from pycocotools import mask as coco

    polygons = [list(map(float, polygon)) for polygon in outlines_of(found)]
    if polygons:
        filled = coco.decode(coco.merge(coco.frPyObjects(polygons, *found.shape)))
        assert np.array_equal(filled, found)


@given(masks, st.integers(2, 5))
def test_polygons_grow_with_the_mask(found: NDArray[np.bool_], times: int) -> None:
    larger = np.kron(found, np.ones((times, times), bool))
    assert outlines_of(larger) == [
        tuple(value * times for value in polygon) for polygon in outlines_of(found)
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(("..", ".."), [], id="nothing"),
        pytest.param(("##", "##"), [(0, 0, 2, 0, 2, 2, 0, 2)], id="all of it"),
        pytest.param(("#.", ".#"), [(0, 0, 1, 0, 1, 1, 0, 1), (1, 1, 2, 1, 2, 2, 1, 2)], id="falling"),
        pytest.param((".#", "#."), [(1, 0, 2, 0, 2, 1, 1, 1), (0, 1, 1, 1, 1, 2, 0, 2)], id="rising"),
        pytest.param(
            ("###", "#.#", "###"),
            [(0, 0, 1, 0, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 0, 3, 0, 3, 3, 0, 3)],
            id="a hole and its bridge",
        ),
    ],
)
def test_polygons_run_clockwise_from_the_upper_left(rows: tuple[str, ...], expected: list[Polygon]) -> None:
    assert outlines_of(mask(*rows)) == expected


def test_an_island_in_a_hole_is_a_region_of_its_own() -> None:
    found = outlines_of(mask("#####", "#...#", "#.#.#", "#...#", "#####"))
    assert found[1:] == [(2, 2, 3, 2, 3, 3, 2, 3)]


def test_holes_below_one_another_may_be_thousands() -> None:
    column = np.ones((5001, 3), bool)
    column[1::2, 1] = False
    (polygon,) = outlines_of(column)
    assert np.array_equal(winding(polygon, (5001, 3)), column)
