"""Which lines a gallery shows where it cannot show all: problems, doubtful ones, and some of each class."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix
from manifest_tools.verbs.look.index import Columns, Index

DOUBTFUL = 0.7
"""A confidence below this is a doubtful one; 0 is none, for a job with one worker a picture writes it."""

_SHARE = 3  # problems take at most a third of the places where not all lines fit; so do doubtful lines

Place = tuple[int, int]
"""A line: the position of its manifest, and its own position in the columns of that."""


def choose(indices: Sequence[Index], count: int, problems: Sequence[Collection[int]]) -> list[Place]:
    """Return at most ``count`` lines, in the order in which they are shown.

    ``problems`` has, for each manifest, the numbers of lines with problems: they come first, doubtful lines
    after them. The rest is chosen evenly: each set of classes of each manifest has as many places as the
    others, if it has as many lines.
    """
    part, at, lines = joined(indices)
    wrong = np.concatenate(
        [np.isin(one.lines["number"], list(mine)) for one, mine in zip(indices, problems, strict=True)]
    )
    doubts = np.where(_doubtful(lines["confidence"]) & ~wrong, lines["confidence"], np.inf)
    places = count if len(lines) <= count else count // _SHARE
    chosen = np.zeros(len(lines), bool)
    chosen[np.flatnonzero(wrong)[:places]] = True
    lowest = np.argsort(doubts, kind="stable")[: int((doubts < np.inf).sum())]
    chosen[lowest[:places]] = True
    rest = np.flatnonzero(~chosen)
    chosen[rest[_evenly(part[rest], lines[rest])][: count - int(chosen.sum())]] = True
    found = np.flatnonzero(chosen)
    order = found[np.lexsort((found, doubts[found], ~wrong[found]))]
    return [(int(part[one]), int(at[one])) for one in order]


def joined(indices: Sequence[Index]) -> tuple[NDArray[np.int64], NDArray[np.int64], Columns]:
    """Return, for the lines of all manifests, the manifest of each, its position there, and its columns."""
    part = np.repeat(np.arange(len(indices)), [len(one.lines) for one in indices])
    at = np.concatenate([np.arange(len(one.lines)) for one in indices])
    lines = np.concatenate([one.lines for one in indices]) if indices[1:] else indices[0].lines
    return part, at, lines


def _doubtful(confidences: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (confidences > 0) & (confidences < DOUBTFUL)


def _evenly(part: NDArray[np.int64], lines: Columns) -> NDArray[Any]:
    """Return the positions of lines in an order whose beginning has as many of each kind as of the others."""
    drawn = mix(lines["key"], 0)
    order = np.lexsort((drawn, lines["state"], lines["set"], part))
    kinds = np.stack([part, lines["set"], lines["state"]])[:, order]
    starts = np.flatnonzero(np.append(True, (kinds[:, 1:] != kinds[:, :-1]).any(axis=0))[: len(order)])
    turn = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    found: NDArray[Any] = order[np.lexsort((drawn[order], turn))]
    return found
