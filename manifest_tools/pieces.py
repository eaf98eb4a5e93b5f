"""The lines of a block that go on to an output, without carrying their bytes from process to process."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.sources import Block


@dataclass(frozen=True, slots=True)
class Pieces:
    """Runs of bytes of a block, or bytes of their own where a line was edited."""

    block: Block | None = None
    starts: NDArray[np.int64] | None = None
    stops: NDArray[np.int64] | None = None
    edited: bytes | None = None

    def read(self) -> bytes:
        """Return the bytes; reads the block again where only its places are known."""
        if self.edited is not None:
            return self.edited
        if self.block is None or self.starts is None or self.stops is None:
            return b""
        data = memoryview(self.block.read())
        runs = zip(self.starts.tolist(), self.stops.tolist(), strict=True)
        return b"".join([data[start:stop] for start, stop in runs])


def pieces(
    block: Block,
    data: bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
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
    starts, ends = starts[chosen], ends[chosen]
    apart = np.flatnonzero(starts[1:] != ends[:-1])
    found = Pieces(
        block, starts[np.concatenate(([0], apart + 1))], ends[np.concatenate((apart, [len(ends) - 1]))]
    )
    return found if block.held is None else Pieces(edited=found.read())
