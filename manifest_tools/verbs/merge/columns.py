"""What ``merge`` remembers of a manifest: of every line a few numbers, never the line itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.dates import parse_date
from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.record import Peek, Row
from manifest_tools.groundtruth.rows import BadLine, Rows, line_offsets, read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, Source
from manifest_tools.verbs.merge.label_keys import confidence, form, said
from manifest_tools.verbs.merge.other_keys import keys_of_others

# How much a line's word counts for one attribute; of several lines, those of the highest level are heard.
ABSENT, FAILED, UNADJUSTED, LABELLED, ADJUSTED = -1, 0, 1, 2, 3
_STATUS = {"adjusted": ADJUSTED, "unadjusted": UNADJUSTED}
UNKNOWN_DATE = -np.inf
_SOURCES = ("source-ref", "source")
# Where no line has a label, this one finds none either.
_UNLABELLED = Peek("source-metadata", "source-ref-metadata", "any", ("adjustment-status",), _SOURCES)


@dataclass(slots=True)
class Column:
    """What all lines say for one attribute, blank lines included.

    ``flat`` has the class indices of all labels one behind the other and ``counts`` how many each line has;
    ``rests`` are keys of the rest of each label, and ``scores`` what a policy compares: both empty where
    nothing needs them. ``shown`` are indices that stand on a line, be it only with a confidence.
    """

    levels: NDArray[np.int8]
    flat: NDArray[np.int32]
    counts: NDArray[np.int32]
    rests: NDArray[np.uint64]
    scores: NDArray[np.float64]
    names: dict[tuple[int, str], None] = field(default_factory=dict)
    shown: frozenset[int] = frozenset()


@dataclass(slots=True)
class Remembered:
    """The lines of a manifest: their lengths in bytes, the keys of their sources (0: none), their labels.

    ``others`` are keys of what a line says beside that (0: nothing); empty where nobody asked for them.
    """

    lengths: NDArray[np.uint32]
    keys: NDArray[np.uint64]
    blank: NDArray[np.bool_]
    columns: dict[str, Column]
    others: NDArray[np.uint64]

    @property
    def lines(self) -> int:
        """Lines that are not blank."""
        return int(len(self.blank) - self.blank.sum())

    def forget_keys(self) -> NDArray[np.uint64]:
        """Return the keys, and let go of them."""
        keys, self.keys = self.keys, np.zeros(0, np.uint64)
        return keys


@dataclass(slots=True)
class _Part:
    lines: int
    lengths: NDArray[np.uint32]
    keys: NDArray[np.uint64]
    blank: NDArray[np.bool_]
    columns: list[Column]
    others: NDArray[np.uint64]


def read_manifest(
    source: Source,
    attributes: Sequence[LabelAttribute],
    policy: str,
    jobs: Jobs = None,
    known: frozenset[str] | None = None,
) -> Remembered:
    """Return what is remembered of every line; raises InvalidLine at one that cannot be read.

    With the keys that are ``known``, also what the lines say beside them.
    """
    task = partial(_read_block, tuple(attributes), policy, known)
    parts = [part for _, part in scan(source, task, jobs)]
    columns = {
        attribute.name: _joined([part.columns[at] for part in parts])
        for at, attribute in enumerate(attributes)
    }
    lengths, keys, blank, others = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("lengths", "keys", "blank", "others")
    )
    return Remembered(lengths, keys, blank, columns, others)


def _joined(parts: list[Column]) -> Column:
    whole: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("levels", "flat", "counts", "rests", "scores")
    }
    names: dict[tuple[int, str], None] = {}
    for part in parts:
        names |= part.names
    return Column(**whole, names=names, shown=frozenset().union(*(part.shown for part in parts)))


def peek(attribute: LabelAttribute, policy: str) -> Peek:
    """Return the recipe for what the policy compares, and for nothing else."""
    kind = attribute.kind
    fields = [*kind.class_fields, "adjustment-status"]
    # Those of several classes name classes of their own at times.
    fields += kind.confidence_fields if policy == "highest-confidence" or kind.multi_label else ()
    fields += ["creation-date"] if policy == "newest" else []
    names = tuple(dict.fromkeys(fields))
    return Peek(attribute.name, attribute.metadata_key, form(kind), names, _SOURCES)


def _read_block(
    attributes: tuple[LabelAttribute, ...], policy: str, known: frozenset[str] | None, block: Block
) -> _Part:
    data = block.read()
    starts, ends = line_offsets(data)
    keys = np.zeros(len(starts), np.uint64)
    blank = np.ones(len(starts), bool)
    columns: list[Column] = []
    for recipe, type_name in [(peek(one, policy), one.type) for one in attributes] or [(_UNLABELLED, "")]:
        rows = read_rows(data, recipe)
        if not columns and rows.rows:
            keys[rows.numbers] = hash_texts([row.source_ref or row.source for row in rows.rows])
            blank[rows.numbers] = False
        columns.append(_column(rows, label_kind(type_name), policy, len(starts)))
    others = np.zeros(0, np.uint64)
    if known is not None:
        lines = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        others = keys_of_others(lines, known)
    return _Part(len(starts), (ends - starts).astype(np.uint32), keys, blank, columns, others)


def _column(rows: Rows, kind: LabelKind, policy: str, lines: int) -> Column:
    levels = np.full(lines, ABSENT, np.int8)
    levels[rows.numbers] = [_level(row) for row in rows.rows]
    chosen = levels[rows.numbers] > FAILED
    numbers, labelled = rows.numbers[chosen], [rows.rows[at] for at in np.flatnonzero(chosen).tolist()]
    counts = np.zeros(lines, np.int32)
    column = Column(levels, np.zeros(0, np.int32), counts, np.zeros(0, np.uint64), np.zeros(0))
    texts = _take_labels(column, kind, numbers, labelled)
    if kind.schema not in ("index", "indices"):
        column.rests = np.zeros(lines, np.uint64)
        column.rests[numbers] = hash_texts(texts) if texts else 0
    if policy in _SCORES:
        column.scores = np.full(lines, -np.inf)
        column.scores[numbers] = [_SCORES[policy](kind, row) for row in labelled]
    return column


def _level(row: Row) -> int:
    if row.label is None:
        return ABSENT if row.metadata is None else FAILED
    status = None if row.metadata is None else row.metadata.adjustment_status
    return LABELLED if status is None else _STATUS.get(status.lower(), LABELLED)


def _take_labels(
    column: Column, kind: LabelKind, numbers: NDArray[np.int64], rows: list[Row]
) -> list[str | None]:
    """Add labels and names to the column; return the rest of every label."""
    read = said(kind)
    flat: list[int] = []
    texts: list[str | None] = []
    shown: set[int] = set()
    for number, row in zip(numbers.tolist(), rows, strict=True):
        try:
            indices, text = read(row)
            column.names |= dict.fromkeys(kind.names(row) if kind.class_fields else ())
            shown |= _with_confidence(kind, row)
        except (ValueError, AttributeError) as error:
            raise BadLine(number, str(error)) from error
        column.counts[number] = len(indices)
        flat += indices
        texts.append(text)
    column.flat = np.array(flat, np.int32)
    column.shown = frozenset(shown.union(flat))
    return texts


def _with_confidence(kind: LabelKind, row: Row) -> set[int]:
    """Return the classes that have a confidence on a line of several classes, in its label or not."""
    if not kind.multi_label or row.metadata is None:
        return set()
    return {int(key) for key in row.metadata.confidence_map or () if key.isdecimal() and len(key) < 9}


def _date(kind: LabelKind, row: Row) -> float:
    found = parse_date(None if row.metadata is None else row.metadata.creation_date)
    return UNKNOWN_DATE if found is None else found.timestamp()


# What a policy compares, the highest winning.
_SCORES = {"newest": _date, "highest-confidence": confidence}
