"""Tar: headers of plain members, the same bytes every time, and the members of an archive with their places.

An archive may be hostile. What has no bytes of its own (a link, a device), or does not lie in the archive as
it is (a sparse file), is refused, as is a size that the file does not have.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import counted, shown

BLOCK = 512
END = bytes(2 * BLOCK)
"""What an archive ends with."""

_LONGEST_NAME = 100  # bytes, of a header that needs no other beside it
_MOST = 8**11  # bytes of a member whose size is written in octal digits
_CHECKSUM = slice(148, 156)
# Mode 0644, owner and time 0, of a regular file; the name comes before, the size between.
_BEFORE_SIZE = b"0000644\0" + b"0000000\0" * 2
_TIME = b"00000000000\0"
_REST = b"0" + bytes(100) + b"ustar\00000" + bytes(64) + b"0000000\0" * 2 + bytes(167)
_FIXED = sum(_BEFORE_SIZE) + sum(_TIME) + 8 * ord(" ") + sum(_REST)


def member_header(name: str, size: int) -> bytes:
    """Return the header of a member: 512 bytes, with mode 0644, and owner and time 0.

    >>> import tarfile
    >>> found = tarfile.TarInfo.frombuf(member_header("1.jpg", 7), "utf-8", "strict")
    >>> found.name, found.size, found.mtime, found.isreg()
    ('1.jpg', 7, 0, True)
    """
    encoded, digits = name.encode(), b"%011o\0" % size
    if len(encoded) > _LONGEST_NAME or not 0 <= size < _MOST:
        raise ValueError(f"expected a name of {_LONGEST_NAME} bytes at most, found {len(encoded)}")
    checksum = b"%06o\0 " % (_FIXED + sum(encoded) + sum(digits))
    padded = encoded.ljust(_LONGEST_NAME, b"\0")
    return b"".join((padded, _BEFORE_SIZE, digits, _TIME, checksum, _REST))


def padding(size: int) -> bytes:
    """Return the zeros that fill the last block of a member."""
    return bytes(-size % BLOCK)


# ---- reading ----

_REGULAR = (b"0", b"\0", b"7")
_FOLDER, _LONG_NAME, _LONG_LINK, _OF_NEXT, _OF_ALL = b"5", b"L", b"K", b"x", b"g"
_ODD = {
    b"1": "a link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
}
_LARGEST_EXTENSION = 1 << 20  # bytes of a header that goes before another
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file in an archive."""

    name: str
    header: int
    """Offset of its header."""

    offset: int
    """Of its first byte."""

    size: int


def members(file: BinaryIO, path: str) -> Iterator[Member]:
    """Yield the regular files of an archive, in order; folders are passed over.

    ``file`` is opened for reading and can be sought; what else is done with it between two members is free.
    Raises BadData for what is no tar, is damaged, or holds what is no regular file.
    """
    length, at = file.seek(0, io.SEEK_END), 0
    file.seek(0)
    _check_is_tar(file.read(BLOCK), path)
    ahead = _Ahead()
    while at + BLOCK <= length:
        file.seek(at)
        header = file.read(BLOCK)
        if header == END[:BLOCK]:
            return
        _check(header, at, path)
        kind, size = header[156:157], _number(header[124:136], at, path)
        begin = at + BLOCK
        if kind in (_LONG_NAME, _LONG_LINK, _OF_NEXT, _OF_ALL):
            ahead.take(kind, _extension(file, size, at, path), at, path)
            at = begin + size + -size % BLOCK
            continue
        name, size = ahead.name or _name(header, at, path), size if ahead.size is None else ahead.size
        ahead = _Ahead()
        if kind in _REGULAR and not name.endswith("/"):
            if begin + size > length:
                raise BadData(
                    f"{path}: {shown(name)} says {size:,} bytes, and the archive ends before: cut off"
                )
            yield Member(name, at, begin, size)
        elif kind != _FOLDER and not name.endswith("/"):
            what = _ODD.get(kind, f"of the type {shown(kind.decode('latin-1'))}")
            raise BadData(f"{path}: expected regular files, found {shown(name)}, which is {what}")
        at = begin + size + -size % BLOCK
    if at != length:
        raise BadData(f"{path}: expected a tar, found {length - min(at, length):,} bytes at its end: cut off")


@dataclass(slots=True)
class _Ahead:
    """What headers that go before another say of that one."""

    name: str = ""
    size: int | None = None
    values: dict[bytes, bytes] = field(default_factory=dict)

    def take(self, kind: bytes, data: bytes, at: int, path: str) -> None:
        """Take what one of these headers says; one for all members says nothing that is needed here."""
        if kind == _LONG_NAME:
            self.name = _text(data.rstrip(b"\0"), at, path)
        if kind not in (_OF_NEXT, _OF_ALL):
            return
        values = _records(data, at, path)
        if any(key.startswith(b"GNU.sparse") for key in values):
            raise BadData(f"{path}: expected regular files, found a sparse file")
        if kind == _OF_NEXT and b"path" in values:
            self.name = _text(values[b"path"], at, path)
        if kind == _OF_NEXT and b"size" in values:
            digits = values[b"size"]
            if not digits.isdigit() or len(digits) > 18:
                raise _damaged(at, path)
            self.size = int(digits)


def _records(data: bytes, at: int, path: str) -> dict[bytes, bytes]:
    """Return the values of a PAX header: records of ``LENGTH KEY=VALUE`` and a newline."""
    found: dict[bytes, bytes] = {}
    while data:
        digits, blank, _ = data[:12].partition(b" ")
        length = int(digits) if blank and digits.isdigit() else 0
        record = data[:length]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if not equals or len(record) < length or record[-1:] != b"\n":
            raise _damaged(at, path)
        found[key] = value
        data = data[length:]
    return found


def _extension(file: BinaryIO, size: int, at: int, path: str) -> bytes:
    if size > _LARGEST_EXTENSION:
        raise BadData(f"{path}: expected a header of at most {_LARGEST_EXTENSION:,} bytes, found {size:,}")
    data = file.read(size)
    if len(data) < size:
        raise _damaged(at, path)
    return data


def _check(header: bytes, at: int, path: str) -> None:
    """Raise BadData unless a header has the checksum that it says."""
    text = header[_CHECKSUM].strip(b"\0 ")
    expected = sum(header) - sum(header[_CHECKSUM]) + 8 * ord(" ")
    if text.strip(b"01234567") or not text or int(text, 8) != expected:
        raise _damaged(at, path) if at else BadData(f"{path}: expected a tar, found another file")


def _check_is_tar(head: bytes, path: str) -> None:
    for begin, name in _COMPRESSED.items():
        if head.startswith(begin):
            raise BadData(
                f"{path}: expected a tar, found one compressed with {name}, whose pictures have no place that"
                " can be read alone; decompress it first"
            )
    if len(head) < BLOCK:
        raise BadData(f"{path}: expected a tar, found {counted(len(head), 'byte')}")


def _number(field: bytes, at: int, path: str) -> int:
    """Return a number of a header: octal digits, or binary where the first bit says so."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.partition(b"\0")[0].strip()
    if digits.strip(b"01234567"):
        raise _damaged(at, path)
    return int(digits or b"0", 8)


def _name(header: bytes, at: int, path: str) -> str:
    name = header[:100].partition(b"\0")[0]
    before = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _text(before + b"/" + name if before else name, at, path)


def _text(name: bytes, at: int, path: str) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise BadData(f"{path}: expected names in UTF-8, found {shown(repr(name))} at byte {at:,}") from error


def _damaged(at: int, path: str) -> BadData:
    return BadData(f"{path}: a damaged header at byte {at:,}")
