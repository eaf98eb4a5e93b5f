"""Resolves which line's label counts where several lines are of one picture, and what becomes of every line.

All pictures at once, by column. Lines are numbered over all manifests, as in ``line_numbers``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.merge.candidates import Candidates, MergedAttribute
from manifest_tools.verbs.merge.choices import Policy
from manifest_tools.verbs.merge.columns import ABSENT, FAILED, UNKNOWN_DATE

# Why a line is left out. Of the reasons that a line has for several attributes, the last one here counts.
REASONS = ("unlabelled", "failed", "same label", "superseded", "conflict", "overlaid")
UNLABELLED, FAILED_LINE, SAME_LABEL, SUPERSEDED, CONFLICT, OVERLAID = range(len(REASONS))

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Which lines are of the same picture."""

    of_line: Indices
    """(lines,): the number of the picture of each line, from 0."""

    count: int
    """How many pictures there are."""


def number_pictures(source_keys: NDArray[np.uint64]) -> Pictures:
    """Return a number for the picture of every line; lines of equal keys share one, but for key 0.

    >>> number_pictures(np.array([7, 0, 7, 0], np.uint64))
    Pictures(of_line=array([2, 0, 2, 1]), count=3)
    """
    order = np.argsort(source_keys, kind="stable")
    ordered = source_keys[order]
    new = np.ones(len(source_keys), bool)
    new[1:] = (ordered[1:] != ordered[:-1]) | (ordered[1:] == 0)
    del ordered
    of_line = np.empty(len(source_keys), np.int64)
    of_line[order] = np.cumsum(new)
    of_line -= 1
    return Pictures(of_line, int(new.sum()))


@dataclass(slots=True)
class Decision:
    """Whose label counts for each picture, and how that came about; lines are -1 where there is none."""

    attribute: MergedAttribute
    winners: Indices
    """(pictures,): the line whose label counts."""

    first: Indices
    """(pictures,): the first line of the highest precedence."""

    rivals: Indices
    """(pictures,): the first line whose label differs from the label of ``first``."""

    ties: NDArray[np.bool_]
    """(pictures,): whether another label was as good for the policy as the one that it took."""

    unknown: NDArray[np.bool_]
    """(pictures,): whether the policy had nothing to go by."""

    undated: NDArray[np.bool_]
    """(pictures,): whether the policy asks for a date, and a line has none."""

    marked: int = 0
    """How many pictures a mark decided."""

    @property
    def conflicts(self) -> NDArray[np.bool_]:
        """(pictures,): whether the labels differ."""
        return self.rivals >= 0


Heeded = Callable[[Indices, NDArray[np.uint64]], NDArray[np.bool_]]
"""Returns which of some lines may win by the marks of a person; both are (lines,): numbers and labels."""


def resolve(
    attribute: MergedAttribute, pictures: Pictures, policy: Policy, heeded: Heeded | None = None
) -> Decision:
    """Return for each picture the line whose label counts.

    Only lines of the highest precedence can win; where their labels differ, ``heeded`` decides first, and
    what it leaves the policy.
    """
    candidates, count = attribute.candidates, pictures.count
    lines = np.flatnonzero(candidates.precedence > ABSENT)
    best = np.full(count, ABSENT, np.int8)
    np.maximum.at(best, pictures.of_line[lines], candidates.precedence[lines])
    lines = lines[candidates.precedence[lines] == best[pictures.of_line[lines]]]
    marked = 0
    if heeded is not None:
        stays = heeded(lines, candidates.labels[lines])
        marked = len(np.unique(pictures.of_line[lines[~stays]]))
        lines = lines[stays]
    groups = pictures.of_line[lines]
    first = _last_of_each(count, groups[::-1], lines[::-1])
    differs = (candidates.labels[lines] != candidates.labels[first[groups]]) & (
        candidates.precedence[lines] > FAILED
    )
    rivals = _last_of_each(count, groups[differs][::-1], lines[differs][::-1])
    ties, unknown, undated = np.zeros((3, count), bool)
    decision = Decision(attribute, first.copy(), first, rivals, ties, unknown, undated, marked)
    in_conflict = decision.conflicts[groups]
    if in_conflict.any():
        _BY_POLICY[policy](decision, groups[in_conflict], lines[in_conflict], candidates)
    return decision


def _last_of_each(count: int, groups: Indices, lines: Indices) -> Indices:
    """Return for each group the last of its lines; -1 where it has none."""
    found = np.full(count, -1, np.int64)
    found[groups] = lines
    return found


def _keep_first(decision: Decision, groups: Indices, lines: Indices, candidates: Candidates) -> None:
    """Leave the first line the winner."""


def _take_last(decision: Decision, groups: Indices, lines: Indices, candidates: Candidates) -> None:
    decision.winners[groups] = lines


def _take_newest(decision: Decision, groups: Indices, lines: Indices, candidates: Candidates) -> None:
    """Take the line of the latest date, of several the first; a line without a date counts as the oldest."""
    highest = _take_highest(decision, groups, lines, candidates)
    decision.unknown[groups] = highest[groups] == UNKNOWN_DATE
    decision.undated[groups[candidates.scores[lines] == UNKNOWN_DATE]] = True


def _take_surest(decision: Decision, groups: Indices, lines: Indices, candidates: Candidates) -> None:
    """Take the line of the highest confidence, of several the first.

    0 says nothing, nor does one confidence that all labels of a manifest share.
    """
    highest = _take_highest(decision, groups, lines, candidates)
    decision.unknown[groups] = (highest[groups] <= 0) | candidates.constant


def _take_highest(
    decision: Decision, groups: Indices, lines: Indices, candidates: Candidates
) -> NDArray[np.float64]:
    """Take the line of the highest score, of several the first; return the highest scores, (pictures,)."""
    scores = candidates.scores[lines]
    order = np.lexsort((-lines, scores))
    decision.winners[groups[order]] = lines[order]
    highest = np.full(len(decision.winners), -np.inf)
    np.maximum.at(highest, groups, scores)
    _mark_ties(decision, groups, lines, scores == highest[groups], candidates)
    return highest


def _take_majority(decision: Decision, groups: Indices, lines: Indices, candidates: Candidates) -> None:
    """Take the first line of the label that most lines have, of several such labels the first."""
    labels = candidates.labels[lines]
    order = np.lexsort((lines, labels, groups))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(groups[order]) != 0) | (labels[order][1:] != labels[order][:-1])
    starts = np.flatnonzero(new)
    votes = np.diff(np.append(starts, len(order)))
    heads = order[starts]
    ranked = np.lexsort((-lines[heads], votes))
    decision.winners[groups[heads][ranked]] = lines[heads][ranked]
    most = np.zeros(len(decision.winners), np.int64)
    np.maximum.at(most, groups[heads], votes)
    _mark_ties(decision, groups[heads], lines[heads], votes == most[groups[heads]], candidates)


def _mark_ties(
    decision: Decision, groups: Indices, lines: Indices, best: NDArray[np.bool_], candidates: Candidates
) -> None:
    """Note the pictures where another label than the winner's was as good."""
    other = candidates.labels[lines] != candidates.labels[decision.winners[groups]]
    decision.ties[groups[best & other]] = True


_BY_POLICY: dict[str, Callable[[Decision, Indices, Indices, Candidates], None]] = {
    "error": _keep_first,
    "first": _keep_first,
    "last": _take_last,
    "newest": _take_newest,
    "highest-confidence": _take_surest,
    "vote": _take_majority,
}


@dataclass(slots=True)
class Overlays:
    """Labels that are written over another line, in the order of the lines that get them."""

    to_lines: Indices
    """(overlays,): the lines that get a label."""

    from_lines: Indices
    """(overlays,): the lines whose label it is."""

    attributes: NDArray[np.int16]
    """(overlays,): the number of the label attribute."""


@dataclass(slots=True)
class LineOutcomes:
    """What becomes of every line."""

    kept: NDArray[np.bool_]
    """(lines,): whether the line is in the result."""

    reasons: NDArray[np.uint8]
    """(lines,): why the line is left out, a place in REASONS; means nothing where it is kept."""

    overlays: Overlays


def line_outcomes(
    pictures: Pictures, blank: NDArray[np.bool_], decisions: Sequence[Decision]
) -> LineOutcomes:
    """Return what becomes of every line; ``blank`` is (lines,).

    Of each picture the first line with a label that counts is kept; labels that count on other lines are
    overlays on it.
    """
    of_line = pictures.of_line
    lines = np.arange(len(of_line))
    kept = np.full(pictures.count, len(of_line), np.int64)
    for decision in decisions:
        kept = np.where(decision.winners >= 0, np.minimum(kept, decision.winners), kept)
    first = np.zeros(pictures.count, np.int64)
    first[of_line[::-1]] = lines[::-1]
    kept = np.where(kept < len(of_line), kept, first)
    reasons = np.zeros(len(of_line), np.uint8)
    overlays: list[tuple[Indices, Indices, int]] = []
    for number, decision in enumerate(decisions):
        reasons = np.maximum(reasons, _reasons(pictures, decision))
        from_others = (decision.winners >= 0) & (decision.winners != kept)
        reasons[decision.winners[from_others]] = OVERLAID
        overlays.append((kept[from_others], decision.winners[from_others], number))
    return LineOutcomes((kept[of_line] == lines) & ~blank, reasons, _joined(overlays))


def _reasons(pictures: Pictures, decision: Decision) -> NDArray[np.uint8]:
    """Return, as (lines,), why each line would be left out if there were no other label attribute."""
    winners, candidates = decision.winners[pictures.of_line], decision.attribute.candidates
    found = np.full(len(winners), SUPERSEDED, np.uint8)
    found[candidates.precedence == candidates.precedence[winners]] = CONFLICT
    found[candidates.labels == candidates.labels[winners]] = SAME_LABEL
    found[candidates.precedence == FAILED] = FAILED_LINE
    found[candidates.precedence == ABSENT] = UNLABELLED
    return found


def _joined(parts: Sequence[tuple[Indices, Indices, int]]) -> Overlays:
    """Return the overlays of all attributes, in the order of the lines that get them."""
    none = np.zeros(0, np.int64)
    to_lines = np.concatenate([none, *(part[0] for part in parts)])
    from_lines = np.concatenate([none, *(part[1] for part in parts)])
    attributes = np.concatenate([none, *(np.full(len(part[0]), part[2]) for part in parts)]).astype(np.int16)
    order = np.lexsort((attributes, to_lines))
    return Overlays(to_lines[order], from_lines[order], attributes[order])
