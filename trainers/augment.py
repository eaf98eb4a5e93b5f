"""Pictures varied a little, as another photograph of the same part would be.

Never mirrored unless told: a mirrored left-hand part is a right-hand part.
"""

from dataclasses import dataclass

import numpy as np

from trainers.pixels import Pixels


@dataclass(frozen=True, slots=True)
class Ranges:
    """How far a picture may go, to either side."""

    shift: float = 0.08
    """Of the side."""

    turn: float = 10.0
    """Degrees."""

    scale: float = 0.1
    """Of the size."""

    colour: float = 0.2
    """Of brightness, contrast and saturation, each."""


def augment(pictures: Pixels, random: np.random.Generator, ranges: Ranges | None, mirror: bool) -> Pixels:
    """Return varied copies of pictures (n, side, side, RGB); all follow from ``random``.

    Without ``ranges`` nothing is varied; with ``mirror`` about every second picture is turned over.
    """
    varied = pictures
    if ranges is not None:
        varied = np.stack([_vary(picture, random, ranges) for picture in varied])
    if mirror:
        turned = random.random(len(varied)) < 0.5
        varied = np.where(turned[:, None, None, None], varied[:, :, ::-1], varied)
    return varied


def _vary(picture: Pixels, random: np.random.Generator, ranges: Ranges) -> Pixels:
    from PIL import Image, ImageEnhance

    side = len(picture)
    margin = side // 4
    # The border goes on as its last pixels do: black corners would say where the picture was moved.
    wide = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    image = Image.fromarray(wide).transform(
        (side, side),
        Image.Transform.AFFINE,
        _affine(side, margin, random, ranges),
        Image.Resampling.BILINEAR,
    )
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(1 + random.uniform(-ranges.colour, ranges.colour))
    return np.asarray(image)


def _affine(side: int, margin: int, random: np.random.Generator, ranges: Ranges) -> tuple[float, ...]:
    """Return Pillow's six numbers: output (x, y) -> place in the padded picture."""
    angle = np.deg2rad(random.uniform(-ranges.turn, ranges.turn))
    scale = 1 + random.uniform(-ranges.scale, ranges.scale)
    shift = random.uniform(-ranges.shift, ranges.shift, 2) * side
    cos, sin = float(np.cos(angle)) / scale, float(np.sin(angle)) / scale
    centre = (side - 1) / 2
    x, y = centre + margin + float(shift[0]), centre + margin + float(shift[1])
    return (cos, sin, x - centre * (cos + sin), -sin, cos, y - centre * (cos - sin))
