"""Problems in the order in which one reads files: of however many, few are held in memory."""

import heapq
import pickle
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from itertools import islice, starmap
from operator import attrgetter
from tempfile import TemporaryFile
from typing import IO

from manifest_tools.base.problem import Problem

Place = tuple[int, int]

_HELD = 20_000  # problems in memory; more than these wait on the disk
_FIELDS = attrgetter(*(field.name for field in fields(Problem)))  # tuples: dataclasses are slow to pickle
_BATCH = 1_000  # problems that are read back at a time


def in_order(problems: Iterable[Problem], manifests: Sequence[str], held: int = _HELD) -> Iterator[Problem]:
    """Yield problems by file, in the order of ``manifests``, and by line; of a file as a whole first.

    Problems of one line keep their order. Rules of lines find them in order anyhow, and other rules look at a
    file when it ends: so there are few runs to merge. Where ``problems`` raises, also for Ctrl-C, what it
    found before comes first.
    """
    rank = {name: at for at, name in enumerate(manifests)}

    def place(problem: Problem) -> Place:
        return rank.get(problem.file, len(rank)), problem.line

    failures: list[BaseException] = []
    waiting = _until_it_fails(problems, failures)
    with ExitStack() as stack:
        runs: list[_Run] = []
        last = sorted(islice(waiting, held), key=place)
        while following := sorted(islice(waiting, held), key=place):
            if not runs or place(last[0]) < runs[-1].end:
                runs.append(_Run(stack.enter_context(TemporaryFile(prefix="mtool-"))))
            runs[-1].write(last, place(last[-1]))
            last = following
        yield from heapq.merge(*runs, last, key=place)
    for failure in failures:
        raise failure


def _until_it_fails(problems: Iterable[Problem], failures: list[BaseException]) -> Iterator[Problem]:
    try:
        yield from problems
    except (Exception, KeyboardInterrupt) as failure:
        failures.append(failure)


@dataclass(slots=True)
class _Run:
    """Problems in order, on the disk."""

    file: IO[bytes]
    end: Place = (0, 0)
    """The place of the last one."""

    def write(self, problems: Sequence[Problem], end: Place) -> None:
        for at in range(0, len(problems), _BATCH):
            pickle.dump([_FIELDS(one) for one in problems[at : at + _BATCH]], self.file)
        self.end = end

    def __iter__(self) -> Iterator[Problem]:
        size = self.file.tell()
        self.file.seek(0)
        while self.file.tell() < size:
            yield from starmap(Problem, pickle.load(self.file))
