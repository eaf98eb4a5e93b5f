"""What is remembered of every record or row, so that they can be compared: 24 bytes a sample."""

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.validate.engine.file_facts import SEVERAL


def _numbers() -> "array[int]":
    return array("Q")


@dataclass(slots=True)
class SampleKeys:
    """Keys of the samples of a file, an element a sample: equal keys mean equal contents."""

    lines: "array[int]" = field(default_factory=_numbers)
    """The record or row, from 1."""

    pictures: "array[int]" = field(default_factory=_numbers)
    """The key of the picture of a record, or of the path of a row."""

    labels: "array[int]" = field(default_factory=_numbers)
    """The key of the labels, as ``label_key`` makes it."""

    def add(self, line: int, picture: bytes, labels: Sequence[float]) -> None:
        """Remember one sample."""
        self.lines.append(line)
        self.pictures.append(_digest(picture))
        self.labels.append(label_key(labels))


def label_key(labels: Sequence[float]) -> int:
    """Return a key that equal labels share, as 32-bit floats; of one class index the index + 1.

    >>> label_key([3.0]), label_key([0.1, 2]) == label_key([0.10000000001, 2])
    (4, True)
    """
    if len(labels) == 1 and 0 <= labels[0] < SEVERAL >> 1 and labels[0].is_integer():
        return int(labels[0]) + 1
    return _digest(array("f", labels).tobytes()) | SEVERAL


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def column(numbers: "array[int]") -> NDArray[np.uint64]:
    """Return a column of keys as an array of numpy's: ``(samples,)``."""
    return np.frombuffer(numbers, np.uint64)
