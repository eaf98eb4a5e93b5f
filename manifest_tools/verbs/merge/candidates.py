"""One label attribute of the result: its classes, what every line says for it, and whose word counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.edits.class_indices import IndexMap
from manifest_tools.verbs.merge.attribute_map import Cast, Manifest
from manifest_tools.verbs.merge.class_map import Reconciled, Shown, reconcile
from manifest_tools.verbs.merge.columns import ABSENT
from manifest_tools.verbs.merge.resolve import Candidates, Decision, Policy, decide
from manifest_tools.verbs.merge.resolve import Places as Numbers
from manifest_tools.verbs.merge.settle import Folded, fold


@dataclass(slots=True)
class Label:
    """A label attribute of the result, called ``name``.

    ``moves`` has for a manifest (by number) and an attribute of it the new class indices; ``chosen`` which of
    its attributes speaks on each line, for manifests where it is several.
    """

    name: str
    classes: Reconciled
    moves: dict[tuple[int, str], IndexMap]
    chosen: dict[int, NDArray[np.uint8]]
    heard: Candidates
    decision: Decision


def hear(
    name: str, inputs: Sequence[Manifest], roles: Cast, picture: Numbers, count: int, policy: Policy
) -> Label:
    """Bring the class tables of one attribute together, and decide for each picture whose label counts."""
    players = [(at, one) for at, found in enumerate(roles.roles) for one in found.get(name, ())]
    shown = []
    for at, one in players:
        column = inputs[at].remembered.columns[one.name]
        names = tuple(column.names)
        indices = column.shown.union(index for index, _ in names)
        shown.append(Shown(inputs[at].name, one.name, one.kind.name, names, indices))
    classes = reconcile(shown)
    moves: dict[tuple[int, str], Mapping[int, int]] = {
        (at, one.name): found for (at, one), found in zip(players, classes.moves, strict=True)
    }
    folded = {
        at: fold(inputs[at].remembered, parts, {one.name: moves[at, one.name] for one in parts})
        for at, found in enumerate(roles.roles)
        if (parts := found.get(name))
    }
    heard = _joined([(folded.get(at), len(one.remembered.lengths)) for at, one in enumerate(inputs)])
    chosen = {at: part.chosen for at, part in folded.items() if len(roles.roles[at][name]) > 1}
    return Label(name, classes, moves, chosen, heard, decide(picture, count, heard, policy))


def _joined(parts: Sequence[tuple[Folded | None, int]]) -> Candidates:
    """Return what all manifests say; one that does not have the attribute says nothing."""
    scored = any(part is not None and len(part.scores) for part, _ in parts)
    levels, labels, scores = [], [], []
    for part, lines in parts:
        levels.append(np.full(lines, ABSENT, np.int8) if part is None else part.levels)
        labels.append(np.zeros(lines, np.uint64) if part is None else part.labels)
        if scored:
            scores.append(np.full(lines, -np.inf) if part is None else part.scores)
    whole = np.concatenate(scores) if scored else np.zeros(0)
    return Candidates(np.concatenate(levels), np.concatenate(labels), whole)
