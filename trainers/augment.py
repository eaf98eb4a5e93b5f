"""Augmentation: pictures varied a little, as another photograph of the same part would be.

Nothing is mirrored unless it is asked for: a mirrored left-hand part is a right-hand part.
"""

from dataclasses import dataclass

import numpy as np

from trainers.pixels import Pixels


@dataclass(frozen=True, slots=True)
class Variation:
    """How much a picture is changed at most, in either direction."""

    shift: float = 0.08
    """Shift, as a part of the side."""

    turn: float = 10.0
    """Rotation, in degrees."""

    scale: float = 0.1
    """Change of size, as a part of the size."""

    colour: float = 0.2
    """Change of brightness, of contrast and of saturation, each as a part of what it was."""


def augment(
    pictures: Pixels, random: np.random.Generator, variation: Variation | None, mirror: bool
) -> Pixels:
    """Return varied copies of pictures, ``(pictures, side, side, RGB)``, as ``random`` draws them.

    Without ``variation`` nothing is varied. With ``mirror`` about every second picture is mirrored, left to
    right.
    """
    varied = pictures
    if variation is not None:
        varied = np.stack([_vary(picture, random, variation) for picture in varied])
    if mirror:
        turned = random.random(len(varied)) < 0.5
        varied = np.where(turned[:, None, None, None], varied[:, :, ::-1], varied)
    return varied


def _vary(picture: Pixels, random: np.random.Generator, variation: Variation) -> Pixels:
    from PIL import Image, ImageEnhance

    side = len(picture)
    margin = side // 4
    # The border goes on as its last pixels do: black corners would say where the picture was moved.
    wide = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    image = Image.fromarray(wide).transform(
        (side, side),
        Image.Transform.AFFINE,
        _affine(side, margin, random, variation),
        Image.Resampling.BILINEAR,
    )
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(1 + random.uniform(-variation.colour, variation.colour))
    return np.asarray(image)


def _affine(side: int, margin: int, random: np.random.Generator, variation: Variation) -> tuple[float, ...]:
    """Return Pillow's six numbers: output (x, y) -> place in the padded picture."""
    angle = np.deg2rad(random.uniform(-variation.turn, variation.turn))
    scale = 1 + random.uniform(-variation.scale, variation.scale)
    shift = random.uniform(-variation.shift, variation.shift, 2) * side
    cos, sin = float(np.cos(angle)) / scale, float(np.sin(angle)) / scale
    centre = (side - 1) / 2
    x, y = centre + margin + float(shift[0]), centre + margin + float(shift[1])
    return (cos, sin, x - centre * (cos + sin), -sin, cos, y - centre * (cos - sin))
