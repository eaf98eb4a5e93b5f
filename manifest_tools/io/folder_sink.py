"""An output folder that appears whole or not at all, as an output file does."""

import contextlib
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from manifest_tools.base.errors import Exists, MtoolError, Refused
from manifest_tools.base.local_files import (
    left_behind,
    make_folder,
    remove_empty,
    same_bytes,
    temporary_prefix,
)
from manifest_tools.io.sinks import Publication, Published

_ON_THE_WAY = 32  # files of a folder that is far


class Folder(Protocol):
    """What takes the files of a folder: ``FolderSink``, or a prefix in S3; picklable."""

    @property
    def is_far(self) -> bool:
        """Whether writing is waiting, so that many should write at a time."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write the file ``name``, a path with slashes."""
        ...

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Return a stream that writes the file ``name``, a path with slashes, and is closed by its block."""
        ...

    def make_folder(self, name: str) -> None:
        """Make the folder ``name``, a path with slashes, which may stay empty."""
        ...

    def link(self, name: str, source: str) -> None:
        """Give the file ``source`` a second name; raises Refused or MtoolError where that cannot be."""
        ...


@dataclass(slots=True)
class FolderSink:
    """A folder being written beside the place that it will take."""

    root: Path
    _made: set[Path] = field(default_factory=set)

    @property
    def is_far(self) -> bool:
        """Return False: it is on this disk."""
        return False

    def write(self, name: str, data: bytes) -> None:
        """Write the file ``name``, a path with slashes."""
        self._path(name).write_bytes(data)

    def local_path(self, name: str) -> str:
        """Return where the file ``name`` is to be written by a worker; its folder is there."""
        return str(self._path(name))

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Return a stream that writes the file ``name``, a path with slashes."""
        return self._path(name).open("wb")

    def make_folder(self, name: str) -> None:
        """Make the folder ``name``, a path with slashes, which may stay empty."""
        self._path(f"{name}/file")

    def link(self, name: str, source: str) -> None:
        """Give the file ``source`` a second name: a hard link is a file like any other, also when it goes."""
        try:
            self._path(name).unlink(missing_ok=True)
            os.link(source, self._path(name))
        except OSError as error:
            raise MtoolError(
                f"--link: {source} cannot be linked ({(error.strerror or '').lower()}): both folders must be"
                " on one file system; leave --link away to copy"
            ) from error

    def _path(self, name: str) -> Path:
        """Return where a file is to be written; raises ValueError for a name that leaves the folder."""
        check_inside(name)
        path = self.root / name
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        return path


@contextlib.contextmanager
def writing(folder: Folder, executor: Executor | None) -> Iterator[Callable[[str, bytes], None]]:
    """Yield what writes files into a folder: into one that is far in threads, and all are there at the end.

    No more than ``_ON_THE_WAY`` wait at a time. Raises what ``write`` raises, of an earlier file perhaps.
    """
    if executor is None or not folder.is_far:
        yield folder.write
        return
    waiting: deque[Future[None]] = deque()

    def write(name: str, data: bytes) -> None:
        if len(waiting) == _ON_THE_WAY:
            waiting.popleft().result()
        waiting.append(executor.submit(folder.write, name, data))

    try:
        yield write
        while waiting:
            waiting.popleft().result()
    finally:
        wait(waiting)


def check_inside(name: str) -> None:
    """Raise ValueError for a name, a path with slashes, that leaves the folder in which it is to be."""
    if "\\" in name or any(part in ("", ".", "..") for part in name.split("/")):
        raise ValueError(f"expected a path inside the folder, found {name[:200]!r}")


@contextlib.contextmanager
def folder_sink(
    output: str, publication: Publication, *, report: str, is_ours: bool, new: Path | None = None
) -> Iterator[FolderSink]:
    """Yield a folder that takes the place of ``output`` when the block ends well, and leaves no trace else.

    One with the very same files is left alone and reported as unchanged. Another is replaced only with
    ``publication.force``, and only where ``is_ours``: where the file ``report`` says that mtool made it.
    It is written in the folder ``new``, on the same file system, which the caller takes away where the block
    does not end well, or in one of its own. Raises Refused or Exists at once for what could only fail at the
    end.
    """
    target = Path(os.path.realpath(output))
    _check_target(output, target, publication.force, report, is_ours)
    made = make_folder(target.parent, output)
    own = _beside(target, output) if new is None else None
    root = new or own
    assert root is not None
    try:
        root.mkdir(exist_ok=True)
        yield FolderSink(root)
        publication.published.append(_publish(output, root, target, publication))
    finally:
        if own:
            shutil.rmtree(own, ignore_errors=True)
        remove_empty(made)
    _remove_left_behind(target)


def check_on_this_disk(output: str) -> None:
    """Raise Refused for a folder that would be in S3."""
    if output.startswith("s3://"):
        raise Refused(f"{output}: expected a folder on this disk; type: aws s3 sync, afterwards")


def _beside(target: Path, output: str) -> Path:
    try:
        return Path(tempfile.mkdtemp(dir=target.parent, prefix=temporary_prefix(target)))
    except OSError as error:
        raise MtoolError(f"{output}: cannot be written: {error.strerror}") from error


# What the name of a file ends in that says that a folder and its report are being replaced.
_MARK = "-replacing"


def _remove_left_behind(target: Path) -> None:
    """Remove the folders and marks of ``target`` whose process is gone."""
    for path in list(left_behind(target)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _check_target(output: str, target: Path, force: bool, report: str, is_ours: bool) -> None:
    check_on_this_disk(output)
    half = target.parent.is_dir() and any(path.name.endswith(_MARK) for path in left_behind(target))
    if half and not force:
        raise Refused(
            f"{output}: a run was killed while it replaced this folder and {report}, so they may not belong"
            " together; type --force to make both anew"
        )
    if target.exists() and not target.is_dir():
        raise Refused(f"{output}: expected a folder, found a file; type -o for another place")
    if target.is_dir() and any(target.iterdir()) and force and not (is_ours or half):
        raise Refused(
            f"{output}: not made by mtool (no {report}), so --force does not replace it;"
            " remove it yourself, or type -o for another place"
        )
    if not target.exists() and not force and os.path.exists(report):
        raise Exists([report])


def _publish(output: str, new: Path, target: Path, publication: Publication) -> Published:
    """Let the new folder take its place, unless the old one is just the same."""
    if not target.is_dir() or not any(target.iterdir()):
        _mark(target, publication)
        _place(new, target)
        return Published(output, "written")
    if _same_tree(new, target):
        return Published(output, "unchanged")
    if not publication.force:
        raise Exists([output])
    old = _beside(target, output)
    _mark(target, publication)
    target.replace(old)
    try:
        _place(new, target)
    except BaseException:
        old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return Published(output, "written")


def _mark(target: Path, publication: Publication) -> None:
    """Leave a file beside the folder that says it is being replaced, until its report is in place too."""
    mark = target.parent / f"{temporary_prefix(target)}{_MARK[1:]}"
    mark.touch()
    publication.marks.append(mark)


def _place(new: Path, target: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    new.chmod(0o777 & ~mask)  # mkdtemp's is for its owner alone
    if target.is_dir():
        target.rmdir()
    new.replace(target)


def _same_tree(one: Path, other: Path) -> bool:
    names, others = _names(one), _names(other)
    files = (name for name, is_folder in names if not is_folder)
    return names == others and all(same_bytes(one / name, other / name) for name in files)


def _names(folder: Path) -> list[tuple[str, bool]]:
    """Return the path of everything in a folder, and whether it is a folder."""
    return sorted((str(path.relative_to(folder)), path.is_dir()) for path in folder.rglob("*"))
