"""A mask's PNG and the classes of its pixels, both ways: colours to classes, and outlines to colours."""

import io
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from manifest_tools.images.integrity import opened
from manifest_tools.images.unusable import NO_PICTURE, Unusable

Colours = NDArray[np.uint32]
"""``0xrrggbb`` of every pixel, in rows and columns."""


def colours_of(png: bytes) -> Colours:
    """Return the colours of the pixels of a mask; raises Unusable for what is no picture."""
    with opened(png) as image:
        try:
            rgb = np.asarray(image.convert("RGB"), np.uint32)
        except (OSError, ValueError) as error:
            raise Unusable(NO_PICTURE, f"expected a mask in colours, found {error}") from error
    numbers: Colours = (rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]).astype(np.uint32)
    return numbers


def colour_number(text: str | None) -> int | None:
    """Return ``#rrggbb`` as a number; None for what is no colour.

    >>> colour_number("#00ff01"), colour_number("red")
    (65281, None)
    """
    digits = (text or "").removeprefix("#")
    try:
        return int(digits, 16) if len(digits) == 6 else None
    except ValueError:
        return None


def regions(
    colours: Colours, classes: Sequence[tuple[int, str | None]]
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield each class that has pixels, with the mask of its pixels."""
    for index, text in classes:
        number = colour_number(text)
        if number is not None and (found := colours == number).any():
            yield index, found


def filled(polygon: Sequence[float], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels, of a picture of this width and height, whose middle lies inside a polygon.

    Inside is what an odd number of edges lies left of, so a bridge there and back changes nothing.

    >>> filled((0, 0, 2, 0, 2, 1, 0, 1), (3, 2)).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    width, height = size
    turns = np.zeros((height, width + 1), np.uint8)
    points = list(zip(polygon[::2], polygon[1::2], strict=True))
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
        if y1 == y2:
            continue
        first, last = sorted((y1, y2))
        rows = np.arange(max(int(np.ceil(first - 0.5)), 0), min(int(np.ceil(last - 0.5)), height))
        across = x1 + (rows + 0.5 - y1) * ((x2 - x1) / (y2 - y1))
        turns[rows, np.clip(np.ceil(across - 0.5), 0, width).astype(int)] ^= 1
    return np.bitwise_xor.accumulate(turns, axis=1)[:, :width].astype(bool)


def mask_png(
    outlines: Sequence[tuple[int, Sequence[Sequence[float]]]],
    size: tuple[int, int],
    colours: Mapping[int, str],
    background: str,
) -> bytes:
    """Return the PNG of classes and their polygons, of which one inside another is a hole.

    A later class covers those before it.
    """
    width, height = size
    pixels = np.full((height, width), colour_number(background) or 0, np.uint32)
    for index, polygons in outlines:
        inside = np.logical_xor.reduce([filled(polygon, size) for polygon in polygons])
        pixels[inside] = colour_number(colours.get(index)) or 0
    return png_of_colours(pixels)


def png_of_colours(pixels: Colours) -> bytes:
    """Return the PNG of pixels in colours."""
    from PIL import Image

    rgb = np.stack([pixels >> 16, pixels >> 8 & 255, pixels & 255], axis=-1).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG")
    return out.getvalue()
