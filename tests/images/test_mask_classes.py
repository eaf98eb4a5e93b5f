import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from manifest_tools.images.mask_classes import colour_number, colours_of, filled, mask_png, regions
from manifest_tools.images.outlines import outlines_of
from manifest_tools.images.unusable import Unusable

COLOURS = {0: "#ffffff", 1: "#ff0000", 2: "#00ff00", 3: "#0000ff"}
masks = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3))


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_filling_outlines_gives_the_mask_again(mask: NDArray[np.bool_]) -> None:
    """With islands, holes, and islands in holes."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    for polygon in outlines_of(mask):
        found |= filled(polygon, (width, height))
    assert (found == mask).all()


@given(masks)
def test_a_mask_is_drawn_again_from_the_outlines_of_its_classes(classes: NDArray[np.uint8]) -> None:
    palette = np.array([colour_number(colour) for colour in COLOURS.values()], np.uint32)
    height, width = classes.shape
    outlines = [
        (index, [polygon])
        for index, pixels in regions(palette[classes], list(COLOURS.items()))
        if index
        for polygon in outlines_of(pixels)
    ]
    assert (colours_of(mask_png(outlines, (width, height), COLOURS, "#ffffff")) == palette[classes]).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_those_that_a_person_sees(mode: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (2, 1), (255, 0, 1)).convert(mode).save(out, "PNG")
    assert colours_of(out.getvalue()).shape == (1, 2)
    assert mode == "P" or colours_of(out.getvalue()).tolist() == [[0xFF0001] * 2]


def test_what_is_no_picture_is_unusable() -> None:
    with pytest.raises(Unusable):
        colours_of(b"no picture")


@pytest.mark.parametrize("polygon", [(), (1, 1), (0, 0, 5, 5), (-9, -9, 99, -9, 99, 99, -9, 99)])
def test_polygons_of_no_area_and_over_the_edge_are_no_trap(polygon: tuple[float, ...]) -> None:
    assert filled(polygon, (3, 2)).sum() == (6 if len(polygon) == 8 else 0)
