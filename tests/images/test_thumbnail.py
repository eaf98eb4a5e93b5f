import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from manifest_tools.images.thumbnail import Overlay, Shape, box, jpeg, thumbnail
from manifest_tools.images.unusable import Unusable

BLUE, RED = (0, 0, 200), (220, 20, 20)
LINE = "#dc1414"


def picture(width: int = 300, height: int = 200, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.new("RGB", (width, height), BLUE).save(out, "PNG", exif=exif)
    return out.getvalue()


def outline(pixels: Image.Image) -> tuple[int, ...]:
    """Return left, top, right and bottom of what is drawn in red."""
    red = np.asarray(pixels)[..., 0] > 100
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 8), st.integers(1, 99))
def test_the_whole_picture_fits_and_is_upright(width: int, height: int, orientation: int, side: int) -> None:
    small = thumbnail(picture(width, height, orientation), side)
    assert max(small.size) <= side
    assert small.mode == "RGB"
    upright = (height, width) if orientation > 4 else (width, height)
    if min(width, height) * side >= max(width, height):  # else an edge would be less than a pixel
        assert small.width / small.height == pytest.approx(upright[0] / upright[1], rel=2 / min(small.size))


@pytest.mark.parametrize(
    ("orientation", "size", "shape", "expected"),
    [
        pytest.param(1, None, box(30, 20, 60, 100, LINE), (15, 10, 45, 60), id="of an upright picture"),
        pytest.param(1, (600, 400), box(60, 40, 120, 200, LINE), (15, 10, 45, 60), id="of a larger copy"),
        pytest.param(6, None, box(80, 30, 100, 60, LINE), (40, 15, 90, 45), id="as a browser shows it"),
        pytest.param(6, (300, 200), box(30, 20, 60, 100, LINE), (40, 15, 90, 45), id="as it is stored"),
    ],
)
def test_a_box_lies_where_it_was_drawn(
    orientation: int, size: tuple[float, float] | None, shape: Shape, expected: tuple[int, ...]
) -> None:
    small = thumbnail(picture(orientation=orientation), 150, Overlay((shape,), size))
    assert outline(small) == pytest.approx(expected, abs=2)


def test_the_colours_of_a_mask_lie_over_the_picture_and_its_white_does_not() -> None:
    mask = Image.new("RGB", (30, 20), "white")
    mask.paste(RED, (0, 0, 15, 20))
    out = io.BytesIO()
    mask.save(out, "PNG")
    small = np.asarray(thumbnail(picture(), 150, Overlay(mask=out.getvalue())))
    assert small[50, 120].tolist() == list(BLUE)
    assert small[50, 20].tolist() == pytest.approx([110, 10, 110], abs=2)


numbers = st.one_of(st.floats(), st.integers(-(10**400), 10**400))


@given(st.lists(st.tuples(numbers, numbers), max_size=5), st.one_of(st.none(), st.tuples(numbers, numbers)))
def test_any_numbers_can_be_drawn(
    points: list[tuple[float, float]], size: tuple[float, float] | None
) -> None:
    overlay = Overlay((Shape(tuple(points), LINE),), size)
    assert jpeg(thumbnail(PICTURE, 20, overlay)) == jpeg(thumbnail(PICTURE, 20, overlay))


PICTURE = picture(20, 20)


@pytest.mark.parametrize("overlay", [None, Overlay(mask=b"no mask")])
def test_what_cannot_be_decoded_is_said(overlay: Overlay | None) -> None:
    with pytest.raises(Unusable, match="expected a picture"):
        thumbnail(PICTURE if overlay else b"no picture", 20, overlay)
