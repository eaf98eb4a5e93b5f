"""Shrinks pictures and writes them as JPEG; the pictures may be hostile.

Pillow does the work: it is in the base install, so the same command gives the same bytes everywhere. Its JPEG
decoder can decode to 1/2, 1/4 or 1/8 of the size without making the pixels of the original. Otherwise most of
the time would go there.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manifest_tools.images.integrity import (
    FORMATS,
    MOST_OF_12_BITS,
    check_header,
    check_picture,
    check_pixels,
    opened,
    orientation_of,
)
from manifest_tools.images.unusable import NO_PICTURE, TOO_LARGE, Unusable
from manifest_tools.images.upright import turned, upright

if TYPE_CHECKING:
    from PIL import Image

MAX_SIDE = 65_500  # libjpeg's limit

# A scaled decode leaves at least 5/4 of what is wanted, for its own filter is a rough one: nearer to
# the size wanted it loses 0.4 dB against a Lanczos shrink of the whole picture.
_MARGIN = (5, 4)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to each picture."""

    shorter: int = 0
    """Pixels of the shorter edge; 0 keeps the size."""

    quality: int = 95
    """JPEG quality, 1 to 100."""

    square: bool = False
    """Cut out the square in the middle first."""

    pass_through: bool = False
    """Keep the bytes; then only ``accepted`` matters."""

    accepted: tuple[str, ...] = FORMATS
    """Formats that may pass through."""

    upright: bool = False
    """Turn what passes through by its orientation; what is shrunk is always turned."""

    unchecked: bool = False
    """Decode no pixel of what passes through: only header and structure are checked."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture, ready to be written."""

    data: bytes

    size: tuple[int, int]
    """Width and height in pixels, of the picture as it is to be looked at: turned by its EXIF flag."""

    is_turned: bool = False
    """Whether it is stored turned, with a flag that not every reader obeys."""

    is_shallow: bool = False
    """Whether it had 16 bits a colour, and no value of more than 12."""


def prepare(data: bytes, recipe: Recipe) -> Prepared:
    """Return the picture after the work of ``recipe``; raises Unusable."""
    if not recipe.pass_through:
        return _shrink(data, recipe.shorter, recipe.quality, recipe.square)
    found = check_header(data) if recipe.unchecked else check_picture(data)
    if found.format not in recipe.accepted:
        raise Unusable(NO_PICTURE, f"expected {' or '.join(recipe.accepted)}, found {found.format}")
    is_turned = found.orientation != 1
    if recipe.upright and is_turned:
        turned_data = upright(data)
        return Prepared(turned_data, found.upright_size, turned_data is data, found.is_shallow)
    return Prepared(data, found.upright_size, is_turned, found.is_shallow)


def shrink(data: bytes, shorter: int, quality: int = 95, square: bool = False) -> bytes:
    """Return the picture as JPEG (RGB, 4:2:0), its shorter edge ``shorter`` pixels; raises Unusable.

    Sizes are im2rec's: the other edge is ``floor(long * shorter / short)``, small pictures are enlarged,
    ``square`` cuts out the middle first, and 0 keeps the size. EXIF orientation is applied and transparency
    is dropped, as in OpenCV, with which im2rec and the built-in algorithm read. Metadata, colour profiles and
    frames after the first are not kept. Grey of 16 bits keeps its upper 8, as in OpenCV; without a value of
    more than 12 bits, or of more than 8, the upper 8 of these.
    """
    return _shrink(data, shorter, quality, square).data


def _shrink(data: bytes, shorter: int, quality: int, square: bool) -> Prepared:
    with opened(data) as image:
        small = resized(image, shorter, square)
        is_shallow = image.mode.startswith("I") and _bits(image) < 16
        out = io.BytesIO()
        picture = turned(small, orientation_of(image))
        picture.save(out, "JPEG", quality=quality, subsampling="4:2:0")
    return Prepared(out.getvalue(), picture.size, is_shallow=is_shallow)


def target_size(width: int, height: int, shorter: int) -> tuple[int, int]:
    """Return width and height for a shorter edge of ``shorter`` pixels, rounded as im2rec does.

    >>> target_size(4000, 3000, 224), target_size(3000, 4000, 224), target_size(100, 50, 0)
    ((298, 224), (224, 298), (100, 50))
    """
    if not shorter:
        return width, height
    if height > width:
        return shorter, height * shorter // width
    return width * shorter // height, shorter


def resized(image: "Image.Image", shorter: int, square: bool) -> "Image.Image":
    """Return the pixels of an opened picture as ``shrink`` has them, in 8-bit RGB and not turned yet."""
    from PIL import Image

    width, height = image.size
    region = _middle(width, height) if square else (0, 0, width, height)
    wanted = target_size(region[2] - region[0], region[3] - region[1], shorter)
    check_pixels(*wanted)
    if max(wanted) > MAX_SIDE:
        raise Unusable(TOO_LARGE, f"a JPEG has at most {MAX_SIDE:,} pixels a side, not {max(wanted):,}")
    scale = _draft(image, wanted, (region[2] - region[0], region[3] - region[1]))
    box = tuple(edge / scale for edge in region)
    pixels = _rgb(image)
    if pixels.size == wanted and not square:
        return pixels
    # A scaled decode has taken the finest detail out already, and a filter half as wide takes half as
    # long: it costs 0.2 to 0.6 dB of PSNR, where OpenCV's unfiltered resize costs 2 to 3.
    filter = Image.Resampling.HAMMING if scale > 1 else Image.Resampling.BICUBIC
    return pixels.resize(wanted, filter, box=(box[0], box[1], box[2], box[3]))


def _middle(width: int, height: int) -> tuple[int, int, int, int]:
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def _draft(image: "Image.Image", wanted: tuple[int, int], of: tuple[int, int]) -> float:
    """Let a JPEG decode to a fraction of its size; return the number by which its edges are divided."""
    width, height = image.size
    more, than = _MARGIN
    # The size of the whole picture at which the region has the wanted size, with a margin.
    asked = (-(-wanted[0] * width * more // (of[0] * than)), -(-wanted[1] * height * more // (of[1] * than)))
    drafted = image.draft(None, asked)  # None: the mode stays
    return width / drafted[1][2] if drafted else 1.0


def _rgb(image: "Image.Image") -> "Image.Image":
    """Return the pixels as 8-bit RGB, of grey with more bits the upper 8."""
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode.startswith("I"):
        import numpy as np
        from PIL import Image

        return Image.fromarray((np.asarray(image) >> (_bits(image) - 8)).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise Unusable(NO_PICTURE, "expected pixels of 8 or 16 bits, found floating point")
    return image.convert("RGB")


def _bits(image: "Image.Image") -> int:
    """Return how many bits of a grey picture are used: 8, 12 or 16; raises Unusable for more."""
    lowest, highest = (int(value) for value in image.getextrema())  # type: ignore[arg-type]
    if lowest < 0 or highest >= 1 << 16:
        raise Unusable(
            NO_PICTURE, f"expected pixels of 8 or 16 bits, found values from {lowest:,} to {highest:,}"
        )
    if not 0 < highest <= MOST_OF_12_BITS:
        return 16
    return 12 if highest > 255 else 8


def decoder_version() -> str:
    """Return the versions of the decoders: another version may give other bytes."""
    from PIL import __version__, features

    return f"Pillow {__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}"
