"""What ``merge`` did, in numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.sinks import Published
from manifest_tools.verbs.merge.attribute_map import Manifest
from manifest_tools.verbs.merge.candidates import Label
from manifest_tools.verbs.merge.columns import ADJUSTED
from manifest_tools.verbs.merge.conflicts import Outcome
from manifest_tools.verbs.merge.places import Places
from manifest_tools.verbs.merge.resolve import Policy
from manifest_tools.verbs.merge.settle import REASONS, Settled
from manifest_tools.verbs.merge.write import NAMED_KEYS, Written

COUNTS = ("renamed", "reindexed", "overlaid", "carried")


@dataclass(slots=True)
class Counted:
    """What happened to lines while they were written: a number a manifest for each of COUNTS.

    ``differ`` lines that were left out said more than the line that stayed has room for, under the keys of
    which ``differing`` has the first few.
    """

    counts: dict[str, list[int]]
    differ: int = 0
    differing: dict[str, None] = field(default_factory=dict)


def counted(manifests: int, done: Iterable[Written]) -> Counted:
    """Add up what became of the blocks."""
    found = Counted({name: [0] * manifests for name in COUNTS})
    for part in done:
        for name, numbers in found.counts.items():
            numbers[part.plan] += getattr(part, name)
        found.differ += part.differ
        if len(found.differing) <= NAMED_KEYS:
            found.differing |= dict.fromkeys(part.differing)
    return found


@dataclass(frozen=True, slots=True)
class MergedManifest:
    """What became of one input; blank lines are no lines.

    ``left_out`` counts lines by reason. ``won`` are conflicts that a label of it decided, ``adjusted`` labels
    of an adjustment job that changed something, and stand in the result. Of the lines kept, ``renamed`` have
    a label attribute under another name, ``reindexed`` other class indices, ``overlaid`` labels of others,
    ``carried`` other keys that stood only on a line that was left out.
    """

    manifest: str
    lines: int
    kept: int
    left_out: dict[str, int] = field(default_factory=dict)
    won: int = 0
    adjusted: int = 0
    renamed: int = 0
    reindexed: int = 0
    overlaid: int = 0
    carried: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Merged:
    """What ``merge`` did: what became of each input, and the class tables by label attribute.

    ``conflicts`` counts labels that differed for one picture; ``ties`` those of them where the policy found
    two equally good, and took the first; ``undated`` those where a line without a date counted as oldest.
    ``outcome`` says which label won over which. ``differ`` lines left out had another value than the line
    that stayed for some key that is no label, among them ``differing``.
    """

    manifests: tuple[MergedManifest, ...]
    policy: Policy
    conflicts: int
    ties: int
    tables: dict[str, ClassTable]
    undated: int = 0
    outcome: Outcome = Outcome()
    differ: int = 0
    differing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()

    @property
    def kept(self) -> int:
        """Lines of the result."""
        return sum(one.kept for one in self.manifests)

    def to_json(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {
            "kept": self.kept,
            "manifests": [one.to_json() for one in self.manifests],
            "on_conflict": self.policy,
            "conflicts": self.conflicts,
            "ties": self.ties,
            "undated": self.undated,
            "decided": [row.to_json() for row in self.outcome.rows],
            "decided_more": self.outcome.more,
            "differ": self.differ,
            "differing": list(self.differing),
            "class_tables": {name: table.to_json() for name, table in self.tables.items()},
            "remarks": list(self.remarks),
        }


def report(
    inputs: Sequence[Manifest],
    where: Places,
    labels: Sequence[Label],
    settled: Settled,
    policy: Policy,
    outcome: Outcome,
    found: Counted,
    remarks: Sequence[str],
) -> Merged:
    """Return the report, but for what was published."""
    won, adjusted = ([0] * len(inputs) for _ in range(2))
    for label in labels:
        decision = label.decision
        lines = decision.winners[decision.winners >= 0]
        won = _sum(won, where.count(decision.winners[decision.conflicts]))
        adjusted = _sum(adjusted, where.count(lines[label.heard.levels[lines] == ADJUSTED]))
    return Merged(
        tuple(
            MergedManifest(
                one.name,
                one.remembered.lines,
                int(settled.kept[where.part(at)].sum()),
                _left_out(one, settled, where.part(at)),
                won[at],
                adjusted[at],
                **{name: numbers[at] for name, numbers in found.counts.items()},
            )
            for at, one in enumerate(inputs)
        ),
        policy,
        sum(int(label.decision.conflicts.sum()) for label in labels),
        sum(int(label.decision.ties.sum()) for label in labels),
        {label.name: label.classes.table for label in labels},
        sum(int(label.decision.undated.sum()) for label in labels),
        outcome,
        found.differ,
        tuple(found.differing)[: NAMED_KEYS + 1],
        (*remarks, *(remark for label in labels for remark in label.classes.remarks)),
    )


def _sum(one: list[int], other: list[int]) -> list[int]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _left_out(one: Manifest, settled: Settled, lines: slice) -> dict[str, int]:
    gone = ~settled.kept[lines] & ~one.remembered.blank
    counts = np.bincount(settled.reasons[lines][gone], minlength=len(REASONS)).tolist()
    return {reason: count for reason, count in zip(REASONS, counts, strict=True) if count}
