"""The ``.lst`` and the ``.idx`` beside a ``.rec``: rows by number, and whether they agree with the records.

Of a list only numbers and offsets are in memory, 16 bytes a row; a row is read when it is asked for.
"""

import os
from array import array
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import counted
from manifest_tools.io.list_rows import LONGEST_ROW, ListRow, parse_row

Numbers = NDArray[np.uint64]

RECORDS, INDEX, LIST = ".rec", ".idx", ".lst"


def beside(name: str, suffix: str) -> str | None:
    """Return the path of the file of another ending beside a ``.rec``; None where none is on this disk."""
    path = stem(name) + suffix
    return None if name.startswith("s3://") or not os.path.isfile(path) else path


def stem(name: str) -> str:
    """Return the name of a ``.rec`` without its ending.

    >>> stem("lab3/train.rec"), stem("train")
    ('lab3/train', 'train')
    """
    return name.removesuffix(RECORDS)


class RecordList:
    """The rows of a ``.lst`` that im2rec can read, by their numbers; of several of one number the first."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._file: BinaryIO = open(path, "rb")  # noqa: SIM115 - lives as long as the list
        except OSError as error:
            raise Refused(
                f"{path}: expected a .lst, found {(error.strerror or str(error)).lower()}"
            ) from error
        keys, offsets, at = array("Q"), array("Q"), 0
        while row := self._file.readline(LONGEST_ROW):
            key = _key_of(row)
            if key is not None:
                keys.append(key)
                offsets.append(at)
            at += len(row)
        unsorted = np.frombuffer(keys, np.uint64)
        self.ids, first = np.unique(unsorted, return_index=True)
        self._offsets: Numbers = np.frombuffer(offsets, np.uint64)[first]
        self._asked = np.zeros(len(self.ids), np.bool_)

    def __del__(self) -> None:
        if file := getattr(self, "_file", None):
            file.close()

    def row(self, key: int | None) -> ListRow | None:
        """Return the row of a number, None where there is none."""
        line = self.line(key)
        return None if line is None else parse_row(line)

    def line(self, key: int | None) -> bytes | None:
        """Return the row of a number as it stands in the file, with its line end."""
        if key is None or key >= 1 << 64:
            return None
        at = int(np.searchsorted(self.ids, np.uint64(key)))
        if at == len(self.ids) or int(self.ids[at]) != key:
            return None
        self._asked[at] = True
        self._file.seek(int(self._offsets[at]))
        return self._file.readline(LONGEST_ROW)

    def compare(self, key: int, labels: Sequence[float]) -> str:
        """Say what a row says otherwise than the record of its number; empty for nothing."""
        row = self.row(key)
        if row is None:
            return f"{self.path} has no row with the number of this record"
        if len(row.labels) == len(labels) and all(map(_nearly_equal, row.labels, labels)):
            return ""
        return f"{self.path} gives this record other labels"

    def alone(self) -> tuple[str, int]:
        """Say which rows were never asked for, and how many they are: no record has their number."""
        never = np.flatnonzero(~self._asked)
        if not len(never):
            return "", 0
        return f"no record has the number {self.ids[never[0]]}, which {self.path} lists", len(never)


def _key_of(row: bytes) -> int | None:
    try:
        return parse_row(row).key
    except ValueError:
        return None


def _nearly_equal(row: float, record: float) -> bool:
    """Say whether labels are equal: im2rec.py writes six decimals, and a record has 32-bit floats."""
    return abs(row - record) <= max(1e-6, 1e-6 * abs(row))


def index_trouble(path: str, offsets: Numbers, ids: Numbers) -> str:
    """Say where an ``.idx`` disagrees with the records of its ``.rec``: ``(records,)``; empty for nowhere.

    A key is the number of a record, as im2rec.py writes it, or counts from 0, as rec2idx.py does.
    """
    try:
        keys, known = _read_index(path)
    except (OSError, ValueError, IndexError, OverflowError):
        return f"{path}: expected a key, a tab and an offset on every line"
    if len(known) != len(offsets):
        return f"{path} lists {counted(len(known), 'record')}, but this file has {len(offsets):,}"
    order = np.lexsort((keys, known))
    keys, known = keys[order], known[order]
    counts = np.arange(len(keys), dtype=np.uint64)
    wrong = (known != offsets) | ((keys != ids) & (keys != counts))
    if not wrong.any():
        return ""
    at = int(np.flatnonzero(wrong)[0])
    if known[at] != offsets[at]:
        return f"{path} says that a record begins at byte {known[at]:,}, but none does"
    return f"{path} calls the record at byte {known[at]:,} {keys[at]}, but its number is {ids[at]}"


def _read_index(path: str) -> tuple[Numbers, Numbers]:
    """Return the keys and the offsets of an ``.idx``, ``(records,)``; raises ValueError for what is none."""
    keys, offsets = array("Q"), array("Q")
    with open(path, "rb") as file:
        while row := file.readline(LONGEST_ROW):
            if row.strip():
                key, offset = row.split(b"\t")[:2]
                keys.append(int(key))
                offsets.append(int(offset))
    return np.frombuffer(keys, np.uint64), np.frombuffer(offsets, np.uint64)
