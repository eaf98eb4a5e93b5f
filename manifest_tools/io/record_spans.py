"""Where the records of a RecordIO file begin and end, found by their headers alone, also past damage.

Between damage and the next record nothing says where records are. So the next magic is searched for that
begins a record, as the readers of shards do.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from manifest_tools.io.recordio import (
    FIRST,
    FRAME_SIZE,
    HEADER_SIZE,
    LAST,
    MAGIC,
    WHOLE,
    parse_frame,
    read_records,
)

_FIRST_WINDOW, _LARGEST_WINDOW = 512, 1 << 20  # bytes that are searched at once


class Span(NamedTuple):
    """A whole record: its bytes in the file, parts and padding and all."""

    offset: int
    end: int
    head: bytes
    """The first bytes of its payload, as many as the header of an image record has."""


class Damage(NamedTuple):
    """Bytes between records that are no record."""

    offset: int
    end: int
    """Where the next whole record begins, or the end of the file."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Broken:
    reason: str
    proven: int
    """Before this byte no other record can begin: the parts before it are where they have to be."""


def payload_start(stream: BinaryIO, span: Span, length: int) -> bytes:
    """Return the first bytes of a record's payload; more than ``length`` of them where it is in parts."""
    stream.seek(span.offset)
    data = stream.read(FRAME_SIZE + length)
    flag, whole = parse_frame(data, False)
    if flag == WHOLE or whole >= length:
        return data[FRAME_SIZE : FRAME_SIZE + min(whole, length)]
    return payload_of(stream, span)


def payload_of(stream: BinaryIO, span: Span) -> bytes:
    """Return the payload of a record, its parts joined."""
    stream.seek(span.offset)
    (payload,) = read_records(io.BytesIO(stream.read(span.end - span.offset)))
    return payload


def walk(stream: BinaryIO, size: int) -> Iterator[Span | Damage]:
    """Yield the records of a file of ``size`` bytes in order, and what is damaged between them.

    Only the headers of parts are read, and what is searched after damage. Memory does not depend on what the
    file says of its lengths. The stream may be moved between two results.
    """
    at, damage = 0, None
    while at < size:
        found = _record(stream, at, size)
        if isinstance(found, Span):
            found = _unless_it_swallows(stream, found, size)
        if isinstance(found, Span):
            if damage is not None:
                yield damage._replace(end=at)
            yield found
            at, damage = found.end, None
        else:
            damage = damage or Damage(at, size, found.reason)
            at = next(_beginnings(stream, max(at + 1, found.proven), size), size)
    if damage is not None:
        yield damage


def _record(stream: BinaryIO, start: int, size: int) -> Span | _Broken:
    """Return the record that begins at ``start``, or why none does."""
    at = proven = start
    head, length = b"", 0
    while at < size:
        stream.seek(at)
        data = stream.read(FRAME_SIZE + HEADER_SIZE)
        try:
            flag, bytes_here = parse_frame(data[:FRAME_SIZE], at > start, length)
        except ValueError as error:
            return _Broken(str(error), proven)
        end = at + FRAME_SIZE + bytes_here + -bytes_here % 4
        if end > size:
            found = size - at - FRAME_SIZE
            wanted = end - at - FRAME_SIZE
            return _Broken(f"expected {wanted:,} bytes of a record, found {found:,}", at + 1)
        if len(head) < HEADER_SIZE:
            head += (MAGIC if at > start else b"") + data[FRAME_SIZE : FRAME_SIZE + bytes_here]
        length += bytes_here + len(MAGIC)
        if flag in (WHOLE, LAST):
            return Span(start, end, head[:HEADER_SIZE])
        proven, at = at + 1, end
    return _Broken("the file ends inside a record of several parts", proven)


def _unless_it_swallows(stream: BinaryIO, span: Span, size: int) -> Span | _Broken:
    """Return the record, unless its length is wrong: no record follows, and others begin inside of it.

    A writer leaves no magic at a multiple of four inside a record.
    """
    if span.end == size:
        return span
    stream.seek(span.end)
    if stream.read(len(MAGIC)) == MAGIC:
        return span
    inside = (at for at in _beginnings(stream, span.offset + 4, span.end) if (at - span.offset) % 4 == 0)
    first = next(inside, None)
    if first is None:
        return span
    return _Broken("its length is wrong: other records begin inside of it, and none behind it", first)


def _beginnings(stream: BinaryIO, start: int, end: int) -> Iterator[int]:
    """Yield the offsets from ``start`` at which a magic begins a record, whole or its first part."""
    window = _FIRST_WINDOW
    while start + FRAME_SIZE <= end:
        stream.seek(start)
        data = stream.read(min(window, end - start))
        yield from (start + at for at in _in_window(data))
        if len(data) < FRAME_SIZE:
            return
        start += len(data) - FRAME_SIZE + 1
        window = min(4 * window, _LARGEST_WINDOW)


def _in_window(data: bytes) -> Iterator[int]:
    at = data.find(MAGIC)
    while 0 <= at <= len(data) - FRAME_SIZE:
        # The kind of the part is in the upper bits of the last byte.
        if data[at + FRAME_SIZE - 1] >> 5 in (WHOLE, FIRST):
            yield at
        at = data.find(MAGIC, at + 1)
