"""Whether the ``.idx`` and the ``.lst`` beside a ``.rec``, on this disk and of its name, agree with it."""

import contextlib
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.text import counted
from manifest_tools.verbs.validate.engine.file_facts import Occurrences
from manifest_tools.verbs.validate.preflight.list_rows import LONGEST_ROW, parse_row

Numbers = NDArray[np.uint64]


def beside(name: str, suffix: str) -> str | None:
    """Return the path of the file of another ending beside a ``.rec``; None where none is on this disk."""
    path = name.removesuffix(".rec") + suffix
    return None if name.startswith("s3://") or not os.path.isfile(path) else path


def index_trouble(path: str, offsets: Numbers, ids: Numbers) -> str:
    """Say where an ``.idx`` disagrees with the records of its ``.rec``: ``(records,)``; empty for nowhere.

    A key is the number of a record, as im2rec.py writes it, or counts from 0, as rec2idx.py does.
    """
    try:
        with open(path, "rb") as file:
            rows = [row.split(b"\t") for row in file if row.strip()]
        known = sorted((int(row[1]), int(row[0])) for row in rows)
    except (OSError, ValueError, IndexError):
        return f"{path}: expected a key, a tab and an offset on every line"
    if len(known) != len(offsets):
        return f"{path} lists {counted(len(known), 'record')}, but this file has {len(offsets):,}"
    for (offset, key), right, identity, number in zip(
        known, offsets.tolist(), ids.tolist(), range(len(known)), strict=True
    ):
        if offset != right:
            return f"{path} says that a record begins at byte {offset:,}, but none does"
        if key not in (identity, number):
            return f"{path} calls the record at byte {offset:,} {key}, but its number is {identity}"
    return ""


@dataclass(slots=True)
class ListBeside:
    """The rows of the ``.lst`` beside a ``.rec``: their numbers in order, and their labels."""

    path: str

    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    """The numbers of the rows, ascending."""

    labels: "array[float]" = field(default_factory=lambda: array("d"))
    """The labels of all rows, one after the other, as the file has them."""

    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    ends: "array[int]" = field(default_factory=lambda: array("Q"))
    """Where the labels of each row begin and end, in the order of ``ids``."""

    found: bytearray = field(default_factory=bytearray)
    """For each row, whether a record has its number."""

    def compare(self, identity: int, labels: Sequence[float]) -> str:
        """Say what a row says otherwise than the record of its number; empty for nothing."""
        at = bisect_left(self.ids, identity)
        if at == len(self.ids) or self.ids[at] != identity:
            return f"{self.path} has no row with the number of this record"
        self.found[at] = True
        row = self.labels[self.starts[at] : self.ends[at]]
        if len(row) == len(labels) and all(map(_nearly_equal, row, labels)):
            return ""
        return f"{self.path} gives this record other labels"

    def alone(self) -> Iterator[tuple[str, Occurrences]]:
        """Yield what is wrong with the rows that no record has the number of."""
        if count := self.found.count(0):
            number = self.ids[self.found.index(0)]
            yield f"no record has the number {number}, which {self.path} lists", Occurrences(0, count)


def _nearly_equal(row: float, record: float) -> bool:
    """Say whether labels are equal: im2rec.py writes six decimals, and a record has 32-bit floats."""
    return abs(row - record) <= max(1e-6, 1e-6 * abs(row))


def list_beside(path: str) -> ListBeside:
    """Return the rows of a list that im2rec can read; of several of one number the first."""
    rows: dict[int, list[float]] = {}
    with open(path, "rb") as file:
        while row := file.readline(LONGEST_ROW):
            with contextlib.suppress(ValueError):
                read = parse_row(row)
                rows.setdefault(read.key, read.labels)
    listed = ListBeside(path, found=bytearray(len(rows)))
    for key in sorted(rows):
        listed.ids.append(key)
        listed.starts.append(len(listed.labels))
        listed.labels.extend(rows[key])
        listed.ends.append(len(listed.labels))
    return listed
