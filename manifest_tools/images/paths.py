"""Finds the pictures of a manifest on this disk: ``--images FROM=TO``.

These are all rules. ``FROM=TO`` says that the object ``FROM/rest`` is the file ``TO/rest``; the longest FROM
that a source-ref begins with is tried first, then the next, until there is a file. A folder ``TO`` alone, for
a manifest with pictures in one bucket, may be a copy of the bucket, of the deepest folder that all keys
share, or of any folder on the way: which one, a few source-refs show when the paths are made. What no FROM
covers is fetched from S3. A source-ref that is not an ``s3://`` URI is a path relative to the folder of the
manifest; a folder ``TO`` alone is looked into before, in the same ways.
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from manifest_tools.base.details import detail
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import counted
from manifest_tools.images.unusable import MAX_BYTES, MISSING, OUTSIDE, TOO_LARGE, Unusable
from manifest_tools.io.sources import Source

_S3 = "s3://"
_FOLDERS = 16  # folders of the keys that a bare TO is tried as
_SHOWN = 3  # places that a message lists
_SAMPLE = 8  # source-refs that show which one it is
_TOLD = 8  # places that -v lists


@dataclass(frozen=True, slots=True)
class ImagePaths:
    """Where the pictures of a manifest are on this disk; small and picklable."""

    mapped: tuple[tuple[str, str], ...]
    """Prefixes of source-refs, in the order of the search, with the real path of the folder of each."""

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
        tried: dict[str, None] = {}
        for folder, rest in self._candidates(ref):
            path = _inside(folder, rest)
            if os.path.exists(path):
                return path
            tried[path] = None
        raise Unusable(MISSING, f"expected {first_of(tried) or ref}, found no such file")

    def size(self, ref: str) -> int | None:
        """Return the bytes of the file, or None if there is none; the path is not checked as in ``find``."""
        for folder, rest in self._candidates(ref):
            with contextlib.suppress(OSError, ValueError):
                return os.stat(os.path.join(folder, rest)).st_size
        return None

    def places(self, ref: str) -> list[str]:
        """Return the paths that ``find`` looks at, in their order."""
        return list(dict.fromkeys(os.path.join(folder, rest) for folder, rest in self._candidates(ref)))

    def _candidates(self, ref: str) -> Iterator[tuple[str, str]]:
        in_s3 = ref.startswith(_S3)
        for prefix, folder in self.mapped:
            if ref.startswith(prefix) and prefix.startswith(_S3) == in_s3:
                yield folder, ref[len(prefix) :]
        if not in_s3:
            yield self.base, ref


def paths_of(source: Source, options: Iterable[str], refs: Iterable[str]) -> ImagePaths:
    """Return the ImagePaths of a manifest, for the values of ``--images`` and some or all of its refs."""
    return image_paths([*options, *source.images], refs, source.folder)


def image_paths(options: Iterable[str], refs: Iterable[str], base: str = ".") -> ImagePaths:
    """Return the ImagePaths for the values of ``--images``, and a manifest in the folder ``base``.

    ``refs`` are its source-refs, which are looked at once, and only for a folder alone; few are remembered.
    Raises Refused for a folder that does not exist, and for a folder alone if the refs are in several
    buckets.

    >>> image_paths(["s3://lab3-rawdata=."], []).mapped[0][0]
    's3://lab3-rawdata/'
    """
    typed: list[tuple[str, str]] = []
    bare: list[str] = []
    for option in options:
        if option.startswith(_S3):
            typed.append(_pair(option))
        else:
            bare.append(option)
    guessed = list(_guesses([(option, _folder(option, option)) for option in bare], refs))
    typed.sort(key=lambda pair: -len(pair[0]))
    mapped = tuple(dict.fromkeys(typed + guessed))
    for prefix, folder in mapped[:_TOLD]:
        detail(__name__, "pictures of %s are looked for in %s", prefix or "relative paths", folder)
    return ImagePaths(mapped, os.path.realpath(base))


def first_of(places: Iterable[str]) -> str:
    """Return the first few places for a message.

    >>> first_of("abcde")
    'a, b, c and 2 more places'
    """
    (*few,) = dict.fromkeys(places)
    more = len(few) - _SHOWN
    return ", ".join(few[:_SHOWN]) + (f" and {counted(more, 'more place')}" if more > 0 else "")


def _pair(option: str) -> tuple[str, str]:
    # A key may well contain an equals sign (date=2019-05-04), a folder of pictures hardly.
    prefix, equals, folder = option.rpartition("=")
    if not equals:
        raise Refused(f"--images {option}: expected FROM=TO; type: --images {option}=FOLDER")
    return prefix.rstrip("/") + "/", _folder(folder, option)


@dataclass(slots=True)
class _Refs:
    """What is remembered of any number of source-refs: a few of them, and the folder that all share."""

    lowest: str | None = None
    highest: str | None = None
    few: list[str] = field(default_factory=list)
    """From the first on, at equal distances."""

    _distance: int = 1
    _count: int = 0

    def add(self, ref: str) -> None:
        """Take notice of one."""
        if self.lowest is None or self.highest is None:
            self.lowest = self.highest = ref
        elif ref < self.lowest:
            self.lowest = ref
        elif ref > self.highest:
            self.highest = ref
        if self._count % self._distance == 0:
            self.few.append(ref)
            if len(self.few) == 2 * _SAMPLE:
                self.few, self._distance = self.few[::2], 2 * self._distance
        self._count += 1

    def prefixes(self, folder: str) -> list[str]:
        """Return the prefixes that ``folder`` may stand for, those with most files there first."""
        every = _folders_of(common_folder([self.lowest or "", self.highest or ""]))
        few = self.few or [""]
        return sorted(every, key=lambda prefix: -sum(_is_in(folder, ref[len(prefix) :]) for ref in few))


def _guesses(bare: Sequence[tuple[str, str]], refs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what bare folders, each with its option, may be copies of; first what the files in them show."""
    in_s3, relative, buckets = _Refs(), _Refs(), dict[str, None]()
    for ref in refs if bare else ():
        if ref.startswith(_S3):
            in_s3.add(ref)
            buckets[bucket_of(ref)] = None
        else:
            relative.add(ref)
    for option, folder in bare:
        if len(buckets) > 1:
            raise Refused(
                f"--images {option}: the pictures are in {len(buckets)} buckets; type one"
                f" --images {next(iter(buckets))}=FOLDER for each"
            )
        if buckets:
            yield from ((prefix, folder) for prefix in in_s3.prefixes(folder))
        yield from ((prefix, folder) for prefix in relative.prefixes(folder))


def _folders_of(prefix: str) -> list[str]:
    """Return a prefix and the folders above it, up to the bucket; the deepest one and some of the highest.

    >>> _folders_of("s3://b/raw/2019/"), _folders_of("raw/")
    (['s3://b/raw/2019/', 's3://b/raw/', 's3://b/'], ['raw/', ''])
    """
    above = prefix.removeprefix(_S3).split("/")[:-1]
    start, first = (_S3, 1) if prefix.startswith(_S3) else ("", 0)
    every = [start + "".join(f"{part}/" for part in above[:depth]) for depth in range(first, len(above) + 1)]
    return [*every[_FOLDERS:][-1:], *every[:_FOLDERS][::-1]]


def _is_in(folder: str, rest: str) -> bool:
    with contextlib.suppress(Unusable):
        return os.path.exists(_inside(folder, rest))
    return False


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


def is_below(path: str) -> bool:
    r"""Say whether a path, joined to any folder, can only be a file below it, as long as no link leads out.

    >>> [path for path in ("left/1.jpg", "a//b.jpg", "../x", "/etc/x", "./x", "a\\b", "") if is_below(path)]
    ['left/1.jpg', 'a//b.jpg']
    """
    odd = path[:1] in ("", "/") or "\\" in path or "\0" in path
    return not odd and not any(part in (".", "..") for part in path.split("/"))


def _inside(folder: str, rest: str) -> str:
    """Return the real path of ``folder/rest``; raises Unusable if it is outside ``folder``."""
    if len(rest) > _LONGEST:
        raise Unusable(MISSING, f"no file can have a name of {len(rest):,} characters")
    if not is_below(rest):
        raise Unusable(OUTSIDE, f"expected a path below {folder}, found {rest[:200]!r}")
    # S3 keeps two slashes apart that follow one another; what copies to a disk makes them one.
    parts = [part for part in rest.split("/") if part]
    try:
        path = os.path.realpath(os.path.join(folder, *parts))
    except (OSError, ValueError) as error:
        raise Unusable(MISSING, f"no file can have the name {rest[:200]!r}") from error
    if not path.startswith(folder.rstrip(os.sep) + os.sep):
        raise Unusable(
            OUTSIDE,
            f"a link leads out of {folder}: {rest[:200]!r}; type --images with the folder that it leads to",
        )
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
