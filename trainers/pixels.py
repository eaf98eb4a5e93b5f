"""A picture file as the square of pixels that a network takes: the same for training and for prediction."""

import io

import numpy as np
import numpy.typing as npt

from manifest_tools.images.shrink import shrink

Pixels = npt.NDArray[np.uint8]
"""``(height, width, RGB)`` of one picture, ``(pictures, side, side, RGB)`` of several; 0 to 255."""


def square(data: bytes, side: int) -> Pixels:
    """Return the middle of a picture, ``(side, side, RGB)``; its shorter edge is resized to ``side`` pixels.

    Goes through JPEG as ``convert`` does, so that prediction sees to the bit what training would have seen.
    Raises ``manifest_tools.images.unusable.Unusable`` for a file that is no picture.
    """
    return decode(shrink(data, side, square=True))


def decode(data: bytes) -> Pixels:
    """Return the pixels, ``(height, width, RGB)``, of a picture that ``convert`` has made."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
