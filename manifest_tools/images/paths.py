"""Where the pictures of a manifest lie on this disk: ``--images FROM=TO``.

The rule, whole. ``FROM=TO`` says that the object ``FROM/rest`` is the file ``TO/rest``. A bare folder
``TO``, for manifests of one bucket, stands for two: ``s3://bucket=TO``, and ``s3://bucket/deep=TO`` with
the deepest folder that all keys share, so that a flat copy of one folder of a bucket is found as well.
The longest FROM that covers a source-ref counts, then the next, until there is a file. What no FROM
covers is fetched from S3. A source-ref that is no ``s3://`` URI is a path from the manifest's folder.
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
    """Prefixes of source-refs, the longest first, with the folder of each; small and picklable.

    ``base`` is the folder that other refs are relative to. Folders are real paths.
    """

    mapped: tuple[tuple[str, str], ...]
    base: str

    def covers(self, ref: str) -> bool:
        """Say whether ``ref`` is to be found on this disk, whether it is there or not."""
        return next(self._candidates(ref), None) is not None

    def find(self, ref: str) -> str:
        """Return the path of the file that ``ref`` means, links resolved.

        Raises Unusable where there is none, or where it lies outside the folder that was named.
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
        """Return the bytes of the file, or None where there is none; links are not looked into."""
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
    """Return what ``--images`` says about a manifest in the folder ``base`` with these source-refs.

    Raises Refused for a folder that is not there, and for a bare one where the refs name several buckets.

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
    # A key may well have an equals sign (date=2019-05-04), a folder of pictures hardly.
    prefix, equals, folder = option.rpartition("=")
    if not equals:
        raise Refused(f"--images {option}: expected FROM=TO; type: --images {option}=FOLDER")
    yield prefix.rstrip("/") + "/", _folder(folder, option)


def _prefixes(option: str, refs: Sequence[str]) -> Iterator[str]:
    buckets = list(dict.fromkeys(bucket_of(ref) for ref in refs if ref.startswith(_S3)))
    if len(buckets) > 1:
        raise Refused(
            f"--images {option}: the pictures lie in {len(buckets)} buckets; type one"
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
    """Return the bucket of a source-ref as a URI, or ``.`` where it is a path on this disk.

    >>> bucket_of("s3://lab3-rawdata/left/IMG_1.JPG")
    's3://lab3-rawdata'
    """
    return _S3 + ref[len(_S3) :].partition("/")[0] if ref.startswith(_S3) else "."


def common_folder(refs: Iterable[str]) -> str:
    """Return the deepest folder that all refs share, ending in a slash, or nothing.

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
    """Return the real path of ``folder/rest``; raises Unusable where it would lie elsewhere."""
    if len(rest) > _LONGEST:
        raise Unusable(MISSING, f"no file can have a name of {len(rest):,} characters")
    parts = rest.split("/")
    if "\\" in rest or "\0" in rest or any(part in ("", ".", "..") for part in parts):
        raise Unusable(OUTSIDE, f"expected a path below {folder}, found {rest[:200]!r}")
    try:
        path = os.path.realpath(os.path.join(folder, *parts))
    except (OSError, ValueError) as error:
        raise Unusable(MISSING, f"no file can have the name {rest[:200]!r}") from error
    if not path.startswith(folder.rstrip(os.sep) + os.sep):
        raise Unusable(OUTSIDE, f"a link leads out of {folder}: {rest[:200]!r}")
    return path


def read_file(path: str) -> bytes:
    """Return the bytes of a picture's file; raises Unusable where that cannot be, or should not."""
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
