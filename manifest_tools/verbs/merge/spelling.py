"""What a line's label says, in words: the names of its classes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.text import clipped
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import unnamed
from manifest_tools.verbs.merge.attribute_map import Cast, Manifest
from manifest_tools.verbs.merge.candidates import Label
from manifest_tools.verbs.merge.columns import Column
from manifest_tools.verbs.merge.places import Places

_CLASSES = 4  # of a label with more, how many are named
# Their lines name no class by its index.
_WITHOUT_INDICES = ("entities", "custom")


@dataclass(slots=True)
class Spelling:
    """Spells what lines say for one label attribute of the result, with its class names."""

    label: Label
    inputs: Sequence[Manifest]
    roles: Cast
    where: Places
    _ends: dict[tuple[int, str], NDArray[np.int64]] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    def __call__(self, line: int) -> str:
        """Return the label of a line: ``RH``; ``LH, RH``; ``2 dog, cat`` for three boxes."""
        at = self.where.manifest(line)
        part = self._part(at, line - int(self.where.firsts[at]))
        indices = self._indices(at, part, line - int(self.where.firsts[at]))
        if not indices:
            return f"({part.short_type})" if part.kind.name in _WITHOUT_INDICES else "(no classes)"
        moves = self.label.moves[at, part.name]
        counts = Counter(moves.get(index, index) for index in indices)
        words = [self._word(index, counts[index]) for index in sorted(counts)[:_CLASSES]]
        return ", ".join([*words, *(["..."] if len(counts) > _CLASSES else [])])

    def _part(self, at: int, number: int) -> LabelAttribute:
        parts = self.roles.roles[at][self.label.name]
        return parts[int(self.label.chosen[at][number]) if at in self.label.chosen else 0]

    def _indices(self, at: int, part: LabelAttribute, number: int) -> list[int]:
        column: Column = self.inputs[at].remembered.columns[part.name]
        if (at, part.name) not in self._ends:
            self._ends[at, part.name] = np.cumsum(column.counts, dtype=np.int64)
        end = int(self._ends[at, part.name][number])
        found: list[int] = column.flat[end - int(column.counts[number]) : end].tolist()
        return found

    def _word(self, index: int, count: int) -> str:
        if not self._names:
            self._names = dict(self.label.classes.table.names)
        name = clipped(self._names.get(index, unnamed(index)))
        return name if count == 1 else f"{count:,} {name}"
