"""Which line's label counts where several lines are of one picture: all pictures at once, by column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.merge.columns import ABSENT, FAILED, UNKNOWN_DATE

Policy = Literal["error", "first", "last", "newest", "highest-confidence", "vote"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

Places = NDArray[np.int64]


@dataclass(slots=True)
class Candidates:
    """What every line of all manifests says for one attribute.

    ``levels`` as in ``reading``; ``labels`` are keys that are equal for equal labels; ``scores`` is empty but
    for a policy that compares.
    """

    levels: NDArray[np.int8]
    labels: NDArray[np.uint64]
    scores: NDArray[np.float64]


@dataclass(slots=True)
class Decision:
    """For each picture the line whose label counts (-1: none has any), and how that came about.

    ``conflicts``: pictures whose labels differ; ``ties``: where the policy had two to choose from and took
    the first; ``unknown``: where the policy had nothing to go by; ``undated``: where a date was asked for and
    a line had none; ``rivals``: the first line of a conflict that differs from the first of all.
    """

    winners: Places
    conflicts: NDArray[np.bool_]
    ties: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    undated: NDArray[np.bool_]
    first: Places
    rivals: Places


def pictures(keys: NDArray[np.uint64]) -> tuple[Places, int]:
    """Return a number for the picture of every line, from 0, and how many there are; key 0 is no other's.

    >>> pictures(np.array([7, 0, 7, 0], np.uint64))
    (array([2, 0, 2, 1]), 3)
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    new = np.ones(len(keys), bool)
    new[1:] = (ordered[1:] != ordered[:-1]) | (ordered[1:] == 0)
    del ordered
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = np.cumsum(new)
    numbers -= 1
    return numbers, int(new.sum())


def decide(picture: Places, count: int, heard: Candidates, policy: Policy) -> Decision:
    """Return for each picture the line whose label counts.

    Labelled lines count before failed ones, and what an adjustment changed before what it was made from;
    among those of the highest level the policy decides.
    """
    places = np.flatnonzero(heard.levels > ABSENT)
    best = np.full(count, ABSENT, np.int8)
    np.maximum.at(best, picture[places], heard.levels[places])
    places = places[heard.levels[places] == best[picture[places]]]
    groups = picture[places]
    first = _last_given(count, groups[::-1], places[::-1])
    differs = (heard.labels[places] != heard.labels[first[groups]]) & (heard.levels[places] > FAILED)
    rivals = _last_given(count, groups[differs][::-1], places[differs][::-1])
    conflicts = rivals >= 0
    ties, unknown, undated = (np.zeros(count, bool) for _ in range(3))
    found = Decision(first.copy(), conflicts, ties, unknown, undated, first, rivals)
    inside = conflicts[groups]
    if inside.any():
        _BY_POLICY[policy](found, groups[inside], places[inside], heard)
    return found


def _last_given(count: int, groups: Places, places: Places) -> Places:
    """Return for each group the last of its places; -1 where it has none."""
    found = np.full(count, -1, np.int64)
    found[groups] = places
    return found


def _keep_first(found: Decision, groups: Places, places: Places, heard: Candidates) -> None:
    """Leave the first line the winner."""


def _take_last(found: Decision, groups: Places, places: Places, heard: Candidates) -> None:
    found.winners[groups] = places


def _take_newest(found: Decision, groups: Places, places: Places, heard: Candidates) -> None:
    """Take the line of the latest date, of several the first; one without a date counts as the oldest."""
    top = _take_highest(found, groups, places, heard)
    found.unknown[groups] = top[groups] == UNKNOWN_DATE
    found.undated[groups[heard.scores[places] == UNKNOWN_DATE]] = True


def _take_surest(found: Decision, groups: Places, places: Places, heard: Candidates) -> None:
    """Take the line of the highest confidence, of several the first; 0 is no confidence at all."""
    top = _take_highest(found, groups, places, heard)
    found.unknown[groups] = top[groups] <= 0


def _take_highest(found: Decision, groups: Places, places: Places, heard: Candidates) -> NDArray[np.float64]:
    """Take the line of the highest score, of several the first; return the highest of each picture."""
    scores = heard.scores[places]
    order = np.lexsort((-places, scores))
    found.winners[groups[order]] = places[order]
    top = np.full(len(found.winners), -np.inf)
    np.maximum.at(top, groups, scores)
    _mark_ties(found, groups, places, scores == top[groups], heard)
    return top


def _take_majority(found: Decision, groups: Places, places: Places, heard: Candidates) -> None:
    """Take the first line of the label that most lines have, of several such labels the first."""
    labels = heard.labels[places]
    order = np.lexsort((places, labels, groups))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(groups[order]) != 0) | (labels[order][1:] != labels[order][:-1])
    starts = np.flatnonzero(new)
    votes = np.diff(np.append(starts, len(order)))
    heads = order[starts]
    ranked = np.lexsort((-places[heads], votes))
    found.winners[groups[heads][ranked]] = places[heads][ranked]
    most = np.zeros(len(found.winners), np.int64)
    np.maximum.at(most, groups[heads], votes)
    _mark_ties(found, groups[heads], places[heads], votes == most[groups[heads]], heard)


def _mark_ties(
    found: Decision, groups: Places, places: Places, best: NDArray[np.bool_], heard: Candidates
) -> None:
    """Note the pictures where another label than the winner's was as good."""
    other = heard.labels[places] != heard.labels[found.winners[groups]]
    found.ties[groups[best & other]] = True


_BY_POLICY: dict[str, Callable[[Decision, Places, Places, Candidates], None]] = {
    "error": _keep_first,
    "first": _keep_first,
    "last": _take_last,
    "newest": _take_newest,
    "highest-confidence": _take_surest,
    "vote": _take_majority,
}
