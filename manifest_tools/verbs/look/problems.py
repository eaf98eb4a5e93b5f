"""The problems of manifests by their lines: all counted and found again, the first of each code in words."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.problem import Problem

_IN_WORDS = 1000  # problems of a code whose messages are kept


@dataclass(slots=True)
class LookProblems:
    """The problems of one manifest."""

    codes: Counter[str] = field(default_factory=Counter)
    """How many there are of each code."""

    lines: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """Codes and messages of the first problems of each code, by the number of the line."""

    numbers: dict[str, "array[int]"] = field(default_factory=dict)
    """The numbers of all lines with a problem of a code."""

    def add(self, problem: Problem) -> None:
        """Add a problem of this manifest."""
        self.codes[problem.code] += 1
        if problem.line:
            self.numbers.setdefault(problem.code, array("q")).append(problem.line)
            if self.codes[problem.code] <= _IN_WORDS:
                self.lines.setdefault(problem.line, []).append((problem.code, problem.message))

    def on(self, line: int) -> list[tuple[str, str]]:
        """Return the codes and messages of a line; past the first of a code, what says more."""
        found = list(self.lines.get(line, ()))
        for code, numbers in self.numbers.items():
            past = np.frombuffer(numbers, np.int64)[_IN_WORDS:]
            if (past == line).any():
                found.append((code, "mtool validate says more"))
        return found

    def numbers_of(self, code: str | None) -> NDArray[np.int64]:
        """Return the numbers of the lines with a problem of a code, or with any for None."""
        found = self.numbers.values() if code is None else [self.numbers.get(code, array("q"))]
        return np.concatenate(
            [np.zeros(0, np.int64), *(np.frombuffer(one, np.int64) for one in found if one)]
        )


def problems_of(manifests: Sequence[str], problems: Iterable[Problem]) -> tuple[LookProblems, ...]:
    """Return the problems of each manifest."""
    found = tuple(LookProblems() for _ in manifests)
    parts = dict(zip(manifests, found, strict=True))
    for problem in problems:
        parts.get(problem.file, found[0]).add(problem)
    return found
