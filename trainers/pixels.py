"""A picture file as the square of pixels that a network sees; the same for training and asking."""

import io

import numpy as np
import numpy.typing as npt

from manifest_tools.images.shrink import shrink

Pixels = npt.NDArray[np.uint8]


def square(data: bytes, side: int) -> Pixels:
    """Return the middle of a picture as (side, side, RGB), its shorter edge become ``side`` pixels.

    Goes through JPEG as ``convert`` does, so that a picture which is asked about is to the bit what it
    would have been in training. Raises ``manifest_tools.images.unusable.Unusable``.
    """
    return decode(shrink(data, side, square=True))


def decode(data: bytes) -> Pixels:
    """Return the pixels (height, width, RGB) of a picture that ``convert`` has made."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
