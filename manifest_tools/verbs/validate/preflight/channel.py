"""What an algorithm would be sent of a file: samples, classes, and lines that make no sample."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from manifest_tools.verbs.validate.engine.file_facts import Occurrences, add_count
from manifest_tools.verbs.validate.preflight.record_file import MOST_REASONS, RecordFile, add_limited_count


class Extreme(NamedTuple):
    """A number, and the line on which it is."""

    number: float
    line: int


@dataclass(slots=True)
class Channel:
    """What a file shows of the samples in it, or a part of it; lines count from 1, or from the part's start.

    ``samples`` counts the lines whose records could be read back; ``refused`` says why others could not.
    ``near`` has the keys that lines have in place of an attribute that they lack. ``ids`` are the class
    indices of labels, those of lists read as Ground Truth writes them; ``ones`` are the classes where they
    are read as multi-hot. ``widths`` are the lengths of lists; ``as_ids`` and ``as_hot`` count the lists that
    can be read so. ``most`` boxes; the ``narrowest`` and ``lowest`` picture by its image_size. ``names`` are
    Rekognition's labels, ``highest`` is the highest class of masks. ``record_file`` is set of a .rec or .lst.
    """

    name: str = ""
    lines: int = 0
    samples: int = 0
    missing: dict[str, Occurrences] = field(default_factory=dict)
    near: dict[tuple[str, str], Occurrences] = field(default_factory=dict)
    failed: Occurrences | None = None
    refused: dict[str, Occurrences] = field(default_factory=dict)
    ids: dict[int, Occurrences] = field(default_factory=dict)
    ones: dict[int, Occurrences] = field(default_factory=dict)
    widths: dict[int, Occurrences] = field(default_factory=dict)
    single: Occurrences | None = None
    lists: Occurrences | None = None
    as_ids: int = 0
    as_hot: int = 0
    empty: Occurrences | None = None
    most: Extreme = Extreme(0, 0)
    narrowest: Extreme | None = None
    lowest: Extreme | None = None
    odd_keys: Occurrences | None = None
    suffixes: dict[str, Occurrences] = field(default_factory=dict)
    names: dict[str, Occurrences] = field(default_factory=dict)
    highest: int = -1
    size: int = 0
    record_file: RecordFile | None = None

    def merge(self, part: "Channel", offset: int) -> None:
        """Add what a part shows that begins at line ``offset``."""
        self.lines += part.lines
        self.samples += part.samples
        self.as_ids += part.as_ids
        self.as_hot += part.as_hot
        self.highest = max(self.highest, part.highest)
        for mine, theirs in zip(self._tables(), part._tables(), strict=True):
            whole = mine is self.ids or mine is self.ones or mine is self.names
            for key, seen in theirs.items():
                if whole or key in mine or len(mine) < MOST_REASONS:
                    add_count(mine, key, seen, offset)
        for name in ("failed", "single", "lists", "empty", "odd_keys"):
            setattr(self, name, _both(getattr(self, name), getattr(part, name), offset))
        self.most = max(self.most, _moved(part.most, offset), key=lambda one: one.number)
        self.narrowest = _least(self.narrowest, part.narrowest, offset)
        self.lowest = _least(self.lowest, part.lowest, offset)

    def _tables(self) -> tuple[dict[Any, Occurrences], ...]:
        some = (self.missing, self.near, self.refused, self.widths, self.suffixes)
        return (*some, self.ids, self.ones, self.names)

    def no_sample(self, why: str, here: Occurrences) -> None:
        """Remember lines that make no sample."""
        add_limited_count(self.refused, why, here)


def plus(known: Occurrences | None, here: Occurrences) -> Occurrences:
    """Return what is known, and more lines."""
    return here if known is None else known.plus(here)


def _both(known: Occurrences | None, part: Occurrences | None, offset: int) -> Occurrences | None:
    if part is None:
        return known
    return plus(known, Occurrences(part.first + offset, part.lines))


def _moved(one: Extreme, offset: int) -> Extreme:
    return Extreme(one.number, one.line + offset)


def _least(known: Extreme | None, part: Extreme | None, offset: int) -> Extreme | None:
    if part is None:
        return known
    moved = _moved(part, offset)
    return moved if known is None else min(known, moved, key=lambda one: one.number)
