"""The lines of a block that go on to an output, without carrying their bytes from process to process."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.io.sources import Block

Offsets = NDArray[np.int64]


def runs(starts: Offsets, ends: Offsets) -> tuple[Offsets, Offsets]:
    """Return where runs of lines that follow each other begin and end: neighbours are copied together."""
    apart = np.flatnonzero(starts[1:] != ends[:-1])
    return starts[np.concatenate(([0], apart + 1))], ends[np.concatenate((apart, [len(ends) - 1]))]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Runs of bytes of a block, or bytes of their own where a line was edited."""

    block: Block | None = None
    starts: Offsets | None = None
    stops: Offsets | None = None
    edited: bytes | None = None

    def read(self) -> bytes:
        """Return the bytes; reads the block again where only its places are known."""
        if self.edited is not None:
            return self.edited
        if self.block is None or self.starts is None or self.stops is None:
            return b""
        data = memoryview(self.block.read())
        pairs = zip(self.starts.tolist(), self.stops.tolist(), strict=True)
        return b"".join([data[start:stop] for start, stop in pairs])


def pieces(
    block: Block,
    data: bytes,
    starts: Offsets,
    ends: Offsets,
    wanted: NDArray[np.bool_],
    edited: dict[int, bytes],
) -> Pieces:
    """Return the wanted lines of a block, some of them ``edited`` (by their place among the lines)."""
    chosen = np.flatnonzero(wanted)
    if not len(chosen):
        return Pieces()
    if edited:
        lines = (edited.get(i) or data[starts[i] : ends[i]] for i in chosen.tolist())
        return Pieces(edited=b"".join(lines))
    found = Pieces(block, *runs(starts[chosen], ends[chosen]))
    return found if block.held is None else Pieces(edited=found.read())
