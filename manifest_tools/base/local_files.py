"""Writes local files that appear whole or not at all, and compares files."""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from manifest_tools.base.errors import MtoolError, Refused

_BUFFER = 1 << 18
_CHUNK = 1 << 20  # bytes that are read at a time


@dataclass(slots=True)
class NewFile:
    """A file that is being written under a temporary name."""

    target: Path
    """The path that the file will have."""

    temporary: Path
    """The path that it has now, in the same folder; other processes may write there too."""

    stream: BinaryIO
    """Writes to ``temporary``."""

    made: tuple[Path, ...] = ()
    """Folders that were made for it, the innermost first."""

    def finish(self, sync: bool) -> None:
        """Close the stream, if its writer has not; ``sync`` waits until the bytes are on the disk."""
        if sync:
            stream = self.temporary.open("rb") if self.stream.closed else self.stream
            with stream:
                stream.flush()
                os.fsync(stream.fileno())
        self.stream.close()

    def begin_with(self, path: str) -> None:
        """Take a file of the same file system, with the bytes in it, as the beginning of this empty one."""
        os.chmod(path, stat.S_IMODE(self.temporary.stat().st_mode))
        os.replace(path, self.temporary)
        self.stream.close()
        self.stream = self.temporary.open("ab", buffering=_BUFFER)

    def replace_target(self) -> None:
        """Rename ``temporary`` to ``target``."""
        self.temporary.replace(self.target)

    def discard(self) -> None:
        """Close the stream, and remove the file and the folders that were made for it alone.

        An error on closing, as on a full disk, is ignored.
        """
        with contextlib.suppress(OSError):
            self.stream.close()
        self.temporary.unlink(missing_ok=True)
        remove_empty(self.made)


def new_file(path: str) -> NewFile:
    """Return a new file that will have the name ``path``, or the name that ``path`` links to.

    It has the mode of the file that it will replace; if there is none, the umask decides. Folders above it
    that do not exist are made. Raises Refused for a folder, MtoolError when nothing can be written there.
    """
    target = Path(os.path.realpath(path))
    if path.endswith("/") or target.is_dir():
        raise Refused(f"{path}: expected a file to write, found a folder; type {os.path.join(path, 'FILE')}")
    made = make_folder(target.parent, path)
    import tempfile

    try:
        remove_left_behind(target)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=temporary_prefix(target))
    except OSError as error:
        remove_empty(made)
        raise MtoolError(f"{path}: cannot be written: {error.strerror}") from error
    os.chmod(name, _mode_of(target))
    os.close(handle)
    return NewFile(target, Path(name), open(name, "wb", buffering=_BUFFER), made)


def make_folder(folder: Path, path: str) -> tuple[Path, ...]:
    """Make a folder, and those above it, for the output ``path``; return the new ones, the innermost first.

    Raises Refused where one of them is a file, MtoolError where none can be made.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        for one in reversed(missing):
            one.mkdir(exist_ok=True)
    except NotADirectoryError as error:
        raise Refused(f"{path}: expected a folder above it, found a file; type another name") from error
    except OSError as error:
        remove_empty(missing)
        raise MtoolError(f"{path}: cannot be written: {error.strerror}") from error
    if not folder.is_dir():
        raise Refused(f"{path}: expected a folder above it, found a file; type another name")
    return tuple(missing)


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, one after the other, as long as they are empty."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def temporary_prefix(target: Path) -> str:
    """Return how the names begin under which this process writes what will be ``target``."""
    return f"{_hidden(target)}{_this_host()}-{os.getpid()}-"


def process_prefix() -> str:
    """Return how the names of this process's temporary files begin, wherever they lie."""
    return f"mtool-{_this_host()}-{os.getpid()}-"


def left_in(folder: Path) -> Iterator[Path]:
    """Yield the temporary files in a folder that processes of this machine left which are gone.

    They are found by ``process_prefix``. A folder that cannot be read has none.
    """
    with contextlib.suppress(OSError):
        yield from _of_processes_gone(folder, f"mtool-{_this_host()}-")


def _hidden(target: Path) -> str:
    return f".{target.name[:50]}.mtool-"


def _this_host() -> str:
    """Return the name of this machine, letters and digits; processes of others are not asked for."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    return "".join(filter(str.isalnum, name))[:40] or "host"


def left_behind(target: Path) -> Iterator[Path]:
    """Yield what processes of this machine that are gone were writing for ``target``, files and folders."""
    yield from _of_processes_gone(target.parent, f"{_hidden(target)}{_this_host()}-")


def _of_processes_gone(folder: Path, begin: str) -> Iterator[Path]:
    for name in os.listdir(folder):
        if name.startswith(begin):
            number = name.removeprefix(begin).partition("-")[0]
            if number.isascii() and number.isdecimal() and not _is_running(int(number)):
                yield folder / name


def remove_left_behind(target: Path) -> None:
    """Remove the temporary files of ``target`` whose process is gone; what cannot be removed stays."""
    with contextlib.suppress(OSError):
        for path in left_behind(target):
            if not path.is_dir():
                path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    """Say whether there is such a process; of another user's it is not known whose it is, so it counts."""
    if os.name != "posix":
        return True  # os.kill would end it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _mode_of(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def is_special(path: str) -> bool:
    """Return whether ``path`` is a pipe, a terminal or a device: written directly, never replaced."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def same_bytes(one: Path, other: Path) -> bool:
    """Return whether two files have the same bytes."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        return same_streams(a, b)


def same_streams(one: BinaryIO, other: BinaryIO) -> bool:
    """Return whether the rest of two streams is the same; ``one`` may return fewer bytes than requested."""
    while chunk := one.read(_CHUNK):
        if chunk != other.read(len(chunk)):
            return False
    return not other.read(1)


def sync_folder(folder: Path) -> None:
    """Wait until renames inside ``folder`` are on the disk, where the system has a call for that."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def copy_stream(source: BinaryIO, target: BinaryIO) -> int:
    """Copy the rest of ``source`` to ``target``, and return how many bytes it had."""
    length = 0
    while chunk := source.read(_CHUNK):
        length += target.write(chunk)
    return length


def copy_bytes(source: BinaryIO, target: BinaryIO, length: int) -> None:
    """Copy ``length`` bytes of ``source`` to ``target``; raises MtoolError where it has fewer."""
    while length:
        chunk = source.read(min(length, _CHUNK))
        if not chunk:
            raise MtoolError(f"{source.name}: expected {length:,} more bytes; it was changed meanwhile")
        target.write(chunk)
        length -= len(chunk)
