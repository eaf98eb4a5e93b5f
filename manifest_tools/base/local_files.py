"""Local files that appear whole or not at all."""

import contextlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from manifest_tools.base.errors import MtoolError, Refused

_COMPARE = 1 << 20


@dataclass(slots=True)
class NewFile:
    """A file being written beside the place that it will take.

    ``stream`` writes to ``temporary``; other processes may write there by name as well.
    """

    target: Path
    temporary: Path
    stream: BinaryIO

    def finish(self, sync: bool) -> None:
        """Close the stream; with ``sync`` the bytes are on the disk before this returns."""
        self.stream.flush()
        if sync:
            os.fsync(self.stream.fileno())
        self.stream.close()

    def take_its_place(self) -> None:
        """Rename over the target."""
        self.temporary.replace(self.target)

    def discard(self) -> None:
        """Close and remove what was written; a full disk, which closing would meet again, keeps nothing."""
        with contextlib.suppress(OSError):
            self.stream.close()
        self.temporary.unlink(missing_ok=True)


def new_file(path: str) -> NewFile:
    """Open a new file beside ``path``; a symbolic link's target is replaced, not the link.

    A file that is there already lends its mode; otherwise the umask decides, as for any new file.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise Refused(f"{path}: expected a file to write, found a folder; type -o FILE")
    if not target.parent.is_dir():
        raise Refused(
            f"{path}: there is no folder {os.path.dirname(path)}; make it first, or type another -o"
        )
    import tempfile

    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:50]}.")
    except OSError as error:
        raise MtoolError(f"{path}: cannot be written: {error.strerror}") from error
    os.chmod(name, _mode_of(target))
    return NewFile(target, Path(name), open(handle, "wb", buffering=1 << 18))


def _mode_of(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def is_special(path: str) -> bool:
    """Say whether ``path`` is a pipe, a terminal, /dev/null…: written directly, never renamed over."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def same_bytes(one: Path, other: Path) -> bool:
    """Say whether two files hold the very same bytes."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        return same_streams(a, b)


def same_streams(one: BinaryIO, other: BinaryIO) -> bool:
    """Say whether two streams go on with the very same bytes; ``one`` may give fewer than asked for."""
    while chunk := one.read(_COMPARE):
        if chunk != other.read(len(chunk)):
            return False
    return not other.read(1)


def sync_folder(folder: Path) -> None:
    """Put renames inside ``folder`` on the disk, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def copy_stream(source: BinaryIO, target: BinaryIO) -> None:
    """Copy all that is left of ``source``."""
    shutil.copyfileobj(source, target, _COMPARE)
