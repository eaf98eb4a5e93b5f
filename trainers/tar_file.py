"""Gzipped tar files, read under limits of our own.

An archive may come from anywhere. Python's ``gzip`` and ``tarfile`` follow what its headers say: a name
without end, a chain of headers before a file, a size of petabytes. Here every length is compared with its
limit before anything is read. Plain files are all that a model needs: a link, a device or a sparse file is
refused.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from manifest_tools.base.text import shown
from trainers.bad_model import BadModel

_BLOCK = 512  # bytes; headers and contents of a tar file fill whole blocks
_CHUNK = 1 << 16  # bytes that are read or unpacked at a time

_EXTENSIONS = 1 << 20  # bytes of all headers that only say more of the next file, such as a long name
_HEADERS_A_FILE = 3  # a long name, its time and owner, and the file itself

# Weights hardly shrink, but those that are all zero do: up to 1,032 times, as far as gzip can. So the ratio
# counts only beyond what is unpacked in an instant.
_RATIO = 200
_UNCOUNTED = 64 << 20  # bytes
_NO_LIMIT = 1 << 60  # bytes
_GZIP_MEMBERS = 100_000  # parts of a gzip file, each with a header

_FILE, _FOLDER = (b"0", b"\0", b"7"), b"5"
_LONG_NAME, _LONG_LINK, _PAX, _PAX_FOR_ALL = b"L", b"K", b"x", b"g"
_OTHERS = {
    b"1": "a hard link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
}
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ([^=\n]+)=")


class Gunzip:
    """The content of a gzip file, a stream to read from; it never unpacks more than its limits allow.

    Reading raises BadModel for a file that is damaged or no gzip file, or that unpacks to more than
    ``limit`` bytes, or to more than 200 times its size.
    """

    def __init__(self, source: str, stream: BinaryIO, limit: int = _NO_LIMIT) -> None:
        self._source, self._stream, self._limit = source, stream, limit
        self._packed, self._unpacked, self._members = 0, 0, 0
        self._rest = b""  # packed bytes that were read, and not unpacked yet
        self._decoder: zlib._Decompress | None = None

    def read(self, size: int = _NO_LIMIT) -> bytes:
        """Return the next ``size`` bytes, or fewer at the end; a size that nothing has costs no memory."""
        parts: list[bytes] = []
        while size > 0 and (part := self._part(min(size, _CHUNK))):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _part(self, size: int) -> bytes:
        """Return up to ``size`` bytes; none at the end."""
        while self._fill():
            decoder = self._decoder or self._next_member()
            try:
                part = decoder.decompress(self._rest, size)
            except zlib.error as error:
                raise _damaged(self._source) from error
            # What a member leaves over begins the next one; zeros may follow the last.
            self._rest = decoder.unused_data.lstrip(b"\0") if decoder.eof else decoder.unconsumed_tail
            self._decoder = None if decoder.eof else decoder
            self._count(len(part))
            if part:
                return part
        if self._decoder is not None or not self._members:
            raise _damaged(self._source)
        return b""

    def _fill(self) -> bool:
        """Have packed bytes at hand; return whether there are any left."""
        while not self._rest and (read := self._stream.read(_CHUNK)):
            self._packed += len(read)
            self._rest = read if self._decoder or not self._members else read.lstrip(b"\0")
        return bool(self._rest)

    def _next_member(self) -> "zlib._Decompress":
        self._members += 1
        if self._members > _GZIP_MEMBERS or self._packed > self._limit + (1 << 20):
            raise BadModel(self._source, "refused: it has more bytes than a model has")
        return zlib.decompressobj(16 + zlib.MAX_WBITS)

    def _count(self, size: int) -> None:
        self._unpacked += size
        if self._unpacked > self._limit:
            raise BadModel(
                self._source, f"refused: it unpacks to more bytes than a model has, {self._limit:,} at most"
            )
        if self._unpacked > _UNCOUNTED and self._unpacked > _RATIO * self._packed:
            raise BadModel(
                self._source, f"refused: it unpacks to more than {_RATIO} times its size, as no model does"
            )


def _damaged(source: str) -> BadModel:
    return BadModel(source, "expected a gzipped tar file, whole and undamaged")


@dataclass(frozen=True, slots=True)
class _Header:
    """A header of 512 bytes."""

    name: bytes
    """The name of the file, with its folders; cut off where a header before it has the whole one."""

    kind: bytes
    """One byte that says what it is."""

    size: int
    """Bytes that follow."""


def read_tar(source: str, stream: Gunzip, max_files: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each plain file; the name is without its folders.

    Raises BadModel for anything else than files and folders, for more than ``max_files``, and for a tar
    file that is damaged or has larger headers than a model needs.
    """
    names: dict[bytes, bytes] = {}  # what headers before it say of the next file
    files = extensions = 0
    for count, header in enumerate(_headers(source, stream)):
        if files >= max_files or count >= _HEADERS_A_FILE * max_files:
            raise BadModel(source, f"expected at most {max_files} files in it, found more")
        if header.kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_FOR_ALL):
            extensions += header.size
            if extensions > _EXTENSIONS:
                raise BadModel(source, f"expected at most {_EXTENSIONS:,} bytes of file names, found more")
            names |= _extension(source, header, _content(source, stream, header.size))
            continue
        size = _decimal(source, names[b"size"]) if b"size" in names else header.size
        name = _safe_name(source, header, names.get(b"path", header.name))
        names, files = {}, files + 1
        if name:
            yield name, _content(source, stream, size)
        elif size:
            raise _damaged(source)


def _headers(source: str, stream: Gunzip) -> Iterator[_Header]:
    """Yield the headers, each where the stream is when it is asked for; a block of zeros ends them."""
    while (block := stream.read(_BLOCK)) and block.strip(b"\0"):
        if len(block) < _BLOCK or _checksum(block) != _number(source, block[148:156]):
            raise _damaged(source)
        name, prefix = block[:100].partition(b"\0")[0], block[345:500].partition(b"\0")[0]
        if block[257:263] == b"ustar\0" and prefix:
            name = prefix + b"/" + name
        yield _Header(name, block[156:157], _number(source, block[124:136]))


def _checksum(block: bytes) -> int:
    return sum(block[:148]) + 8 * ord(" ") + sum(block[156:])


def _number(source: str, field: bytes) -> int:
    """Return a number of a header: in octal digits, or in binary after a byte of 128."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    if not (octal := _OCTAL.fullmatch(field)):
        raise _damaged(source)
    return int(octal[1] or b"0", 8)


def _content(source: str, stream: Gunzip, size: int) -> bytes:
    """Return what follows a header; raises BadModel where it is less than the header promises."""
    content = stream.read(size)
    if len(content) < size or len(stream.read(-size % _BLOCK)) < -size % _BLOCK:
        raise _damaged(source)
    return content


def _extension(source: str, header: _Header, content: bytes) -> dict[bytes, bytes]:
    """Return what a header says of the next file, under the keys of PAX headers."""
    if header.kind == _LONG_LINK:
        return {}
    if header.kind == _LONG_NAME:
        return {b"path": content.partition(b"\0")[0]}
    return {} if header.kind == _PAX_FOR_ALL else dict(_records(source, content))


def _records(source: str, content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and value of each record of a PAX header: ``18 path=a.params\\n``."""
    at = 0
    while at < len(content):
        record = _RECORD.match(content, at)
        end = at + int(record[1]) if record else 0
        if not record or not record.end() < end <= len(content) or content[end - 1 : end] != b"\n":
            raise _damaged(source)
        if record[2].startswith(b"GNU.sparse."):
            raise BadModel(source, "refused: a file in it is a sparse file; expected plain files")
        yield record[2], content[record.end() : end - 1]
        at = end


def _decimal(source: str, digits: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,20}", digits):
        raise _damaged(source)
    return int(digits)


def _safe_name(source: str, header: _Header, path: bytes) -> str:
    """Return the name of a file without its folders, or nothing for a folder; raises BadModel for others."""
    name = path.decode("utf-8", "surrogateescape")
    if header.kind not in _FILE and header.kind != _FOLDER:
        kind = _OTHERS.get(header.kind, f"of the unknown type {shown(header.kind.decode('latin-1'))}")
        raise BadModel(source, f"refused: {shown(name)} in it is {kind}; expected plain files")
    if ".." in name.split("/"):
        raise BadModel(source, f"refused: {shown(name)} leads out of the archive; expected plain file names")
    # Before 1988 a folder was a file whose name ended in a slash.
    return "" if header.kind == _FOLDER else name.rpartition("/")[2]
