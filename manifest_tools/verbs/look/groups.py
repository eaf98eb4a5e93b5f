"""Lines of one picture, in one manifest or in several: with the same classes, or with others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.look.choose import Place, joined
from manifest_tools.verbs.look.index import Columns, Index

_GROUPS = 30  # of a kind that a page shows
_CARDS = 6  # of a group


_NONE = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Group:
    """A picture that is on several lines."""

    conflicts: bool
    """Whether the lines have different classes."""

    across: bool
    """Whether they are in several manifests."""

    lines: int
    places: tuple[Place, ...]
    """The first of the lines."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Pictures that are on several lines."""

    conflicts: int = 0
    """Pictures whose lines have different classes."""

    duplicates: int = 0
    """Pictures whose lines have the same classes."""

    across: int = 0
    """Pictures, of both kinds, that are in several manifests."""

    shown: tuple[Group, ...] = ()
    """The first of them, conflicts first."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The lines of all manifests in the order of their pictures; ``joined`` says what the lines are."""

    order: NDArray[np.int64]
    """(lines with a picture,)"""

    starts: NDArray[np.int64]
    """(pictures,): where the lines of each begin in ``order``."""

    sizes: NDArray[np.int64]
    """(pictures,): how many lines each has."""

    differ: NDArray[np.bool_]
    """(pictures,): whether the lines have different classes; one without a label contradicts none."""

    @property
    def same(self) -> NDArray[np.bool_]:
        """(pictures,): whether several lines have the same classes."""
        return ~self.differ & (self.sizes > 1)

    def lines(self, pictures: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the lines of some pictures, one picture after the other."""
        found: NDArray[np.int64] = self.order[np.repeat(pictures, self.sizes)]
        return found


def by_picture(lines: Columns) -> Pictures:
    """Return the lines of all manifests by their pictures."""
    order = np.argsort(lines["key"], kind="stable")
    order = order[lines["key"][order] != 0]
    starts = np.flatnonzero(np.diff(lines["key"][order], prepend=np.uint64(0)))
    sizes = np.diff(starts, append=len(order))
    if not len(starts):
        return Pictures(order, starts, sizes, np.zeros(0, bool))
    labelled, sets = lines["state"][order] == 0, lines["set"][order]
    highest = np.maximum.reduceat(np.where(labelled, sets, -1), starts)
    lowest = np.minimum.reduceat(np.where(labelled, sets, _NONE), starts)
    return Pictures(order, starts, sizes, (highest > lowest) & (sizes > 1))


def repeated(indices: Sequence[Index]) -> Repeated:
    """Return the pictures that are on several lines."""
    part, at, lines = joined(indices)
    found = by_picture(lines)
    if not len(found.starts):
        return Repeated()
    parts = part[found.order]
    across = np.maximum.reduceat(parts, found.starts) > np.minimum.reduceat(parts, found.starts)
    shown = []
    for kind in (found.differ, found.same):
        groups = np.flatnonzero(kind)
        for one in groups[np.argsort(found.order[found.starts[groups]])][:_GROUPS]:
            first = found.starts[one]
            members = found.order[first : first + min(found.sizes[one], _CARDS)]
            places = tuple((int(part[member]), int(at[member])) for member in members)
            shown.append(Group(bool(found.differ[one]), bool(across[one]), int(found.sizes[one]), places))
    return Repeated(int(found.differ.sum()), int(found.same.sum()), int(across.sum()), tuple(shown))
