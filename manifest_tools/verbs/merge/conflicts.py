"""Labels that differ for one picture: the refusals, and which label won over which how often."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.verbs.merge.attribute_map import Cast, Manifest
from manifest_tools.verbs.merge.candidates import Label
from manifest_tools.verbs.merge.places import Places
from manifest_tools.verbs.merge.resolve import POLICIES, Decision, Policy
from manifest_tools.verbs.merge.resolve import Places as Numbers
from manifest_tools.verbs.merge.settle import label_keys
from manifest_tools.verbs.merge.spelling import Spelling

_SHOWN = 4
MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Won:
    """How many ``lines`` had the label ``lost`` where the policy took ``kept``; both are class names."""

    label_attribute: str
    kept: str
    lost: str
    lines: int

    def to_json(self) -> dict[str, Any]:
        """Return the row by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The most frequent rows of the table, and how many more there are."""

    rows: tuple[Won, ...] = ()
    more: int = 0


@dataclass(slots=True)
class Conflicts:
    """The conflicts of all label attributes; what the lines say must still be remembered."""

    labels: Sequence[Label]
    inputs: Sequence[Manifest]
    roles: Cast
    where: Places

    def check(self, policy: Policy) -> None:
        """Raise BadData for labels that differ where no policy was told, Refused where one cannot decide."""
        for label in self.labels:
            found = label.decision
            if policy == "error" and found.conflicts.any():
                others = ", ".join(POLICIES[1:-1])
                raise BadData(
                    f"{self._pairs(label, found.conflicts)}: differing labels for the same source "
                    f"({int(found.conflicts.sum()):,} in all); type --on-conflict {others} or {POLICIES[-1]}"
                )
            unknown = found.conflicts & found.unknown
            if policy in _NOTHING and unknown.any():
                raise Refused(
                    f"{self._pairs(label, unknown)}: {_NOTHING[policy]}; type another --on-conflict"
                )

    def _pairs(self, label: Label, chosen: NDArray[np.bool_]) -> str:
        """Name the lines of the first few pictures, and what they say."""
        found, spell = label.decision, self._spelling(label)
        groups = np.flatnonzero(chosen)
        groups = groups[np.argsort(found.first[groups], kind="stable")][:_SHOWN]
        pairs = [(int(found.first[at]), int(found.rivals[at])) for at in groups]
        named = ", ".join(" and ".join(self._line(line, spell) for line in pair) for pair in pairs)
        return f"{named}, ..." if chosen.sum() > _SHOWN else named

    def _line(self, line: int, spell: Callable[[int], str]) -> str:
        return f"{self.where.spell(line)} {shown(spell(line))}"

    def _spelling(self, label: Label) -> Spelling:
        return Spelling(label, self.inputs, self.roles, self.where)

    def outcome(self, picture: Numbers) -> Outcome:
        """Return which label won over which how often, the most frequent first."""
        rows: list[Won] = []
        total = 0
        for label in self.labels:
            if label.decision.conflicts.any():
                found, count = self._rows(label, picture)
                rows, total = rows + found, total + count
        rows.sort(key=lambda row: -row.lines)
        return Outcome(tuple(rows[:MOST_ROWS]), max(total - MOST_ROWS, 0))

    def _rows(self, label: Label, picture: Numbers) -> tuple[list[Won], int]:
        """Return the most frequent rows of one label attribute, and how many it has."""
        lost, kept = _lines(label.decision, label, picture)
        keys = self._class_keys(label)
        pairs = np.stack((keys[kept], keys[lost]), axis=1)
        _, firsts, counts = np.unique(pairs, axis=0, return_index=True, return_counts=True)
        order = np.lexsort((firsts, -counts))[:MOST_ROWS]
        spell = self._spelling(label)
        found = []
        for at, count in zip(firsts[order].tolist(), counts[order].tolist(), strict=True):
            names = spell(int(kept[at])), spell(int(lost[at]))
            same = keys[kept[at]] == keys[lost[at]]
            found.append(Won(label.name, names[0], f"another {names[1]}" if same else names[1], count))
        return found, len(counts)

    def _class_keys(self, label: Label) -> NDArray[np.uint64]:
        """Return a key for the classes that each line shows, wherever on the picture they are."""
        keys = []
        for at, one in enumerate(self.inputs):
            parts = self.roles.roles[at].get(label.name, ())
            mine = np.zeros(len(one.remembered.lengths), np.uint64)
            for which, part in enumerate(parts):
                column = replace(one.remembered.columns[part.name], rests=_NONE)
                found = label_keys(column, "", label.moves[at, part.name])
                mine = np.where(label.chosen[at] == which, found, mine) if at in label.chosen else found
            keys.append(mine)
        return np.concatenate(keys)


_NONE = np.zeros(0, np.uint64)


def _lines(found: Decision, label: Label, picture: Numbers) -> tuple[Numbers, Numbers]:
    """Return the lines whose label lost a conflict, and for each the line that won."""
    winners, heard = found.winners[picture], label.heard
    alike = heard.levels == heard.levels[winners]
    lost = np.flatnonzero(found.conflicts[picture] & alike & (heard.labels != heard.labels[winners]))
    return lost, winners[lost]


# What a policy says that has nothing to go by.
_NOTHING = {
    "newest": "no line of them has a creation-date that can be read; that says nothing about the labels",
    "highest-confidence": "every confidence is 0 or missing, as a job with one worker a picture leaves it; "
    "that says nothing about the labels",
}
