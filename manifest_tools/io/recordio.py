"""Reads and writes MXNet's RecordIO: a ``.rec``, the image header in it, lines of ``.idx`` and ``.lst``.

The format is dmlc-core's (include/dmlc/recordio.h, src/recordio.cc) and MXNet's (recordio.py,
image_recordio.h). MXNet is not needed. All numbers are little-endian.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from manifest_tools.base.errors import BadData

MAGIC = b"\x0a\x23\xd7\xce"
"""The four bytes with which every record, and every part of one, begins."""

LONGEST = (1 << 29) - 1
"""Bytes of a record at most: its length has 29 bits."""

# The top three bits of the second word: a whole record, or which part of one.
WHOLE, FIRST, MIDDLE, LAST = range(4)
_FRAME = struct.Struct("<4sI")
_LENGTH_BITS = 29
FRAME_SIZE = _FRAME.size
"""Bytes before the data of a part."""

_CHUNK = 8 << 20  # bytes of a record that are read at once

_HEADER = struct.Struct("<IfQQ")  # flag, label, id, the id's high half
HEADER_SIZE = _HEADER.size
"""Bytes before the labels, or the picture, of an image record."""

MOST_LABELS = 1 << 20
"""Labels of a record at most; classifiers and detectors of the field have some thousands."""


class CorruptRecord(BadData):
    """Bytes that are not RecordIO: ``name`` is the file, ``offset`` the byte of the broken record."""

    def __init__(self, name: str, offset: int, reason: str) -> None:
        super().__init__(f"{name}: byte {offset}: {reason}")
        self.name = name
        self.offset = offset
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One record of an image data set."""

    id: int
    """The number of the record, as ``.idx`` and ``.lst`` have it."""

    labels: tuple[float, ...]
    """The class index; several numbers for several labels or boxes."""

    picture: bytes
    """The encoded picture, a JPEG for example."""

    vector: bool = False
    """Set for a list of one label, which MXNet writes differently from a single label."""


def frame(payload: bytes) -> bytes:
    """Return the record as it is in a file: a header, the payload, and padding to four bytes.

    Readers search for the magic at offsets that are multiples of four. So a payload that contains the magic
    at such an offset is cut there into several parts; a reader inserts the magic again. Raises ValueError
    for a payload of more than LONGEST bytes.

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
    """Yield the offsets, multiples of four, at which ``payload`` contains the magic.

    >>> list(aligned_magics(b"." + MAGIC + b"..." + MAGIC))
    [8]
    """
    found = payload.find(MAGIC)
    while found >= 0:
        if found % 4 == 0:
            yield found
        found = payload.find(MAGIC, found + 1)


def read_records(stream: BinaryIO, name: str = "record file") -> Iterator[bytes]:
    """Yield the payload of every record; raises CorruptRecord at the first record that is broken."""
    parts: list[bytes] = []
    offset = length = 0
    while head := stream.read(FRAME_SIZE):
        try:
            flag, body, size = _part(stream, head, bool(parts), length)
        except ValueError as error:
            raise CorruptRecord(name, offset, str(error)) from error
        parts.append(body)
        offset += size
        length += len(body) + len(MAGIC)
        if flag in (WHOLE, LAST):
            yield MAGIC.join(parts)
            parts, length = [], 0
    if parts:
        raise CorruptRecord(name, offset, "the file ends inside a record of several parts")


def _part(stream: BinaryIO, head: bytes, begun: bool, before: int) -> tuple[int, bytes, int]:
    """Return the kind of a part, its bytes, and how many it takes in the file; ``before`` it came so many."""
    flag, length = parse_frame(head, begun, before)
    padded = length + -length % 4
    body = _read(stream, padded)
    if len(body) < padded:
        raise ValueError(f"expected {padded:,} bytes of a record, found {len(body):,}")
    return flag, body[:length], FRAME_SIZE + padded


def parse_frame(head: bytes, begun: bool, before: int = 0) -> tuple[int, int]:
    """Return the kind of a part and its length; raises ValueError where ``head`` is not a part's first bytes.

    ``begun`` says that a record has begun, ``before`` how many bytes it has by now.
    """
    if len(head) < FRAME_SIZE:
        raise ValueError("the file ends inside a record's header")
    magic, word = _FRAME.unpack_from(head)
    if magic != MAGIC:
        raise ValueError(f"expected the magic {MAGIC.hex()}, found {magic.hex()}")
    flag, length = word >> _LENGTH_BITS, word & LONGEST
    if flag > LAST:
        raise ValueError(f"expected a part of kind 0 to 3, found {flag}")
    if (flag in (WHOLE, FIRST)) == begun:
        raise ValueError(f"a part of kind {flag} is out of order")
    if before + length > LONGEST:
        raise ValueError(f"a record has at most {LONGEST:,} bytes, and its parts have more")
    return flag, length


def _read(stream: BinaryIO, length: int) -> bytes:
    """Return so many bytes, fewer at the end; a lie about the length takes no memory."""
    if length <= _CHUNK:
        return stream.read(length)
    parts: list[bytes] = []
    while length and (part := stream.read(min(length, _CHUNK))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def pack(record: ImageRecord) -> bytes:
    """Return the payload of an image record: MXNet's IRHeader, the labels, the picture.

    A single label is in the header; several labels follow the header, which has their number.
    """
    if not record.vector and len(record.labels) == 1:
        return _HEADER.pack(0, record.labels[0], record.id, 0) + record.picture
    count = len(record.labels)
    labels = struct.pack(f"<{count}f", *record.labels)
    return b"".join((_HEADER.pack(count, 0.0, record.id, 0), labels, record.picture))


def unpack(payload: bytes) -> ImageRecord:
    """Return the image record in a payload; raises ValueError when the payload is too short."""
    if len(payload) < _HEADER.size:
        raise ValueError(f"an image record has {_HEADER.size} bytes or more, not {len(payload)}")
    count, label, low, high = _HEADER.unpack_from(payload)
    start = _HEADER.size + 4 * count
    if len(payload) < start:
        raise ValueError(f"its header says {count:,} labels, too many for {len(payload):,} bytes")
    if count > MOST_LABELS:
        raise ValueError(f"its header says {count:,} labels, more than {MOST_LABELS:,}")
    labels = struct.unpack_from(f"<{count}f", payload, _HEADER.size) if count else (label,)
    return ImageRecord(high << 64 | low, labels, payload[start:], count > 0)


def labels_end(payload: bytes) -> int:
    """Return where the picture begins in an image record, of which the header will do."""
    return HEADER_SIZE + 4 * int(_HEADER.unpack_from(payload)[0])


def record_id(payload: bytes) -> int | None:
    """Return the number in an image record's header, of which the first bytes will do; None without one."""
    return _HEADER.unpack_from(payload)[2] if len(payload) >= HEADER_SIZE else None


def renumbered(payload: bytes, key: int) -> bytes:
    """Return an image record with another number in its header."""
    count, label, _, _ = _HEADER.unpack_from(payload)
    return _HEADER.pack(count, label, key, 0) + payload[HEADER_SIZE:]


def idx_line(key: int, offset: int) -> str:
    """Return a line of ``.idx``: the record's number, and the offset of its first byte in the ``.rec``.

    >>> idx_line(7, 1024)
    '7\\t1024\\n'
    """
    return f"{key}\t{offset}\n"


def lst_line(key: int, labels: Sequence[float], path: str) -> str:
    """Return a line of ``.lst`` as im2rec writes it; ``path`` is relative to the folder of the pictures.

    im2rec splits a line at tabs and strips the fields. So a name with a tab, a line end, or blanks around it
    raises ValueError.

    >>> lst_line(7, [1.0], "left/IMG 1.JPG")
    '7\\t1.000000\\tleft/IMG 1.JPG\\n'
    """
    if path != path.strip() or not path or any(character in path for character in "\t\r\n"):
        raise ValueError("a .lst cannot hold a name with a tab or a line end, or blanks around it")
    columns = "\t".join(map(_label, labels))
    return f"{key}\t{columns}\t{path}\n"


def _label(label: float) -> str:
    """Return a label as im2rec writes it, or with more digits where six behind the point are another one."""
    text = f"{label:f}"
    # Half of the distance between two 32-bit floats, relative to them.
    same = abs(float(text) - label) <= abs(label) * 2**-25
    return text if same else f"{label:.9g}"
