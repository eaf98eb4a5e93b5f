"""The structure of a JPEG, from its first segment to its end: cheap to walk, and no pixel is decoded.

A JPEG has no checksums. What can be known without decoding is known here: the end is there, segments have
the length that they say, restart markers are complete and in order, and no scan has a hole of zeros.
"""

import re
from dataclasses import dataclass, field
from itertools import islice

from manifest_tools.images.unusable import TRUNCATED, Unusable

# A marker with a meaning: not a stuffed FF 00, not a restart marker, not an FF that fills.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_MARKER_OR_RESTART = re.compile(rb"\xff[\x01-\xfe]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_RESTARTS = bytes(range(0xD0, 0xD8))
_TABLES, _START, _END, _SCAN, _INTERVAL, _TEMPORARY = 0xC4, 0xD8, 0xD9, 0xDA, 0xDD, 0x01
_SEQUENTIAL = (0xC0, 0xC1)  # with Huffman's codes
_PROGRESSIVE = 0xC2
_BLOCKS = (*_SEQUENTIAL, _PROGRESSIVE, 0xC9, 0xCA)  # all that code blocks of 8 x 8, arithmetic ones too
_FRAMES = tuple(marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC))
_MOST_SEGMENTS = 20_000  # a colour profile of 16 MB takes 256, extended XMP about as many
_MOST_SCANS = 200  # a progressive picture has about 10; each costs the decoder a pass over all blocks
# Zero bytes in a row that are more than any picture has, see ``_most_zeros``.
_HOLE, _HOLE_OF_REFINEMENT = 64, 1024


@dataclass(frozen=True, slots=True)
class Scan:
    """The coded pixels of a picture of one scan, which a decoder reads from the first byte to the last."""

    begin: int
    """Offset of the first byte."""

    end: int
    """Offset behind the last byte."""


@dataclass(slots=True)
class _Header:
    """What the segments before a scan say of it."""

    frame: int = 0
    """The marker of the frame: which way of coding."""

    width: int = 0
    height: int = 0
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Across and down, by the number of a component."""

    interval: int = 0
    """Blocks (MCUs) between restart markers; 0 without them."""

    first_symbols: dict[int, int] = field(default_factory=dict)
    """What Huffman's code of zeros stands for, by the number of an AC table."""

    scans: int = 0


def walk_jpeg(data: bytes) -> Scan | None:
    """Return the scan of a JPEG that has one, in Huffman's codes; None for several, or for other codes.

    Raises Unusable for a picture that is cut off or damaged. What follows the end is not looked at: phones
    write further pictures and videos there.
    """
    header = _Header()
    only: Scan | None = None
    at = 2
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(data, at)
        if not found:
            break
        marker, at = data[found.end() - 1], found.end()
        if marker == _END:
            if not header.scans:
                break
            heard = header.scans == 1 and header.frame in _SEQUENTIAL
            return only if heard else None
        if marker == _TEMPORARY:
            continue
        if marker == _START:
            raise damaged("JPEG", f"another picture begins at byte {found.start():,}, before its end")
        length = int.from_bytes(data[at : at + 2], "big")
        if at + max(length, 2) > len(data):
            break
        if length < 2:
            raise damaged("JPEG", f"a segment at byte {found.start():,} says that it has {length} bytes")
        body = data[at + 2 : at + length]
        at += length
        if marker == _SCAN:
            only = _scan(data, at, header, body)
            at = only.end
        else:
            _read_segment(header, marker, body)
    else:
        raise damaged("JPEG", f"it has more than {_MOST_SEGMENTS:,} segments")
    raise Unusable(TRUNCATED, f"a JPEG file cut off after {len(data):,} bytes")


def damaged(format: str, why: str) -> Unusable:
    """Return that a picture is damaged, and why.

    >>> damaged("PNG", "it has no pixels").message
    'a damaged PNG file: it has no pixels'
    """
    return Unusable(TRUNCATED, f"a damaged {format} file: {why}")


def _read_segment(header: _Header, marker: int, body: bytes) -> None:
    if marker in _FRAMES and len(body) >= 6:
        header.frame = marker
        header.height, header.width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        parts = (body[at : at + 3] for at in range(6, len(body) - 2, 3))
        header.sampling = {part[0]: (part[1] >> 4, part[1] & 15) for part in parts}
    elif marker == _INTERVAL:
        header.interval = int.from_bytes(body[:2], "big")
    elif marker == _TABLES:
        _read_tables(header, body)


def _read_tables(header: _Header, body: bytes) -> None:
    at = 0
    while at + 17 < len(body):
        kind, count = body[at], sum(body[at + 1 : at + 17])
        if kind >> 4 and count:
            header.first_symbols[kind & 15] = body[at + 17]
        at += 17 + count


def _scan(data: bytes, begin: int, header: _Header, body: bytes) -> Scan:
    """Return the scan that begins at an offset, after it was checked."""
    header.scans += 1
    if header.scans > _MOST_SCANS:
        raise damaged("JPEG", f"it has more than {_MOST_SCANS} scans")
    found = (_MARKER if header.interval else _MARKER_OR_RESTART).search(data, begin)
    if found and found[0][1] in _RESTARTS:
        raise damaged(
            "JPEG", f"a restart marker that its header does not announce, at byte {found.start():,}"
        )
    if not found:
        raise Unusable(TRUNCATED, f"a JPEG file cut off after {len(data):,} bytes")
    end = found.start()
    if data[end - 1] == 0xFF:  # bytes that fill, before the marker
        end = begin + len(data[begin:end].rstrip(b"\xff"))
    if header.interval:
        _check_restarts(data, begin, end, header, body)
    if most := _most_zeros(header, body):
        # Zeros behind the pixels pad them, or stand for pixels that are missing: the decoder will tell.
        if not data[end - 1]:
            end = min(end, begin + len(data[begin:end].rstrip(b"\0")) + most // 2)
        hole = data.find(bytes(most), begin, end)
        if hole >= 0:
            raise damaged("JPEG", f"its pixels have a hole of zeros, from byte {hole:,}")
    return Scan(begin, end)


def _check_restarts(data: bytes, begin: int, end: int, header: _Header, body: bytes) -> None:
    blocks = _blocks(header, _components(body))
    if not blocks:
        return
    expected = -(-blocks // header.interval) - 1
    matches = islice(_RESTART.finditer(data, begin, end), expected + 2)
    found = b"".join(match[0] for match in matches)[1::2]
    in_order = (_RESTARTS * (len(found) // 8 + 1))[: len(found)]
    # Some encoders write one more behind the last blocks.
    if found != in_order or len(found) not in (expected, expected + 1):
        raise damaged("JPEG", f"expected {expected:,} restart markers in order, found others")


def _components(body: bytes) -> list[int]:
    """Return the numbers of the components of a scan."""
    return list(body[1 : 1 + 2 * body[0] : 2]) if body else []


def _blocks(header: _Header, components: list[int]) -> int:
    """Return how many blocks (MCUs) a scan has; 0 where that is not known."""
    sampling = list(header.sampling.values())
    known = header.frame in _BLOCKS and components and set(components) <= header.sampling.keys()
    if not known or any(not across or not down for across, down in sampling):
        return 0
    most_across, most_down = max(each[0] for each in sampling), max(each[1] for each in sampling)
    if len(components) > 1:
        return -(-header.width // (8 * most_across)) * -(-header.height // (8 * most_down))
    across, down = header.sampling[components[0]]
    width, height = -(-header.width * across // most_across), -(-header.height * down // most_down)
    return -(-width // 8) * -(-height // 8)


def _most_zeros(header: _Header, body: bytes) -> int:
    """Return how many zero bytes in a row are a hole in a scan; 0 where any number may be right.

    A code of zeros that ends a block codes flat blocks, of which a picture has any number. Any other gives a
    block 63 equal coefficients, and 64 bytes of them are several such blocks: no picture has them. In the
    first scan of a progressive picture zeros are flat too. In a scan that refines others they are plain bits,
    and a run of a thousand bytes is none of a picture.
    """
    count = body[0] if body else 0
    if len(body) < 4 + 2 * count or header.frame not in (*_SEQUENTIAL, _PROGRESSIVE):
        return 0
    first, refines = body[1 + 2 * count], body[3 + 2 * count] >> 4
    if header.frame == _PROGRESSIVE and not first:
        return 0
    if refines:
        return _HOLE_OF_REFINEMENT
    tables = {table & 15 for table in body[2 : 2 + 2 * count : 2]}
    return _HOLE if any(header.first_symbols.get(table, 0) for table in tables) else 0
