"""Finds the pictures of a manifest on this disk: ``--images FROM=TO``.

These are all rules. ``FROM=TO`` says that the object ``FROM/rest`` is the file ``TO/rest``. A folder ``TO``
alone, for a manifest with pictures in one bucket, stands for two: ``s3://bucket=TO``, and
``s3://bucket/deep=TO`` with the deepest folder that all keys share, so a flat copy of one folder of a bucket
is found too. The longest FROM that a source-ref begins with is tried first, then the next, until there is a
file. What no FROM covers is fetched from S3. A source-ref that is not an ``s3://`` URI is a path relative to
the folder of the manifest.
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from manifest_tools.base.errors import Refused
from manifest_tools.images.unusable import MAX_BYTES, MISSING, OUTSIDE, TOO_LARGE, Unusable

_S3 = "s3://"


@dataclass(frozen=True, slots=True)
class ImagePaths:
    """Where the pictures of a manifest are on this disk; small and picklable."""

    mapped: tuple[tuple[str, str], ...]
    """Prefixes of source-refs, the longest first, with the real path of the folder of each."""

    base: str
    """The real path of the folder to which refs that are not S3 URIs are relative."""

    def covers(self, ref: str) -> bool:
        """Return whether ``ref`` belongs on this disk, even if the file does not exist."""
        return next(self._candidates(ref), None) is not None

    def find(self, ref: str) -> str:
        """Return the real path of the file of ``ref``.

        Raises Unusable if there is none, or if it is outside the folder that was typed.
        """
        if not ref:
            raise Unusable(MISSING, "expected a source-ref, found none")
        first = None
        for folder, rest in self._candidates(ref):
            path = _inside(folder, rest)
            first = first or path
            if os.path.exists(path):
                return path
        raise Unusable(MISSING, f"expected {first or ref}, found no such file")

    def size(self, ref: str) -> int | None:
        """Return the bytes of the file, or None if there is none; the path is not checked as in ``find``."""
        for folder, rest in self._candidates(ref):
            with contextlib.suppress(OSError, ValueError):
                return os.stat(os.path.join(folder, rest)).st_size
        return None

    def _candidates(self, ref: str) -> Iterator[tuple[str, str]]:
        if not ref.startswith(_S3):
            yield self.base, ref
            return
        for prefix, folder in self.mapped:
            if ref.startswith(prefix):
                yield folder, ref[len(prefix) :]


def image_paths(options: Iterable[str], refs: Sequence[str], base: str = ".") -> ImagePaths:
    """Return the ImagePaths for the values of ``--images``, and a manifest in the folder ``base``.

    ``refs`` are its source-refs. Raises Refused for a folder that does not exist, and for a folder alone if
    the refs are in several buckets.

    >>> image_paths(["s3://lab3-rawdata=."], []).mapped[0][0]
    's3://lab3-rawdata/'
    """
    mapped = [pair for option in options for pair in _pairs(option, refs)]
    ordered = sorted(dict.fromkeys(mapped), key=lambda pair: -len(pair[0]))
    return ImagePaths(tuple(ordered), os.path.realpath(base))


def _pairs(option: str, refs: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not option.startswith(_S3):
        folder = _folder(option, option)
        yield from ((prefix, folder) for prefix in _prefixes(option, refs))
        return
    # A key may well contain an equals sign (date=2019-05-04), a folder of pictures hardly.
    prefix, equals, folder = option.rpartition("=")
    if not equals:
        raise Refused(f"--images {option}: expected FROM=TO; type: --images {option}=FOLDER")
    yield prefix.rstrip("/") + "/", _folder(folder, option)


def _prefixes(option: str, refs: Sequence[str]) -> Iterator[str]:
    buckets = list(dict.fromkeys(bucket_of(ref) for ref in refs if ref.startswith(_S3)))
    if len(buckets) > 1:
        raise Refused(
            f"--images {option}: the pictures are in {len(buckets)} buckets; type one"
            f" --images {buckets[0]}=FOLDER for each"
        )
    for bucket in buckets:
        yield f"{bucket}/"
        yield common_folder(ref for ref in refs if ref.startswith(_S3))


def _folder(name: str, option: str) -> str:
    folder = os.path.realpath(os.path.expanduser(name))
    if not name or not os.path.isdir(folder):
        raise Refused(f"--images {option}: expected a folder, found none at {name or 'the end'}")
    return folder


def bucket_of(ref: str) -> str:
    """Return the bucket of a source-ref as a URI, or ``.`` if it is a path on this disk.

    >>> bucket_of("s3://lab3-rawdata/left/IMG_1.JPG")
    's3://lab3-rawdata'
    """
    return _S3 + ref[len(_S3) :].partition("/")[0] if ref.startswith(_S3) else "."


def common_folder(refs: Iterable[str]) -> str:
    """Return the deepest folder that all refs share, with a slash at its end, or an empty text.

    >>> common_folder(["s3://b/left/1.jpg", "s3://b/left/old/2.jpg"])
    's3://b/left/'
    """
    lowest = highest = None
    for ref in refs:
        lowest = ref if lowest is None or ref < lowest else lowest
        highest = ref if highest is None or ref > highest else highest
    shared = os.path.commonprefix([lowest or "", highest or ""])
    folder = shared[: shared.rfind("/") + 1]
    return "" if folder == _S3 else folder


_LONGEST = 4096  # characters of a path; realpath looks at every part of it


def _inside(folder: str, rest: str) -> str:
    """Return the real path of ``folder/rest``; raises Unusable if it is outside ``folder``."""
    if len(rest) > _LONGEST:
        raise Unusable(MISSING, f"no file can have a name of {len(rest):,} characters")
    # S3 keeps two slashes apart that follow one another; what copies to a disk makes them one.
    parts = [part for part in rest.split("/") if part]
    odd = rest[:1] in ("", "/") or "\\" in rest or "\0" in rest
    if odd or any(part in (".", "..") for part in parts):
        raise Unusable(OUTSIDE, f"expected a path below {folder}, found {rest[:200]!r}")
    try:
        path = os.path.realpath(os.path.join(folder, *parts))
    except (OSError, ValueError) as error:
        raise Unusable(MISSING, f"no file can have the name {rest[:200]!r}") from error
    if not path.startswith(folder.rstrip(os.sep) + os.sep):
        raise Unusable(OUTSIDE, f"a link leads out of {folder}: {rest[:200]!r}")
    return path


def read_file(path: str) -> bytes:
    """Return the bytes of a picture; raises Unusable if it is no file, too large, or cannot be read."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise Unusable(MISSING, f"expected a file at {path}, found something else")
        if status.st_size > MAX_BYTES:
            raise Unusable(TOO_LARGE, f"expected at most {MAX_BYTES:,} bytes, found {status.st_size:,}")
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError as error:
        raise Unusable(MISSING, f"{path}: {(error.strerror or str(error)).lower()}") from error


_LONGEST_NAME = 255  # bytes of a file's or a folder's name, on every usual disk


def place_for(folder: str, key: str) -> str:
    """Return the real path at which ``find`` looks for the object ``key``, ``folder`` being its bucket.

    Raises Unusable where no file below ``folder`` can have that name.
    """
    if key.endswith("/"):
        raise Unusable(MISSING, f"expected the key of a picture, found a folder's: {key[:200]!r}")
    longest = max(len(part.encode("utf-8", "surrogatepass")) for part in key.split("/"))
    if longest > _LONGEST_NAME:
        raise Unusable(MISSING, f"no file can have a name of {longest:,} bytes: {key[:200]!r}")
    return _inside(folder, key)
