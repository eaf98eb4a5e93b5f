"""What ``merge`` remembers of a manifest: of every line a few numbers, never the line itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

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
from manifest_tools.verbs.merge.extra_keys import hash_extra_keys
from manifest_tools.verbs.merge.normalized_label import mean_confidence, normalizer, schema

# The precedence of a line's label for one attribute. Of several lines only those of the highest count.
ABSENT, FAILED, UNADJUSTED, LABELLED, ADJUSTED = -1, 0, 1, 2, 3
_STATUS = {"adjusted": ADJUSTED, "unadjusted": UNADJUSTED}
UNKNOWN_DATE = -np.inf
_SOURCES = ("source-ref", "source")
# Where no line has a label, this one finds none either.
_UNLABELLED = Peek("source-metadata", "source-ref-metadata", "any", ("adjustment-status",), _SOURCES)


@dataclass(slots=True)
class AttributeColumns:
    """One label attribute on every line of a manifest, blank lines included."""

    precedence: NDArray[np.int8]
    """(lines,): from ABSENT to ADJUSTED."""

    indices: NDArray[np.int32]
    """(items,): the class indices of all labels, one after the other."""

    counts: NDArray[np.int32]
    """(lines,): how many of ``indices`` each line has."""

    rest_hashes: NDArray[np.uint64]
    """(lines,): a hash of the rest of each label; (0,) for classes, of which there is no rest."""

    scores: NDArray[np.float64]
    """(lines,): what the policy compares, a date or a confidence; (0,) for other policies."""

    names: dict[tuple[int, str], None] = field(default_factory=dict)
    """The class indices that lines name, each with its name, in the order in which they turn up."""

    observed: frozenset[int] = frozenset()
    """The class indices on any line, in its label or only with a confidence."""


@dataclass(slots=True)
class ManifestColumns:
    """The lines of a manifest, or of a block of it; blank lines are lines too."""

    lengths: NDArray[np.uint32]
    """(lines,): bytes, with the line end."""

    source_keys: NDArray[np.uint64]
    """(lines,): hashes of the ``source-ref`` or the ``source``; 0 where a line has neither."""

    blank: NDArray[np.bool_]
    """(lines,): whether the line is blank."""

    extra_keys: NDArray[np.uint64]
    """(lines,): hashes of all keys that are no labels, 0 for none; (0,) where no manifest has any."""

    attributes: dict[str, AttributeColumns]

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return len(self.lengths)

    def take(self, name: Literal["source_keys", "extra_keys"]) -> NDArray[np.uint64]:
        """Return a column, and let go of it."""
        column: NDArray[np.uint64] = getattr(self, name)
        setattr(self, name, np.zeros(0, np.uint64))
        return column


@dataclass(slots=True)
class Manifest:
    """One input of a merge."""

    name: str
    attributes: tuple[LabelAttribute, ...]
    """Its label attributes, in the order in which its lines have them."""

    columns: ManifestColumns

    def is_adjustment(self, attribute: LabelAttribute) -> bool:
        """Say whether an adjustment job wrote the attribute, by the adjustment-status of any line."""
        precedence = self.columns.attributes[attribute.name].precedence
        return bool(((precedence == ADJUSTED) | (precedence == UNADJUSTED)).any())


def read_columns(
    source: Source,
    attributes: Sequence[LabelAttribute],
    policy: str,
    jobs: Jobs = None,
    handled: frozenset[str] | None = None,
) -> ManifestColumns:
    """Return what is remembered of every line; raises InvalidLine at a line that cannot be read.

    ``handled`` are the keys that are no extra keys; None: extra keys are not remembered.
    """
    task = partial(_read_block, tuple(attributes), policy, handled)
    parts = [part for _, part in scan(source, task, jobs)]
    return ManifestColumns(
        **_concatenated(parts, "lengths", "source_keys", "blank", "extra_keys"),
        attributes={one.name: _joined([part.attributes[one.name] for part in parts]) for one in attributes},
    )


def _joined(parts: list[AttributeColumns]) -> AttributeColumns:
    names: dict[tuple[int, str], None] = {}
    for part in parts:
        names |= part.names
    return AttributeColumns(
        **_concatenated(parts, "precedence", "indices", "counts", "rest_hashes", "scores"),
        names=names,
        observed=frozenset().union(*(part.observed for part in parts)),
    )


def _concatenated(parts: Sequence[object], *names: str) -> dict[str, Any]:
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}


def peek(attribute: LabelAttribute, policy: str) -> Peek:
    """Return the recipe to decode what the policy compares, and nothing else."""
    kind = attribute.kind
    fields = [*kind.class_fields, "adjustment-status"]
    # A line with several classes may have a confidence for a class that is not in its label.
    fields += kind.confidence_fields if policy == "highest-confidence" or kind.multi_label else ()
    fields += ["creation-date"] if policy == "newest" else []
    names = tuple(dict.fromkeys(fields))
    return Peek(attribute.name, attribute.metadata_key, schema(kind), names, _SOURCES)


def _read_block(
    attributes: tuple[LabelAttribute, ...], policy: str, handled: frozenset[str] | None, block: Block
) -> ManifestColumns:
    data = block.read()
    starts, ends = line_offsets(data)
    found = ManifestColumns(
        lengths=(ends - starts).astype(np.uint32),
        source_keys=np.zeros(len(starts), np.uint64),
        blank=np.ones(len(starts), bool),
        extra_keys=np.zeros(0, np.uint64),
        attributes={},
    )
    recipes = [(one.name, peek(one, policy), one.kind) for one in attributes]
    for name, recipe, kind in recipes or [("", _UNLABELLED, label_kind(""))]:
        rows = read_rows(data, recipe)
        if not found.attributes and rows.rows:
            sources = [row.source_ref or row.source for row in rows.rows]
            found.source_keys[rows.numbers] = hash_texts(sources)
            found.blank[rows.numbers] = False
        found.attributes[name] = _attribute_columns(rows, kind, policy, len(starts))
    if handled is not None:
        lines = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        found.extra_keys = hash_extra_keys(lines, handled)
    return found


def _attribute_columns(rows: Rows, kind: LabelKind, policy: str, lines: int) -> AttributeColumns:
    precedence = np.full(lines, ABSENT, np.int8)
    precedence[rows.numbers] = [_precedence(row) for row in rows.rows]
    chosen = precedence[rows.numbers] > FAILED
    numbers, labelled = rows.numbers[chosen], [rows.rows[at] for at in np.flatnonzero(chosen).tolist()]
    found = AttributeColumns(
        precedence,
        indices=np.zeros(0, np.int32),
        counts=np.zeros(lines, np.int32),
        rest_hashes=np.zeros(0, np.uint64),
        scores=np.zeros(0),
    )
    texts = _add_labels(found, kind, numbers, labelled)
    if not kind.is_classification:
        found.rest_hashes = np.zeros(lines, np.uint64)
        found.rest_hashes[numbers] = hash_texts(texts) if texts else 0
    if policy in _SCORES:
        found.scores = np.full(lines, -np.inf)
        found.scores[numbers] = [_SCORES[policy](kind, row) for row in labelled]
    return found


def _precedence(row: Row) -> int:
    if row.label is None:
        return ABSENT if row.metadata is None else FAILED
    status = None if row.metadata is None else row.metadata.adjustment_status
    return LABELLED if status is None else _STATUS.get(status.lower(), LABELLED)


def _add_labels(
    columns: AttributeColumns, kind: LabelKind, numbers: NDArray[np.int64], rows: list[Row]
) -> list[str | None]:
    """Add the indices and names of the labels to the columns; return the rest of every label."""
    normalized = normalizer(kind)
    flat: list[int] = []
    texts: list[str | None] = []
    observed: set[int] = set()
    for number, row in zip(numbers.tolist(), rows, strict=True):
        try:
            indices, text = normalized(row)
            columns.names |= dict.fromkeys(kind.names(row) if kind.class_fields else ())
            observed |= _with_confidence(kind, row)
        except (ValueError, AttributeError) as error:
            raise BadLine(number, str(error)) from error
        columns.counts[number] = len(indices)
        flat += indices
        texts.append(text)
    columns.indices = np.array(flat, np.int32)
    columns.observed = frozenset(observed.union(flat))
    return texts


def _with_confidence(kind: LabelKind, row: Row) -> set[int]:
    """Return the classes that have a confidence on a line with several classes, in its label or not."""
    if not kind.multi_label or row.metadata is None:
        return set()
    return {int(key) for key in row.metadata.confidence_map or () if key.isdecimal() and len(key) < 9}


def _date(kind: LabelKind, row: Row) -> float:
    found = parse_date(None if row.metadata is None else row.metadata.creation_date)
    return UNKNOWN_DATE if found is None else found.timestamp()


# What a policy compares; the highest wins.
_SCORES = {"newest": _date, "highest-confidence": mean_confidence}
