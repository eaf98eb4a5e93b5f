"""The members of one JSON object that is larger than the memory: its large arrays by pieces, the rest whole.

Nothing is decoded here but keys: who decodes an element or a value finds what is wrong inside.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import clipped
from manifest_tools.io.json_items import LONGEST, element_ends

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_KEY = 1 << 16  # bytes of a key
_NOWHERE = np.empty(0, np.int64)
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
    """Where each begins in the whole text, perhaps with blanks before it."""

    ends: NDArray[np.int64]
    """Where each ends; up to the next begins there is nothing but blanks and a comma."""


def object_members(
    name: str, chunks: Iterable[bytes], arrays: Collection[str], longest: int = LONGEST
) -> Iterator[Value | Elements]:
    """Yield the members of the object that ``chunks`` are the text of; ``arrays`` in one piece or several.

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


@dataclass(frozen=True, slots=True)
class _Spans:
    """The whole elements at the beginning of a text."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    after: int
    """Where the next begins, or the bracket that closes the array stands."""

    closed: bool = False
    """Whether the array ends there."""


def _any_elements(text: bytes) -> _Spans:
    ends, closed = element_ends(text)
    starts = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
    return _Spans(starts, ends, int(ends[-1]) + (not closed) if ends.size else 0, closed)


_BETWEEN = re.compile(rb"\}[ \t\r\n]*+,[ \t\r\n]*+\{")  # two objects of an array; or it stands in a string
_TAIL = 1 << 16
_is_between = np.zeros(256, bool)
_is_between[list(b", \t\r\n")] = True
_objects_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def _objects(text: bytes) -> _Spans | None:
    """Return the same of objects with equal blanks between them, six times as fast; None for anything else.

    Where something decodes as an array up to a place, that place is the end of an element. So the end may be
    guessed. How long each element is, the decoder says; what is between them is looked at.
    """
    between = list(_BETWEEN.finditer(text, max(0, len(text) - _TAIL)))
    if not between:
        return None
    end = between[-1].start() + 1
    try:
        found = _objects_decoder.decode(b"[" + text[:end] + b"]")
    except (msgspec.DecodeError, RecursionError):
        return None
    lengths = np.array([len(memoryview(element)) for element in found], np.int64)
    first = len(text) - len(text.lstrip(b" \t\r\n"))
    gap, odd = divmod(end - first - int(lengths.sum()), len(found) - 1) if len(found) > 1 else (1, 0)
    starts = first + np.concatenate(([0], np.cumsum(lengths[:-1] + gap)))
    if odd or gap > _TAIL or not _are_apart(text, starts, gap):
        return None
    return _Spans(starts, starts + lengths, text.index(b",", end) + 1)


def _are_apart(text: bytes, starts: NDArray[np.int64], gap: int) -> bool:
    """Say whether every element but the first begins after ``gap`` bytes that are blanks and a comma."""
    signs = np.frombuffer(text, np.uint8)
    later = starts[1:]
    return not _is_between[signs[later]].any() and all(
        _is_between[signs[later - before]].all() for before in range(1, gap + 1)
    )


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
        if closed:
            yield Elements(key, b"[]", _NOWHERE, _NOWHERE)
        while not closed:
            rest = self.here[self.at :]
            quick = _objects(rest)
            found = quick or _any_elements(rest)
            closed = found.closed
            if found.ends.size:
                offset, end = self.before + self.at, int(found.ends[-1])
                yield Elements(key, b"[" + rest[:end] + b"]", found.starts + offset, found.ends + offset)
            self.at += found.after
            if not closed and quick is None:
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
        if found.startswith("\ufeff"):
            found = "a byte-order mark"
        return BadData(f"{self.name}: expected {what} at byte {self.before + self.at:,}, found {found}")
