"""What the words of ``mtool rec`` share: a file opened, where its records are, and runs of them."""

import contextlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Progress
from manifest_tools.io.byte_ranges import Offsets
from manifest_tools.io.record_list import LIST, Numbers, RecordList, beside
from manifest_tools.io.record_spans import Damage, Span, walk
from manifest_tools.io.recordio import MAGIC, record_id
from manifest_tools.io.seekable import Opened, open_seekable
from manifest_tools.io.sources import Block

_RUN_BYTES, _RUN_RECORDS = 8 << 20, 512  # what one task of a worker reads at most, but for one long record


@dataclass(frozen=True, slots=True)
class Run:
    """Records that follow one another without damage between: what a worker reads at once."""

    block: Block
    first: int
    """The number of the first record; records count from 1."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where records are in a file, and the numbers that they give themselves; 24 bytes a record."""

    starts: Offsets
    """(records,): where they begin."""

    ends: Offsets
    """(records,): where they end, padding and all."""

    ids: Numbers
    """(records,): 0 where a record is too short for a number."""

    unnumbered: int = 0
    """Records that are too short for a number."""

    @property
    def size(self) -> int:
        """The bytes of all records."""
        return int((self.ends - self.starts).sum())

    def take(self, chosen: "slice | NDArray[np.bool_]") -> "Layout":
        """Return some of the records, by their place or by a yes or no for each."""
        return Layout(self.starts[chosen], self.ends[chosen], self.ids[chosen], self.unnumbered)

    def keys(self) -> Numbers:
        """Return the keys for an index: numbers where each record has its own, else counted from 0."""
        if not self.unnumbered and repeated(self.ids) is None:
            return self.ids
        return np.arange(len(self.ids), dtype=np.uint64)


class Places:
    """Where records are, as they are found one by one."""

    def __init__(self) -> None:
        self._starts, self._ends, self._ids = array("q"), array("q"), array("Q")
        self._unnumbered = 0

    def add(self, span: Span) -> None:
        """Remember a record."""
        key = record_id(span.head)
        self._starts.append(span.offset)
        self._ends.append(span.end)
        self._ids.append(key or 0)
        self._unnumbered += key is None

    def layout(self) -> Layout:
        """Return where the records are that were added."""
        starts, ends = np.frombuffer(self._starts, np.int64), np.frombuffer(self._ends, np.int64)
        return Layout(starts, ends, np.frombuffer(self._ids, np.uint64), self._unnumbered)


def repeated(ids: Numbers) -> int | None:
    """Return the first number that several records have, None where every one has its own."""
    values, counts = np.unique(ids, return_counts=True)
    again = values[counts > 1]
    return int(again[0]) if len(again) else None


@contextlib.contextmanager
def open_records(name: str) -> Iterator[Opened]:
    """Yield a ``.rec`` that can be read at any place; raises Refused where it is none."""
    with open_seekable(name, "a .rec") as file:
        begin = file.stream.read(len(MAGIC))
        if name.endswith((".lst", ".idx")) and begin != MAGIC:
            raise Refused(f"{name}: expected a .rec, found its list or index; type its name with .rec")
        yield file


def whole(file: Opened) -> Iterator[Span]:
    """Yield every record; raises BadData at the first damage."""
    for found in walk(file.stream, file.size):
        if isinstance(found, Damage):
            raise BadData(
                f"{file.name}: damaged at byte {found.offset:,}: {found.reason};"
                f" mtool rec repair {file.name} cuts it out"
            )
        yield found


def layout(file: Opened, transfer: Progress) -> Layout:
    """Return where the records are; raises BadData at the first damage, and where there is none at all."""
    places = Places()

    def sizes() -> Iterator[int]:
        for span in whole(file):
            places.add(span)
            yield span.end - span.offset

    for _ in transfer(sizes(), file.size, "finding records"):
        pass
    found = places.layout()
    if not len(found.ids):
        raise BadData(f"{file.name}: expected records, found none in {file.size:,} bytes")
    return found


def runs(
    file: Opened, found: Iterable[Span | Damage], damaged: Callable[[Damage, int], None]
) -> Iterator[Run]:
    """Yield the records as runs; ``damaged`` is told what is between, and how many records are before it."""
    start = end = count = 0
    number = 1
    for one in found:
        full = end - start >= _RUN_BYTES or count == _RUN_RECORDS
        if count and (full or isinstance(one, Damage)):
            yield Run(Block(file.name, start, end, etag=file.etag), number)
            number, count = number + count, 0
        if isinstance(one, Damage):
            damaged(one, number - 1)
            continue
        start = start if count else one.offset
        end, count = one.end, count + 1
    if count:
        yield Run(Block(file.name, start, end, etag=file.etag), number)


def copy_bytes(file: Opened, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from ``start`` up to ``end``; raises BadData where the file has become shorter."""
    file.stream.seek(start)
    while start < end:
        data = file.stream.read(min(1 << 20, end - start))
        if not data:
            raise BadData(f"{file.name}: became shorter while it was read; run the same command again")
        yield data
        start += len(data)


def list_beside(name: str) -> RecordList | None:
    """Return the list beside a ``.rec``; None where none is on this disk."""
    path = beside(name, LIST)
    return None if path is None else RecordList(path)
