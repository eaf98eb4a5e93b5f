"""Finds each line, and each label attribute, of the old file again in the new file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.parallel import Jobs
from manifest_tools.verbs.diff.columns import ManifestColumns, ObservedAttribute
from manifest_tools.verbs.diff.match_keys import Indices, Keys, in_order, match_keys
from manifest_tools.verbs.diff.relocated import relocated_lines

_PARTS = 16  # so much of the keys is sorted at a time: what that takes is small beside the keys themselves

AttributePair = tuple[str | None, str | None]
"""The name of a label attribute in the old file and in the new; None: it is not there."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Which line of the old file is which of the new. Indices of lines count from 0."""

    new_indices: NDArray[np.int32]
    """(old lines,): the index of each line in the new file, or -1."""

    rewritten: Indices
    """(lines,): old indices of lines that have other bytes in the new file."""

    moved: Indices
    """(lines,): old indices of lines that are in another order."""

    relocated: Indices
    """(lines,): old indices of lines whose picture is in another bucket or folder."""

    gone: Indices
    """(lines,): old indices of lines that the new file does not have."""

    added: Indices
    """(lines,): new indices of lines that the old file does not have."""


def match_lines(old: ManifestColumns, new: ManifestColumns, jobs: Jobs = None) -> Matches:
    """Find every line of the old file again: by its bytes, else by its picture, else by the picture's name.

    Bytes come first, so that of several lines of one picture those that stayed are no change.
    """
    new_indices = np.full(len(old.digests), -1, np.int32)
    left, free = old.digests != 0, new.digests != 0
    _find(old.digests, new.digests, new_indices, left, free)
    same = new_indices >= 0
    _find(old.source_keys, new.source_keys, new_indices, left, free)
    old.forget_keys()
    new.forget_keys()
    gone, added = relocated_lines(old, np.flatnonzero(left), new, np.flatnonzero(free), jobs)
    new_indices[gone], left[gone], free[added] = added, False, False
    found = np.flatnonzero(new_indices >= 0)
    moved = found[~in_order(new_indices[found])]
    rewritten = np.flatnonzero((new_indices >= 0) & ~same)
    return Matches(new_indices, rewritten, moved, np.sort(gone), np.flatnonzero(left), np.flatnonzero(free))


def _find(
    old: Keys, new: Keys, new_indices: NDArray[np.int32], left: NDArray[np.bool_], free: NDArray[np.bool_]
) -> None:
    """Set the new indices of lines that are ``left``, among the new lines that are ``free``, by keys."""
    parts_old, parts_new = _parts(old), _parts(new)
    for part in range(_PARTS):
        some_old = np.flatnonzero(left & (parts_old == part))
        some_new = np.flatnonzero(free & (parts_new == part))
        at_old, at_new = match_keys(old[some_old], new[some_new])
        new_indices[some_old[at_old]] = some_new[at_new]
        left[some_old[at_old]] = False
        free[some_new[at_new]] = False


def _parts(keys: Keys) -> NDArray[np.uint8]:
    """Return one of _PARTS for every key, by one of its eight bytes."""
    return keys.view(np.uint8)[7::8] % np.uint8(_PARTS)


def match_attributes(
    old: Mapping[str, ObservedAttribute],
    new: Mapping[str, ObservedAttribute],
    requested: str | None,
    renaming: bool,
) -> tuple[AttributePair, ...]:
    """Return which attribute of one file is which of the other: of the same name, or renamed.

    An attribute that is gone was renamed to an added one when no others of their type are gone or added, and
    ``renaming`` says that the files have lines in common. With a ``requested`` name, only its pair.
    """
    gone = {name: one.type for name, one in old.items() if name not in new}
    added = {name: one.type for name, one in new.items() if name not in old}
    gone_types, added_types = Counter(gone.values()), Counter(added.values())
    renamed = {
        name: next(other for other, its in added.items() if its == type_name)
        for name, type_name in gone.items()
        if renaming and gone_types[type_name] == added_types[type_name] == 1
    }
    pairs: list[AttributePair] = [(name, renamed.get(name) if name in gone else name) for name in old]
    pairs += [(None, name) for name in added if name not in renamed.values()]
    return tuple(pair for pair in pairs if requested is None or requested in pair)
