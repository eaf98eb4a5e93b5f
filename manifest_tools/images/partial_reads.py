"""An object, opened: its size, its first bytes, and a few others by their place; never much more.

Of a local file or an object in S3 alike. A JPEG may carry half a megabyte of colour profile before its size,
so some small pieces further on can be read too, up to a fixed number.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io import s3
from manifest_tools.io.s3 import first_bytes

HEAD = 64 << 10
TAIL = 4 << 10
_PIECE = 4 << 10
_PIECES = 32
_LOCAL_PIECES = 512
MOST_BYTES = HEAD + TAIL + _PIECE * _PIECES
"""What at most is read of an object in S3, but for a JSON file that is wanted whole."""

_CHUNK = 1 << 20


class TooFar(Exception):
    """What is sought does not stand within the bytes that may be read."""


@dataclass(slots=True)
class PartialReader:
    """An object and what was read of it; ``etag`` is S3's, empty for a file."""

    size: int
    head: bytes
    etag: str
    fetch: Callable[[int, int], bytes]
    is_local: bool
    pieces: int = 0
    at: int = 0
    piece: bytes = b""
    last: bytes | None = None

    def read(self, start: int, length: int) -> bytes:
        """Return bytes from ``start``, fewer at the end; raises TooFar once that was too much."""
        end = min(start + length, self.size)
        if end <= len(self.head):
            return self.head[start:end]
        parts = []
        while start < end:
            part = self._near(start)[: end - start]
            if not part:
                break
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def _near(self, start: int) -> bytes:
        """Return some bytes from ``start``, out of what was read last, or out of a new piece."""
        if start < len(self.head):
            return self.head[start:]
        if not self.at <= start < self.at + len(self.piece):
            self.pieces += 1
            if self.pieces > (_LOCAL_PIECES if self.is_local else _PIECES):
                raise TooFar
            self.at, self.piece = start, self.fetch(start, min(start + _PIECE, self.size))
        return self.piece[start - self.at :]

    def tail(self) -> bytes:
        """Return the last bytes, read once."""
        if self.last is None:
            inside = self.size <= len(self.head)
            self.last = self.head[-TAIL:] if inside else self.fetch(max(self.size - TAIL, 0), self.size)
        return self.last

    def whole(self) -> bytes:
        """Return all of it, which is for small files to ask."""
        return self.head if self.size <= len(self.head) else self.fetch(0, self.size)

    def chunks(self, start: int) -> Iterator[bytes]:
        """Yield the bytes of a file from ``start``, a megabyte at a time."""
        while start < self.size and (chunk := self.fetch(start, min(start + _CHUNK, self.size))):
            yield chunk
            start += len(chunk)


@contextlib.contextmanager
def open_file(path: str) -> Iterator[PartialReader]:
    """Yield a file of this disk; raises Unusable for what is no file, without waiting for a pipe's writer."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Unusable(MISSING, f"expected a file at {path}, found something else")
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise Unusable(MISSING, f"{path}: {(error.strerror or str(error)).lower()}") from error
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise Unusable(MISSING, f"expected a file at {path}, found something else")

        def fetch(start: int, end: int) -> bytes:
            file.seek(start)
            return file.read(end - start)

        try:
            yield PartialReader(status.st_size, fetch(0, HEAD), "", fetch, True)
        except OSError as error:
            raise Unusable(MISSING, f"{path}: {(error.strerror or str(error)).lower()}") from error


def open_object(uri: str) -> PartialReader:
    """Return an object of S3, of which one ranged GET has been made."""
    head, size, etag = first_bytes(uri, HEAD)
    return PartialReader(size, head, etag, lambda start, end: s3.read_range(uri, start, end), False)


def hash_file(path: str) -> int:
    """Return a 64-bit key of all bytes of a file, 0 where it cannot be read any more."""
    with contextlib.suppress(Unusable), open_file(path) as file:
        key = hashlib.blake2b(digest_size=8)
        for chunk in file.chunks(0):
            key.update(chunk)
        return int.from_bytes(key.digest())
    return 0
