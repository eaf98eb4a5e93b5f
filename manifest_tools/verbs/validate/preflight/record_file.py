"""What a ``.rec`` or a ``.lst`` shows; it is read once, and takes a few kB of memory.

A ``.rec`` is checked by its framing and its image headers (MXNet's recordio.h and image_recordio.h), and by
the ``.idx`` beside it; a ``.lst`` by what im2rec.py makes of its rows.
"""

import contextlib
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, TypeVar

import numpy as np

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import counted, shown
from manifest_tools.io.recordio import MAGIC, CorruptRecord, ImageRecord, frame, read_records, unpack
from manifest_tools.verbs.validate.engine.file_facts import Occurrences, add_count, plus

T = TypeVar("T")
RecordFileKind = Literal["rec", "lst"]
SUFFIXES: dict[str, RecordFileKind] = {".rec": "rec", ".lst": "lst"}

# Whole numbers up to here are the same as 32-bit floats.
MOST_EXACT = 1 << 24
# How many different problems are remembered, and how many classes.
MOST_REASONS = 50
_MOST_CLASSES = 100_000
# A row of a list is a path and some numbers; a longer one is no list at all.
_LONGEST_ROW = 1 << 20
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# What the labels of a detector begin with: the length of this beginning, and that of a box.
_HEAD, _BOX = 2, 5


@dataclass(slots=True)
class RecordFile:
    """What a ``.rec`` or a ``.lst`` shows; its records or rows count from 1."""

    name: str
    kind: RecordFileKind
    size: int = 0
    """The bytes of the file."""

    entries: int = 0
    """Records, or rows that are not blank."""

    samples: int = 0
    """Records with a picture, or rows that can be read."""

    widths: dict[int, Occurrences] = field(default_factory=dict)
    """How many labels a sample has."""

    ids: dict[int, Occurrences] = field(default_factory=dict)
    """The labels of samples with one label, where it is a class index."""

    ones: dict[int, Occurrences] = field(default_factory=dict)
    """The positions of the ones in vectors of zeros and ones."""

    fractions: Occurrences | None = None
    """Samples with one label, which is no class index."""

    large: Occurrences | None = None
    """Samples with a label that a 32-bit float does not hold exactly."""

    invalid: dict[str, Occurrences] = field(default_factory=dict)
    """What is wrong with records or rows."""

    boxes: dict[str, Occurrences] = field(default_factory=dict)
    """Why the labels of samples are no boxes for a detector."""

    twice: Occurrences | None = None
    """Rows of a .lst whose number an earlier row has."""

    highest: int = -1
    """The highest class index; -1 where there is none."""

    description: bool = False
    """Whether the first record describes the file and has no picture."""

    broken: str = ""
    """Where the framing of a .rec ends too early, and why; empty where it does not."""

    index: str = ""
    """Where the .idx beside a .rec disagrees with it; empty where it does not."""

    def add(self, number: int, labels: Sequence[float]) -> None:
        """Remember the labels of one record or row that is a sample."""
        here = Occurrences(number, 1)
        self.samples += 1
        add_limited_count(self.widths, len(labels), here)
        if why := no_boxes(labels):
            add_limited_count(self.boxes, why, here)
        if any(abs(label) >= MOST_EXACT for label in labels):
            self.large = plus(self.large, here)
        if len(labels) == 1:
            self._add_class(labels[0], here)
        elif set(labels) <= {0.0, 1.0}:
            for at in np.flatnonzero(labels).tolist():
                add_limited_count(self.ones, at, here, _MOST_CLASSES)

    def _add_class(self, label: float, here: Occurrences) -> None:
        if label < 0 or not label.is_integer():
            self.fractions = plus(self.fractions, here)
            return
        self.highest = max(self.highest, int(label))
        add_limited_count(self.ids, int(label), here, _MOST_CLASSES)


def add_limited_count(
    table: dict[T, Occurrences], key: T, here: Occurrences, most: int = MOST_REASONS
) -> None:
    """Count ``key`` in a table of at most so many keys: a broken file has a new one on every line."""
    if key in table or len(table) < most:
        add_count(table, key, here)


def record_file_kind(name: str) -> RecordFileKind | None:
    """Say whether a file is a ``.rec`` or a ``.lst``, by its name."""
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


def no_boxes(labels: Sequence[float]) -> str:
    """Say why labels are no boxes for a detector; empty where they are.

    They begin with 2 and 5, and then each box has five numbers.

    >>> no_boxes([2, 5, 0, 0.1, 0.1, 0.5, 0.5]), no_boxes([3])
    ('', 'expected 2, 5, then five numbers for each box; found 1 number')
    """
    wanted = "expected 2, 5, then five numbers for each box; found"
    if len(labels) < _HEAD + _BOX:
        return f"{wanted} {counted(len(labels), 'number')}"
    if (labels[0], labels[1]) != (_HEAD, _BOX):
        return f"{wanted} {labels[0]:g} and {labels[1]:g} at the beginning"
    if (len(labels) - _HEAD) % _BOX:
        return f"{wanted} {len(labels) - _HEAD} numbers after 2 and 5"
    boxes = np.asarray(labels[_HEAD:], float).reshape(-1, _BOX)
    if (boxes[:, 0] < 0).any() or (boxes[:, 0] % 1 != 0).any():
        return "expected a class index from 0 as the first number of each box"
    if (boxes[:, 1:] < 0).any() or (boxes[:, 1:] > 1).any():
        return "expected the corners of a box as fractions of the picture's width and height, from 0 to 1"
    if (boxes[:, 3:] <= boxes[:, 1:3]).any():
        return "expected left, top, right and bottom of each box, in this order"
    return ""


def read_record_file(name: str) -> RecordFile:
    """Return what a ``.rec`` or ``.lst`` shows, a path or ``s3://`` URI; raises Refused where none is."""
    found = RecordFile(name, record_file_kind(name) or "rec")
    with _opened(name) as stream:
        if found.kind == "rec":
            _read_rec(stream, found)
        else:
            _read_lst(stream, found)
    return found


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name.startswith("s3://"):
        from manifest_tools.io import s3

        with s3.open_stream(name) as body:
            yield body
        return
    try:
        with open(name, "rb") as file:
            yield file
    except OSError as error:
        why = (
            "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        )
        raise Refused(f"{name}: expected a .rec or .lst, found {why}") from error


def _read_rec(stream: BinaryIO, found: RecordFile) -> None:
    offsets = array("Q")
    try:
        for payload in read_records(stream, found.name):
            found.entries += 1
            offsets.append(found.size)
            found.size += _framed(payload)
            _read_record(payload, found)
    except CorruptRecord as error:
        found.broken = f"byte {error.offset:,}: {error.reason}"
    found.index = _index_trouble(found.name, np.frombuffer(offsets, np.uint64), bool(found.broken))


def _framed(payload: bytes) -> int:
    """Return how many bytes a payload takes in the file; most hold no magic, and are not copied for it."""
    return len(frame(payload)) if MAGIC in payload else 8 + len(payload) + -len(payload) % 4


def _read_record(payload: bytes, found: RecordFile) -> None:
    number = found.entries
    here = Occurrences(number, 1)
    try:
        record = unpack(payload)
    except ValueError as error:
        add_limited_count(found.invalid, str(error), here)
        return
    if record.picture.startswith(_PICTURES):
        found.add(number, record.labels)
    elif number == 1 and _describes(record):
        found.description = True
    else:
        add_limited_count(
            found.invalid, f"expected a JPEG or PNG after the labels, found {_beginning(record)}", here
        )


def _describes(record: ImageRecord) -> bool:
    """Say whether the first record describes the file: it has ranges of numbers as labels, and no picture."""
    return record.id == 0 and not record.picture and len(record.labels) > 1


def _beginning(record: ImageRecord) -> str:
    return f"bytes {record.picture[:8].hex(' ')}" if record.picture else "nothing"


def _index_trouble(name: str, offsets: "np.ndarray[tuple[int], np.dtype[np.uint64]]", broken: bool) -> str:
    """Say where the ``.idx`` beside a ``.rec`` on this disk disagrees with it; nothing without one."""
    path = name.removesuffix(".rec") + ".idx"
    if name.startswith("s3://") or broken or not os.path.isfile(path):
        return ""
    try:
        with open(path, "rb") as file:
            known = [int(row.split(b"\t")[1]) for row in file if row.strip()]
    except (OSError, ValueError, IndexError):
        return f"{path}: expected a key, a tab and an offset on every line"
    if len(known) != len(offsets):
        return f"{path} lists {counted(len(known), 'record')}, but this file has {len(offsets):,}"
    wrong = np.flatnonzero(np.sort(np.array(known, np.uint64)) != offsets)
    return (
        ""
        if not len(wrong)
        else f"{path} says that a record begins at byte {sorted(known)[int(wrong[0])]:,}, but none does"
    )


def _read_lst(stream: BinaryIO, found: RecordFile) -> None:
    keys, numbers = array("q"), array("Q")
    number = 0
    while row := stream.readline(_LONGEST_ROW):
        number += 1
        found.size += len(row)
        if not row.strip():
            continue
        found.entries += 1
        try:
            key, labels = _row(row)
        except ValueError as error:
            add_limited_count(found.invalid, str(error), Occurrences(number, 1))
            continue
        keys.append(key)
        numbers.append(number)
        found.add(number, labels)
    found.twice = _repeated(np.frombuffer(keys, np.int64), np.frombuffer(numbers, np.uint64))


def _row(row: bytes) -> tuple[int, list[float]]:
    """Return the key and the labels of a row; raises ValueError for what im2rec would skip or misread."""
    try:
        text = row.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError("expected UTF-8 text") from error
    fields = [field.strip() for field in text.split("\t")]
    if len(fields) < 3:
        blanks = "; there are blanks in place of tabs" if len(text.split()) > 2 else ""
        raise ValueError(
            "expected a number, labels and a path, separated by tabs;"
            f" found {counted(len(fields), 'field')}{blanks}"
        )
    if not fields[0].isascii() or not fields[0].isdecimal() or len(fields[0]) > 18:
        raise ValueError(f"expected a whole number as the first field, found {shown(fields[0])}")
    if not fields[-1]:
        raise ValueError("expected a path as the last field, found nothing")
    if fields[-1].startswith(("/", "s3://")) or "\\" in fields[-1]:
        raise ValueError(f"expected a path relative to the channel's prefix, found {shown(fields[-1])}")
    return int(fields[0]), [_number(field) for field in fields[1:-1]]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(f"expected a number as a label, found {shown(text)}") from error
    if not abs(number) < float("inf"):
        raise ValueError(f"expected a number as a label, found {shown(text)}")
    return number


def _repeated(
    keys: "np.ndarray[tuple[int], np.dtype[np.int64]]", numbers: "np.ndarray[tuple[int], np.dtype[np.uint64]]"
) -> Occurrences | None:
    """Return the rows whose number an earlier row has; ``keys`` and ``numbers`` are ``(rows,)``."""
    order = np.argsort(keys, kind="stable")
    again = order[1:][keys[order[1:]] == keys[order[:-1]]]
    return Occurrences(int(numbers[again].min()), len(again)) if len(again) else None
