"""What a split did, as a value and as ``split.json``."""

import os
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from manifest_tools.base.version import __version__
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from manifest_tools.groundtruth.contradictions import Contradictions
from manifest_tools.io.sinks import Published
from manifest_tools.verbs.split.groups import Videos
from manifest_tools.verbs.split.ratios import decimal, train_index


@dataclass(frozen=True, slots=True)
class Split:
    """What ``split`` did."""

    input: str
    """The manifest, by the name that was typed."""

    digest: str
    """SHA-256 of the manifest, decompressed, as hexadecimal digits."""

    size: int
    """Bytes of the manifest, decompressed."""

    seed: int

    parts: dict[str, Fraction]
    """The ratio of each part."""

    files: dict[str, str]
    """The path or URI of each part."""

    lines: dict[str, int]
    """The number of lines of each part."""

    counts: dict[int, tuple[int, ...]]
    """By class index: the number of lines in each part, in the order of ``parts``."""

    empty: tuple[int, ...]
    """The number of lines with a label but no class, such as no box, in each part; () if labels have none."""

    left_out: dict[str, int]
    """The number of lines that are in no part, by their state: failed, unlabelled, blank."""

    attributes: tuple[LabelAttribute, ...]
    """The label attributes whose classes were stratified."""

    table: ClassTable

    small_classes: tuple[int, ...]
    """Indices of classes with fewer lines than there are parts: they are in one part only."""

    conflict: str = ""
    """What two colour maps disagree about; the lines are divided by the names of classes, then."""

    contradictions: Contradictions | None = None
    """Lines of one picture with different classes; None where there are none."""

    conflicts: ConflictPolicy = "keep"
    """What became of them."""

    group: str | None = None
    """The regular expression by which lines stay together; None where only those of one picture do."""

    videos: Videos | None = None
    """Videos whose frames are in several parts, where nothing was asked to stay together."""

    published: tuple[Published, ...] = ()
    """The outputs; none after a dry run."""

    @property
    def attribute(self) -> LabelAttribute:
        """The label attribute, or the first of several."""
        return self.attributes[0]

    @property
    def train_part(self) -> str:
        """The part called train, or else the first: small classes go there."""
        return list(self.parts)[train_index(self.parts)]

    @property
    def empty_parts(self) -> tuple[str, ...]:
        """Parts without a line, in the order of ``parts``."""
        return tuple(name for name, lines in self.lines.items() if not lines)

    @property
    def without_line(self) -> dict[str, tuple[int, ...]]:
        """By part, the classes that have no line there; parts without any line are left out."""
        parts = {
            name: tuple(index for index, row in self.counts.items() if not row[at])
            for at, name in enumerate(self.parts)
            if self.lines[name]
        }
        return {name: classes for name, classes in parts.items() if classes}

    @property
    def off_parts(self) -> dict[str, Fraction]:
        """By part, how many lines it has more than its ratio says, below 0 for fewer; only from 1 line on."""
        total = sum(self.lines.values())
        off = {name: self.lines[name] - ratio * total for name, ratio in self.parts.items()}
        return {name: lines for name, lines in off.items() if abs(lines) >= 1}

    @property
    def off_classes(self) -> dict[int, Fraction]:
        """By class, how many lines the part furthest off misses its ratio by, where that is one or more.

        Small classes are left out; the class that is furthest off comes first.
        """
        found: dict[int, Fraction] = {}
        for index in self.counts.keys() - set(self.small_classes):
            row = self.counts[index]
            wanted = [ratio * sum(row) for ratio in self.parts.values()]
            furthest = max(abs(lines - share) for lines, share in zip(row, wanted, strict=True))
            if furthest >= 1:
                found[index] = furthest
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    @property
    def num_training_samples(self) -> int:
        """The number of lines of the part called train, or else of the first."""
        return self.lines[self.train_part]

    def to_json(self) -> dict[str, Any]:
        """Return what split.json contains: no times, so that the same split gives the same bytes."""
        names = list(self.parts)
        return {
            "mtool": __version__,
            "inputs": [{"manifest": self.input, "sha256": self.digest, "bytes": self.size}],
            "seed": self.seed,
            "label_attribute": self.attribute.name,
            "type": self.attribute.type,
            **({"label_attributes": [one.name for one in self.attributes]} if self.attributes[1:] else {}),
            "parts": {name: self._part_to_json(at, name) for at, name in enumerate(names)},
            **({"off": off} if (off := self._off_to_json()) else {}),
            **(
                {"contradictory": self._contradictions_to_json(found)}
                if (found := self.contradictions)
                else {}
            ),
            **({"group": self.group} if self.group is not None else {}),
            **({"videos": asdict(self.videos)} if self.videos is not None else {}),
            "left_out": self.left_out,
            "num_training_samples": self.num_training_samples,
            "num_classes": self.table.num_classes,
            "class_table": self.table.to_json(),
        }

    def _off_to_json(self) -> dict[str, Any]:
        parts = {name: round(float(lines), 2) for name, lines in self.off_parts.items()}
        classes = {str(index): round(float(lines), 2) for index, lines in self.off_classes.items()}
        return {key: off for key, off in (("lines", parts), ("classes", classes)) if off}

    def _contradictions_to_json(self, found: Contradictions) -> dict[str, Any]:
        counts = {"lines": int(found.lines.sum()), "pictures": found.sources}
        return {**counts, "first": found.first, "conflicts": self.conflicts}

    def _part_to_json(self, at: int, name: str) -> dict[str, Any]:
        return {
            "manifest": os.path.basename(self.files[name]),
            "ratio": decimal(self.parts[name]),
            "lines": self.lines[name],
            "classes": {str(index): counts[at] for index, counts in self.counts.items() if counts[at]},
            **({"classes_without_line": without} if (without := self.without_line.get(name)) else {}),
            **({"empty": self.empty[at]} if any(self.empty) else {}),
        }
