"""The structure of a PNG: its chunks, each with a checksum, from the first to the last."""

import zlib

from manifest_tools.images.jpeg_structure import damaged
from manifest_tools.images.unusable import TRUNCATED, Unusable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS = 100_000  # 40 MB in chunks of 8 kB, as most encoders write them, are 5,000


def walk_png(data: bytes) -> None:
    """Check that chunks follow one another to the last, with the checksums that they say; raises Unusable.

    What follows the last chunk is not looked at.
    """
    if not data.startswith(_SIGNATURE):
        raise damaged("PNG", "its first eight bytes are not those of a PNG")
    view = memoryview(data)
    at = len(_SIGNATURE)
    pixels = False
    for _ in range(_MOST_CHUNKS):
        length, kind = int.from_bytes(view[at : at + 4], "big"), bytes(view[at + 4 : at + 8])
        end = at + 12 + length
        if end > len(data):
            raise Unusable(TRUNCATED, f"a PNG file cut off after {len(data):,} bytes")
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            name = kind.decode("ascii", "replace") if kind.isalpha() else "?"
            raise damaged("PNG", f"the checksum of its chunk {name} at byte {at:,} is wrong")
        pixels = pixels or kind == b"IDAT"
        if kind == b"IEND":
            break
        at = end
    else:
        raise damaged("PNG", f"it has more than {_MOST_CHUNKS:,} chunks")
    if not pixels:
        raise damaged("PNG", "it has no pixels")
