"""A picture file as the square of pixels that a network takes: the same for training and for prediction."""

import io

import numpy as np
import numpy.typing as npt

from manifest_tools.images.shrink import shrink

Pixels = npt.NDArray[np.uint8]
"""``(height, width, RGB)`` of one picture, ``(pictures, side, side, RGB)`` of several; 0 to 255."""

_TOGETHER = 32  # pictures that a network sees at a time, of 512 pixels a side at most


def together(side: int) -> int:
    """Return how many pictures a network is asked for at a time: fewer where they are large.

    >>> together(64), together(512), together(1024), together(4096)
    (32, 32, 8, 1)
    """
    return min(_TOGETHER, max(1, _TOGETHER * 512**2 // side**2))


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
