"""The lines of a manifest as columns: what a gallery filters by, and where they stand; 41 bytes a line."""

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import Attribute, LabelAttribute
from manifest_tools.groundtruth.counts import rows_by_attribute
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.line_columns import class_names
from manifest_tools.groundtruth.record import state
from manifest_tools.groundtruth.rows import BadLine, Rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, Source

STATES = ("labelled", "failed", "unlabelled")
"""What the column ``state`` counts; a line is what the first of these says that one of its labels is."""

_LINE = np.dtype(
    [
        ("start", "<i8"),  # where it begins, in bytes
        ("length", "<u4"),
        ("number", "<i8"),  # from 1
        ("key", "<u8"),  # a hash of its picture or text; 0 where it has none
        ("set", "<i4"),  # its classes: a number in Vocabulary.sets
        ("job", "<i4"),  # of its first label: a number in Vocabulary.jobs, or -1
        ("confidence", "<f4"),  # the lowest; not a number where there is none
        ("state", "u1"),
    ]
)

Columns = NDArray[Any]
"""``(lines,)`` of ``_LINE``: the lines that are not blank, in order."""

ClassSet = tuple[int, ...]


@dataclass(slots=True)
class Vocabulary:
    """The texts that the columns have numbers for; one for all manifests that are looked at together."""

    classes: dict[str, int] = field(default_factory=dict)
    sets: dict[ClassSet, int] = field(default_factory=dict)
    """The classes that lines have, each set with its number."""

    jobs: dict[str, int] = field(default_factory=dict)

    def class_of(self, name: str) -> int:
        """Return the number of a class."""
        return self.classes.setdefault(name, len(self.classes))

    def set_of(self, names: Sequence[str]) -> int:
        """Return the number of a set of classes."""
        return self.sets.setdefault(tuple(sorted({self.class_of(name) for name in names})), len(self.sets))

    def job_of(self, name: str) -> int:
        """Return the number of a labeling job; -1 for none."""
        return self.jobs.setdefault(name, len(self.jobs)) if name else -1

    def sets_with(self, number: int) -> NDArray[np.int32]:
        """Return the numbers of the sets that have a class."""
        return np.array([at for one, at in self.sets.items() if number in one], np.int32)


@dataclass(slots=True)
class Index:
    """One manifest."""

    source: Source
    known: LabelAttribute | None
    """The only label attribute that is looked at; None for all."""

    lines: Columns

    def read(self, at: int) -> bytes:
        """Return the bytes of a line, by its position in ``lines``."""
        start, length = int(self.lines["start"][at]), int(self.lines["length"][at])
        return Block(self.source.uri, start, start + length, etag=self.source.etag).read()

    def position(self, number: int) -> int | None:
        """Return where in ``lines`` the line ``number`` is; None for one that is blank or not there."""
        at = int(np.searchsorted(self.lines["number"], number))
        return at if at < len(self.lines) and int(self.lines["number"][at]) == number else None


@dataclass(slots=True)
class _Part:
    """The columns of a block, with numbers into its own texts."""

    lines: int
    columns: Columns
    sets: tuple[tuple[str, ...], ...]
    jobs: tuple[str, ...]


def read_index(source: Source, known: LabelAttribute | None, words: Vocabulary, jobs: Jobs = None) -> Index:
    """Return the columns of a manifest that can be read twice; raises InvalidLine."""
    parts = [np.zeros(0, _LINE)]
    for first, part in scan(source, partial(_read_block, known), jobs):
        columns = part.columns
        columns["number"] += first
        columns["set"] = np.array([words.set_of(names) for names in part.sets], np.int32)[columns["set"]]
        columns["job"] = np.array([words.job_of(name) for name in part.jobs], np.int32)[columns["job"]]
        parts.append(columns)
    return Index(source, known, np.concatenate(parts))


_Label = tuple[tuple[str, ...], str, float, int]
"""Of one label of a line: its classes, job, lowest confidence and state."""


def _read_block(known: LabelAttribute | None, block: Block) -> _Part:
    each = rows_by_attribute(known, block.read())
    rows = each[0][1]
    columns = np.zeros(len(rows.rows), _LINE)
    columns["start"], columns["length"] = rows.starts + block.start, rows.ends - rows.starts
    columns["number"] = rows.numbers
    columns["key"] = hash_texts([row.source_ref or row.source for row in rows.rows])
    labels = list(map(_joined, zip(*(_labels(one, found) for one, found in each), strict=True)))
    columns["set"], sets = _numbered([classes for classes, _, _, _ in labels])
    columns["job"], jobs = _numbered([job for _, job, _, _ in labels])
    columns["confidence"] = [confidence for _, _, confidence, _ in labels]
    columns["state"] = [line_state for _, _, _, line_state in labels]
    return _Part(rows.lines, columns, sets, jobs)


def _labels(attribute: Attribute, rows: Rows) -> Iterator[_Label]:
    """Yield what each row says of one attribute; raises BadLine."""
    kind = label_kind(attribute.type)
    for number, row in zip(rows.numbers.tolist(), rows.rows, strict=True):
        job = (row.metadata and row.metadata.job_name) or ""
        if row.label is None:
            yield (), job, math.nan, STATES.index(state(row))
            continue
        try:
            known = [min(max(one, 0.0), 1.0) for one in kind.confidences(row) if one is not None]
            yield tuple(class_names(kind, row)), job, min(known, default=math.nan), 0
        except ValueError as error:
            raise BadLine(number, str(error)) from error


def _joined(labels: tuple[_Label, ...]) -> _Label:
    """Return what the labels of a line say together."""
    if len(labels) == 1:
        return labels[0]
    classes = tuple(name for names, _, _, _ in labels for name in names)
    confidences = [one for _, _, one, _ in labels if not math.isnan(one)]
    job = next((job for _, job, _, _ in labels if job), "")
    return classes, job, min(confidences, default=math.nan), min(one for _, _, _, one in labels)


T = TypeVar("T", bound=Hashable)


def _numbered(values: Sequence[T]) -> tuple[NDArray[np.int32], tuple[T, ...]]:
    """Return a number for each value, and the values by their number."""
    numbers: dict[T, int] = {}
    found = [numbers.setdefault(value, len(numbers)) for value in values]
    return np.array(found, np.int32), tuple(numbers)
