"""Which line of the old file is which of the new one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.parallel import Jobs
from manifest_tools.verbs.diff.contents import Contents
from manifest_tools.verbs.diff.match_keys import Keys, Places, in_order, match
from manifest_tools.verbs.diff.relocated import went_elsewhere

_PARTS = 16  # so much of the keys is sorted at a time: what that takes is small beside the keys themselves


@dataclass(frozen=True, slots=True)
class Matched:
    """Places of lines, counted from 0, in the old file; of ``added`` ones in the new file.

    ``mates`` has for every old line its place in the new file, or -1. ``other`` lines are there, but have
    other bytes; the picture of those that went ``elsewhere`` has another name now.
    """

    mates: NDArray[np.int32]
    other: Places
    moved: Places
    elsewhere: Places
    gone: Places
    added: Places


def matched(old: Contents, new: Contents, jobs: Jobs = None) -> Matched:
    """Find every line of the old file again: by its bytes, or else by its picture.

    So of several lines of one picture, those that stayed are no change. What is left went elsewhere, or went.
    """
    mates = np.full(len(old.digests), -1, np.int32)
    left, free = old.digests != 0, new.digests != 0
    _find(old.digests, new.digests, mates, left, free)
    same = mates >= 0
    _find(old.keys, new.keys, mates, left, free)
    old.forget_keys()
    new.forget_keys()
    went, come = went_elsewhere(old, np.flatnonzero(left), new, np.flatnonzero(free), jobs)
    mates[went], left[went], free[come] = come, False, False
    paired = np.flatnonzero(mates >= 0)
    moved = paired[~in_order(mates[paired])]
    other = np.flatnonzero((mates >= 0) & ~same)
    return Matched(mates, other, moved, np.sort(went), np.flatnonzero(left), np.flatnonzero(free))


def _find(
    old: Keys, new: Keys, mates: NDArray[np.int32], left: NDArray[np.bool_], free: NDArray[np.bool_]
) -> None:
    """Set the mates of lines that are ``left``, among those that are ``free``, by their keys."""
    parts_old, parts_new = _parts(old), _parts(new)
    for part in range(_PARTS):
        there = np.flatnonzero(left & (parts_old == part))
        here = np.flatnonzero(free & (parts_new == part))
        places, others = match(old[there], new[here])
        mates[there[places]] = here[others]
        left[there[places]] = False
        free[here[others]] = False


def _parts(keys: Keys) -> NDArray[np.uint8]:
    """Return one of _PARTS for every key, by one of its eight bytes."""
    return keys.view(np.uint8)[7::8] % np.uint8(_PARTS)
