"""What ``--upright`` does to the bytes of a picture."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifest_tools.images.integrity import check_picture
from manifest_tools.images.upright import upright
from tests.objects import encoded, turned

# How the sensor saw it: the inverse of what a viewer does for each orientation.
STORED = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}


def smooth(width: int, height: int) -> Image.Image:
    small = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def stored(image: Image.Image, orientation: int, format: str, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = orientation, "a camera"
    return encoded(image.transpose(Image.Transpose(STORED[orientation])), format, exif=exif, **options)


def pixels(data: bytes) -> Any:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image).astype(int)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "1"])
def test_a_png_is_turned_without_loss(orientation: int, mode: str) -> None:
    image = smooth(60, 40).convert(mode)
    done = upright(stored(image, orientation, "PNG"))
    with Image.open(io.BytesIO(done)) as found:
        assert found.mode == mode
        assert np.array_equal(np.asarray(found), np.asarray(image))
        assert (found.getexif().get(0x0112), found.getexif().get(0x0110)) == (None, "a camera")
    assert check_picture(done).orientation == 1


def test_grey_of_16_bits_is_turned_without_loss() -> None:
    image = Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(40, 60) * 20)
    assert np.array_equal(pixels(upright(stored(image, 6, "PNG"))), np.asarray(image))


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_a_jpeg_keeps_its_pixels_but_for_a_rounding(orientation: int, mode: str, subsampling: str) -> None:
    image = smooth(96, 64).convert(mode)
    options = {} if mode == "L" else {"subsampling": subsampling}
    before = stored(image, orientation, "JPEG", quality=85, **options)
    done = upright(before)
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}[orientation]
    with Image.open(io.BytesIO(before)) as opened:
        expected = np.asarray(opened.transpose(Image.Transpose(back))).astype(int)
    most = 3 if subsampling == "4:4:4" or mode == "L" else 24
    assert np.abs(pixels(done) - expected).max() <= most
    assert np.abs(pixels(done) - expected).mean() < 1.5
    with Image.open(io.BytesIO(done)) as found:
        assert (found.getexif().get(0x0112), found.getexif().get(0x0110)) == (None, "a camera")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(turned(1), id="upright already"),
        pytest.param(turned(9), id="a flag that means nothing"),
        pytest.param(encoded(smooth(60, 40), "BMP"), id="a BMP"),
    ],
)
def test_what_is_not_to_be_turned_keeps_its_bytes(data: bytes) -> None:
    assert upright(data) is data
