"""Lines of one picture, in one manifest or in several: with the same classes, or with others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from manifest_tools.verbs.look.choose import Place, joined
from manifest_tools.verbs.look.index import Index

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


def repeated(indices: Sequence[Index]) -> Repeated:
    """Return the pictures that are on several lines; lines without a label contradict none."""
    part, at, lines = joined(indices)
    order = np.argsort(lines["key"], kind="stable")
    order = order[lines["key"][order] != 0]
    starts = np.flatnonzero(np.diff(lines["key"][order], prepend=np.uint64(0)))
    if not len(starts):
        return Repeated()
    labelled, sets = lines["state"][order] == 0, lines["set"][order]
    highest = np.maximum.reduceat(np.where(labelled, sets, -1), starts)
    lowest = np.minimum.reduceat(np.where(labelled, sets, _NONE), starts)
    sizes = np.diff(starts, append=len(order))
    differ = (highest > lowest) & (sizes > 1)
    same = ~differ & (sizes > 1)
    across = np.maximum.reduceat(part[order], starts) > np.minimum.reduceat(part[order], starts)
    shown = []
    for kind in (differ, same):
        groups = np.flatnonzero(kind)
        for one in groups[np.argsort(order[starts[groups]])][:_GROUPS]:
            members = order[starts[one] : starts[one] + min(sizes[one], _CARDS)]
            places = tuple((int(part[member]), int(at[member])) for member in members)
            shown.append(Group(bool(differ[one]), bool(across[one]), int(sizes[one]), places))
    return Repeated(int(differ.sum()), int(same.sum()), int(across.sum()), tuple(shown))
