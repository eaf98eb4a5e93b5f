"""Opens a picture so that damage is found: every path that copies, packs or decodes a picture decides here.

The structure is walked (segments of a JPEG, chunks and checksums of a PNG), and the decoder is heard. Pillow
is silent where its JPEG decoder only warns, such as of bytes that are missing in the middle, after which the
rest of the picture is grey or shifted. So the decoder gets the coded pixels without the end marker. If they
are too few for the picture it asks for more, and where it does not need the last ones they are too many.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manifest_tools.images.jpeg_structure import Scan, damaged, walk_jpeg
from manifest_tools.images.png_structure import walk_png
from manifest_tools.images.signatures import describe, picture_format
from manifest_tools.images.unusable import MAX_BYTES, MAX_PIXELS, NO_PICTURE, TOO_LARGE, TRUNCATED, Unusable

if TYPE_CHECKING:
    from PIL import Image

# Formats that Pillow may read: all have a decoder in a library; EPS would start a program.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")

ORIENTATION = 0x0112
"""EXIF's number of how the camera was turned."""

MOST_OF_12_BITS = 4095

_SPARE = 64  # bytes of a scan that may be left over: some cameras write a few too many
_PADDING = 4096  # zeros before the end marker that count as none: some cameras fill a block of their memory
_LOOKAHEAD = b"\xfe" * 16  # the decoder wants some bytes ahead; these code nothing that pictures have


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture says of itself, after it was read to its end."""

    format: str
    """Pillow's name."""

    width: int
    """Pixels, before any rotation."""

    height: int
    """Pixels, before any rotation."""

    orientation: int = 1
    """EXIF's orientation, 1 to 8; 1 if there is none."""

    is_shallow: bool = False
    """Whether it has 16 bits a colour, and no value of more than 12."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height after any rotation."""
        return (self.height, self.width) if self.orientation > 4 else (self.width, self.height)


class _PictureStream(io.BytesIO):
    """The bytes of a picture for Pillow; once the scan of a JPEG is known, those of the scan alone."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._needed = 0
        self._end = len(data)
        self._ahead = b""

    def listen(self, data: bytes, scan: Scan) -> None:
        """Give the decoder no more than the scan, and remember whether it needs all of it."""
        tail = data[max(scan.begin, scan.end - _PADDING) : scan.end]
        needed = scan.end - (len(tail) - len(tail.rstrip(b"\0"))) - _SPARE
        self._needed = needed if needed > scan.begin else 0
        self._end = scan.end
        self._ahead = _LOOKAHEAD

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; a read ends where it is to be seen whether the decoder wants more."""
        at = self.tell()
        if at >= self._end:
            ahead, self._ahead = self._ahead, b""
            return ahead
        left = (self._needed if at < self._needed else self._end) - at
        return super().read(left if size is None or size < 0 else min(size, left))

    def check_end(self) -> None:
        """Raise Unusable where the decoder was ready before the end of the scan."""
        if self.tell() <= self._needed:
            raise damaged("JPEG", "more bytes than its pixels take, so some are wrong")

    def lacks_bytes(self) -> bool:
        """Return whether the decoder has read a whole scan and wants more."""
        return self._end < len(self.getbuffer()) and self.tell() >= self._end


def check_picture(data: bytes) -> Header:
    """Return format and size of a picture after it was read to its end; raises Unusable for a damaged one.

    A JPEG is decoded to an eighth of its size: that is enough to hear its decoder, and takes less time.
    """
    with opened(data) as image:
        name, size = _name(image), image.size
        image.draft(None, (1, 1))
        image.load()
        return Header(name, *size, orientation_of(image), _is_shallow(image, data))


def check_header(data: bytes) -> Header:
    """Return format and size of a JPEG or PNG without decoding it; raises Unusable for a damaged one.

    The structure is walked: one that is cut off is found, one with wrong bytes in the middle may not be, and
    whether it is shallow is not looked for. Other formats have no structure to go by, and are decoded.
    """
    if picture_format(data) not in ("JPEG", "PNG"):
        return check_picture(data)
    with _unloaded(data) as (image, _):
        return Header(_name(image), *image.size, _orientation_in_header(image, data))


def _orientation_in_header(image: "Image.Image", data: bytes) -> int:
    # Where a PNG has none before its pixels, Pillow would decode them to look behind.
    if image.format == "PNG" and "exif" not in image.info and b"eXIf" not in data:
        return 1
    return orientation_of(image)


def _name(image: "Image.Image") -> str:
    return "JPEG" if image.format == "MPO" else image.format or ""


def orientation_of(image: "Image.Image") -> int:
    """Return EXIF's orientation of a picture, 1 to 8; 1 where there is none, or none that can be read."""
    try:
        found = image.getexif().get(ORIENTATION)
    except Exception:  # metadata is hostile too
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _is_shallow(image: "Image.Image", data: bytes) -> bool:
    """Return whether a picture of 16 bits has no value above 12: to a reader of the upper 8 it is black."""
    if image.mode.startswith("I"):
        return 0 < _highest(image) <= MOST_OF_12_BITS
    # Pillow keeps the upper 8 bits of colours.
    return image.format == "PNG" and data[24] == 16 and _highest(image) <= MOST_OF_12_BITS >> 8


def _highest(image: "Image.Image") -> int:
    """Return the highest value of the colours, alpha aside."""
    extrema: Any = image.getextrema()
    if isinstance(extrema[0], tuple):
        colours = extrema[:-1] if image.mode in ("LA", "RGBA") else extrema
        return max(int(highest) for _, highest in colours)
    return int(extrema[1])


@contextlib.contextmanager
def opened(data: bytes) -> Iterator["Image.Image"]:
    """Yield a picture whose size and structure were checked; decode it afterwards, if the caller did not.

    Raises Unusable for one that is too large, cut off, damaged, or that Pillow cannot decode.
    """
    with _unloaded(data) as (image, stream):
        yield image
        image.load()
        stream.check_end()


@contextlib.contextmanager
def _unloaded(data: bytes) -> "Iterator[tuple[Image.Image, _PictureStream]]":
    """Yield a picture whose size and structure were checked; what its decoder raises becomes Unusable."""
    from PIL import Image, UnidentifiedImageError

    if len(data) > MAX_BYTES:
        raise Unusable(TOO_LARGE, f"expected at most {MAX_BYTES:,} bytes, found {len(data):,} or more")
    stream = _PictureStream(data)
    try:
        # Pillow warns of odd metadata, and of sizes that are checked here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _walk(data, stream)  # first, for Pillow takes its time over a header of a million segments
            with Image.open(stream, formats=FORMATS) as image:
                check_pixels(*image.size)
                yield image, stream
    except Unusable:
        raise
    except UnidentifiedImageError:
        raise Unusable(NO_PICTURE, _unidentified(data)) from None
    except Image.DecompressionBombError:
        raise Unusable(TOO_LARGE, f"expected at most {MAX_PIXELS:,} pixels, found many more") from None
    except Exception as error:  # hostile bytes: decoders raise whatever they stumble over
        raise _undecodable(error, stream) from error


def check_pixels(width: int, height: int) -> None:
    """Raise Unusable for a size with more pixels than are read."""
    if width * height > MAX_PIXELS:
        raise Unusable(TOO_LARGE, f"expected at most {MAX_PIXELS:,} pixels, found {width:,} x {height:,}")


def _walk(data: bytes, stream: _PictureStream) -> None:
    found = picture_format(data)
    if found == "PNG":
        walk_png(data)
    elif found == "JPEG" and (scan := walk_jpeg(data)):
        stream.listen(data, scan)


def _undecodable(error: Exception, stream: _PictureStream) -> Unusable:
    reason = str(error) or type(error).__name__
    if "truncated" not in reason.lower() and not isinstance(error, EOFError):
        return Unusable(NO_PICTURE, f"the picture cannot be decoded ({reason})")
    if stream.lacks_bytes():
        return damaged("JPEG", "bytes are missing within its pixels, or are wrong")
    return Unusable(TRUNCATED, f"the picture is cut off ({reason})")


def _unidentified(data: bytes) -> str:
    if found := picture_format(data):
        return f"a {found} picture that cannot be read (its header is damaged)"
    return f"expected a picture, found {describe(data, len(data))}"
