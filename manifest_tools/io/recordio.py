"""MXNet's RecordIO: the framing of a ``.rec``, the image header inside it, lines of ``.idx`` and ``.lst``.

The format is dmlc-core's (include/dmlc/recordio.h, src/recordio.cc) and MXNet's (recordio.py,
image_recordio.h); nothing here needs MXNet. All numbers are little-endian.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from manifest_tools.base.errors import BadData

MAGIC = b"\x0a\x23\xd7\xce"
LONGEST = (1 << 29) - 1  # bytes of a record: its length has 29 bits

# The top three bits of the second word: is this a whole record, or which part of one?
WHOLE, FIRST, MIDDLE, LAST = range(4)
_FRAME = struct.Struct("<4sI")
_LENGTH_BITS = 29

_HEADER = struct.Struct("<IfQQ")  # flag, label, id, the id's high half


class CorruptRecord(BadData):
    """Bytes that are no RecordIO, with the place where they cease to be."""

    def __init__(self, name: str, offset: int, reason: str) -> None:
        super().__init__(f"{name}: byte {offset}: {reason}")
        self.name = name
        self.offset = offset
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What one record of an image data set says: its labels, its number, and the picture's bytes.

    ``vector`` tells a list of one label from a single label: MXNet frames them differently.
    """

    id: int
    labels: tuple[float, ...]
    picture: bytes
    vector: bool = False


def frame(payload: bytes) -> bytes:
    """Return ``payload`` as it stands in a file: framed, padded to four bytes, cut where it must be.

    Readers find their way by searching four-byte words for the magic, so a payload is cut at each
    place where its own words spell it; the reader puts those four bytes back.

    >>> frame(b"abc").hex(" ")
    '0a 23 d7 ce 03 00 00 00 61 62 63 00'
    """
    if len(payload) > LONGEST:
        raise ValueError(f"a record has at most {LONGEST:,} bytes, not {len(payload):,}")
    cuts = list(aligned_magics(payload))
    padding = b"\0" * (-len(payload) % 4)
    if not cuts:
        return b"".join((_FRAME.pack(MAGIC, len(payload)), payload, padding))
    return b"".join((*_parts(payload, cuts), padding))


def _parts(payload: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    start, flag = 0, FIRST
    for cut in cuts:
        yield _FRAME.pack(MAGIC, flag << _LENGTH_BITS | cut - start)
        yield payload[start:cut]
        start, flag = cut + len(MAGIC), MIDDLE
    yield _FRAME.pack(MAGIC, LAST << _LENGTH_BITS | len(payload) - start)
    yield payload[start:]


def aligned_magics(payload: bytes) -> Iterator[int]:
    """Yield the offsets, multiples of four, at which ``payload`` spells the magic.

    >>> list(aligned_magics(b"." + MAGIC + b"..." + MAGIC))
    [8]
    """
    found = payload.find(MAGIC)
    while found >= 0:
        if found % 4 == 0:
            yield found
        found = payload.find(MAGIC, found + 1)


def read_records(stream: BinaryIO, name: str = "record file") -> Iterator[bytes]:
    """Yield the payload of every record; raises CorruptRecord at the first byte that is out of place."""
    parts: list[bytes] = []
    offset = 0
    while head := stream.read(_FRAME.size):
        flag, body, size = _part(stream, head, name, offset)
        if (flag in (WHOLE, FIRST)) == bool(parts):
            raise CorruptRecord(name, offset, f"a part of kind {flag} out of order")
        parts.append(body)
        offset += size
        if flag in (WHOLE, LAST):
            yield MAGIC.join(parts)
            parts = []
    if parts:
        raise CorruptRecord(name, offset, "the file ends inside a record of several parts")


def _part(stream: BinaryIO, head: bytes, name: str, offset: int) -> tuple[int, bytes, int]:
    if len(head) < _FRAME.size:
        raise CorruptRecord(name, offset, "the file ends inside a record's header")
    magic, word = _FRAME.unpack(head)
    if magic != MAGIC:
        raise CorruptRecord(name, offset, f"expected the magic {MAGIC.hex()}, found {magic.hex()}")
    flag, length = word >> _LENGTH_BITS, word & LONGEST
    if flag > LAST:
        raise CorruptRecord(name, offset, f"expected a part of kind 0 to 3, found {flag}")
    padded = length + -length % 4
    body = stream.read(padded)
    if len(body) < padded:
        raise CorruptRecord(name, offset, f"expected {padded:,} bytes of a record, found {len(body):,}")
    return flag, body[:length], _FRAME.size + padded


def pack(record: ImageRecord) -> bytes:
    """Return the payload of an image record: MXNet's IRHeader, the labels, the picture.

    One label stands in the header; several stand behind it, and the header counts them.
    """
    if not record.vector and len(record.labels) == 1:
        return _HEADER.pack(0, record.labels[0], record.id, 0) + record.picture
    count = len(record.labels)
    labels = struct.pack(f"<{count}f", *record.labels)
    return b"".join((_HEADER.pack(count, 0.0, record.id, 0), labels, record.picture))


def unpack(payload: bytes) -> ImageRecord:
    """Return what an image record says; raises ValueError when it is too short to be one."""
    if len(payload) < _HEADER.size:
        raise ValueError(f"an image record has {_HEADER.size} bytes or more, not {len(payload)}")
    count, label, low, high = _HEADER.unpack_from(payload)
    start = _HEADER.size + 4 * count
    if len(payload) < start:
        raise ValueError(f"its header counts {count:,} labels, which {len(payload):,} bytes cannot hold")
    labels = struct.unpack_from(f"<{count}f", payload, _HEADER.size) if count else (label,)
    return ImageRecord(high << 64 | low, labels, payload[start:], count > 0)


def idx_line(key: int, offset: int) -> str:
    """Return a line of ``.idx``: the record's key and the offset of its first byte.

    >>> idx_line(7, 1024)
    '7\\t1024\\n'
    """
    return f"{key}\t{offset}\n"


def lst_line(key: int, labels: Sequence[float], path: str) -> str:
    """Return a line of ``.lst`` as im2rec writes it; ``path`` is relative to the pictures' folder.

    im2rec parts fields at tabs and strips them, so some names cannot stand there: ValueError.

    >>> lst_line(7, [1.0], "left/IMG 1.JPG")
    '7\\t1.000000\\tleft/IMG 1.JPG\\n'
    """
    if path != path.strip() or not path or any(character in path for character in "\t\r\n"):
        raise ValueError("a .lst cannot hold a name with a tab or a line end, or blanks around it")
    shown = "\t".join(f"{label:f}" for label in labels)
    return f"{key}\t{shown}\t{path}\n"
