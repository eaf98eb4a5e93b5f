"""What an algorithm would be sent of a file: samples, classes, and lines that make no sample."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from manifest_tools.verbs.validate.engine.file_facts import Occurrences, add_count, plus
from manifest_tools.verbs.validate.preflight.record_file import MOST_REASONS, RecordFile, add_limited_count


class Extreme(NamedTuple):
    """The highest or the lowest number of all lines."""

    number: float
    line: int
    """The first line that has it."""


@dataclass(slots=True)
class Channel:
    """What an algorithm would be sent of a file, or of a part of it.

    Lines count from 1, or from 0 in a part of a file.
    """

    name: str = ""
    """The file."""

    lines: int = 0
    """Lines that are not blank; of a .rec or .lst its records or rows."""

    samples: int = 0
    """Lines whose records could be read back."""

    missing: dict[str, Occurrences] = field(default_factory=dict)
    """Attributes that lines lack, without the label of lines whose labeling failed."""

    near: dict[tuple[str, str], Occurrences] = field(default_factory=dict)
    """Attributes that lines lack, each with a key of nearly the same name that they have."""

    failed: Occurrences | None = None
    """Lines without a label, whose labeling failed."""

    refused: dict[str, Occurrences] = field(default_factory=dict)
    """Why other lines make no sample."""

    ids: dict[int, Occurrences] = field(default_factory=dict)
    """Class indices of labels; lists are read as Ground Truth writes them."""

    ones: dict[int, Occurrences] = field(default_factory=dict)
    """Class indices of lists that are read as multi-hot."""

    widths: dict[int, Occurrences] = field(default_factory=dict)
    """Lengths of lists."""

    single: Occurrences | None = None
    """Lines whose label is one class."""

    lists: Occurrences | None = None
    """Lines whose label is a list of classes."""

    as_ids: int = 0
    """Lists that can be read as class indices."""

    as_hot: int = 0
    """Lists that can be read as multi-hot."""

    empty: Occurrences | None = None
    """Lines with an empty list, or without a box."""

    most: Extreme = Extreme(0, 0)
    """The most boxes on a line."""

    narrowest: Extreme | None = None
    lowest: Extreme | None = None
    """The width of the narrowest picture and the height of the lowest, by ``image_size``."""

    odd_keys: Occurrences | None = None
    """Lines whose picture has a key with blanks, signs of URLs or letters beyond ASCII."""

    suffixes: dict[str, Occurrences] = field(default_factory=dict)
    """The endings of pictures' names, in lower case with their dot."""

    names: dict[str, Occurrences] = field(default_factory=dict)
    """The labels of Rekognition."""

    class_names: dict[tuple[int, str], None] = field(default_factory=dict)
    """Class indices with the name that the metadata gives each, in the order of lines."""

    highest: int = -1
    """The highest class index of masks, and of a .rec or .lst; -1 where there is none."""

    size: int = 0
    """The bytes of the file."""

    record_file: RecordFile | None = None
    """What was read, where the file is a .rec or .lst."""

    def merge(self, part: "Channel", offset: int) -> None:
        """Add what a part shows that begins at line ``offset``."""
        self.lines += part.lines
        self.samples += part.samples
        self.as_ids += part.as_ids
        self.as_hot += part.as_hot
        self.highest = max(self.highest, part.highest)
        self.class_names |= part.class_names
        for mine, theirs in zip(self._tables(), part._tables(), strict=True):
            limited = mine is not self.ids and mine is not self.ones and mine is not self.names
            for key, more in theirs.items():
                if not limited or key in mine or len(mine) < MOST_REASONS:
                    add_count(mine, key, more, offset)
        for name in ("failed", "single", "lists", "empty", "odd_keys"):
            setattr(self, name, _both(getattr(self, name), getattr(part, name), offset))
        self.most = max(self.most, _moved(part.most, offset), key=lambda one: one.number)
        self.narrowest = _least(self.narrowest, part.narrowest, offset)
        self.lowest = _least(self.lowest, part.lowest, offset)

    def _tables(self) -> tuple[dict[Any, Occurrences], ...]:
        some = (self.missing, self.near, self.refused, self.widths, self.suffixes)
        return (*some, self.ids, self.ones, self.names)

    def refuse(self, why: str, here: Occurrences) -> None:
        """Remember lines that make no sample."""
        add_limited_count(self.refused, why, here)


def _both(known: Occurrences | None, part: Occurrences | None, offset: int) -> Occurrences | None:
    return known if part is None else plus(known, part, offset)


def _moved(one: Extreme, offset: int) -> Extreme:
    return Extreme(one.number, one.line + offset)


def _least(known: Extreme | None, part: Extreme | None, offset: int) -> Extreme | None:
    if part is None:
        return known
    moved = _moved(part, offset)
    return moved if known is None else min(known, moved, key=lambda one: one.number)


def channel_of_record_file(found: RecordFile, purpose: str) -> Channel:
    """Return what the algorithm of a purpose would be sent of a .rec or .lst."""
    channel = Channel(found.name, found.entries, found.samples, record_file=found)
    channel.ids, channel.ones, channel.highest = found.ids, found.ones, found.highest
    if purpose == "object-detection":
        channel.ids, channel.highest = found.box_classes, max(found.box_classes, default=-1)
    elif found.vectors:
        channel.ids = found.ones  # a flag for each class
    return channel
