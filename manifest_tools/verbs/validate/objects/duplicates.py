"""Finds pictures that are the same bytes under two names; remembers 37 bytes a line.

What is known of a picture anyway (its size, S3's ETag, or a key of its first and last bytes) leaves few that
may be the same. Only of these, where the key is of a part, are all bytes read.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEDGER = np.dtype(
    [("file", "<i4"), ("line", "<i8"), ("name", "<u8"), ("size", "<i8"), ("content", "<u8"), ("partial", "?")]
)
_ROWS_A_PART = 1 << 14

Ledger = NDArray[Any]
LinePlace = tuple[int, int]
"""The number of a file, from 0, and of a line in it, from 1."""


class LedgerEntry(NamedTuple):
    """The picture of a line."""

    file: int
    """The number of the manifest, from 0."""

    line: int
    """The number of the line, from 1."""

    name: int
    """A 64-bit key of its URI."""

    size: int
    """Its bytes."""

    content: int
    """A 64-bit key of its bytes, or of the first and last ones."""

    partial: bool
    """Whether ``content`` is of the first and last bytes alone."""


@dataclass(slots=True)
class LedgerEntries:
    """The pictures of all lines, packed as they come."""

    last: list[LedgerEntry] = field(default_factory=list)
    """Those that are not packed yet."""

    parts: list[Ledger] = field(default_factory=list)

    def add(self, entries: Iterable[LedgerEntry]) -> None:
        """Keep some more."""
        self.last += entries
        if len(self.last) >= _ROWS_A_PART:
            self._pack()

    def _pack(self) -> None:
        self.parts.append(np.array(self.last, _LEDGER))
        self.last.clear()

    def candidates(self) -> Ledger:
        """Return, by name once and in the order of files and lines, what may be the same under two names."""
        self._pack()
        every = np.concatenate(self.parts)
        order = np.lexsort((every["line"], every["file"], every["name"]))
        first = np.ones(len(order), bool)
        first[1:] = every["name"][order[1:]] != every["name"][order[:-1]]
        once = every[order[first]]
        return _in_order(_repeated(once))


def _repeated(entries: Ledger) -> Ledger:
    """Return the entries whose size and content another one has too."""
    order = np.lexsort((entries["content"], entries["size"]))
    ordered = entries[order]
    same = (ordered["size"][1:] == ordered["size"][:-1]) & (ordered["content"][1:] == ordered["content"][:-1])
    chosen = np.zeros(len(ordered), bool)
    chosen[1:] |= same
    chosen[:-1] |= same
    repeated: Ledger = ordered[chosen]
    return repeated


def _in_order(entries: Ledger) -> Ledger:
    ordered: Ledger = entries[np.lexsort((entries["line"], entries["file"]))]
    return ordered


def same_pictures(
    candidates: Ledger, digests: Callable[[Ledger], dict[int, int]]
) -> Iterator[tuple[LinePlace, LinePlace]]:
    """Yield the place of each picture that is the same as an earlier one, and the earlier one's place.

    ``digests`` returns, by name, the keys of all bytes of some pictures.
    """
    unsure = candidates[candidates["partial"]]
    known = digests(unsure) if len(unsure) else {}
    firsts: dict[tuple[int, int], LinePlace] = {}
    for file, line, name, size, content, partial in candidates.tolist():
        key = known.get(name, 0) if partial else content
        if not key:
            continue
        earlier = firsts.setdefault((size, key), (file, line))
        if earlier != (file, line):
            yield (file, line), earlier
