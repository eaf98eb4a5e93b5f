"""Objects joined into one by S3 itself: bytes are copied there, and only what is too small comes here."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from manifest_tools.base.errors import Refused
from manifest_tools.io.s3.multipart import LARGEST, MOST, SMALLEST, Parts, new_part
from manifest_tools.io.s3.objects import Object, head, read_range
from manifest_tools.io.s3.uploads import put

_COPIED = 1 << 30  # bytes that S3 copies as one part, unless there would be too many of them
_AT_ONCE = 8  # parts
_AT_A_TIME = 8 << 20  # bytes of a part that comes here


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one of the objects."""

    source: int
    """Which one, from 0."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.start


Part: TypeAlias = tuple[Piece, ...]
"""What one part is made of: S3 copies one piece by itself; several come here, and go back as one."""


def parts_of(sizes: Sequence[int]) -> list[Part]:
    """Return the parts of an object that is made of objects of these sizes, one behind the other.

    No part but the last is smaller than S3 allows, none larger, and there are not too many.

    >>> [[piece.size for piece in part] for part in parts_of([SMALLEST, 3, 4])]
    [[5242880], [3, 4]]
    """
    total = sum(sizes)
    smallest = max(SMALLEST, -(-2 * total // MOST))
    largest = max(_COPIED, 2 * smallest)
    parts: list[Part] = []
    waiting: list[Piece] = []
    for source, size in enumerate(sizes):
        start = 0
        if waiting:
            start = min(size, smallest - _length(waiting))
            waiting.append(Piece(source, 0, start))
            if _length(waiting) == smallest:
                parts.append(tuple(waiting))
                waiting = []
        copied, start = _copied(Piece(source, start, size), smallest, largest)
        parts += copied
        if start < size:
            waiting.append(Piece(source, start, size))
    return [*parts, tuple(waiting)] if waiting else parts


def _copied(piece: Piece, smallest: int, largest: int) -> tuple[list[Part], int]:
    """Return the parts that S3 can copy of a piece, and where the rest of it begins."""
    parts: list[Part] = []
    start = piece.start
    while piece.end - start >= smallest:
        end = min(piece.end, start + largest)
        if 0 < piece.end - end < smallest:
            end = piece.end - smallest if piece.end - smallest - start >= smallest else piece.end
        parts.append((Piece(piece.source, start, end),))
        start = end
    return parts, start


def _length(pieces: Sequence[Piece]) -> int:
    return sum(piece.size for piece in pieces)


def concatenate(uris: Sequence[str], target: str, *, kms_key: str | None = None) -> int:
    """Make the object ``target`` of the bytes of others, one behind the other; return how many they are.

    S3 copies what it can, in parts of 5 MiB or more, eight at a time; what is smaller is read and uploaded
    with its neighbours. Costs a HEAD an object and a request a part, and no traffic for what is copied. The
    object appears whole, over one of its name, or not at all. Raises MtoolError where one of the objects
    changes meanwhile, Refused where S3 cannot hold them together.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        sources = list(threads.map(head, uris))
        parts = parts_of([source.size for source in sources])
        if any(_length(part) > LARGEST for part in parts):
            raise Refused(f"{target}: larger than an object of S3 can be; keep it in several")
        upload = Parts(target, kms_key)
        if sum(source.size for source in sources) < SMALLEST:
            put(target, b"".join(_bytes(sources, parts)), kms_key=kms_key)
            return sum(source.size for source in sources)
        upload.begin()
        try:
            list(threads.map(lambda item: _make(upload, sources, *item), enumerate(parts, 1)))
            upload.complete()
        except BaseException:
            threads.shutdown(cancel_futures=True)  # a part that arrives after the end would stay
            upload.abort()
            raise
    return sum(source.size for source in sources)


def _make(upload: Parts, sources: Sequence[Object], number: int, part: Part) -> None:
    if len(part) == 1 and part[0].size >= SMALLEST:
        (piece,) = part
        source = sources[piece.source]
        upload.copy(number, source.uri, piece.start, piece.end, source.etag)
        return
    body = new_part()
    for data in _bytes(sources, [part]):
        body.write(data)
    body.seek(0)
    upload.send(number, body)


def _bytes(sources: Sequence[Object], parts: Sequence[Part]) -> Iterator[bytes]:
    for part in parts:
        for piece in part:
            source = sources[piece.source]
            for start in range(piece.start, piece.end, _AT_A_TIME):
                yield read_range(source.uri, start, min(piece.end, start + _AT_A_TIME), source.etag)
