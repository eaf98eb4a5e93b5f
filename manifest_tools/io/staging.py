"""Keeps output back until it is certain that the command will not be refused.

A file appears only when the command succeeds. Bytes that went to standard output or into a pipe cannot be
taken back. So a check that needs the whole manifest must have passed before the first byte goes there.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import IO, BinaryIO

from manifest_tools.base.local_files import copy_stream, is_special
from manifest_tools.io.sinks import STDOUT

_IN_MEMORY = 1 << 20  # bytes that wait in memory; more than that wait on the disk


class StagedStream:
    """A stream whose bytes wait until ``release`` is called; after that they are written at once."""

    def __init__(self, stream: BinaryIO, waiting: "IO[bytes] | None") -> None:
        self._stream = stream
        self._waiting = waiting

    def write(self, data: bytes) -> None:
        """Write the bytes, or keep them until ``release``."""
        (self._waiting or self._stream).write(data)

    def flush(self) -> None:
        """Flush the stream; bytes that wait go on waiting."""
        self._stream.flush()

    def release(self) -> None:
        """Write the bytes that wait, and from now on write at once; a second call does nothing."""
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        waiting.seek(0)
        copy_stream(waiting, self._stream)  # type: ignore[arg-type]  # IO[bytes] is all that it needs


@contextlib.contextmanager
def staged(stream: BinaryIO, path: str) -> Iterator[StagedStream]:
    """Yield ``stream`` as a StagedStream; its bytes wait if ``path`` is standard output or a pipe.

    What still waits is written when the block ends well, and dropped when it raises.
    """
    if path != STDOUT and not is_special(path):
        yield StagedStream(stream, None)
        return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="mtool-") as waiting:
        output = StagedStream(stream, waiting)
        yield output
        output.release()
