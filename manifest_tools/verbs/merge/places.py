"""Where a line of all manifests stands: they are numbered on, from 0, from one manifest to the next."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.merge.attribute_map import Manifest


@dataclass(frozen=True, slots=True)
class Places:
    """The names of the manifests, and the number of the first line of each; the last one is the end."""

    names: tuple[str, ...]
    firsts: NDArray[np.int64]

    def manifest(self, line: int) -> int:
        """Return which manifest a line stands in."""
        return int(np.searchsorted(self.firsts, line, side="right")) - 1

    def part(self, at: int) -> slice:
        """Return the lines of one manifest."""
        return slice(int(self.firsts[at]), int(self.firsts[at + 1]))

    def spell(self, line: int) -> str:
        """Return a line as file and number from 1."""
        at = self.manifest(line)
        return f"{self.names[at]}:{line - int(self.firsts[at]) + 1}"

    def count(self, lines: NDArray[np.int64]) -> list[int]:
        """Return how many of some lines stand in each manifest."""
        which = np.searchsorted(self.firsts, lines, side="right") - 1
        counts: list[int] = np.bincount(which, minlength=len(self.names)).tolist()
        return counts


def places(inputs: Sequence[Manifest]) -> Places:
    """Return the places of all lines, blank ones included."""
    sizes = [len(one.remembered.lengths) for one in inputs]
    return Places(tuple(one.name for one in inputs), np.cumsum([0, *sizes], dtype=np.int64))
