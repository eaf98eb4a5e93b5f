"""The lines of all manifests as one sequence, numbered from 0; and from a number back to file and line."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.merge.columns import Manifest


@dataclass(frozen=True, slots=True)
class LineNumbers:
    """Where the lines of each manifest begin among the lines of all."""

    names: tuple[str, ...]
    """The names of the manifests."""

    firsts: NDArray[np.int64]
    """(manifests + 1,): the number of the first line of each manifest, and the number of all lines."""

    def manifest(self, line: int) -> int:
        """Return which manifest a line is in."""
        return int(np.searchsorted(self.firsts, line, side="right")) - 1

    def split(self, line: int) -> tuple[int, int]:
        """Return which manifest a line is in, and its number there, from 0."""
        at = self.manifest(line)
        return at, line - int(self.firsts[at])

    def lines_of(self, manifest: int) -> slice:
        """Return the lines of one manifest."""
        return slice(int(self.firsts[manifest]), int(self.firsts[manifest + 1]))

    def describe(self, line: int) -> str:
        """Return a line as file and number from 1: ``a.manifest:12``."""
        at, number = self.split(line)
        return f"{self.names[at]}:{number + 1}"

    def count(self, lines: NDArray[np.int64]) -> list[int]:
        """Return how many of ``lines``, which is (any,), are in each manifest."""
        which = np.searchsorted(self.firsts, lines, side="right") - 1
        counts: list[int] = np.bincount(which, minlength=len(self.names)).tolist()
        return counts


def line_numbers(manifests: Sequence[Manifest]) -> LineNumbers:
    """Return the numbers of all lines, blank ones included."""
    sizes = [one.columns.lines for one in manifests]
    return LineNumbers(tuple(one.name for one in manifests), np.cumsum([0, *sizes], dtype=np.int64))
