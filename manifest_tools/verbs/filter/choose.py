"""Which of the lines that meet the conditions are kept: a sample of them, or as many of each class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import Refused
from manifest_tools.base.hashing import hash_texts, mix
from manifest_tools.base.text import clipped
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.groundtruth.record import Row

NOT_SAMPLED = "not sampled"
ENOUGH = "enough of its class"

_PLACE_BITS = np.uint64(0xFFFF)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for; at most one of the three."""

    seed: int = 0
    sample: int | None = None
    """So many lines in all."""
    per_class: int | None = None
    """So many lines of each class, at most."""
    balance: bool = False
    """As many lines of each class as the smallest has, at most."""

    @property
    def by_class(self) -> bool:
        """Whether classes are counted."""
        return self.balance or self.per_class is not None

    @property
    def chooses(self) -> bool:
        """Whether anything is asked for."""
        return self.by_class or self.sample is not None

    @property
    def reason(self) -> str:
        """Why a line is dropped."""
        return ENOUGH if self.by_class else NOT_SAMPLED

    def check(self) -> None:
        """Raise Refused for two choices at once, or for one of no line."""
        typed = [
            name
            for name, given in (
                ("--sample", self.sample is not None),
                ("--per-class", self.per_class is not None),
                ("--balance", self.balance),
            )
            if given
        ]
        if len(typed) > 1:
            raise Refused(f"{' and '.join(typed)} cannot be combined; type one of them")
        number = self.sample if self.sample is not None else self.per_class
        if number is not None and number < 1:
            raise Refused(f"expected {typed[0]} 1 or more, found {number}")

    def check_kind(self, attribute: LabelAttribute) -> None:
        """Raise Refused for labels of which a line can have several: their classes cannot be counted out."""
        if self.by_class and attribute.kind.schema != "index":
            option = "--balance" if self.balance else "--per-class"
            why = "where a line may have several classes or none, and one that goes for one goes for all"
            why = why if attribute.kind.has_classes else "and has no class on its lines"
            named = f"{clipped(attribute.name)} is {clipped(attribute.short_type)}"
            raise Refused(f"{named}, {why}; leave {option} out")


@dataclass(frozen=True, slots=True)
class Ranked:
    """The lines of a block that meet the conditions: 12 bytes a line."""

    classes: NDArray[np.int32]
    """``(lines,)``: class indices; 0 for all, where classes are not counted."""
    ranks: NDArray[np.uint64]
    """``(lines,)``: of one class, the lines of the lowest ranks are kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The highest rank that is kept of each class."""

    classes: NDArray[np.int32]
    """``(classes,)``: in rising order."""
    ranks: NDArray[np.uint64]
    """``(classes,)``."""
    most: int = 0
    """So many lines are kept of a class at most."""

    def keeps(self, lines: Ranked) -> NDArray[np.bool_]:
        """Return which of the lines are kept, ``(lines,)``."""
        at = np.searchsorted(self.classes, lines.classes).clip(max=len(self.classes) - 1)
        kept: NDArray[np.bool_] = lines.ranks <= self.ranks[at]
        return kept


def ranked(choice: Choice, kind: LabelKind, rows: list[Row], places: NDArray[np.uint64]) -> Ranked:
    """Return class and rank of rows that begin at the bytes ``places`` of the manifest, ``(rows,)``.

    A sample goes by the place alone. Where classes are counted, a rank depends on picture and seed; among
    the lines of one picture, and they alone have the same upper bits, the place decides.
    """
    by_place = mix(places, choice.seed)
    if not choice.by_class:
        return Ranked(np.zeros(len(rows), np.int32), by_place)
    classes = np.fromiter((kind.indices(row)[0] for row in rows), np.int32, len(rows))
    pictures = hash_texts([row.source_ref or row.source for row in rows])
    by_picture = np.where(pictures == 0, by_place, mix(pictures, choice.seed))
    return Ranked(classes, (by_picture & ~_PLACE_BITS) | (by_place >> np.uint64(48)))


def limits(choice: Choice, parts: list[Ranked]) -> Limits | None:
    """Return the highest ranks to keep; None where all lines are kept."""
    if not sum(len(part.ranks) for part in parts):
        return None
    classes = np.concatenate([part.classes for part in parts])
    ranks = np.concatenate([part.ranks for part in parts])
    order = np.lexsort((ranks, classes))
    classes, ranks = classes[order], ranks[order]
    occurring, first, counts = np.unique(classes, return_index=True, return_counts=True)
    most = int(counts.min()) if choice.balance else choice.sample or choice.per_class or 0
    return Limits(occurring, ranks[first + np.minimum(counts, most) - 1], most)
