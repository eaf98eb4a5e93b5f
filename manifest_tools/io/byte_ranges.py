"""Byte ranges of a file: lines copied without carrying them between processes, and lines at offsets."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.io.sources import Block

Offsets = NDArray[np.int64]

# Ranges not farther apart than this are read at once, so many bytes at the most.
_GAP = 1 << 16
_MOST = 8 << 20


def runs(starts: Offsets, ends: Offsets) -> tuple[Offsets, Offsets]:
    """Return where runs of lines that follow each other begin and end: neighbours are copied together."""
    apart = np.flatnonzero(starts[1:] != ends[:-1])
    return starts[np.concatenate(([0], apart + 1))], ends[np.concatenate((apart, [len(ends) - 1]))]


@dataclass(frozen=True, slots=True)
class ByteRanges:
    """Some bytes of a block: ranges to be read again, or the bytes themselves where a line was edited."""

    block: Block | None = None
    """Where the ranges are; None where there are none."""

    starts: Offsets | None = None
    """(ranges,): offsets in the block."""

    ends: Offsets | None = None
    """(ranges,): offsets in the block."""

    edited: bytes | None = None
    """The bytes themselves; then there are no ranges."""

    def read(self) -> bytes:
        """Return the bytes; reads the block again where only the ranges are known."""
        if self.edited is not None:
            return self.edited
        if self.block is None or self.starts is None or self.ends is None:
            return b""
        data = memoryview(self.block.read())
        pairs = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return b"".join([data[start:end] for start, end in pairs])


def select_lines(
    block: Block,
    data: bytes,
    starts: Offsets,
    ends: Offsets,
    wanted: NDArray[np.bool_],
    edited: dict[int, bytes],
) -> ByteRanges:
    """Return the ``wanted`` lines of a block; ``edited`` has other bytes for some, by their place from 0.

    ``starts``, ``ends`` and ``wanted`` are (lines,); ``data`` is what the block reads.
    """
    chosen = np.flatnonzero(wanted)
    if not len(chosen):
        return ByteRanges()
    if edited:
        lines = (edited.get(i) or data[starts[i] : ends[i]] for i in chosen.tolist())
        return ByteRanges(edited=b"".join(lines))
    found = ByteRanges(block, *runs(starts[chosen], ends[chosen]))
    return found if block.data is None else ByteRanges(edited=found.read())


def read_ranges(uri: str, starts: Offsets, ends: Offsets, etag: str = "") -> list[bytes]:
    """Return the bytes of ranges of a file or an object, in the order asked for; close ones are read at once.

    ``starts`` and ``ends`` are (ranges,). Raises MtoolError where the file has become shorter, or is another
    than ``etag`` says.
    """
    found = [b""] * len(starts)
    order = np.argsort(starts, kind="stable").tolist()
    begins, stops = starts.tolist(), ends.tolist()
    for group in _close_together(order, begins, stops):
        first = begins[group[0]]
        data = Block(uri, first, max(stops[at] for at in group), etag=etag).read()
        for at in group:
            found[at] = data[begins[at] - first : stops[at] - first]
    return found


def _close_together(order: list[int], starts: list[int], ends: list[int]) -> Iterator[list[int]]:
    """Yield the ranges that one read gets, as places; ``order`` sorts them by their start."""
    group: list[int] = []
    for at in order:
        if group and (starts[at] - ends[group[-1]] > _GAP or ends[at] - starts[group[0]] > _MOST):
            yield group
            group = []
        group.append(at)
    if group:
        yield group
