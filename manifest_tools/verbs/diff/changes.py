"""What has changed between pairs of lines, as counts that add up: labels, confidences, other keys."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

STEPS = 10_000  # a change of confidence is counted in ten-thousandths

How = Literal["changed", "added", "gone"]


class Sample(NamedTuple):
    """A line that changed: its number in either file (0: not there), its picture, and what changed."""

    old: int
    new: int
    source: str
    what: str


@dataclass(slots=True)
class Labels:
    """What changed in one label attribute; ``samples`` has the first lines by what changed on them.

    ``flips`` counts labels by the names before and after; ``added``, ``gone`` and ``moved`` count, by class,
    where a line has several; ``drift`` counts changes of confidence by class and STEPS.
    """

    flips: Counter[tuple[str, str]] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)
    drift: dict[str, Counter[int]] = field(default_factory=dict)
    lines: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def add(self, other: "Labels", most: int) -> None:
        """Add what changed on later lines."""
        for mine, more in zip(self._counters(), other._counters(), strict=True):
            mine.update(more)
        for name, steps in other.drift.items():
            self.drift.setdefault(name, Counter()).update(steps)
        add_samples(self.samples, other.samples, most)

    def _counters(self) -> list[Counter[Any]]:
        return [self.flips, self.added, self.gone, self.moved, self.lines]


@dataclass(slots=True)
class Changes:
    """What changed between pairs of lines.

    ``changed`` lines mean something else than before, ``spelt`` ones only have other bytes. ``keys`` counts
    other values by their JSON path.
    """

    changed: int = 0
    spelt: int = 0
    labels: list[Labels] = field(default_factory=list)
    keys: Counter[tuple[str, How]] = field(default_factory=Counter)
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def add(self, other: "Changes", most: int) -> None:
        """Add what changed on later lines."""
        self.changed += other.changed
        self.spelt += other.spelt
        self.keys.update(other.keys)
        for mine, more in zip(self.labels, other.labels, strict=True):
            mine.add(more, most)
        add_samples(self.samples, other.samples, most)


def add_samples(mine: dict[str, list[Sample]], more: Mapping[str, list[Sample]], most: int) -> None:
    """Add lines to those that are there, up to ``most`` of a kind."""
    for kind, samples in more.items():
        kept = mine.setdefault(kind, [])
        kept += samples[: most - len(kept)]
