"""Objects of S3 that are kept on this disk, and fetched again only when they have changed."""

import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.local_files import left_in, process_prefix
from manifest_tools.io import s3

_NEW = "new"  # the folder of files that are not whole


class _Head(msgspec.Struct, frozen=True):
    """The first line of a file that is kept: what the rest of it is."""

    uri: str
    etag: str
    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class ObjectCache:
    """A folder with objects; several threads, processes and commands may use it at a time. Picklable.

    Every read asks S3, in one request, whether the object still has the ETag of what is kept, and gets its
    bytes only if not: a changed object is never taken for the old one, and nothing is kept twice. A file is
    named by a hash of the URI, so no key leads out of the folder. One that is not whole, or is not ours, is
    as good as none.
    """

    folder: str

    def read(self, uri: str, most: int) -> bytes:
        """Return what ``s3.read`` returns; an object with more than ``most`` bytes is not kept."""
        path = self._path(uri)
        kept = _kept(path, uri)
        etag = kept[0].etag if kept else ""
        found = s3.read_unless(uri, etag, most)
        if found is None:
            assert kept is not None
            return kept[1]
        if found.etag and len(found.data) <= most:
            self._keep(path, _Head(uri, found.etag, len(found.data), zlib.crc32(found.data)), found.data)
        return found.data

    def _path(self, uri: str) -> str:
        name = hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()
        return os.path.join(self.folder, name[:2], name[2:])

    def _keep(self, path: str, head: _Head, data: bytes) -> None:
        """Write a file that is there whole or not at all, in place of an older one."""
        with _said(self.folder):
            folder, new_files = os.path.dirname(path), os.path.join(self.folder, _NEW)
            os.makedirs(new_files, exist_ok=True)
            os.makedirs(folder, exist_ok=True)
            if os.path.islink(folder):
                raise Refused(f"--cache {self.folder}: {folder} leads elsewhere; remove it")
            handle, new = tempfile.mkstemp(prefix=process_prefix(), dir=new_files)
            try:
                with open(handle, "wb") as file:
                    file.write(msgspec.json.encode(head) + b"\n")
                    file.write(data)
                os.replace(new, path)
            except BaseException:
                os.unlink(new)
                raise


def object_cache(folder: str) -> ObjectCache:
    """Return the cache in a folder, which is made with the first object; removes what killed processes left.

    Raises Refused for a folder that has something else in it, MtoolError for one that cannot be written.
    """
    if folder.startswith("s3://"):
        raise Refused(f"--cache {folder}: expected a folder on this disk")
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise Refused(f"--cache {folder}: expected a folder, found a file; type another name")
    place = Path(os.path.realpath(folder))
    if place.is_dir() and not (place / _NEW).is_dir() and any(place.iterdir()):
        raise Refused(f"--cache {folder}: expected an empty folder, or a cache; found other files")
    with _said(folder):
        for path in left_in(place / _NEW):
            path.unlink(missing_ok=True)
    return ObjectCache(str(place))


def _kept(path: str, uri: str) -> tuple[_Head, bytes] | None:
    """Return what is kept of an object, whole; None where there is nothing of the kind."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            head, _, data = file.read().partition(b"\n")
        found = msgspec.json.decode(head, type=_Head)
    except (OSError, msgspec.DecodeError):
        return None
    whole = found.uri == uri and found.size == len(data) and found.crc32 == zlib.crc32(data)
    return (found, data) if whole and found.etag else None


@contextlib.contextmanager
def _said(folder: str) -> Iterator[None]:
    """Raise an MtoolError for what the disk says."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise MtoolError(f"--cache {folder}: cannot be written: {why}; type another folder") from error
