"""Reads size, colours and orientation from the first kilobytes of a picture, and checks that it has its end.

Pillow reads a copy of the header without the parts that may be long and are not needed: colour profiles,
thumbnails, comments. No pixel is decoded.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manifest_tools.images.partial_reads import PartialReader, TooFar
from manifest_tools.images.signatures import describe, picture_format
from manifest_tools.images.unusable import MAX_BYTES, MAX_PIXELS, NO_PICTURE, TOO_LARGE, TRUNCATED, Unusable

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION = 0x0112  # EXIF: how the camera was turned
# JFIF, EXIF and XMP, Adobe's colours, frame headers, the scan; not the extensions of XMP, which are long.
_FRAMES = tuple(marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC))
_JPEG_KEPT = (0xE0, 0xE1, 0xEE, *_FRAMES, 0xDA)
_EXTENSION = b"http://ns.adobe.com/xmp/extension/"
_STANDALONE = (0x01, *range(0xD0, 0xD8))
_SCAN, _END = 0xDA, 0xD9
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"eXIf")
_LONGEST_CHUNK = 64 << 10
_END_MARKERS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}  # the last chunk of a PNG, with its checksum
# Phones append a video or notes after the picture, which may be longer than the tail that is read.
_APPENDED = (b"MotionPhoto", b"MicroVideo")
_SAMSUNG = b"SEFT"


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What the header of a picture says."""

    format: str
    """Pillow's name, such as ``JPEG``."""

    width: int = 0
    """Pixels as stored; 0 if the header is beyond the bytes that were read."""

    height: int = 0
    """Pixels as stored; 0 as for ``width``."""

    mode: str = ""
    """Pillow's name of the colours, such as ``RGB``; ``;16`` for a PNG with 16 bits a channel."""

    orientation: int = 1
    """EXIF's orientation, 1 to 8; 1 if there is none."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height after the picture is rotated by its orientation."""
        sides = (self.width, self.height)
        return sides[::-1] if self.orientation >= 5 else sides


def read_header(picture: PartialReader) -> ImageHeader:
    """Return the header of a picture; raises Unusable for other files and for a picture that is cut off."""
    found = picture_format(picture.head)
    if not found:
        raise Unusable(NO_PICTURE, f"expected a picture, found {describe(picture.head, picture.size)}")
    if picture.size > MAX_BYTES:
        raise Unusable(TOO_LARGE, f"expected at most {MAX_BYTES:,} bytes, found {picture.size:,}")
    try:
        header, body = _header(found, picture)
    except TooFar:
        _check_end(found, picture, 0)
        return ImageHeader(found)
    if header:
        read = _parsed(found, header, picture)
        _check_end(found, picture, body)
        return read
    raise Unusable(TRUNCATED, f"a {found} file cut off after {picture.size:,} bytes, in its header")


def _header(found: str, picture: PartialReader) -> tuple[bytes, int]:
    """Return the parts of the header that are needed, and where pixels begin; b"" if the file is cut off."""
    if found == "JPEG":
        return _jpeg_header(picture)
    if found == "PNG":
        return _png_header(picture)
    return picture.head, 0


def _jpeg_header(picture: PartialReader) -> tuple[bytes, int]:
    kept = [b"\xff\xd8"]
    for marker, at, length in _segments(picture):
        if marker in _JPEG_KEPT and not picture.read(at + 4, len(_EXTENSION)).startswith(_EXTENSION):
            kept.append(picture.read(at, length))
        if marker == _SCAN:
            return b"".join(kept), at
        if at + length > picture.size:
            return b"", 0
    return b"".join(kept), picture.size


def _segments(picture: PartialReader) -> Iterator[tuple[int, int, int]]:
    """Yield marker, offset and length of the segments of a JPEG, up to the scan or the first other bytes."""
    at = 2
    while True:
        start = picture.read(at, 4)
        if len(start) < 4:
            yield 0, at, 4  # past the end: the file is cut off
            return
        if start[0] != 0xFF or start[1] == _END:
            return
        if start[1] == 0xFF or start[1] in _STANDALONE:
            at += 1 if start[1] == 0xFF else 2
            continue
        length = 2 + int.from_bytes(start[2:], "big")
        yield start[1], at, length
        at += length


def _png_header(picture: PartialReader) -> tuple[bytes, int]:
    kept, at = [picture.head[:8]], 8
    while len(start := picture.read(at, 8)) == 8:
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if kind in (b"IDAT", b"IEND"):
            return b"".join((*kept, start)), at
        if kind in _PNG_KEPT and length <= _LONGEST_CHUNK:
            kept.append(picture.read(at, 12 + length))
        at += 12 + length
    return b"", 0


def _parsed(found: str, header: bytes, picture: PartialReader) -> ImageHeader:
    from PIL import Image, UnidentifiedImageError

    if found == "WEBP":  # Pillow needs the whole file
        return ImageHeader(found)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(header), formats=(found,)) as image:
                read = ImageHeader(found, *image.size, _mode(image, header), _orientation(image))
    except Image.DecompressionBombError:
        raise Unusable(TOO_LARGE, f"expected at most {MAX_PIXELS:,} pixels, found many more") from None
    except Exception as error:  # hostile bytes: decoders raise whatever they stumble over
        if found not in ("JPEG", "PNG") and picture.size > len(header):
            return ImageHeader(found)  # the rest of the header may be further on
        hidden = isinstance(error, UnidentifiedImageError)
        reason = "its header is damaged" if hidden else str(error) or type(error).__name__
        raise Unusable(NO_PICTURE, f"a {found} picture that cannot be read ({reason})") from None
    if read.width * read.height > MAX_PIXELS:
        size = f"{read.width:,} x {read.height:,}"
        raise Unusable(TOO_LARGE, f"expected at most {MAX_PIXELS:,} pixels, found {size}")
    return read


def _mode(image: "Image.Image", header: bytes) -> str:
    """Return Pillow's name of the colours, and ``;16`` for a PNG with 16 bits a channel."""
    if image.format == "PNG" and header[24] == 16:
        return f"{image.mode.partition(';')[0].replace('I', 'L')};16"
    return image.mode


def _orientation(image: "Image.Image") -> int:
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would search for it after the pixels
    try:
        found = image.getexif().get(_ORIENTATION)
    except Exception:  # as above: metadata is hostile too
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _check_end(found: str, picture: PartialReader, body: int) -> None:
    """Raise Unusable if the marker is missing with which a JPEG or PNG ends."""
    marker = _END_MARKERS.get(found, b"")
    if marker not in picture.tail() and not _ends_before(picture, body, marker):
        raise Unusable(TRUNCATED, f"a {found} file cut off after {picture.size:,} bytes")


def _ends_before(picture: PartialReader, body: int, marker: bytes) -> bool:
    """Return whether the picture ends before something that was appended to it.

    A local file is searched to its end; for an object in S3 only what phones append is known.
    """
    if not picture.is_local:
        return picture.tail().endswith(_SAMSUNG) or any(word in picture.head for word in _APPENDED)
    last = b""
    for chunk in picture.chunks(body):
        if marker in last[-7:] + chunk:
            return True
        last = chunk
    return False
