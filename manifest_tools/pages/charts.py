"""Charts of plain numbers, as values: a page draws them, and a plot in a file does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 40
"""Bars that a chart shows; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What one name has, in each series."""

    label: str
    counts: tuple[int, ...]
    note: str = ""
    """A word behind the label, such as what a code means."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts by name, or by what has an order; several series stand side by side."""

    title: str
    bars: tuple[Bar, ...]
    series: tuple[str, ...] = ("",)
    """What each of the counts of a bar is of; one empty name where there is only one."""

    note: str = ""
    """What is to be said below it."""

    upright: bool = False
    """Whether the bars stand upright: names with an order, such as days."""

    totals: tuple[int, ...] = ()
    """What all of each series is, so that bars show shares of it; empty where they are counts alone."""

    def height(self, bar: Bar, at: int) -> float:
        """Return how long a bar is, from 0 to 1: the longest of all series has 1."""
        longest = max((self._size(one, n) for one in self.bars for n in range(len(one.counts))), default=0)
        return self._size(bar, at) / longest if longest else 0.0

    def share(self, bar: Bar, at: int) -> str:
        """Return a bar's part of its whole in words, empty where there is no whole."""
        if not self.totals or not self.totals[at]:
            return ""
        return f"{100 * bar.counts[at] / self.totals[at]:.1f} %"

    def _size(self, bar: Bar, at: int) -> float:
        return bar.counts[at] / (self.totals[at] or 1) if self.totals else bar.counts[at]

    @property
    def shown(self) -> tuple[Bar, ...]:
        """The bars that are drawn."""
        return self.bars[:MOST]

    @property
    def more(self) -> int:
        """How many are not drawn."""
        return len(self.bars) - len(self.shown)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headers."""

    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns have numbers alone."""
        columns = zip(*self.rows, strict=True) if self.rows else ((),) * len(self.headers)
        return tuple(all(isinstance(cell, int | float | None) for cell in column) for column in columns)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: a heading with what is below it."""

    title: str
    facts: tuple[tuple[str, object], ...] = ()
    """Numbers with their names, in large type."""

    bars: tuple[Bars, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences under the heading."""


def in_series(title: str, counts: Sequence[Mapping[str, int]], series: Sequence[str], **more: Any) -> Bars:
    """Return the counts of several files by name, in the order in which the names first come.

    >>> in_series("classes", [{"RH": 2}, {"RH": 1, "LH": 3}], ["train", "validation"]).bars[1]
    Bar(label='LH', counts=(0, 3), note='')
    """
    names = dict.fromkeys(name for one in counts for name in one)
    bars = tuple(Bar(name, tuple(one.get(name, 0) for one in counts)) for name in names)
    return Bars(title, bars, tuple(series), **more)
