"""Opens a file or an S3 object for reading at any place."""

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from manifest_tools.base.errors import Refused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 4 << 20  # bytes of a request
_KEPT = 2  # chunks: a reader looks ahead and comes back


@dataclass(frozen=True, slots=True)
class Opened:
    """What can be read at any place."""

    name: str
    """The path, or the ``s3://`` URI."""

    stream: BinaryIO
    size: int
    etag: str = ""
    """The version of an object; empty for a file."""


class _ObjectReader(io.RawIOBase):
    """An S3 object, read by ranges; raises MtoolError where it has changed meanwhile."""

    def __init__(self, uri: str, size: int, etag: str) -> None:
        self._uri, self._size, self._etag = uri, size, etag
        self._at = 0
        self._chunks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        number, inside = divmod(self._at, _CHUNK)
        data = self._chunk(number)[inside : inside + len(view)] if self._at < self._size else b""
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _chunk(self, number: int) -> bytes:
        from manifest_tools.io import s3

        if number not in self._chunks:
            if len(self._chunks) == _KEPT:
                del self._chunks[next(iter(self._chunks))]
            start = number * _CHUNK
            self._chunks[number] = s3.read_range(
                self._uri, start, min(start + _CHUNK, self._size), self._etag
            )
        return self._chunks[number]


@contextlib.contextmanager
def open_seekable(name: str, what: str) -> Iterator[Opened]:
    """Yield a file or an ``s3://`` object, expected to be ``what``; raises Refused where there is none."""
    if name.startswith("s3://"):
        from manifest_tools.io import s3

        found = s3.head(name)
        raw = _ObjectReader(name, found.size, found.etag)
        yield Opened(name, cast(BinaryIO, io.BufferedReader(raw)), found.size, found.etag)
        return
    try:
        is_file = stat.S_ISREG(os.stat(name).st_mode)  # a FIFO would wait for somebody
        if not is_file:
            raise Refused(f"{name}: expected {what}, found something that is no file")
        file = open(name, "rb")  # noqa: SIM115 - closed below
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        why = "no such file" if missing else (error.strerror or str(error)).lower()
        raise Refused(f"{name}: expected {what}, found {why}") from error
    with file:
        yield Opened(name, file, os.fstat(file.fileno()).st_size)
