"""What an algorithm would be sent of a file: samples, classes, and lines that make no sample."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from manifest_tools.verbs.validate.engine.file_facts import Seen, see
from manifest_tools.verbs.validate.preflight.record_file import MOST_REASONS, Packed, remember


class Most(NamedTuple):
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
    Rekognition's labels, ``highest`` is the highest class of masks. ``packed`` is set of a .rec or .lst.
    """

    name: str = ""
    lines: int = 0
    samples: int = 0
    lacking: dict[str, Seen] = field(default_factory=dict)
    near: dict[tuple[str, str], Seen] = field(default_factory=dict)
    failed: Seen | None = None
    refused: dict[str, Seen] = field(default_factory=dict)
    ids: dict[int, Seen] = field(default_factory=dict)
    ones: dict[int, Seen] = field(default_factory=dict)
    widths: dict[int, Seen] = field(default_factory=dict)
    single: Seen | None = None
    lists: Seen | None = None
    as_ids: int = 0
    as_hot: int = 0
    empty: Seen | None = None
    most: Most = Most(0, 0)
    narrowest: Most | None = None
    lowest: Most | None = None
    odd_keys: Seen | None = None
    suffixes: dict[str, Seen] = field(default_factory=dict)
    names: dict[str, Seen] = field(default_factory=dict)
    highest: int = -1
    size: int = 0
    packed: Packed | None = None

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
                    see(mine, key, seen, offset)
        for name in ("failed", "single", "lists", "empty", "odd_keys"):
            setattr(self, name, _both(getattr(self, name), getattr(part, name), offset))
        self.most = max(self.most, _moved(part.most, offset), key=lambda one: one.number)
        self.narrowest = _least(self.narrowest, part.narrowest, offset)
        self.lowest = _least(self.lowest, part.lowest, offset)

    def _tables(self) -> tuple[dict[Any, Seen], ...]:
        some = (self.lacking, self.near, self.refused, self.widths, self.suffixes)
        return (*some, self.ids, self.ones, self.names)

    def no_sample(self, why: str, here: Seen) -> None:
        """Remember lines that make no sample."""
        remember(self.refused, why, here)


def also(known: Seen | None, here: Seen) -> Seen:
    """Return what is known, and more lines."""
    return here if known is None else known.and_also(here)


def _both(known: Seen | None, part: Seen | None, offset: int) -> Seen | None:
    if part is None:
        return known
    return also(known, Seen(part.first + offset, part.lines))


def _moved(one: Most, offset: int) -> Most:
    return Most(one.number, one.line + offset)


def _least(known: Most | None, part: Most | None, offset: int) -> Most | None:
    if part is None:
        return known
    moved = _moved(part, offset)
    return moved if known is None else min(known, moved, key=lambda one: one.number)
