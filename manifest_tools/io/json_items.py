"""The elements of a JSON array that is larger than the memory, one after the other as bytes.

An element is cut out by its brackets and not decoded: who decodes it finds what is wrong inside. What stands
between elements is checked here.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData

_SPACE = b" \t\r\n"
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_ESCAPED = b"__"  # no quote, and as long

# What decides where an element ends; other bytes are 0.
_QUOTE, _OPEN, _CLOSE, _COMMA = 1, 2, 3, 4
_KINDS = np.zeros(256, np.uint8)
for _kind, _signs in ((_QUOTE, b'"'), (_OPEN, b"[{"), (_CLOSE, b"]}"), (_COMMA, b",")):
    _KINDS[list(_signs)] = _kind
_STEPS = np.array([0, 0, 1, -1, 0], np.int32)  # that a sign goes down into an element, by its kind


LONGEST = 64 << 20
"""Bytes of an element that are held in memory."""


def array_items(name: str, chunks: Iterable[bytes], longest: int = LONGEST) -> Iterator[bytes]:
    """Yield the elements of the array that ``chunks`` are the text of, without the blanks around them.

    ``name`` is for messages. Raises BadData where the text is no array, breaks off, or has an element of more
    than ``longest`` bytes.

    >>> list(array_items("a.json", [b'[{"a": "],', b'"}, 1,', b" []]"], 100))
    [b'{"a": "],"}', b'1', b'[]']
    """
    chunks = iter(chunks)
    rest, count, closed = _begin(name, chunks), 0, False
    while not closed:
        ends, closed = element_ends(rest)
        start = 0
        for end in ends.tolist():
            item = rest[start:end].strip(_SPACE)
            count += 1
            if item:
                yield item
            elif not (closed and count == 1):  # an array without elements
                raise BadData(
                    f"{name}: expected element {count:,} of a JSON array, found {_shown(rest[end:])}"
                )
            start = end + 1
        rest = rest[start:]
        if not closed:
            if len(rest) > longest:
                raise BadData(f"{name}: expected elements of at most {longest:,} bytes, found a larger one")
            rest += _next(name, chunks)
    for more in chain((rest,), chunks):
        if more.strip(_SPACE):
            raise BadData(f"{name}: expected the end after a JSON array, found {_shown(more.strip(_SPACE))}")


def _begin(name: str, chunks: Iterator[bytes]) -> bytes:
    """Return what follows the bracket that opens the array, of the first chunks."""
    text = b""
    while not text:
        text = next(chunks, b"[").removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    if text[:1] != b"[":
        raise BadData(f"{name}: expected a JSON array, found {_shown(text)}")
    return text[1:]


def _next(name: str, chunks: Iterator[bytes]) -> bytes:
    chunk = next(chunks, None)
    if chunk is None:
        raise BadData(f"{name}: expected a whole JSON array, found the end of the file in it")
    return chunk


def element_ends(text: bytes) -> tuple[NDArray[np.int64], bool]:
    """Return where the whole elements at the beginning of a text end, and whether what holds them ends there.

    >>> element_ends(b'[","], 2, 3'), element_ends(b"1] ")
    ((array([5, 8]), False), (array([1]), True))
    """
    if b"\\" in text:
        text = _ESCAPE.sub(_ESCAPED, text)
    kinds = _KINDS[np.frombuffer(text, np.uint8)]
    at = np.flatnonzero(kinds)
    kinds = kinds[at]
    outside = np.cumsum(kinds == _QUOTE) % 2 == 0
    at, kinds = at[outside], kinds[outside]
    depth = np.cumsum(_STEPS[kinds])
    over = np.flatnonzero(depth < 0)[:1]
    if over.size:
        at, kinds, depth = at[: over[0] + 1], kinds[: over[0] + 1], depth[: over[0] + 1]
    ends = at[((kinds == _COMMA) & (depth == 0)) | (depth < 0)]
    return ends, bool(over.size)


def _shown(text: bytes) -> str:
    return repr(text[:20].decode("utf-8", "replace"))
