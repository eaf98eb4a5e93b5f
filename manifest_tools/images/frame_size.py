"""Width and height of an encoded picture as it is to be looked at, from its header alone."""

import io
import warnings

from manifest_tools.images.integrity import FORMATS, ORIENTATION
from manifest_tools.images.unusable import NO_PICTURE, Unusable

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _APP1 = 0xDA, 0xE1


def frame_size(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels, turned by the EXIF flag; raises Unusable where there are none.

    A JPEG's segments and a PNG's first chunk are looked at here: Pillow takes ten times as long.
    """
    if data.startswith(b"\xff\xd8"):
        found = _jpeg(data)
    elif data.startswith(b"\x89PNG\r\n\x1a\n") and b"eXIf" not in data:
        found = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    else:
        found = None
    return found if found and all(found) else _by_pillow(data)


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Return the size in a JPEG's frame header; None where it may be turned, or has none."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        if marker == _SCAN or (marker == _APP1 and data[at + 4 : at + 8] == b"Exif"):
            return None
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _by_pillow(data: bytes) -> tuple[int, int]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                width, height = image.size
                on_its_side = image.getexif().get(ORIENTATION) in range(5, 9)
    except Exception as error:  # hostile bytes: decoders raise whatever they stumble over
        reason = str(error) or type(error).__name__
        raise Unusable(NO_PICTURE, f"the picture's size cannot be read ({reason})") from error
    return (height, width) if on_its_side else (width, height)
