"""What becomes of every line: kept, left out for a reason, or laid over the line of the same picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.verbs.merge.columns import ABSENT, FAILED, Column, Remembered
from manifest_tools.verbs.merge.resolve import Candidates, Decision, Places

# Why a line is left out, the weightiest reason last: one of two attributes may have another than the other.
REASONS = ("unlabelled", "failed", "same label", "superseded", "conflict", "overlaid")
UNLABELLED, FAILED_LINE, SAME, SUPERSEDED, CONFLICT, OVERLAID = range(len(REASONS))


@dataclass(slots=True)
class Grafts:
    """Labels that go over another line: of which line, to which, and of which role (a number)."""

    onto: Places
    of: Places
    role: NDArray[np.int16]


@dataclass(slots=True)
class Settled:
    """The fate of every line of all manifests; ``reasons`` (a place in REASONS) counts where not ``kept``."""

    kept: NDArray[np.bool_]
    reasons: NDArray[np.uint8]
    grafts: Grafts


def settle(
    picture: Places, count: int, blank: NDArray[np.bool_], heard: Sequence[tuple[Candidates, Decision]]
) -> Settled:
    """Return what becomes of every line.

    Of each picture the first line stays of which any label counts; labels that count on others go over it.
    """
    lines = np.arange(len(picture))
    homes = np.full(count, len(picture), np.int64)
    for _, decision in heard:
        homes = np.where(decision.winners >= 0, np.minimum(homes, decision.winners), homes)
    first = np.zeros(count, np.int64)
    first[picture[::-1]] = lines[::-1]
    homes = np.where(homes < len(picture), homes, first)
    reasons = np.zeros(len(picture), np.uint8)
    grafts: list[tuple[Places, Places, int]] = []
    for role, (candidates, decision) in enumerate(heard):
        reasons = np.maximum(reasons, _reasons(picture, candidates, decision))
        away = (decision.winners >= 0) & (decision.winners != homes)
        reasons[decision.winners[away]] = OVERLAID
        grafts.append((homes[away], decision.winners[away], role))
    return Settled((homes[picture] == lines) & ~blank, reasons, _grafts(grafts))


def _reasons(picture: Places, heard: Candidates, decision: Decision) -> NDArray[np.uint8]:
    """Return for each line why it would go if it were for this role alone."""
    winners = decision.winners[picture]
    found = np.full(len(picture), SUPERSEDED, np.uint8)
    found[heard.levels == heard.levels[winners]] = CONFLICT
    found[heard.labels == heard.labels[winners]] = SAME
    found[heard.levels == FAILED] = FAILED_LINE
    found[heard.levels == ABSENT] = UNLABELLED
    return found


def _grafts(parts: Sequence[tuple[Places, Places, int]]) -> Grafts:
    """Return the grafts in the order of the lines that take them."""
    none = np.zeros(0, np.int64)
    onto = np.concatenate([none, *(part[0] for part in parts)])
    of = np.concatenate([none, *(part[1] for part in parts)])
    role = np.concatenate([none, *(np.full(len(part[0]), part[2]) for part in parts)]).astype(np.int16)
    order = np.lexsort((role, onto))
    return Grafts(onto[order], of[order], role[order])


@dataclass(slots=True)
class Folded:
    """What the lines of one manifest say for a role, and which of its attributes does, if it has several."""

    levels: NDArray[np.int8]
    labels: NDArray[np.uint64]
    scores: NDArray[np.float64]
    chosen: NDArray[np.uint8]


def fold(
    remembered: Remembered, parts: Sequence[LabelAttribute], moves: Mapping[str, Mapping[int, int]]
) -> Folded:
    """Return the word of the highest level on each line; of equal ones, the later attribute's."""
    lines = len(remembered.lengths)
    if len(parts) == 1:
        column = remembered.columns[parts[0].name]
        keys = label_keys(column, parts[0].kind.name, moves.get(parts[0].name, {}))
        return Folded(column.levels, keys, column.scores, np.zeros(0, np.uint8))
    levels, chosen = np.full(lines, ABSENT, np.int8), np.zeros(lines, np.uint8)
    labels, scores = np.zeros(lines, np.uint64), np.zeros(0)
    for which, one in enumerate(parts):
        column = remembered.columns[one.name]
        better = (column.levels > levels) | ((column.levels == levels) & (levels > FAILED))
        keys = label_keys(column, one.kind.name, moves.get(one.name, {}))
        levels, labels = np.where(better, column.levels, levels), np.where(better, keys, labels)
        if len(column.scores):
            scores = np.where(better, column.scores, scores if len(scores) else -np.inf)
        chosen[better] = which
    return Folded(levels, labels, scores, chosen)


def label_keys(column: Column, kind: str, moves: Mapping[int, int]) -> NDArray[np.uint64]:
    """Return a key for the label of every line, equal for equal labels; ``moves`` has the new indices."""
    indices = _moved(column.flat, moves).astype(np.uint64)
    ends = np.cumsum(column.counts, dtype=np.int64)
    starts = ends - column.counts
    if kind in ("boxes", "cuboids"):  # sorted by where they are; other classes have no order
        places = np.arange(len(indices)) - np.repeat(starts, column.counts)
        indices = indices + (places.astype(np.uint64) << np.uint64(32))
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(mix(indices, 1), dtype=np.uint64)))
    keys = mix(sums[ends] - sums[starts] + column.counts.astype(np.uint64), 2)
    return mix(keys ^ column.rests, 3) if len(column.rests) else keys


def _moved(indices: NDArray[np.int32], moves: Mapping[int, int]) -> NDArray[np.int32]:
    if not moves or not len(indices):
        return indices
    table = np.arange(int(indices.max()) + 1, dtype=np.int32)
    for old, new in moves.items():
        if old < len(table):
            table[old] = new
    return table[indices]
