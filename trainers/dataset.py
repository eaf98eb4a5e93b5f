"""Pictures and their targets for training, without any framework.

Only this module decides what a target is: one class index a picture, or a 0 or 1 for every class.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.recordio import ImageRecord, read_records, unpack
from trainers.pixels import Pixels, decode, square

Targets = npt.NDArray[np.int64]
"""``(pictures,)`` class indices, or ``(pictures, classes)`` with a 1 for every class that is there."""

Rows = npt.NDArray[np.int64]
"""``(rows,)`` numbers of pictures in a data set, from 0."""

Probabilities = npt.NDArray[np.float32]
"""``(pictures, classes)``."""

# Pixels of a data set up to this many bytes are decoded once and kept; of a larger one, batch by batch.
IN_MEMORY = 1 << 30
_AT_ONCE = 256  # encoded pictures in memory while they wait to be decoded


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled pictures, in a fixed order."""

    labels: Targets
    """One row a picture."""

    read: Callable[[Rows], Pixels]
    """Rows -> their pictures, ``(rows, side, side, RGB)``."""

    table: ClassTable
    """The classes that ``labels`` counts in."""

    attribute: str
    """The label attribute that the labels come from."""

    digest: str
    """SHA-256 of the file, or of the arrays, that pictures and labels were read from."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def multi_label(self) -> bool:
        """Say whether a picture may have several classes."""
        return self.labels.ndim == 2


def from_arrays(pictures: Pixels, labels: Targets, table: ClassTable, attribute: str = "label") -> Dataset:
    """Return the data set of pictures in memory, ``(pictures, side, side, RGB)``.

    Raises Refused for arrays of another form, and for labels that ``table`` does not have.
    """
    _check_arrays(pictures, labels, table.num_classes)
    digest = hashlib.sha256(pictures.tobytes() + labels.tobytes()).hexdigest()
    return Dataset(labels, pictures.__getitem__, table, attribute, digest)


def _check_arrays(pictures: Pixels, labels: Targets, classes: int) -> None:
    count, *sides = pictures.shape
    if pictures.dtype != np.uint8 or len(sides) != 3 or sides[0] != sides[1] or sides[2] != 3:
        expected = "uint8 in the shape (pictures, side, side, 3)"
        raise Refused(f"pictures: expected {expected}, found {pictures.dtype} in {pictures.shape}")
    expected = f"({count},) class indices below {classes}, or ({count}, {classes}) of 0 and 1"
    if labels.shape not in ((count,), (count, classes)) or labels.dtype.kind not in "iu":
        raise Refused(f"labels: expected {expected}, found {labels.dtype} in {labels.shape}")
    below = classes if labels.ndim == 1 else 2
    if wrong := sorted(set(labels[(labels < 0) | (labels >= below)].tolist())):
        raise Refused(f"labels: expected {expected}, found {', '.join(map(str, wrong[:5]))}")


def from_records(
    rec: str, side: int, table: ClassTable, attribute: str = "label", *, in_memory: int = IN_MEMORY
) -> Dataset:
    """Return the data set in a ``.rec`` file, its pictures as squares of ``side`` pixels.

    Up to ``in_memory`` bytes of pixels are decoded at once and kept. Beyond that every batch is read when it
    is needed, and memory does not grow with the data set. Raises BadData for labels that ``table`` does not
    have, and for a file without pictures.
    """
    offsets, labels = _scan(rec, table)
    with open(rec, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    read: Callable[[Rows], Pixels] = partial(_read, rec, offsets, side)
    if len(labels) * side * side * 3 <= in_memory:
        read = read(np.arange(len(labels))).__getitem__
    return Dataset(labels, read, table, attribute, digest)


def _scan(rec: str, table: ClassTable) -> tuple[Rows, Targets]:
    """Return the offset of each record in bytes, ``(pictures,)``, and the labels."""
    offsets, labels = [], []
    with open(rec, "rb") as stream:
        at = 0
        for payload in read_records(stream, rec):
            offsets.append(at)
            labels.append(_label(rec, unpack(payload), table))
            at = stream.tell()
    if not labels:
        raise BadData(f"{rec}: expected pictures, found an empty file")
    if len({type(label) for label in labels}) > 1:
        raise BadData(f"{rec}: expected labels of one form, found single labels and vectors of labels")
    return np.array(offsets), np.array(labels)


def _label(rec: str, record: ImageRecord, table: ClassTable) -> int | list[int]:
    """Return the class index of a record, or its zeros and ones, one a class."""
    labels = record.labels
    if not record.vector and labels[0] in range(table.num_classes):
        return int(labels[0])
    if record.vector and len(labels) == table.num_classes and set(labels) <= {0.0, 1.0}:
        return [int(label) for label in labels]
    raise BadData(
        f"{rec}: record {record.id}: expected a class index below {table.num_classes}, or"
        f" {table.num_classes} zeros and ones; found {labels[:8]}"
    )


def _read(rec: str, offsets: Rows, side: int, rows: Rows) -> Pixels:
    pictures = np.empty((len(rows), side, side, 3), np.uint8)
    decoded = _decoded(rec, offsets[rows].tolist(), side)
    for place, picture in enumerate(decoded):
        pictures[place] = picture
    return pictures


def _decoded(rec: str, offsets: list[int], side: int) -> Iterator[Pixels]:
    """Yield the pictures at these offsets; threads will do, Pillow decodes outside the interpreter's lock."""
    with open(rec, "rb") as stream, ThreadPoolExecutor(os.cpu_count()) as threads:
        for first in range(0, len(offsets), _AT_ONCE):
            chunk = [_picture(stream, rec, at) for at in offsets[first : first + _AT_ONCE]]
            yield from threads.map(partial(_fit, side), chunk)


def _picture(stream: BinaryIO, rec: str, offset: int) -> bytes:
    stream.seek(offset)
    return unpack(next(read_records(stream, rec))).picture


def _fit(side: int, data: bytes) -> Pixels:
    picture = decode(data)
    return picture if picture.shape == (side, side, 3) else square(data, side)


def batches(count: int, size: int, order: np.random.Generator | None = None) -> Iterator[Rows]:
    """Yield every row from 0 to ``count`` once, in batches of at most ``size``.

    ``order`` draws a random order; without it rows come in their own. Batches differ in size by one at most:
    a last batch of a single picture would disturb batch normalisation.

    >>> [batch.tolist() for batch in batches(5, 2)]
    [[0, 1], [2, 3], [4]]
    """
    rows = np.arange(count) if order is None else order.permutation(count)
    yield from np.array_split(rows, -(-count // size))
