"""Reads manifests from files, ``s3://`` objects, standard input and gzip, in blocks of whole lines.

A file or an object is read by byte ranges, so several processes may read it at once. A compressed one is
decompressed from its beginning, and its blocks carry their bytes. Standard input can be read only once, so
it is copied to a temporary file first.
"""

import contextlib
import gzip
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from manifest_tools.base.details import detail
from manifest_tools.base.errors import MtoolError, NotAManifest, Refused
from manifest_tools.io.recognise import HEAD as HEAD
from manifest_tools.io.recognise import STDIN as STDIN
from manifest_tools.io.recognise import check_head

BLOCK = 4 << 20
"""Bytes of a block, if no line is longer."""


@dataclass(slots=True)
class Limits:
    """What a manifest may ask for before it is refused."""

    line: int = 1 << 30
    """Bytes of a line, which is held in memory; ``mtool --max-line`` sets another."""

    ratio: int = 300
    """How many times its size a gzip file may unpack to; manifests reach 50, and gzip itself 1,032."""

    unpacked: int = 256 << 20
    """Bytes that a gzip file may always unpack to, whatever the ratio."""


LIMITS = Limits()
"""The limits of this process."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines of a manifest: a byte range of a file or object, or the bytes themselves."""

    uri: str
    """The path or ``s3://`` URI that is read; empty when ``data`` is set."""

    start: int
    """The offset of the first byte in the file, of compressed ones in what was decompressed."""

    end: int
    """The offset after the last byte."""

    data: bytes | None = None
    """The bytes themselves, of a compressed file; None when they are read by their range."""

    etag: str = ""
    """The S3 version of the object that is read; empty for a file."""

    def read(self) -> bytes:
        """Return the bytes; raises MtoolError when the file or object was changed meanwhile."""
        if self.data is not None:
            return self.data
        return _read_range(self.uri, self.start, self.end, self.etag)


class TemporaryCopy:
    """A temporary file that is removed with the last reference to this object."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path)


class TemporaryFolder:
    """A temporary folder that is removed with the last reference to this object."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="mtool-")

    def __del__(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(slots=True)
class Source:
    """A manifest that can be read, in blocks and from several processes."""

    name: str
    """What messages call it: the name that was typed, or "standard input"."""

    uri: str
    """The path or ``s3://`` URI that is read; of standard input the path of its copy."""

    size: int | None
    """Bytes; None for a compressed one, of which only decompressing would tell."""

    copy: TemporaryCopy | None = None
    """The temporary file behind it; the file lives as long as the source does."""

    stamp: tuple[int, ...] | None = None
    """Device, inode, size and time of change of the file when it was opened; None for a copy or an object."""

    etag: str = ""
    """The S3 version of the object when it was opened; empty for a file."""

    folder: str = ""
    """The folder to which refs that are no URIs are relative; empty for the current one."""

    images: tuple[str, ...] = ()
    """Folders with its pictures, as if ``--images`` named them: of a folder that stands for a manifest."""

    kept: TemporaryFolder | None = None
    """The pictures of what stands for a manifest, where they had no files; they live as long as it does."""

    stands_in: bool = False
    """Whether its lines were made from something else: then a message names a picture, and no line."""

    def where(self, number: int, ref: str) -> tuple[str, int]:
        """Return the file and the line to name in a message about line ``number``, whose picture is ``ref``.

        >>> Source("pictures", "/tmp/1", 0, folder="data", stands_in=True).where(7, "pictures/cats/1.jpg")
        ('data/pictures/cats/1.jpg', 0)
        """
        if not self.stands_in:
            return self.name, number
        return (ref if ref.startswith("s3://") else os.path.join(self.folder, ref)), 0

    def check_unchanged(self) -> None:
        """Raise MtoolError when the file or object was changed or replaced since it was opened.

        Work that reads it twice calls this, and work that takes its place.
        """
        if self.stamp is None and not self.etag:
            return
        if not _is_same(self):
            raise MtoolError(f"{self.name}: was changed while it was read; run the same command again")

    def head(self, length: int = HEAD) -> bytes:
        """Return the first ``length`` bytes, decompressed; fewer when there are no more."""
        if self.size is not None:
            return _read_range(self.uri, 0, min(length, self.size), self.etag)
        with _decompressed(self.uri, self.etag) as stream:
            return stream.read(length)

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """Yield all blocks in order, of whole lines: about ``size`` bytes each, or one longer line."""
        if self.size is not None:
            yield from _range_blocks(self, self.size, size)
        else:
            with _decompressed(self.uri, self.etag) as stream:
                yield from _stream_blocks(self.name, stream, size)

    def chunks(self, size: int = BLOCK) -> Iterator[bytes]:
        """Yield all bytes in order, ``size`` at a time, wherever lines end: of what is no JSON Lines."""
        if self.size is not None:
            for start in range(0, self.size, size):
                yield _read_range(self.uri, start, min(start + size, self.size), self.etag)
        else:
            with _decompressed(self.uri, self.etag) as stream:
                yield from iter(lambda: stream.read(size), b"")

    def digest(self) -> str:
        """Return the SHA-256 of the whole, decompressed, as hexadecimal digits."""
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block.read())
        return digest.hexdigest()


def open_source(name: str) -> Source:
    """Return the source called ``name``: a path, an ``s3://`` URI, or ``-`` for standard input.

    A name that ends in ``.gz`` is decompressed. Raises Refused for a folder or a missing file, NotAManifest
    when the first bytes show something other than JSON Lines, and the errors of ``io.s3``.
    """
    source = open_bytes(name)
    detail(
        __name__, "%s: opened, %s", name, "compressed" if source.size is None else f"{source.size:,} bytes"
    )
    check_head(source.name, source.head())
    return source


def decompressed(source: Source) -> Source:
    """Return the source, or a decompressed copy of a compressed one: for work that reads it twice."""
    if source.size is not None:
        return source
    chunks = (block.read() for block in source.blocks())
    return copied(source.name, chunks, source.folder)


def copied(name: str, chunks: Iterable[bytes], folder: str = "") -> Source:
    """Return the source called ``name`` that has these bytes, in a temporary file."""
    handle, path = tempfile.mkstemp(prefix="mtool-")
    copy = TemporaryCopy(path)
    with open(handle, "wb") as file:
        file.writelines(chunks)
    return Source(name, path, os.path.getsize(path), copy, folder=folder)


def open_bytes(name: str) -> Source:
    """Return the source called ``name`` as ``open_source`` does, whatever its bytes are."""
    if name == STDIN:
        return copied("standard input", _drops(sys.stdin.buffer))
    if name.startswith("s3://"):
        from manifest_tools.io import s3

        found = s3.head(name)
        return Source(name, name, None if name.endswith(".gz") else found.size, etag=found.etag)
    try:
        status = os.stat(name)
    except OSError as error:
        raise Refused(f"{name}: expected a manifest, found {_reason(error)}") from error
    if stat.S_ISDIR(status.st_mode):
        hint = hint_in(Path(name)) or "type the name of a file in it"
        raise Refused(f"{name}: expected a manifest, found a folder; {hint}")
    if not os.access(name, os.R_OK):
        raise Refused(f"{name}: cannot be read: permission denied")
    if not stat.S_ISREG(status.st_mode):
        with open(name, "rb") as pipe:
            return copied(name, _drops(pipe), folder_of(name))
    size = None if name.endswith(".gz") else status.st_size
    return Source(name, name, size, stamp=_stamp(status), folder=folder_of(name))


def _drops(pipe: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes as they come.

    A read that waits for a whole block, in a loop that is not Python's, does not hear a Ctrl-C that came
    between two drops, until the next one.
    """
    while data := pipe.read1(BLOCK):  # type: ignore[attr-defined]  # BinaryIO has no read1, every buffer has
        yield data


def folder_of(name: str) -> str:
    """Return the folder to which the refs of a manifest are relative, empty for the current one.

    A folder that stands for a manifest is named by them, but for one that has no name of its own.

    >>> [folder_of(name) for name in ("a/b.manifest", "a/pictures/", "./pictures", "s3://b/k", ".", "..")]
    ['a', 'a', '.', '', '.', '..']
    """
    name = name.rstrip("/") or name
    if name == STDIN or name.startswith("s3://"):
        return ""
    return name if os.path.basename(name) in ("", ".", "..") else os.path.dirname(name)


def _is_same(source: Source) -> bool:
    if source.uri.startswith("s3://"):
        from manifest_tools.io import s3

        found = s3.find(source.uri)
        return found is not None and found.etag == source.etag
    try:
        return _stamp(os.stat(source.uri)) == source.stamp
    except OSError:
        return False


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return (error.strerror or str(error)).lower()


@contextlib.contextmanager
def _decompressed(uri: str, etag: str = "") -> Iterator[BinaryIO]:
    try:
        if uri.startswith("s3://"):
            from manifest_tools.io import s3

            with s3.open_stream(uri, etag) as body:
                yield cast(BinaryIO, _Unpacked(uri, body))
        else:
            with open(uri, "rb") as file:
                yield cast(BinaryIO, _Unpacked(uri, file))
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise NotAManifest(uri, f"a damaged gzip file ({error})", "fetch it again") from error


class _Unpacked:
    """The content of a gzip file; reading raises NotAManifest where it is far larger than the file."""

    def __init__(self, name: str, packed: BinaryIO) -> None:
        self.name, self.packed = name, _Counted(packed)
        self.stream = gzip.GzipFile(fileobj=cast(BinaryIO, self.packed))
        self.count = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, as many as asked for unless the end comes before."""
        data = self.stream.read(size)
        self.count += len(data)
        if self.count > max(LIMITS.unpacked, LIMITS.ratio * self.packed.count):
            what = f"a gzip file that unpacks to more than {LIMITS.ratio} times its size"
            raise NotAManifest(self.name, what, "if it is one, unpack it first, with gunzip")
        return data


class _Counted:
    """A stream that counts what is read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.count = stream, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; fewer than asked for at the end, or where the stream has no more yet."""
        data = self.stream.read(size)
        self.count += len(data)
        return data


def _read_range(uri: str, start: int, end: int, etag: str = "") -> bytes:
    if uri.startswith("s3://"):
        from manifest_tools.io import s3

        return s3.read_range(uri, start, end, etag)
    with open(uri, "rb", buffering=0) as file:
        file.seek(start)
        data = file.read(end - start)
        while len(data) < end - start and (more := file.read(end - start - len(data))):
            data += more
    if len(data) < end - start:
        raise MtoolError(f"{uri}: became shorter while it was read; run the same command again")
    return data


def _range_blocks(source: Source, total: int, size: int) -> Iterator[Block]:
    start = 0
    while start < total:
        end = _line_end(source, min(start + size, total), total)
        yield Block(source.uri, start, end, etag=source.etag)
        start = end


def _line_end(source: Source, at: int, total: int) -> int:
    """Return the offset after the first newline at or after ``at - 1``, or ``total`` if there is none."""
    at -= 1
    begin = at
    while at < total:
        _check_length(source.name, at - begin)
        window = _read_range(source.uri, at, min(at + HEAD, total), source.etag)
        found = window.find(b"\n")
        if found >= 0:
            return at + found + 1
        at += len(window)
    return total


def _check_length(name: str, length: int) -> None:
    """Raise NotAManifest for a line of more bytes than the limit."""
    if length > LIMITS.line:
        found = f"a line of more than {LIMITS.line:,} bytes"
        raise NotAManifest(name, found, "if it is meant, type: mtool --max-line 4G COMMAND")


def _stream_blocks(name: str, stream: BinaryIO, size: int) -> Iterator[Block]:
    parts, offset, more = [b""], 0, True
    while more:
        data = stream.read(size)
        more = bool(data)
        cut = data.rfind(b"\n") + 1
        if more and not cut:
            parts.append(data)
            _check_length(name, sum(map(len, parts)))
            continue
        lines = b"".join((*parts, data[:cut]))
        parts = [data[cut:]]
        if lines:
            yield Block("", offset, offset + len(lines), lines)
            offset += len(lines)


def hint_in(folder: Path) -> str:
    """Return what to type in place of a folder that has manifests or COCO files, or nothing."""
    if manifests := find_manifests(folder):
        return f"type the name of a file in it, such as {folder / manifests[0]}"
    if any(path.name != "classes.json" for path in folder.glob("*.json")):
        return f"if it has COCO files, type: mtool convert --from coco {folder} -o NAME.manifest"
    return ""


def find_manifests(folder: Path, pattern: str = "*.manifest") -> list[str]:
    """Return the names of the files in ``folder`` that match ``pattern``, sorted."""
    return sorted(path.name for path in folder.glob(pattern) if path.is_file())
