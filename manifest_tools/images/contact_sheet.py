"""A contact sheet: many small pictures, each with a few lines of text, on pages of PNG."""

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from manifest_tools.base.text import counted
from manifest_tools.images.thumbnail import Overlay, thumbnail
from manifest_tools.images.unusable import Unusable

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

COLUMNS, ROWS = 10, 10
PAGE = COLUMNS * ROWS  # pictures on a page

INK, FAINT, RIGHT, WRONG = "#222222", "#6b6b6b", "#1b7f3b", "#c62828"
"""The colours of a caption, by what it says."""

_SIDE, _GAP, _LINE = 144, 10, 16
_STEP = _SIDE + _GAP
_BACKGROUND, _NO_PICTURE = "white", "#d0d0d0"
_FONT_SIZE = 13
_LINES = 12  # of a caption at most
_LETTERS = 100  # of a part's beginning and of its end, before it is measured
_WORD_ENDS = " _-/."


@dataclass(frozen=True, slots=True)
class Caption:
    """Some text under a picture."""

    parts: tuple[str, ...]
    """Such as a class with its probability; each is whole on a line, beside others where there is room."""

    colour: str = INK


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture on the sheet."""

    picture: bytes | Unusable
    """The picture file, or why there is none."""

    captions: Sequence[Caption]

    is_right: bool | None = None
    """Draws a green frame with a tick, or a red one with a cross; None draws neither."""

    overlay: Overlay | None = None
    """What is drawn on the picture."""


def contact_sheets(tiles: Iterable[Tile]) -> Iterator[bytes]:
    """Yield a PNG for each ``PAGE`` tiles, and one that says so where there are none.

    Tiles are taken a row at a time, so that a page holds no more than a row of picture files. A picture that
    cannot be decoded is a grey square with the reason.
    """
    waiting = iter(tiles)
    rows = list(_rows(waiting))
    yield _png(rows)
    while len(rows) == ROWS and (rows := list(_rows(waiting))):
        yield _png(rows)


def page_path(path: str, page: int) -> str:
    """Return the file for a page, counted from 1.

    >>> page_path("out/sheet.png", 1), page_path("out/sheet.png", 2)
    ('out/sheet.png', 'out/sheet-2.png')
    """
    stem, ending = os.path.splitext(path)
    return path if page == 1 else f"{stem}-{page}{ending}"


def _rows(tiles: Iterator[Tile]) -> Iterator["Image"]:
    for _ in range(ROWS):
        if not (row := list(islice(tiles, COLUMNS))):
            return
        yield _row(row)


def _row(tiles: Sequence[Tile]) -> "Image":
    """Return a strip with some tiles beside one another, as high as the longest captions want."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(_FONT_SIZE)
    captions = [_lines(tile.captions, font) for tile in tiles]
    height = _SIDE + _LINE * max(map(len, captions)) + _GAP
    strip = Image.new("RGB", (len(tiles) * _STEP + _GAP, height), _BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for column, (tile, lines) in enumerate(zip(tiles, captions, strict=True)):
        left = _GAP + column * _STEP
        _place(strip, draw, tile, left, font)
        for number, (text, colour) in enumerate(lines):
            draw.text((left, _SIDE + 2 + number * _LINE), text, fill=colour, font=font)
    return strip


def _png(rows: Sequence["Image"]) -> bytes:
    from PIL import Image

    rows = rows or [_row([Tile(Unusable("", "no pictures"), ())])]
    page = Image.new(
        "RGB", (max(row.width for row in rows), _GAP + sum(row.height for row in rows)), _BACKGROUND
    )
    top = _GAP
    for row in rows:
        page.paste(row, (0, top))
        top += row.height
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _place(strip: "Image", draw: "ImageDraw", tile: Tile, left: int, font: "Font") -> None:
    """Draw the picture in the middle of its square, or the reason why there is none, and the frame."""
    try:
        if isinstance(tile.picture, Unusable):
            raise tile.picture
        small = thumbnail(tile.picture, _SIDE, tile.overlay)
        strip.paste(small, (left + (_SIDE - small.width) // 2, (_SIDE - small.height) // 2))
    except Unusable as why:
        draw.rectangle((left, 0, left + _SIDE - 1, _SIDE - 1), fill=_NO_PICTURE)
        lines = wrapped(why.message.split(), font, _SIDE - 2 * _GAP)[:_LINES]
        draw.text((left + _GAP, _GAP), "\n".join(lines), fill=INK, font=font)
    if tile.is_right is not None:
        colour = RIGHT if tile.is_right else WRONG
        draw.rectangle((left, 0, left + _SIDE - 1, _SIDE - 1), outline=colour, width=3)
        _mark(draw, left + _SIDE - 22, 4, tile.is_right, colour)


def _mark(draw: "ImageDraw", left: int, top: int, is_right: bool, colour: str) -> None:
    """Draw a tick or a cross, for people who cannot tell red from green."""
    draw.rectangle((left, top, left + 18, top + 18), fill=_BACKGROUND)
    if is_right:
        draw.line((left + 3, top + 9, left + 8, top + 14, left + 15, top + 4), fill=colour, width=3)
    else:
        draw.line((left + 4, top + 4, left + 14, top + 14), fill=colour, width=3)
        draw.line((left + 4, top + 14, left + 14, top + 4), fill=colour, width=3)


def _lines(captions: Sequence[Caption], font: "Font") -> list[tuple[str, str]]:
    """Return the lines of text under a picture, each with its colour."""
    lines = []
    for one in captions:
        texts = wrapped(one.parts, font, _SIDE)
        if (left := len(texts) - _LINES) > 0:
            texts = [*texts[:_LINES], f"… {counted(left, 'more line')}"]
        lines += [(text, one.colour) for text in texts]
    return lines


def wrapped(parts: Sequence[str], font: "Font", width: int) -> list[str]:
    """Return parts on lines of at most ``width`` pixels, none torn apart that fits on one."""
    lines: list[str] = []
    for part in parts:
        text = "".join(c if c.isprintable() else "?" for c in part[:_LETTERS] + part[_LETTERS:][-_LETTERS:])
        if lines and font.getlength(joined := f"{lines[-1]} {text}") <= width:
            lines[-1] = joined
        else:
            lines += _broken(text, font, width)
    return lines


def _broken(part: str, font: "Font", width: int) -> list[str]:
    """Return one part on up to two lines; of a longer one the beginning and the end."""
    fits = _letters(part, font, width)
    if fits == len(part):
        return [part]
    at = max(part.rfind(end, 0, fits) for end in _WORD_ENDS) + 1
    first, rest = (part[:at], part[at:]) if at > fits // 2 else (part[:fits], part[fits:])
    if _letters(rest, font, width) < len(rest):
        rest = "…" + rest[-_letters(rest[::-1], font, width - int(font.getlength("…"))) :]
    return [first, rest]


def _letters(text: str, font: "Font", width: int) -> int:
    """Return how many letters of a text, at least one, ``width`` pixels hold."""
    if font.getlength(text) <= width:
        return len(text)
    return max(1, sum(font.getlength(text[:n]) <= width for n in range(1, len(text))))
