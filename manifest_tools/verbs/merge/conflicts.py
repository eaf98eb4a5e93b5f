"""Conflicts, labels that differ for one picture: the refusals, and which label won over which how often."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import clipped, either, shown
from manifest_tools.groundtruth.classes import default_name
from manifest_tools.verbs.merge.attribute_map import AttributeMap
from manifest_tools.verbs.merge.candidates import MergedAttribute, label_keys
from manifest_tools.verbs.merge.choices import POLICIES, Policy
from manifest_tools.verbs.merge.columns import Manifest
from manifest_tools.verbs.merge.line_numbers import LineNumbers
from manifest_tools.verbs.merge.resolve import Decision, Indices, Pictures

_MOST_PAIRS = 4  # pictures that a refusal names
_MOST_CLASSES = 4  # classes of a label that are named
MOST_ROWS = 20
_NO_HASHES = np.zeros(0, np.uint64)


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """On how many lines the policy took another label than the line's."""

    label_attribute: str
    kept: str
    """The label that won: names of classes."""

    lost: str
    """The label of the lines."""

    lines: int

    def to_json(self) -> dict[str, Any]:
        """Return the row by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ConflictTable:
    """Which label won over which how often."""

    rows: tuple[ConflictRow, ...] = ()
    """The most frequent rows, the most frequent first."""

    more: int = 0
    """How many rows there are beside these."""


@dataclass(slots=True)
class Conflicts:
    """The conflicts of all label attributes. The columns of the manifests must still be there."""

    decisions: Sequence[Decision]
    manifests: Sequence[Manifest]
    attribute_map: AttributeMap
    numbers: LineNumbers

    def check(self, policy: Policy) -> None:
        """Raise BadData for a conflict without a policy, Refused for one that the policy cannot decide."""
        for decision in self.decisions:
            if policy == "error" and decision.conflicts.any():
                count = int(decision.conflicts.sum())
                raise BadData(
                    f"{self._pairs(decision, decision.conflicts)}: different labels for the same picture ("
                    f"{count:,} {'picture' if count == 1 else 'pictures'} in all); "
                    f"choose with --on-conflict {either(POLICIES[1:])}"
                )
            unknown = decision.conflicts & decision.unknown
            if policy in _CANNOT_DECIDE and unknown.any():
                raise Refused(
                    f"{self._pairs(decision, unknown)}: {_CANNOT_DECIDE[policy]}, so --on-conflict {policy} "
                    "cannot choose between these labels; type another --on-conflict"
                )

    def _pairs(self, decision: Decision, chosen: NDArray[np.bool_]) -> str:
        """Name two lines of each of the first few pictures, and their labels."""
        describe = self._class_names(decision.attribute)
        pictures = np.flatnonzero(chosen)
        pictures = pictures[np.argsort(decision.first[pictures], kind="stable")][:_MOST_PAIRS]
        named = [
            " and ".join(
                f"{self.numbers.describe(line)} {shown(describe.of_line(line))}"
                for line in (int(decision.first[at]), int(decision.rivals[at]))
            )
            for at in pictures
        ]
        return ", ".join([*named, *(["..."] if chosen.sum() > _MOST_PAIRS else [])])

    def _class_names(self, attribute: MergedAttribute) -> "_ClassNames":
        return _ClassNames(attribute, self.manifests, self.attribute_map, self.numbers)

    def table(self, pictures: Pictures) -> ConflictTable:
        """Return which label won over which how often."""
        rows: list[ConflictRow] = []
        total = 0
        for decision in self.decisions:
            if decision.conflicts.any():
                found, count = self._rows(decision, pictures)
                rows, total = rows + found, total + count
        rows.sort(key=lambda row: -row.lines)
        return ConflictTable(tuple(rows[:MOST_ROWS]), max(total - MOST_ROWS, 0))

    def _rows(self, decision: Decision, pictures: Pictures) -> tuple[list[ConflictRow], int]:
        """Return the most frequent rows of one label attribute, and how many rows it has."""
        lost, kept = _lost_and_kept(decision, pictures)
        keys = self._class_keys(decision.attribute)
        pairs = np.stack((keys[kept], keys[lost]), axis=1)
        _, firsts, counts = np.unique(pairs, axis=0, return_index=True, return_counts=True)
        order = np.lexsort((firsts, -counts))[:MOST_ROWS]
        describe = self._class_names(decision.attribute)
        found = []
        for at, count in zip(firsts[order].tolist(), counts[order].tolist(), strict=True):
            names = describe.of_line(int(kept[at])), describe.of_line(int(lost[at]))
            same = keys[kept[at]] == keys[lost[at]]
            lost_name = f"another {names[1]}" if same else names[1]
            found.append(ConflictRow(decision.attribute.name, names[0], lost_name, count))
        return found, len(counts)

    def _class_keys(self, attribute: MergedAttribute) -> NDArray[np.uint64]:
        """Return, as (lines,), a hash of the classes of each line, wherever on the picture they are."""
        keys = []
        for at, manifest in enumerate(self.manifests):
            mine = np.zeros(manifest.columns.lines, np.uint64)
            for which, part in enumerate(self.attribute_map.targets[at].get(attribute.name, ())):
                columns = replace(manifest.columns.attributes[part.name], rest_hashes=_NO_HASHES)
                found = label_keys(columns, attribute.index_maps[at, part.name], ordered=False)
                chosen = attribute.chosen.get(at)
                mine = found if chosen is None else np.where(chosen == which, found, mine)
            keys.append(mine)
        return np.concatenate(keys)


def _lost_and_kept(decision: Decision, pictures: Pictures) -> tuple[Indices, Indices]:
    """Return the lines whose label lost a conflict, and for each the line that won."""
    winners, candidates = decision.winners[pictures.of_line], decision.attribute.candidates
    equal = candidates.precedence == candidates.precedence[winners]
    differs = candidates.labels != candidates.labels[winners]
    lost = np.flatnonzero(decision.conflicts[pictures.of_line] & equal & differs)
    return lost, winners[lost]


# Why a policy cannot decide.
_CANNOT_DECIDE = {
    "newest": "no line of them has a creation-date that can be read",
    "highest-confidence": "every confidence is 0 or missing, or the same on all labels of a manifest, as"
    " after a job with one worker for each picture",
}


@dataclass(slots=True)
class _ClassNames:
    """The labels of lines as the names of their classes, as the result has them."""

    attribute: MergedAttribute
    manifests: Sequence[Manifest]
    attribute_map: AttributeMap
    numbers: LineNumbers
    _ends: dict[tuple[int, str], NDArray[np.int64]] = field(default_factory=dict)
    """By manifest and attribute, (lines,): where the class indices of each line end."""

    _names: dict[int, str] = field(default_factory=dict)

    def of_line(self, line: int) -> str:
        """Return the label of a line: ``RH``; ``LH, RH``; ``2 dog, cat`` for three boxes."""
        at, number = self.numbers.split(line)
        parts = self.attribute_map.targets[at][self.attribute.name]
        part = parts[int(self.attribute.chosen[at][number]) if at in self.attribute.chosen else 0]
        indices = self._indices(at, part.name, number)
        if not indices:
            has_indices = part.kind.has_classes and part.kind.categories is None
            return "(no classes)" if has_indices else f"({part.short_type})"
        index_map = self.attribute.index_maps[at, part.name]
        counts = Counter(index_map.get(index, index) for index in indices)
        words = [self._name(index, counts[index]) for index in sorted(counts)[:_MOST_CLASSES]]
        return ", ".join([*words, *(["..."] if len(counts) > _MOST_CLASSES else [])])

    def _indices(self, at: int, name: str, number: int) -> list[int]:
        columns = self.manifests[at].columns.attributes[name]
        if (at, name) not in self._ends:
            self._ends[at, name] = np.cumsum(columns.counts, dtype=np.int64)
        end = int(self._ends[at, name][number])
        found: list[int] = columns.indices[end - int(columns.counts[number]) : end].tolist()
        return found

    def _name(self, index: int, count: int) -> str:
        if not self._names:
            self._names = dict(self.attribute.classes.table.names)
        name = clipped(self._names.get(index, default_name(index)))
        return name if count == 1 else f"{count:,} {name}"
