"""Lines of a file by their byte offsets, in any order."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

_GAP = 1 << 14  # bytes that are read along rather than asked for twice
_MOST = 4 << 20


def lines_at(uri: str, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> list[bytes]:
    """Return the lines between these offsets of a file; what lies close together is read at once."""
    found = [b""] * len(starts)
    order = np.argsort(starts, kind="stable").tolist()
    begins, sizes = starts.tolist(), (ends - starts).tolist()
    with open(uri, "rb", buffering=0) as file:
        for run in _runs(order, begins, sizes):
            origin = begins[run[0]]
            file.seek(origin)
            data = _exactly(file.read, begins[run[-1]] + sizes[run[-1]] - origin)
            for at in run:
                found[at] = data[begins[at] - origin : begins[at] - origin + sizes[at]]
    return found


def _runs(order: list[int], begins: list[int], sizes: list[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for at in order:
        if run:
            end = begins[run[-1]] + sizes[run[-1]]
            if begins[at] - end > _GAP or begins[at] + sizes[at] - begins[run[0]] > _MOST:
                yield run
                run = []
        run.append(at)
    if run:
        yield run


def _exactly(read: Callable[[int], bytes], wanted: int) -> bytes:
    data = read(wanted)
    while len(data) < wanted and (more := read(wanted - len(data))):
        data += more
    return data
