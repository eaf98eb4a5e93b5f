"""The hidden folder beside an output in which the pieces of it are made, and found again after a kill."""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.local_files import make_folder, remove_empty
from manifest_tools.base.text import listed
from manifest_tools.formats.protocol import Place
from manifest_tools.verbs.convert.ledger import VERSION, Ledger, differences, new_ledger, open_ledger

_LEDGER, _LOCK, _NEW = "ledger.jsonl", "lock", "new"
_TEMPORARY = re.compile(r"(\..*\.)?mtool-")
_WAIT = 5.0  # seconds that the workers of a killed process are given to notice


@dataclass(slots=True)
class Workspace:
    """A folder for the pieces of an output, and the ledger of what is finished."""

    folder: str
    ledger: Ledger
    keeps: bool = False
    """Whether what is finished is to stay where the conversion fails."""

    far: str = ""
    """The prefix in S3 where pieces are made instead, for workers on other machines; empty for none."""

    @property
    def new(self) -> Path:
        """Where a folder is written that will be the output."""
        return Path(self.folder, _NEW)


@contextlib.contextmanager
def workspace(
    output: str, plan: Mapping[str, Any], resume: bool = False, *, far: bool = False, wait: float = _WAIT
) -> Iterator[Workspace]:
    """Yield a folder for the pieces of ``output``, which goes when the block ends.

    It stands beside the output, so that a piece becomes a file of it by a rename; of one in S3, where
    temporary files stand, or with ``far``, for workers on other machines, below a prefix of the
    bucket. With ``resume``, what a killed process had finished is found in it, and it stays
    where the block raises. Raises Refused for what was finished of another ``plan``, and where another
    process is at work and does not end within ``wait`` seconds.
    """
    folder, made = _make(output)
    keep = False
    try:
        with _locked(folder, output, wait):
            space = _open(folder, output, plan, resume)
            try:
                if far:
                    space.far = _far(output, anew=not space.ledger.finished)
                yield space
            except BaseException:
                keep = resume and bool(space.ledger.finished)
                raise
            finally:
                space.ledger.close()
                if not keep:
                    if space.far:
                        _remove_far(space.far)
                    shutil.rmtree(folder, ignore_errors=True)
    finally:
        remove_empty((folder, *made))


@contextlib.contextmanager
def saved(space: Workspace | None) -> Iterator[None]:
    """Keep the bytes of finished pieces, where asked for, before the outputs that have them are removed."""
    try:
        yield
    except BaseException:
        if space and space.keeps:
            _rescue(Path(space.folder), space.ledger)
        raise


def place_of(output: str) -> Path:
    """Return the folder for the pieces of an output."""
    if output.startswith("s3://"):
        own = os.getuid() if hasattr(os, "getuid") else ""
        digest = hashlib.sha256(output.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return Path(tempfile.gettempdir(), f"mtool-{own}-{digest}")
    target = Path(os.path.realpath(output))
    name = target.name
    if len(name) > 50:
        name = f"{name[:50]}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return target.parent / f".{name}.mtool-pieces"


def _far(output: str, anew: bool) -> str:
    """Return the prefix for the pieces of an object, hidden beside it; with ``anew`` nothing is there."""
    above, _, name = output.rpartition("/")
    prefix = f"{above}/.{name}.mtool-pieces"
    if anew:
        _remove_far(prefix)
    return prefix


def _remove_far(prefix: str) -> None:
    from manifest_tools.io import s3

    bucket, _, key = prefix.removeprefix("s3://").partition("/")
    s3.remove(bucket, (found.key for some in s3.listed(bucket, f"{key}/") for found in some))


def _make(output: str) -> tuple[Path, tuple[Path, ...]]:
    """Make the folder, and return it with those that were made above it."""
    folder = place_of(output)
    made = make_folder(folder.parent, output)
    try:
        _make_own(folder)
    except OSError as error:
        remove_empty(made)
        raise MtoolError(f"{output}: cannot be written: {error.strerror}") from error
    return folder, made


def _make_own(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
        raise Refused(f"{folder}: expected a folder of this user's, found something else; remove it")


@contextlib.contextmanager
def _locked(folder: Path, output: str, wait: float) -> Iterator[None]:
    """Hold a lock that a process and its workers have until the last of them has ended."""
    if os.name != "posix":
        yield
        return
    with _lock_of(folder, output, time.monotonic() + wait):
        yield


def _lock_of(folder: Path, output: str, until: float) -> BinaryIO:
    """Return the lock, held; who had it before has removed the folder, lock and all, perhaps just now."""
    while True:
        with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as closing:
            _make_own(folder)
            lock = closing.enter_context(open(folder / _LOCK, "wb"))
            _wait_for(lock, output, until)
            if os.path.samestat(os.fstat(lock.fileno()), os.stat(folder / _LOCK)):
                closing.pop_all()
                return lock


def _wait_for(lock: BinaryIO, output: str, until: float) -> None:
    import fcntl

    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise Refused(
                    f"{output}: another process is writing it; wait for its end, or type -o for another place"
                ) from None
            time.sleep(0.05)


def _open(folder: Path, output: str, plan: Mapping[str, Any], resume: bool) -> Workspace:
    path = folder / _LEDGER
    if resume and path.exists():
        head, ledger = open_ledger(str(path))
        with contextlib.ExitStack() as closing:
            closing.callback(ledger.close)
            if head is not None:
                _check_same(head.version, head.plan, output, plan)
                _rescue(folder, ledger)
                closing.pop_all()
                return Workspace(str(folder), ledger, resume)
    for old in folder.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        elif old.name != _LOCK:
            old.unlink()
    return Workspace(str(folder), new_ledger(str(path), plan), resume)


def _check_same(version: int, then: Mapping[str, Any], output: str, now: Mapping[str, Any]) -> None:
    found = differences(then, now)
    if version != VERSION:
        found.insert(0, "another mtool wrote it")
    if found:
        raise Refused(
            f"--resume: what is finished of {output} is of another conversion: {listed(found)}; type the"
            " command as it was, or leave --resume out to begin anew"
        )


def _rescue(folder: Path, ledger: Ledger) -> None:
    """Take the outputs that were being written and are not done: the bytes of pieces are in them."""
    names: dict[str, str] = {}
    for key, place in list(ledger.moved.items()):
        if os.path.dirname(place.path) == str(folder):
            continue
        if not _is_ours(place.path, folder):
            ledger.forget(key)
            continue
        if place.path not in names:
            names[place.path] = str(folder / f"kept-{secrets.token_hex(8)}")
            with contextlib.suppress(OSError):
                os.replace(place.path, names[place.path])
        ledger.move(key, Place(names[place.path], place.offset))


def _is_ours(path: str, folder: Path) -> bool:
    """Say whether a file may be one that was being written: a ledger may come from anybody."""
    above, name = os.path.split(os.path.realpath(path))
    return bool(_TEMPORARY.match(name)) and Path(above).is_relative_to(folder.parent)
