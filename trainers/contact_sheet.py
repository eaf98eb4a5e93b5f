"""A contact sheet: many small pictures, each with its prediction, and its label where that is known."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manifest_tools.images.shrink import shrink

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

MOST = 500  # pictures on one sheet: viewers open no larger file

_THUMB, _TEXT, _GAP = 128, 48, 10
_TILE = (_THUMB + _GAP, _THUMB + _TEXT + _GAP)
_BACKGROUND, _TEXT_COLOUR, _RIGHT, _WRONG = "white", "#222222", "#1b7f3b", "#c62828"
_LETTERS = 20  # letters that fit under a picture


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture on the sheet."""

    picture: bytes
    """The picture file."""

    name: str
    """What the picture is called, without its folder."""

    prediction: str
    """The predicted classes with their probabilities."""

    truth: str
    """The labelled classes, or nothing where they are not known."""

    right: bool | None
    """Whether the prediction is the label; None where the label is not known."""


def draw_contact_sheet(tiles: Sequence[Tile]) -> bytes:
    """Return a PNG of the first ``MOST`` tiles; a wrong prediction has a red frame and a cross."""
    from PIL import Image, ImageDraw

    shown = tiles[:MOST]
    columns = max(1, min(len(shown), 8))
    rows = max(1, -(-len(shown) // columns))
    canvas = Image.new("RGB", (columns * _TILE[0] + _GAP, rows * _TILE[1] + _GAP), _BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    for number, tile in enumerate(shown):
        row, column = divmod(number, columns)
        _place(canvas, draw, tile, _GAP + column * _TILE[0], _GAP + row * _TILE[1])
    out = io.BytesIO()
    canvas.save(out, "PNG")
    return out.getvalue()


def _place(canvas: "Image", draw: "ImageDraw", tile: Tile, left: int, top: int) -> None:
    from PIL import ImageFont

    canvas.paste(_thumbnail(tile.picture), (left, top))
    colour = {None: _TEXT_COLOUR, True: _RIGHT, False: _WRONG}[tile.right]
    if tile.right is not None:
        draw.rectangle((left, top, left + _THUMB - 1, top + _THUMB - 1), outline=colour, width=3)
        _mark(draw, left + _THUMB - 22, top + 4, tile.right, colour)
    font = ImageFont.load_default(13)
    draw.text((left, top + _THUMB + 2), _short(tile.prediction), fill=colour, font=font)
    below = [f"label {tile.truth}"] if tile.truth else []
    for line, text in enumerate([*below, tile.name], 1):
        draw.text((left, top + _THUMB + 2 + 15 * line), _short(text), fill=_TEXT_COLOUR, font=font)


def _thumbnail(data: bytes) -> "Image":
    from PIL import Image

    with Image.open(io.BytesIO(shrink(data, _THUMB, square=True))) as image:
        return image.convert("RGB")


def _mark(draw: "ImageDraw", left: int, top: int, right: bool, colour: str) -> None:
    """Draw a tick or a cross, for people who cannot tell red from green."""
    draw.rectangle((left, top, left + 18, top + 18), fill=_BACKGROUND)
    if right:
        draw.line((left + 3, top + 9, left + 8, top + 14, left + 15, top + 4), fill=colour, width=3)
    else:
        draw.line((left + 4, top + 4, left + 14, top + 14), fill=colour, width=3)
        draw.line((left + 4, top + 14, left + 14, top + 4), fill=colour, width=3)


def _short(text: str) -> str:
    plain = "".join(c if c.isprintable() else "?" for c in text)
    half = _LETTERS // 2
    return plain if len(plain) <= _LETTERS else f"{plain[: half - 1]}…{plain[-half:]}"
