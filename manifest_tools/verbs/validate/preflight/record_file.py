"""What a ``.rec`` or a ``.lst`` shows; it is read once, and takes a few kB of memory and 24 bytes a sample.

A ``.rec`` is checked by its framing and its image headers (MXNet's recordio.h and image_recordio.h), and by
the ``.idx`` and the ``.lst`` beside it; a ``.lst`` by what im2rec.py makes of its rows.
"""

import contextlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, TypeVar

import numpy as np

from manifest_tools.base.errors import Refused
from manifest_tools.io.detection_labels import MOST_EXACT, boxes_of, no_boxes
from manifest_tools.io.list_rows import LONGEST_ROW, parse_row
from manifest_tools.io.record_list import RecordList, beside, index_trouble
from manifest_tools.io.recordio import MAGIC, CorruptRecord, ImageRecord, frame, read_records, unpack
from manifest_tools.verbs.validate.engine.file_facts import (
    Facts,
    LineKeys,
    NamedClass,
    Occurrences,
    add_count,
    plus,
)
from manifest_tools.verbs.validate.preflight.sample_keys import SampleKeys, column

T = TypeVar("T")
RecordFileKind = Literal["rec", "lst"]
SUFFIXES: dict[str, RecordFileKind] = {".rec": "rec", ".lst": "lst"}

# How many different problems are remembered, and how many classes.
MOST_REASONS = 50
_MOST_CLASSES = 100_000
_LARGEST_ID = (1 << 64) - 1
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
LABEL = "label"
"""What the labels are called among facts, where a manifest has the name of its label attribute."""


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

    box_classes: dict[int, Occurrences] = field(default_factory=dict)
    """The class indices of boxes."""

    not_hot: Occurrences | None = None
    """Samples with several labels that are not all 0 or 1, and no boxes."""

    keys: SampleKeys = field(default_factory=SampleKeys)
    """What is compared of the samples."""

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

    listing: dict[str, Occurrences] = field(default_factory=dict)
    """What the .lst beside a .rec says otherwise."""

    @property
    def vectors(self) -> bool:
        """Whether some sample has several labels."""
        return max(self.widths, default=1) > 1

    @property
    def detector(self) -> bool:
        """Whether the labels of all samples are boxes."""
        return bool(self.box_classes) and not self.boxes

    def add(self, number: int, picture: bytes, labels: Sequence[float]) -> None:
        """Remember one record or row that is a sample; of a row the picture is its path."""
        here = Occurrences(number, 1)
        self.samples += 1
        self.keys.add(number, picture, labels)
        add_limited_count(self.widths, len(labels), here)
        if why := no_boxes(labels):
            add_limited_count(self.boxes, why, here)
        else:
            for index in dict.fromkeys(boxes_of(labels)[:, 0].astype(int).tolist()):
                add_limited_count(self.box_classes, index, here, _MOST_CLASSES)
        if any(abs(label) >= MOST_EXACT for label in labels):
            self.large = plus(self.large, here)
        if len(labels) == 1:
            self._add_class(labels[0], here)
        elif set(labels) <= {0.0, 1.0}:
            for at in np.flatnonzero(labels).tolist():
                add_limited_count(self.ones, at, here, _MOST_CLASSES)
        elif why:
            self.not_hot = plus(self.not_hot, here)

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
    index, listed = beside(found.name, ".idx"), beside(found.name, ".lst")
    rows = None if listed is None else RecordList(listed)
    offsets, ids = array("Q"), array("Q")
    try:
        for payload in read_records(stream, found.name):
            found.entries += 1
            offsets.append(found.size)
            found.size += _framed(payload)
            ids.append(_read_record(payload, found, rows))
    except CorruptRecord as error:
        found.broken = f"byte {error.offset:,}: {error.reason}"
        return
    if rows is not None and (alone := rows.alone())[1]:
        found.listing[alone[0]] = Occurrences(0, alone[1])
    if index is not None:
        found.index = index_trouble(index, column(offsets), column(ids))


def _framed(payload: bytes) -> int:
    """Return how many bytes a payload takes in the file; most hold no magic, and are not copied for it."""
    return len(frame(payload)) if MAGIC in payload else 8 + len(payload) + -len(payload) % 4


def _read_record(payload: bytes, found: RecordFile, rows: RecordList | None) -> int:
    """Remember a record, and return the number that it gives itself; 0 where it cannot be read."""
    number = found.entries
    here = Occurrences(number, 1)
    try:
        record = unpack(payload)
    except ValueError as error:
        add_limited_count(found.invalid, str(error), here)
        return 0
    if record.picture.startswith(_PICTURES):
        found.add(number, record.picture, record.labels)
        if rows is not None and (why := rows.compare(record.id, record.labels)):
            add_count(found.listing, why, here)
    elif number == 1 and _describes(record):
        found.description = True
    else:
        add_limited_count(
            found.invalid, f"expected a JPEG or PNG after the labels, found {_beginning(record)}", here
        )
    return record.id & _LARGEST_ID


def _describes(record: ImageRecord) -> bool:
    """Say whether the first record describes the file: it has ranges of numbers as labels, and no picture."""
    return record.id == 0 and not record.picture and len(record.labels) > 1


def _beginning(record: ImageRecord) -> str:
    return f"bytes {record.picture[:8].hex(' ')}" if record.picture else "nothing"


def _read_lst(stream: BinaryIO, found: RecordFile) -> None:
    keys, numbers = array("q"), array("Q")
    number = 0
    while row := stream.readline(LONGEST_ROW):
        number += 1
        found.size += len(row)
        if not row.strip():
            continue
        found.entries += 1
        try:
            key, labels, path = parse_row(row)
        except ValueError as error:
            add_limited_count(found.invalid, str(error), Occurrences(number, 1))
            continue
        keys.append(key)
        numbers.append(number)
        found.add(number, path.encode(), labels)
    found.twice = _repeated(np.frombuffer(keys, np.int64), np.frombuffer(numbers, np.uint64))


def _repeated(
    keys: "np.ndarray[tuple[int], np.dtype[np.int64]]", numbers: "np.ndarray[tuple[int], np.dtype[np.uint64]]"
) -> Occurrences | None:
    """Return the rows whose number an earlier row has; ``keys`` and ``numbers`` are ``(rows,)``."""
    order = np.argsort(keys, kind="stable")
    again = order[1:][keys[order[1:]] == keys[order[:-1]]]
    return Occurrences(int(numbers[again].min()), len(again)) if len(again) else None


def facts_of_record_file(file: RecordFile) -> Facts:
    """Return what rules of manifests look at: the classes of the samples, and their keys."""
    facts = Facts(file.name, objects=file.entries, noun="record" if file.kind == "rec" else "row")
    classes = file.box_classes if file.detector else file.ones if file.vectors else file.ids
    facts.attributes[LABEL] = ""
    facts.classes = {NamedClass(LABEL, index, str(index)): seen for index, seen in classes.items()}
    # Boxes are never quite equal, so they are not compared.
    labels = column(file.keys.labels) * np.uint64(not file.detector)
    lines = column(file.keys.lines).astype(np.int64)
    facts.keys.append(LineKeys(column(file.keys.pictures), lines, {LABEL: labels}))
    return facts
