"""Masks as COCO has them, and back: run lengths of each class of a picture but the background."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData, MtoolError
from manifest_tools.base.text import shown
from manifest_tools.formats.coco_file import Annotation, Number, outline_of
from manifest_tools.formats.coco_index import Spans, read_elements
from manifest_tools.groundtruth.annotations import Mask, Picture
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.mask_classes import (
    colour_number,
    colours_of,
    filled,
    png_of_colours,
    regions,
)
from manifest_tools.images.run_lengths import mask_of, runs_from, runs_of, text_of
from manifest_tools.images.unusable import MAX_PIXELS

_BACKGROUND = "background"
_WHITE = "#ffffff"  # what Ground Truth leaves where nobody painted


def background_of(table: ClassTable) -> frozenset[int]:
    """Return the class that stands for nothing, if there is one."""
    return frozenset(index for index, name in table.names if name.lower() == _BACKGROUND)


def colour_of(index: int) -> str:
    """Return the colour that a class has on a mask where nothing says another; never white.

    >>> [colour_of(index) for index in (0, 1, 2, 255)]
    ['#000000', '#800000', '#008000', '#e0e0c0']
    """
    bits = (index & 0x7FFFFF) % 0xFFFFFF
    shades = [0, 0, 0]
    for level in range(8):  # as PASCAL VOC spreads the bits of an index over red, green and blue
        for at in range(3):
            shades[at] |= (bits >> (3 * level + at) & 1) << (7 - level)
    return "#{:02x}{:02x}{:02x}".format(*shades)


# ---- writing ----


class _Runs(msgspec.Struct, gc=False):
    size: tuple[int, int]
    counts: str | list[int]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A mask, encoded."""

    size: tuple[int, int]
    """Width and height."""

    annotations: tuple[Annotation, ...]
    unknown: int
    """Pixels of a colour that is no class."""


def encoded(background: frozenset[int], picture: Picture, png: bytes) -> Encoded:
    """Return the mask of a picture as annotations without an id; raises Unusable for one that is none."""
    colours = colours_of(png)
    height, width = colours.shape
    unknown, found = height * width, []
    for index, pixels in regions(colours, picture.mask.colours if picture.mask else ()):
        unknown -= int(np.count_nonzero(pixels))
        if index not in background:
            found.append(_annotation(picture.number, index, pixels))
    return Encoded((width, height), tuple(found), unknown)


def _annotation(image: int, index: int, pixels: NDArray[np.bool_]) -> Annotation:
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    runs = _Runs((pixels.shape[0], pixels.shape[1]), text_of(runs_of(pixels)))
    return Annotation(
        image_id=image,
        category_id=index + 1,
        bbox=(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top),
        area=int(np.count_nonzero(pixels)),
        iscrowd=0,
        segmentation=msgspec.Raw(msgspec.json.encode(runs)),
    )


# ---- reading ----


@dataclass(frozen=True, slots=True)
class MaskPlaces:
    """Where the annotations of one picture stand, from which its mask is drawn."""

    where: str
    path: str
    image: str
    """For messages."""

    spans: Spans
    size: tuple[Number, Number] | None
    indices: Mapping[int, int]
    """Category id -> class index."""


def with_mask(
    picture: Picture,
    places: MaskPlaces,
    table: ClassTable,
    colours: Mapping[int, str | None] | None,
    confidence: float | None,
) -> Picture:
    """Return a picture with a mask whose PNG is drawn when it is wanted.

    Its colours are those that the picture has in the file, or those of a fixed palette.
    """
    background = background_of(table)
    if not colours:
        colours = {index: _WHITE if index in background else colour_of(index) for index, _ in table.names}
    uncovered = next((colour for index in background if (colour := colours.get(index))), _WHITE)
    known = {index: colour for index, colour in colours.items() if colour_number(colour) is not None}
    draw = partial(_drawn, places, known, uncovered)
    return replace(picture, mask=Mask("", tuple(colours.items()), confidence, draw))


def _drawn(places: MaskPlaces, colours: Mapping[int, str | None], uncovered: str) -> bytes:
    """Return the PNG of a mask; a later annotation covers those before it."""
    try:
        found = read_elements(places.path, places.spans, Annotation)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise MtoolError(
            f"{places.where}: was changed while it was read; run the same command again"
        ) from error
    size = _size(places, found)
    pixels = np.full(size, colour_number(uncovered) or 0, np.uint32)
    for one in found:
        try:
            inside = _inside(one, size)
        except (ValueError, msgspec.MsgspecError, RecursionError) as error:
            number = shown(one.id)
            raise BadData(f"{places.where}: {places.image}, annotation {number}: {error}") from error
        colour = colour_number(colours.get(places.indices[one.category_id]))
        if colour is not None:
            pixels[inside] = colour
    return png_of_colours(pixels)


def _size(places: MaskPlaces, found: Sequence[Annotation]) -> tuple[int, int]:
    """Return height and width of a picture."""
    if places.size is not None:
        width, height = int(places.size[0]), int(places.size[1])
    else:
        texts = (bytes(one.segmentation) for one in found)
        stated = next((_runs(text).size for text in texts if text[:1] == b"{"), (0, 0))
        height, width = stated
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        raise BadData(
            f"{places.where}: {places.image}: expected a width and a height of at most {MAX_PIXELS:,} pixels"
            f" together, found {width} x {height}"
        )
    return height, width


def _runs(text: bytes) -> _Runs:
    return msgspec.json.decode(text, type=_Runs)


def _inside(one: Annotation, size: tuple[int, int]) -> NDArray[np.bool_]:
    text = bytes(one.segmentation)
    if text[:1] == b"{":
        runs = _runs(text)
        if runs.size != size:
            raise ValueError(
                f"expected a mask of {size[1]} x {size[0]} pixels, found {runs.size[1]} x {runs.size[0]}"
            )
        return mask_of(runs_from(runs.counts) if isinstance(runs.counts, str) else runs.counts, size)
    inside = np.zeros(size, bool)
    for polygon in outline_of(one):
        inside |= filled(polygon, (size[1], size[0]))
    return inside
