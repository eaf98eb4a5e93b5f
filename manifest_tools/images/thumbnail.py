"""A small picture for people: whole, upright, and with what a label draws on it."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manifest_tools.images.integrity import opened, orientation_of
from manifest_tools.images.shrink import resized
from manifest_tools.images.upright import ON_ITS_SIDE, turned

if TYPE_CHECKING:
    from PIL.Image import Image

Point = tuple[float, float]

PALETTE = ("#e6194b", "#1e90ff", "#2ca02c", "#ff9f1c", "#9b30ff", "#00b3b3", "#d147a3", "#8c6d1f")
"""Colours for classes, by index, from the beginning again after the last: they differ on most pictures."""

_PIXELS = 2  # of a line
_HALF = 128  # how much of a mask's colour lies over the picture, of 255


@dataclass(frozen=True, slots=True)
class Shape:
    """An outline to draw on a picture."""

    points: tuple[Point, ...]
    """Its corners, in pixels from the upper left corner of the picture."""

    colour: str = PALETTE[0]
    """As ``#rrggbb``."""

    is_closed: bool = True
    """Whether a line leads from the last corner to the first."""


def box(left: float, top: float, width: float, height: float, colour: str = PALETTE[0]) -> Shape:
    """Return a rectangle as a shape.

    >>> box(10, 20, 5, 6).points
    ((10, 20), (15, 20), (15, 26), (10, 26))
    """
    right, bottom = left + width, top + height
    return Shape(((left, top), (right, top), (right, bottom), (left, bottom)), colour)


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn on a picture."""

    shapes: tuple[Shape, ...] = ()

    size: tuple[float, float] | None = None
    """Width and height of the picture in the pixels of the shapes; None for those of the upright picture."""

    mask: bytes = b""
    """A picture whose colours lie over this one; its white is left out. Empty for none."""


def thumbnail(picture: bytes, side: int, overlay: Overlay | None = None) -> "Image":
    """Return the whole picture in RGB, upright, its longer edge at most ``side`` pixels; small ones grow.

    Raises Unusable for a picture, or a mask, that cannot be decoded.
    """
    with opened(picture) as image:
        stored = image.size
        small = resized(image, max(1, side * min(stored) // max(stored)), square=False).copy()
        orientation = orientation_of(image)
    small.thumbnail((side, side))  # one that is a hundred times as long as high is longer still
    shown = stored[::-1] if orientation in ON_ITS_SIDE else stored
    if overlay is None:
        return turned(small, orientation)
    if overlay.size == stored != shown:  # labelled where the flag was not obeyed
        return turned(_drawn(small, overlay, stored), orientation)
    return _drawn(turned(small, orientation), overlay, overlay.size or shown)


def jpeg(pixels: "Image", quality: int = 80) -> bytes:
    """Return pixels as a JPEG file: the same pixels give the same bytes."""
    out = io.BytesIO()
    pixels.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _drawn(pixels: "Image", overlay: Overlay, size: Point) -> "Image":
    """Return pixels with the overlay on them, whose own pixels are of a picture of ``size``."""
    from PIL import ImageDraw

    if overlay.mask:
        pixels = _masked(pixels, overlay.mask)
    draw = ImageDraw.Draw(pixels)
    for shape in overlay.shapes:
        corners = [_placed(point, pixels.size, size) for point in shape.points]
        ends = [*corners, *corners[:1]] if shape.is_closed else corners
        draw.line(ends, fill=shape.colour, width=_PIXELS)
    return pixels


def _placed(point: Point, within: tuple[int, int], size: Point) -> Point:
    """Return where a point lies on a thumbnail: at its edge if it is outside, and 0 for what is no number."""
    x, y = (_along(*each) for each in zip(point, within, size, strict=True))
    return x, y


def _along(at: float, pixels: int, size: float) -> float:
    """Return the place on an edge of ``pixels``; the numbers may be too large for a float."""
    edge = min(max(1, size), 1e9)
    return min(max(0, at), edge) / edge * (pixels - 1)


def _masked(pixels: "Image", mask: bytes) -> "Image":
    from PIL import Image, ImageChops

    with opened(mask) as image:
        colours = image.convert("RGB").resize(pixels.size, Image.Resampling.NEAREST)
    white = Image.new("RGB", pixels.size, "white")
    labelled = ImageChops.difference(colours, white).convert("L").point(lambda value: _HALF if value else 0)
    return Image.composite(colours, pixels, labelled)
