"""Lines of a file that may be anything: a line far too long is an error, and never in memory as a whole."""

from collections.abc import Iterator
from typing import BinaryIO

from manifest_tools.base.errors import BadData

LONGEST_LINE = 1 << 26
"""Bytes, with the line end."""


def bounded_lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the lines of a file from where it stands; raises BadData for one above ``LONGEST_LINE``.

    >>> import io
    >>> list(bounded_lines(io.BytesIO(b"a\\nb"), "x"))
    [b'a\\n', b'b']
    """
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise BadData(f"{name}: expected lines of at most {LONGEST_LINE >> 20} MB, found a longer one")
        yield line
