"""The members of one JSON object that is larger than the memory: its large arrays by pieces, the rest whole.

Nothing is decoded here but keys: who decodes an element or a value finds what is wrong inside.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import clipped
from manifest_tools.io.json_items import LONGEST, element_ends

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_KEY = 1 << 16  # bytes of a key
_WINDOW = 1 << 12  # bytes in which the end of a value is looked for first


@dataclass(frozen=True, slots=True)
class Value:
    """A member whose value is held whole."""

    key: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Elements:
    """Elements of an array that follow one another."""

    key: str
    text: bytes
    """An array of them."""

    starts: NDArray[np.int64]
    """Where each begins in the whole text, with the blanks before it."""

    ends: NDArray[np.int64]
    """Where each ends, with the blanks behind it."""


def object_members(
    name: str, chunks: Iterable[bytes], arrays: Collection[str], longest: int = LONGEST
) -> Iterator[Value | Elements]:
    """Yield the members of the object that ``chunks`` are the text of; ``arrays`` in pieces, maybe in none.

    ``name`` is for messages. Raises BadData where the text is no object, breaks off, has a key of ``arrays``
    twice or with another value than an array, or an element or another value of more than ``longest`` bytes.

    >>> found = list(object_members("a.json", [b'{"a": [1, ', b'{}], "b": [3]}'], ["a"]))
    >>> [(one.key, one.text) for one in found]
    [('a', b'[1]'), ('a', b'[ {}]'), ('b', b'[3]')]
    """
    text = _Text(name, iter(chunks), longest)
    seen: set[str] = set()
    text.take(b"{", "an object")
    mark = text.peek()
    while mark != b"}":
        key = text.key()
        text.take(b":", "a colon")
        if key not in arrays:
            yield Value(key, text.value())
        elif key in seen:
            raise BadData(f"{name}: {key} is there twice")
        else:
            seen.add(key)
            yield from text.elements(key)
        mark = text.peek()
        if mark != b"}":
            text.take(b",", "a comma or the end of the object")
    text.take(b"}", "the end of the object")
    text.check_end()


@dataclass(slots=True)
class _Text:
    """A text of which a part is here."""

    name: str
    chunks: Iterator[bytes]
    longest: int
    here: bytes = b""
    at: int = 0
    """How much of what is here is done with."""

    before: int = field(default=0)
    """How many bytes stood before what is here."""

    def peek(self) -> bytes:
        """Return the next byte that is no blank."""
        while not self._skip():
            self._more()
        return self.here[self.at : self.at + 1]

    def take(self, mark: bytes, what: str) -> None:
        """Go past a byte; raises BadData for another."""
        if self.peek() != mark:
            raise self._unexpected(what)
        self.at += 1

    def key(self) -> str:
        """Go past a string, and return it."""
        if self.peek() != b'"':
            raise self._unexpected("a key")
        while (found := _STRING.match(self.here, self.at)) is None:
            if len(self.here) - self.at > _KEY:
                raise self._unexpected("a key")
            self._more()
        self.at = found.end()
        return found[0][1:-1].decode("utf-8", "replace")

    def value(self) -> bytes:
        """Go past a value, and return it."""
        self.peek()
        window = _WINDOW
        while True:
            ends, _ = element_ends(self.here[self.at : self.at + window])
            if ends.size:
                start, self.at = self.at, self.at + int(ends[0])
                return self.here[start : self.at]
            if self.at + window < len(self.here):
                window *= 8
            else:
                self._check_length()
                self._more()

    def elements(self, key: str) -> Iterator[Elements]:
        """Go past an array, and yield its elements as they come."""
        if self.peek() != b"[":
            raise self._unexpected(f"{key} to be an array")
        self.at += 1
        closed = self.peek() == b"]"
        while not closed:
            ends, closed = element_ends(self.here[self.at :])
            if ends.size:
                start, offset, end = self.at, self.before + self.at, int(ends[-1])
                text = b"[" + self.here[start : start + end] + b"]"
                self.at += end + (not closed)
                yield Elements(key, text, np.concatenate(([0], ends[:-1] + 1)) + offset, ends + offset)
            if not closed:
                self._check_length()
                self._more()
        self.take(b"]", f"the end of {key}")

    def check_end(self) -> None:
        """Raise BadData for anything but blanks."""
        while True:
            if self._skip():
                raise self._unexpected("the end of the file")
            chunk = next(self.chunks, None)
            if chunk is None:
                return
            self.here, self.at = chunk, 0

    def _skip(self) -> bool:
        """Go past blanks, and say whether something else is here."""
        found = _SPACE.match(self.here, self.at)
        assert found is not None  # it matches the empty text too
        self.at = found.end()
        return self.at < len(self.here)

    def _more(self) -> None:
        chunk = next(self.chunks, None)
        if chunk is None:
            raise BadData(f"{self.name}: expected a whole JSON object, found the end of the file in it")
        self.before += self.at
        self.here, self.at = self.here[self.at :] + chunk, 0

    def _check_length(self) -> None:
        if len(self.here) - self.at > self.longest:
            raise BadData(
                f"{self.name}: expected values of at most {self.longest:,} bytes, found a larger one at byte"
                f" {self.before + self.at:,}"
            )

    def _unexpected(self, what: str) -> BadData:
        found = clipped(self.here[self.at : self.at + 20].decode("utf-8", "replace"))
        return BadData(f"{self.name}: expected {what} at byte {self.before + self.at:,}, found {found}")
