"""Runs a task over every block of a manifest, in order, and adds the line numbers of the file."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from manifest_tools.base.errors import InvalidLine
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.groundtruth.rows import BadLine
from manifest_tools.io.sources import BLOCK, Block, Source


class Counted(Protocol):
    """The result of a task: any value with the number of lines of its block, blank ones included."""

    @property
    def lines(self) -> int: ...  # noqa: D102


R = TypeVar("R", bound=Counted)


def scan(
    source: Source,
    task: Callable[[Block], R],
    jobs: Jobs = None,
    size: int = BLOCK,
) -> Iterator[tuple[int, R]]:
    """Yield the number of the first line, from 1, and the result of the task for every block, in order.

    ``size`` is that of a block in bytes. Raises InvalidLine, with file and line, where a task raises BadLine.
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
