"""A prefix in S3 that is written as a folder: many objects, and one that says that they are not all there.

S3 has no rename, so a folder of objects cannot appear at once. What it can do: the first object that is
written is ``.mtool-unfinished``, and it is removed when every object and the report beside them are there. So
a prefix without it is whole; one with it is what a run left that was killed, and is said by the next run and
by ``mtool jobs --leftovers``. After an error what was written is removed again.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.io import s3
from manifest_tools.io.folder_sink import Folder, check_inside, writing
from manifest_tools.io.s3uri import S3Uri, parse
from manifest_tools.io.sinks import Publication, Published, check_free, check_key

UNFINISHED = ".mtool-unfinished"
"""The object below a prefix that is not whole."""

_A_MOMENT = 0.2  # seconds
_TRIES = 50
_WORDS = b"mtool writes below this prefix, or was stopped while it did: not everything is here.\n"


@dataclass(frozen=True, slots=True)
class S3Folder:
    """A prefix being written; of the shape of ``FolderSink``, and safe in many threads and processes.

    Each ``write`` is one request and is done when it returns, so no more is in memory than the callers hold.
    """

    uri: str
    """Without a slash at its end."""

    kms_key: str | None = None

    @property
    def is_far(self) -> bool:
        """Return True: writing is waiting."""
        return True

    def write(self, name: str, data: bytes) -> None:
        """Write the object ``name``, a path with slashes."""
        check_inside(name)
        s3.put(f"{self.uri}/{name}", data, kms_key=self.kms_key)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Yield a stream that waits in a temporary file, and is uploaded as ``name`` when the block ends."""
        check_inside(name)
        with tempfile.NamedTemporaryFile(prefix="mtool-") as file:
            yield cast(BinaryIO, file)
            file.flush()
            s3.upload(file.name, f"{self.uri}/{name}", kms_key=self.kms_key)

    def make_folder(self, name: str) -> None:
        """Write an object of no bytes whose key ends in a slash: a folder, as S3's console makes them."""
        check_inside(name)
        s3.put(f"{self.uri}/{name}/", b"", kms_key=self.kms_key)

    def link(self, name: str, source: str) -> None:
        """Raise Refused: there are no links in S3."""
        raise Refused("--link: an object in S3 cannot be a link; leave --link away to copy")


@dataclass(frozen=True, slots=True)
class InThreads:
    """A folder whose files are written in threads, while the caller goes on."""

    folder: Folder
    write: Callable[[str, bytes], None]

    @property
    def is_far(self) -> bool:
        """Return False: nobody waits here."""
        return False

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Return a stream as the folder does."""
        return self.folder.open(name)

    def make_folder(self, name: str) -> None:
        """Make a folder as the folder does."""
        self.folder.make_folder(name)

    def link(self, name: str, source: str) -> None:
        """Link as the folder does."""
        self.folder.link(name, source)


@contextlib.contextmanager
def in_threads(folder: Folder, threads: int = 16) -> Iterator[InThreads]:
    """Yield the folder for a caller that writes one file after the other; all are there at the end."""
    with ThreadPoolExecutor(threads) as executor, writing(folder, executor) as write:
        yield InThreads(folder, write)


@contextlib.contextmanager
def s3_folder(output: str, publication: Publication, *, report: str, is_ours: bool) -> Iterator[S3Folder]:
    """Yield a prefix to write below, which is whole when the publication has published the rest.

    A prefix with objects is replaced only with ``publication.force``, and only where ``is_ours``, because the
    file ``report`` says that mtool made it, or where a run of ours was killed in it: every object is written
    anew, and then older ones are removed. Raises Refused or Exists at once, not at the end.
    Until the block ends nobody else may write below the prefix.
    """
    uri = output.rstrip("/")
    name = _prefix_of(uri)
    check_key(publication.kms_key, [uri])
    newest = _check_prefix(output, name, publication.force, report, is_ours)
    begun = _begin(name, newest)
    try:
        yield S3Folder(uri, publication.kms_key)
    except BaseException:
        if newest is None:
            _take_away(name, begun)
        raise
    if newest is not None:
        s3.remove(name.bucket, _keys(name, lambda changed: changed < begun))
    publication.marks.append(_Mark(name))
    publication.published.append(Published(output, "written"))


def is_unfinished(uri: str) -> bool:
    """Return whether a run was killed, or is at work, that writes below a prefix."""
    return s3.exists(f"{uri.rstrip('/')}/{UNFINISHED}")


@dataclass(frozen=True, slots=True)
class _Mark:
    """The object that says that a prefix is not whole."""

    prefix: S3Uri

    def unlink(self, missing_ok: bool = True) -> None:
        """Remove it."""
        s3.remove(self.prefix.bucket, [self.prefix.key + UNFINISHED])


def _prefix_of(uri: str) -> S3Uri:
    """Return bucket and prefix, with a slash at its end; raises Refused."""
    try:
        name = parse(uri)
    except ValueError as error:
        raise Refused(str(error)) from error
    return S3Uri(name.bucket, f"{name.key}/")


def _check_prefix(output: str, name: S3Uri, force: bool, report: str, is_ours: bool) -> datetime | None:
    """Return when the newest object below a prefix was written, None where there is none.

    Raises Refused or Exists where it may not be replaced.
    """
    first = next(s3.listed(name.bucket, name.key), [])
    if not first:
        if not force:
            check_free(report)
        return None
    unfinished = is_unfinished(output)
    if unfinished and not force:
        raise Refused(
            f"{output}: a run that wrote there was stopped, or is at work, so not everything is there; type"
            " --force to make all of it anew"
        )
    if not force:
        raise Exists([output], compared=False)
    if not (is_ours or unfinished):
        raise Refused(
            f"{output}: not made by mtool (no {report}), so --force does not replace it; remove it yourself,"
            " or type -o for another place"
        )
    return max(one.changed for page in s3.listed(name.bucket, name.key) for one in page)


def _begin(name: S3Uri, newest: datetime | None) -> datetime:
    """Write the mark, and return when, by the clock of S3: later than everything that is there."""
    for _ in range(_TRIES):
        s3.put(f"{name}{UNFINISHED}", _WORDS)
        ((mark,),) = s3.listed(name.bucket, name.key + UNFINISHED)
        if newest is None or mark.changed > newest:
            return mark.changed
        time.sleep(_A_MOMENT)  # that clock tells seconds
    raise MtoolError(f"{name}: S3 says that objects there were written in the future; try again later")


def _take_away(name: S3Uri, begun: datetime) -> None:
    """Remove what was written; where that fails too, the mark stays."""
    with contextlib.suppress(MtoolError):
        s3.remove(name.bucket, _keys(name, lambda changed: changed >= begun))
        _Mark(name).unlink()


def _keys(name: S3Uri, chosen: Callable[[datetime], bool]) -> Iterator[str]:
    """Yield the keys below a prefix, the mark's not, by when the objects were written."""
    for page in s3.listed(name.bucket, name.key):
        for one in page:
            if chosen(one.changed) and one.key != name.key + UNFINISHED:
                yield one.key
