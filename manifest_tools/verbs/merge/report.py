"""What ``merge`` did, in numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.sinks import Published
from manifest_tools.verbs.merge.choices import Policy
from manifest_tools.verbs.merge.columns import ADJUSTED, Manifest
from manifest_tools.verbs.merge.conflicts import ConflictTable
from manifest_tools.verbs.merge.line_numbers import LineNumbers
from manifest_tools.verbs.merge.resolve import REASONS, Decision, LineOutcomes
from manifest_tools.verbs.merge.write import NAMED_KEYS, WrittenBlock

COUNTS = ("renamed", "reindexed", "overlaid", "carried")


@dataclass(slots=True)
class WriteCounts:
    """What happened to lines while they were written."""

    by_manifest: dict[str, list[int]]
    """For each of COUNTS, the lines of each manifest."""

    differ: int = 0
    """Lines left out that have other values for keys of the line that is kept."""

    differing: dict[str, None] = field(default_factory=dict)
    """The first few of these keys."""


def count_written(manifests: int, blocks: Iterable[WrittenBlock]) -> WriteCounts:
    """Add up what became of the blocks of so many manifests."""
    found = WriteCounts({name: [0] * manifests for name in COUNTS})
    for block in blocks:
        for name, numbers in found.by_manifest.items():
            numbers[block.manifest] += getattr(block, name)
        found.differ += block.differ
        if len(found.differing) <= NAMED_KEYS:
            found.differing |= dict.fromkeys(block.differing)
    return found


@dataclass(frozen=True, slots=True)
class MergedManifest:
    """What became of the lines of one input; blank lines do not count."""

    manifest: str
    lines: int
    kept: int
    left_out: dict[str, int] = field(default_factory=dict)
    """Lines that are not in the result, by reason."""

    won: int = 0
    """Conflicts that the policy decided for a label of this manifest."""

    adjusted: int = 0
    """Labels in the result that an adjustment job changed."""

    renamed: int = 0
    """Lines kept that have a label attribute under another name."""

    reindexed: int = 0
    """Lines kept that have other class indices."""

    overlaid: int = 0
    """Lines kept that have a label of another line."""

    carried: int = 0
    """Lines kept that have other keys of lines left out."""

    def to_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Merged:
    """What ``merge`` did."""

    manifests: tuple[MergedManifest, ...]
    policy: Policy
    conflicts: int
    """Labels that differ for one picture."""

    ties: int
    """Conflicts in which the policy found two labels equally good, and took the first."""

    class_tables: dict[str, ClassTable]
    """The classes of the result, by label attribute."""

    decided_by_marks: int = 0
    """Labels that differed for one picture, until a mark decided."""

    undated: int = 0
    """Conflicts in which a line without a date counted as the oldest."""

    conflict_table: ConflictTable = ConflictTable()
    """Which label won over which."""

    differ: int = 0
    """Lines left out that have another value than the line kept for a key that is no label."""

    differing: tuple[str, ...] = ()
    """The first few of these keys."""

    notes: tuple[str, ...] = ()
    """What people should know of the result, and could do."""

    published: tuple[Published, ...] = ()
    """The files that were written."""

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
            "decided_by_marks": self.decided_by_marks,
            "ties": self.ties,
            "undated": self.undated,
            "decided": [row.to_json() for row in self.conflict_table.rows],
            "decided_more": self.conflict_table.more,
            "differ": self.differ,
            "differing": list(self.differing),
            "class_tables": {name: table.to_json() for name, table in self.class_tables.items()},
            "remarks": list(self.notes),
        }


def count_manifests(
    manifests: Sequence[Manifest],
    numbers: LineNumbers,
    decisions: Sequence[Decision],
    outcomes: LineOutcomes,
    counts: WriteCounts,
) -> tuple[MergedManifest, ...]:
    """Return what became of the lines of each manifest."""
    won, adjusted = np.zeros((2, len(manifests)), int)
    for decision in decisions:
        winners = decision.winners[decision.winners >= 0]
        won += numbers.count(decision.winners[decision.conflicts])
        adjusted += numbers.count(winners[decision.attribute.candidates.precedence[winners] == ADJUSTED])
    return tuple(
        MergedManifest(
            manifest.name,
            int((~manifest.columns.blank).sum()),
            int(outcomes.kept[numbers.lines_of(at)].sum()),
            _left_out(manifest, outcomes, numbers.lines_of(at)),
            int(won[at]),
            int(adjusted[at]),
            **{name: lines[at] for name, lines in counts.by_manifest.items()},
        )
        for at, manifest in enumerate(manifests)
    )


def _left_out(manifest: Manifest, outcomes: LineOutcomes, lines: slice) -> dict[str, int]:
    left_out = ~outcomes.kept[lines] & ~manifest.columns.blank
    counts = np.bincount(outcomes.reasons[lines][left_out], minlength=len(REASONS)).tolist()
    return {reason: count for reason, count in zip(REASONS, counts, strict=True) if count}
