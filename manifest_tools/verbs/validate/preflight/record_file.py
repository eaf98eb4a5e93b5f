"""What a ``.rec`` or a ``.lst`` shows: read once, from end to end, and remembered in a few kB.

Of a ``.rec`` the framing and the image headers (MXNet's recordio.h and image_recordio.h), with the ``.idx``
beside it; of a ``.lst`` what im2rec.py makes of its rows.
"""

import contextlib
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, TypeVar

import numpy as np

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from manifest_tools.io.recordio import MAGIC, CorruptRecord, ImageRecord, frame, read_records, unpack
from manifest_tools.verbs.validate.engine.file_facts import Occurrences, add_count

T = TypeVar("T")
RecordFileKind = Literal["rec", "lst"]
SUFFIXES: dict[str, RecordFileKind] = {".rec": "rec", ".lst": "lst"}

# Whole numbers up to here are the same as 32-bit floats.
MOST_EXACT = 1 << 24
# Different things that are remembered of what is wrong, and of classes.
MOST_REASONS = 50
_MOST_CLASSES = 100_000
# A row of a list is a path and some numbers; a longer one is no list at all.
_LONGEST_ROW = 1 << 20
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# What a detector's vector begins with: its own length, and that of a box.
_HEAD, _BOX = 2, 5


@dataclass(slots=True)
class RecordFile:
    """What a ``.rec`` (records) or a ``.lst`` (rows) shows; records and rows count from 1.

    ``widths`` counts labels; ``vectors`` those that the header has as a vector. ``ids`` are labels that are
    class indices, of vectors of zeros and ones the places of the ones. ``invalid`` says what is wrong with
    rows or records, ``boxes`` what is wrong with a detector's vectors, ``broken`` where the framing ends.
    """

    name: str
    kind: RecordFileKind
    size: int = 0
    entries: int = 0
    samples: int = 0
    widths: dict[int, Occurrences] = field(default_factory=dict)
    vectors: Occurrences | None = None
    ids: dict[int, Occurrences] = field(default_factory=dict)
    ones: dict[int, Occurrences] = field(default_factory=dict)
    fractions: Occurrences | None = None
    large: Occurrences | None = None
    invalid: dict[str, Occurrences] = field(default_factory=dict)
    boxes: dict[str, Occurrences] = field(default_factory=dict)
    twice: Occurrences | None = None
    highest: int = -1
    description: bool = False
    broken: str = ""
    index: str = ""

    def add(self, number: int, labels: Sequence[float], vector: bool) -> None:
        """Remember the labels of one record or row that is a sample."""
        here = Occurrences(number, 1)
        self.samples += 1
        add_limited_count(self.widths, len(labels), here)
        if vector:
            self.vectors = _and(self.vectors, here)
        if why := no_boxes(labels):
            add_limited_count(self.boxes, why, here)
        if any(abs(label) >= MOST_EXACT for label in labels):
            self.large = _and(self.large, here)
        if len(labels) == 1:
            self._add_class(labels[0], here)
        elif set(labels) <= {0.0, 1.0}:
            for at in np.flatnonzero(labels).tolist():
                add_limited_count(self.ones, at, here, _MOST_CLASSES)

    def _add_class(self, label: float, here: Occurrences) -> None:
        if label < 0 or not label.is_integer():
            self.fractions = _and(self.fractions, here)
            return
        self.highest = max(self.highest, int(label))
        add_limited_count(self.ids, int(label), here, _MOST_CLASSES)


def add_limited_count(
    table: dict[T, Occurrences], key: T, here: Occurrences, most: int = MOST_REASONS
) -> None:
    """Count ``key`` in a table that takes up so many: a file of nonsense has a new one on every line."""
    if key in table or len(table) < most:
        add_count(table, key, here)


def _and(known: Occurrences | None, here: Occurrences) -> Occurrences:
    return here if known is None else known.plus(here)


def record_file_kind(name: str) -> RecordFileKind | None:
    """Say whether a file is a ``.rec`` or a ``.lst``, by its name."""
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


def no_boxes(labels: Sequence[float]) -> str:
    """Say why a vector is none of a detector's: its head is 2 and 5, and then five numbers a box.

    >>> no_boxes([2, 5, 0, 0.1, 0.1, 0.5, 0.5]), no_boxes([3])
    ('', 'expected 2, 5 and then five numbers for every box, found 1 number')
    """
    wanted = "expected 2, 5 and then five numbers for every box, found"
    if len(labels) < _HEAD + _BOX:
        return f"{wanted} {len(labels)} number{'' if len(labels) == 1 else 's'}"
    if (labels[0], labels[1]) != (_HEAD, _BOX):
        return f"{wanted} {labels[0]:g} and {labels[1]:g} first"
    if (len(labels) - _HEAD) % _BOX:
        return f"{wanted} {len(labels) - _HEAD} numbers behind these"
    boxes = np.asarray(labels[_HEAD:], float).reshape(-1, _BOX)
    if (boxes[:, 0] < 0).any() or (boxes[:, 0] % 1 != 0).any():
        return "expected a class index from 0 as the first number of a box"
    if (boxes[:, 1:] < 0).any() or (boxes[:, 1:] > 1).any():
        return "expected the sides of a box as shares of the picture's, from 0 to 1"
    if (boxes[:, 3:] <= boxes[:, 1:3]).any():
        return "expected left, top, right and bottom of a box, in this order"
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
        found.add(number, record.labels, record.vector)
    elif number == 1 and _describes(record):
        found.description = True
    else:
        add_limited_count(
            found.invalid, f"expected a JPEG or PNG behind the labels, found {_beginning(record)}", here
        )


def _describes(record: ImageRecord) -> bool:
    """Say whether the first record tells of the whole: no picture, and ranges of numbers for labels."""
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
            told = [int(row.split(b"\t")[1]) for row in file if row.strip()]
    except (OSError, ValueError, IndexError):
        return f"{path}: expected a key, a tab and an offset on every line"
    if len(told) != len(offsets):
        return f"{path} has {len(told):,} records, and this file {len(offsets):,}"
    wrong = np.flatnonzero(np.sort(np.array(told, np.uint64)) != offsets)
    return "" if not len(wrong) else f"{path}: no record begins at byte {sorted(told)[int(wrong[0])]:,}"


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
        found.add(number, labels, len(labels) > 1)
    found.twice = _repeated(np.frombuffer(keys, np.int64), np.frombuffer(numbers, np.uint64))


def _row(row: bytes) -> tuple[int, list[float]]:
    """Return the key and the labels of a row; raises ValueError for what im2rec would skip or misread."""
    try:
        text = row.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError("expected UTF-8 text") from error
    fields = [field.strip() for field in text.split("\t")]
    if len(fields) < 3:
        blanks = "; blanks stand where tabs belong" if len(text.split()) > 2 else ""
        raise ValueError(
            f"expected a number, labels and a path with tabs between, found {len(fields)} of them{blanks}"
        )
    if not fields[0].isascii() or not fields[0].isdecimal() or len(fields[0]) > 18:
        raise ValueError(f"expected a whole number first, found {shown(fields[0])}")
    if not fields[-1]:
        raise ValueError("expected a path at the end, found nothing")
    if fields[-1].startswith(("/", "s3://")) or "\\" in fields[-1]:
        raise ValueError(f"expected a path from the channel's prefix, found {shown(fields[-1])}")
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
    """Return the rows whose key an earlier one has."""
    order = np.argsort(keys, kind="stable")
    again = order[1:][keys[order[1:]] == keys[order[:-1]]]
    return Occurrences(int(numbers[again].min()), len(again)) if len(again) else None
