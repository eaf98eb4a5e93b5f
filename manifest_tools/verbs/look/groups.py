"""Lines of one picture, in one manifest or in several: do their classes contradict one another?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.look.choose import Place, joined
from manifest_tools.verbs.look.index import Index

_GROUPS = 30  # of a kind that a page shows
_CARDS = 6  # of a group


_NONE = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Group:
    """A picture that is on several lines."""

    conflicts: bool
    """Whether lines have different classes under the same label attribute."""

    across: bool
    """Whether they are in several manifests."""

    lines: int
    places: tuple[Place, ...]
    """The first of the lines."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Pictures that are on several lines."""

    conflicts: int = 0
    """Pictures whose lines have different classes under the same label attribute."""

    duplicates: int = 0
    """Pictures whose lines do not contradict one another."""

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
    """(pictures,): whether lines have different classes under the same label attribute; one without a label
    contradicts none."""

    @property
    def same(self) -> NDArray[np.bool_]:
        """(pictures,): whether several lines do not contradict one another."""
        return ~self.differ & (self.sizes > 1)

    def lines(self, pictures: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the lines of some pictures, one picture after the other."""
        found: NDArray[np.int64] = self.order[np.repeat(pictures, self.sizes)]
        return found


def by_picture(indices: Sequence[Index]) -> Pictures:
    """Return the lines of all manifests by their pictures."""
    part, _, lines = joined(indices)
    attribute = _attributes(indices)[part]
    order = np.lexsort((attribute, lines["key"]))
    order = order[lines["key"][order] != 0]
    keys = lines["key"][order]
    is_first = np.diff(keys, prepend=np.uint64(0)) != 0
    starts = np.flatnonzero(is_first)
    sizes = np.diff(starts, append=len(order))
    if not len(starts):
        return Pictures(order, starts, sizes, np.zeros(0, bool))
    compared = np.flatnonzero(is_first | (np.diff(attribute[order], prepend=-1) != 0))
    labelled, sets = lines["state"][order] == 0, lines["set"][order]
    highest = np.maximum.reduceat(np.where(labelled, sets, -1), compared)
    lowest = np.minimum.reduceat(np.where(labelled, sets, _NONE), compared)
    differ = np.logical_or.reduceat(highest > lowest, np.searchsorted(compared, starts))
    return Pictures(order, starts, sizes, differ)


def _attributes(indices: Sequence[Index]) -> NDArray[np.int64]:
    """(manifests,): a number for the label attribute of each; those with several attributes share one."""
    names = [one.known.name if one.known else "" for one in indices]
    return np.array([names.index(name) for name in names], np.int64)


def repeated(indices: Sequence[Index]) -> Repeated:
    """Return the pictures that are on several lines."""
    part, at, _ = joined(indices)
    found = by_picture(indices)
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
