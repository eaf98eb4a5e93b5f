"""Turns a picture by its EXIF orientation, in its own format.

A PNG loses nothing. A JPEG is decoded and encoded anew, with its own quantisation tables, turned with it:
Pillow has no transform of the coefficients, and the libraries that have one bring no wheel, or a compiler.
What the second encoding changes is a rounding of pixels, and a little more where colours are subsampled.
"""

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from manifest_tools.images.integrity import ORIENTATION, opened, orientation_of

if TYPE_CHECKING:
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile

_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF's values, as Image.Transpose undoes them
ON_ITS_SIDE = range(5, 9)
"""EXIF's values with which width and height change places."""


def turned(pixels: "Image.Image", orientation: int) -> "Image.Image":
    """Return ``pixels`` as EXIF's ``orientation`` says that they are to be shown."""
    from PIL import Image

    turn = _TURNS.get(orientation)
    return pixels if turn is None else pixels.transpose(Image.Transpose(turn))


def upright(data: bytes) -> bytes:
    """Return a JPEG or PNG with its pixels turned and the flag taken out; other pictures as they are.

    A PNG of 16 bits a colour stays as it is too: Pillow reads 8 of them. Raises Unusable.
    """
    out = io.BytesIO()
    with opened(data) as image:
        orientation = orientation_of(image)
        if orientation == 1 or not _is_turnable(image, data):
            return data
        if image.format == "PNG":
            options: dict[str, Any] = {"transparency": image.info.get("transparency")}
        else:
            options = _jpeg_options(image, orientation)  # type: ignore[arg-type]
        options |= {"icc_profile": image.info.get("icc_profile"), "exif": _exif(image)}
        known = {name: value for name, value in options.items() if value is not None}
        turned(image, orientation).save(out, "PNG" if image.format == "PNG" else "JPEG", **known)
    return out.getvalue()


def _is_turnable(image: "Image.Image", data: bytes) -> bool:
    if image.format == "PNG":
        return data[24] <= 8 or image.mode.startswith("I")
    return image.format in ("JPEG", "MPO")


def _jpeg_options(image: "JpegImageFile", orientation: int) -> dict[str, Any]:
    """Return how to encode like the JPEG that was opened; have it decoded without a change of colours."""
    from PIL import JpegImagePlugin

    tables = [list(table) for _, table in sorted(image.quantization.items())]
    sampling = JpegImagePlugin.get_sampling(image)
    on_its_side = orientation in ON_ITS_SIDE
    if on_its_side:
        tables = [_transposed(table) for table in tables]
    if sampling < 0 or (on_its_side and sampling == 1):  # Pillow writes no 4:4:0, which a turned 4:2:2 is
        sampling = 0
    progressive = bool(image.info.get("progressive"))
    components = [component[0] for component in image.layer]
    if components == [1, 2, 3] and image.info.get("adobe_transform", 1) == 1:
        image.draft("YCbCr", image.size)
    return {"qtables": tables, "subsampling": sampling, "progressive": progressive, "optimize": True}


def _transposed(table: Sequence[int]) -> list[int]:
    return [table[8 * column + row] for row in range(8) for column in range(8)]


def _exif(image: "Image.Image") -> bytes | None:
    """Return the other metadata of a camera; None where it cannot be written again."""
    with contextlib.suppress(Exception):  # metadata is hostile too
        exif = image.getexif()
        del exif[ORIENTATION]
        return exif.tobytes() if len(exif) else None
    return None
