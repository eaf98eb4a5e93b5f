"""What changed between pairs of lines, as counts that add up: labels, confidences, other keys."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

STEPS = 10_000  # a change of confidence is counted in ten-thousandths

KeyChangeKind = Literal["changed", "added", "gone"]


class Sample(NamedTuple):
    """A line that changed."""

    old: int
    """Its number in the old file, from 1; 0: it is not there."""

    new: int
    """Its number in the new file, from 1; 0: it is not there."""

    source: str
    """Its ``source-ref`` or ``source``."""

    what: str
    """What changed on it, for people."""


@dataclass(slots=True)
class LabelChanges:
    """What changed in one label attribute."""

    flips: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Labels, by their class name before and after."""

    added: Counter[str] = field(default_factory=Counter)
    """Of lines with several classes, boxes or entities: those that are new, by class."""

    gone: Counter[str] = field(default_factory=Counter)
    """The same: those that are not there any more."""

    moved: Counter[str] = field(default_factory=Counter)
    """The same: those that are at another place."""

    confidences: dict[str, Counter[int]] = field(default_factory=dict)
    """By class, changes of confidence in STEPS, and how often each is there."""

    lines: Counter[str] = field(default_factory=Counter)
    """Lines, by kind of change: ``flips``, ``classes``, ``confidences``."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    """The first lines, by kind of change."""

    def add(self, other: "LabelChanges", most: int) -> None:
        """Add what changed on later lines; ``most`` samples of a kind are kept."""
        for mine, more in zip(self._counters(), other._counters(), strict=True):
            mine.update(more)
        for name, steps in other.confidences.items():
            self.confidences.setdefault(name, Counter()).update(steps)
        add_samples(self.samples, other.samples, most)

    def _counters(self) -> list[Counter[Any]]:
        return [self.flips, self.added, self.gone, self.moved, self.lines]


@dataclass(slots=True)
class Changes:
    """What changed between pairs of lines."""

    changed: int = 0
    """Lines that mean something else than before."""

    reformatted: int = 0
    """Lines that have other bytes and mean the same."""

    labels: list[LabelChanges] = field(default_factory=list)
    """One for each pair of label attributes that is compared."""

    keys: Counter[tuple[str, KeyChangeKind]] = field(default_factory=Counter)
    """Lines, by the JSON path of another value and how it changed."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    """The first lines, by kind of change: ``reformatted``, ``keys``."""

    def add(self, other: "Changes", most: int) -> None:
        """Add what changed on later lines; ``most`` samples of a kind are kept."""
        self.changed += other.changed
        self.reformatted += other.reformatted
        self.keys.update(other.keys)
        for mine, more in zip(self.labels, other.labels, strict=True):
            mine.add(more, most)
        add_samples(self.samples, other.samples, most)


def add_samples(mine: dict[str, list[Sample]], more: Mapping[str, list[Sample]], most: int) -> None:
    """Add lines to those that are there, up to ``most`` of a kind."""
    for kind, samples in more.items():
        kept = mine.setdefault(kind, [])
        kept += samples[: most - len(kept)]
