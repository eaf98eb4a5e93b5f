"""Reads parts of a local file or an S3 object: size, first bytes, last bytes, and a few more by offset.

A JPEG may have half a megabyte of colour profile before its size. So a reader can ask for small ranges
further on, up to a fixed number.
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
"""Bytes that are read at the beginning."""

TAIL = 4 << 10
"""Bytes that are read at the end."""

_RANGE = 4 << 10
_RANGES_IN_S3 = 32
_RANGES_OF_FILE = 512
MOST_BYTES = HEAD + TAIL + _RANGE * _RANGES_IN_S3
"""Bytes that are read of an S3 object at most, unless ``whole`` is called."""

_CHUNK = 1 << 20


class TooFar(Exception):
    """The bytes are further on than may be read."""


@dataclass(slots=True)
class PartialReader:
    """A file or object, and the parts of it that were read."""

    size: int
    """Bytes of the whole."""

    head: bytes
    """The first bytes, HEAD of them or all."""

    etag: str
    """The version of an S3 object; empty for a file."""

    fetch: Callable[[int, int], bytes]
    """Reads the bytes from one offset up to another."""

    is_local: bool
    """Whether it is a file on this disk."""

    _ranges: int = 0
    _start: int = 0
    _range: bytes = b""
    _tail: bytes | None = None

    def read(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer at the end; raises TooFar after too many ranges."""
        end = min(start + length, self.size)
        if end <= len(self.head):
            return self.head[start:end]
        parts = []
        while start < end:
            part = self._from(start)[: end - start]
            if not part:
                break
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def _from(self, start: int) -> bytes:
        """Return some bytes from ``start``: of the head, of the last range, or of a new one."""
        if start < len(self.head):
            return self.head[start:]
        if not self._start <= start < self._start + len(self._range):
            self._ranges += 1
            if self._ranges > (_RANGES_OF_FILE if self.is_local else _RANGES_IN_S3):
                raise TooFar
            self._start, self._range = start, self.fetch(start, min(start + _RANGE, self.size))
        return self._range[start - self._start :]

    def tail(self) -> bytes:
        """Return the last TAIL bytes; they are read once."""
        if self._tail is None:
            inside = self.size <= len(self.head)
            self._tail = self.head[-TAIL:] if inside else self.fetch(max(self.size - TAIL, 0), self.size)
        return self._tail

    def whole(self) -> bytes:
        """Return all bytes; call this for small files only."""
        return self.head if self.size <= len(self.head) else self.fetch(0, self.size)

    def chunks(self, start: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to the end, a megabyte at a time."""
        while start < self.size and (chunk := self.fetch(start, min(start + _CHUNK, self.size))):
            yield chunk
            start += len(chunk)


@contextlib.contextmanager
def open_file(path: str) -> Iterator[PartialReader]:
    """Yield a reader of a local file; raises Unusable for anything else, such as a pipe, without waiting."""
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


def reader_of(data: bytes) -> PartialReader:
    """Return a reader of bytes that were read already.

    >>> reader_of(b"abc").read(1, 9)
    b'bc'
    """
    return PartialReader(len(data), data, "", lambda start, end: data[start:end], True)


def open_object(uri: str) -> PartialReader:
    """Return a reader of an S3 object, after one ranged GET; raises the errors of ``io.s3``."""
    head, size, etag = first_bytes(uri, HEAD)
    return PartialReader(size, head, etag, lambda start, end: s3.read_range(uri, start, end), False)


def hash_file(path: str) -> int:
    """Return a 64-bit hash of all bytes of a file, 0 if it cannot be read any more."""
    with contextlib.suppress(Unusable), open_file(path) as file:
        digest = hashlib.blake2b(digest_size=8)
        for chunk in file.chunks(0):
            digest.update(chunk)
        return int.from_bytes(digest.digest())
    return 0
