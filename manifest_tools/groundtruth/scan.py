"""Runs a task over every block of a manifest, in order, and knows where in the file each block stands."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from manifest_tools.base.errors import InvalidLine
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.groundtruth.rows import BadLine
from manifest_tools.io.sources import BLOCK, Block, Source


class Counted(Protocol):
    """What a task returns: anything that says how many lines its block has, blank ones included."""

    @property
    def lines(self) -> int: ...  # noqa: D102


R = TypeVar("R", bound=Counted)


def scan(
    source: Source,
    task: Callable[[Block], R],
    jobs: Jobs = None,
    size: int = BLOCK,
) -> Iterator[tuple[int, R]]:
    """Yield, for every block in order, the number of its first line (from 1) and the task's result.

    Raises InvalidLine, with file and line, where the task raised BadLine.
    """
    first = 1
    results = run(task, source.blocks(size), jobs)
    while True:
        try:
            result = next(results, None)
        except BadLine as bad:
            raise InvalidLine(source.name, first + bad.number, bad.reason) from bad
        if result is None:
            return
        yield first, result
        first += result.lines
