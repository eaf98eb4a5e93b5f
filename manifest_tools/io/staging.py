"""Output that cannot be taken back, held until it is certain that it may go out.

A file appears only when all went well; what went to standard output or into a pipe has gone. So what is
judged late, such as "every confidence is 0", must be certain before the first byte.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import IO, BinaryIO

from manifest_tools.base.local_files import copy_stream, is_special
from manifest_tools.io.sinks import STDOUT

_IN_MEMORY = 1 << 20  # bytes; more wait on the disk


class StagedStream:
    """A stream whose bytes wait until ``release``; from then on they go straight through."""

    def __init__(self, stream: BinaryIO, waiting: "IO[bytes] | None") -> None:
        self._stream = stream
        self._waiting = waiting

    def write(self, data: bytes) -> None:
        """Write bytes, or keep them."""
        (self._waiting or self._stream).write(data)

    def flush(self) -> None:
        """Pass on what went straight through."""
        self._stream.flush()

    def release(self) -> None:
        """Let go what waits, and all that follows; a second time changes nothing."""
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        waiting.seek(0)
        copy_stream(waiting, self._stream)  # type: ignore[arg-type]  # IO[bytes] is all that it needs


@contextlib.contextmanager
def staged(stream: BinaryIO, path: str) -> Iterator[StagedStream]:
    """Yield ``stream``, the output called ``path``, as one that waits where it could not be taken back.

    What still waits goes out when the block ends well, and nowhere when it does not.
    """
    if path != STDOUT and not is_special(path):
        yield StagedStream(stream, None)
        return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="mtool-") as waiting:
        held = StagedStream(stream, waiting)
        yield held
        held.release()
