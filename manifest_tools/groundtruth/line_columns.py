"""The lines of a manifest as columns: a few bytes for each line, and never the line itself."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData
from manifest_tools.base.hashing import hash_texts, mix
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import MOST_CLASSES, ClassTable, default_name
from manifest_tools.groundtruth.examples import whole_table
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.record import Peek, Row, state
from manifest_tools.groundtruth.rows import BadLine, Rows, line_offsets, read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.groundtruth.survey import ambiguous, survey
from manifest_tools.io.sources import Block, Source

_COLUMNS = ("lengths", "states", "keys", "flat", "counts")
STATES = ("labelled", "failed", "unlabelled", "blank", "contradictory")
"""The states of a line; the column ``states`` has their positions here. No line is read as the last one."""


@dataclass(frozen=True, slots=True)
class ClassArrays:
    """The class indices of lines."""

    flat: NDArray[np.int32]
    """``(classes of all lines,)``: class indices, line after line."""
    counts: NDArray[np.int32]
    """``(lines,)``: how many of ``flat`` are of each line."""

    @property
    def single(self) -> bool:
        """Whether every line has exactly one class."""
        return bool((self.counts == 1).all())


@dataclass(slots=True)
class Lines:
    """The columns of a manifest: 13 bytes a line, and 8 or more for its classes."""

    lengths: NDArray[np.uint32]
    """``(lines,)``: bytes, the newline included; blank lines have an element too."""
    states: NDArray[np.uint8]
    """``(lines,)``: positions in STATES."""
    keys: NDArray[np.uint64]
    """``(labelled lines,)``: equal for equal sources, different for lines without a source."""
    labels: ClassArrays
    """The classes of the labelled lines."""
    table: ClassTable = field(default_factory=ClassTable)
    conflict: str = ""
    """What two colour maps disagree about, where the classes are therefore joined by their names."""

    @property
    def numbers(self) -> NDArray[np.int64]:
        """``(labelled lines,)``: their line numbers, from 1."""
        return np.flatnonzero(self.states == STATES.index("labelled")) + 1

    def leave_out(self, lines: NDArray[np.bool_]) -> None:
        """Make some of the labelled lines contradictory ones, ``(labelled lines,)``."""
        self.states[self.numbers[lines] - 1] = STATES.index("contradictory")
        self.keys = self.keys[~lines]
        flat = self.labels.flat[np.repeat(~lines, self.labels.counts)]
        self.labels = ClassArrays(flat, self.labels.counts[~lines])


@dataclass(slots=True)
class _BlockColumns:
    lines: int
    others: frozenset[str]
    lengths: NDArray[np.uint32]
    states: NDArray[np.uint8]
    keys: NDArray[np.uint64]
    flat: NDArray[np.int32]
    counts: NDArray[np.int32]
    names: dict[tuple[int, str], None]


def read_lines(source: Source, attribute: LabelAttribute, given: ClassTable, jobs: Jobs) -> Lines:
    """Return the columns of a manifest, with its class table, to which the classes of ``given`` are added.

    Raises BadData where no line is labelled, Refused for a line with another label attribute, InvalidLine
    for a line that cannot be read, ClassConflict where class names disagree.
    """
    names = dict.fromkeys(given.names)

    def parts() -> Iterator[_BlockColumns]:
        for _, part in scan(source, partial(_read_block, _recipe(attribute), attribute.type), jobs):
            if part.others:
                raise ambiguous(survey(source, jobs), source.name)
            names.update(part.names)
            yield part

    lines = _joined(source, parts())
    lines.table = whole_table(
        source.name, names, set(np.flatnonzero(np.bincount(lines.labels.flat)).tolist()), given
    )
    return lines


def read_together(
    source: Source, attributes: Sequence[LabelAttribute], given: ClassTable, jobs: Jobs
) -> Lines:
    """Return the columns of a manifest with the classes of several label attributes, joined by their names.

    Rekognition Custom Labels writes a label attribute for each class, so that the indices mean nothing. A
    class that ``given`` has keeps its index there; the others follow, in the order of their names.
    """
    seen: dict[str, int] = {}
    recipes = tuple((_recipe(attribute), attribute.type) for attribute in attributes)

    def parts() -> Iterator[_BlockColumns]:
        for _, part in scan(source, partial(_read_together, recipes), jobs):
            codes = [seen.setdefault(name, len(seen)) for _, name in part.names]
            part.flat = np.array(codes, np.int32)[part.flat] if codes else part.flat
            yield part

    lines = _joined(source, parts())
    known = {name: index for index, name in given.names}
    new = sorted(seen.keys() - known.keys())
    known |= {name: given.num_classes + at for at, name in enumerate(new)}
    numbers = np.array([known[name] for name in seen], np.int32)
    lines.labels = ClassArrays(numbers[lines.labels.flat], lines.labels.counts)
    lines.table = ClassTable(tuple(sorted((index, name) for name, index in known.items())))
    return lines


def _recipe(attribute: LabelAttribute) -> Peek:
    return attribute.peek(*attribute.kind.class_fields, sources=("source-ref", "source"))


def _joined(source: Source, parts: Iterable[_BlockColumns]) -> Lines:
    """Return the columns of all blocks, without the class table."""
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _COLUMNS}
    for part in parts:
        for name, found in columns.items():
            found.append(getattr(part, name))
    labels = ClassArrays(_whole(columns["flat"]), _whole(columns["counts"]))
    if not len(labels.counts):
        raise BadData(f"{source.name}: expected labelled lines, found none")
    keys = _distinct(_whole(columns["keys"]))
    return Lines(_whole(columns["lengths"]), _whole(columns["states"]), keys, labels)


def _whole(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the parts as one array and empty their list, so that only one column at a time is copied."""
    whole: NDArray[Any] = np.concatenate(parts)
    parts.clear()
    return whole


def _distinct(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Give a line without source, whose key is 0, a key of its own."""
    nameless = np.flatnonzero(keys == 0)
    keys[nameless] = mix(nameless.astype(np.uint64), 1)
    return keys


def _read_block(recipe: Peek, type_name: str, block: Block) -> _BlockColumns:
    data = block.read()
    rows = read_rows(data, recipe)
    starts, ends = line_offsets(data)
    labelled = [row for row in rows.rows if row.label is not None]
    states = np.full(len(starts), STATES.index("blank"), np.uint8)
    states[rows.numbers] = (
        0 if len(labelled) == len(rows.rows) else [STATES.index(state(r)) for r in rows.rows]
    )
    found = _indices(labelled) if recipe.schema == "index" else None
    flat, counts, names = found or _read_labels(label_kind(type_name), rows)
    keys = hash_texts([row.source_ref or row.source for row in labelled])
    lengths = (ends - starts).astype(np.uint32)
    return _BlockColumns(rows.lines, rows.others, lengths, states, keys, flat, counts, names)


_Labels = tuple[NDArray[np.int32], NDArray[np.int32], dict[tuple[int, str], None]]


def _indices(labelled: list[Row]) -> _Labels | None:
    """Return the classes of lines with one index each; None where a label is not a plain number."""
    labels = [row.label for row in labelled]
    if set(map(type, labels)) != {int} or min(labels) < 0 or max(labels) >= MOST_CLASSES:
        return None
    names = [None if row.metadata is None else row.metadata.class_name for row in labelled]
    pairs = {pair: None for pair in dict.fromkeys(zip(labels, names, strict=True)) if pair[1] is not None}
    return (
        np.array(labels, np.int32),
        np.ones(len(labels), np.int32),
        cast(dict[tuple[int, str], None], pairs),
    )


def _read_labels(kind: LabelKind, rows: Rows) -> _Labels:
    """Return the classes of a block, line by line; raises BadLine for a label that has none."""
    flat: list[int] = []
    counts: list[int] = []
    names: dict[tuple[int, str], None] = {}
    for number, row in zip(rows.numbers.tolist(), rows.rows, strict=True):
        if row.label is None:
            continue
        try:
            indices = dict.fromkeys(kind.indices(row))
            names |= dict.fromkeys(kind.names(row))
        except ValueError as error:
            raise BadLine(number, str(error)) from error
        flat += indices
        counts.append(len(indices))
    return np.array(flat, np.int32), np.array(counts, np.int32), names


def _read_together(recipes: Sequence[tuple[Peek, str]], block: Block) -> _BlockColumns:
    data = block.read()
    read = [(read_rows(data, recipe), label_kind(type_name)) for recipe, type_name in recipes]
    starts, ends = line_offsets(data)
    first = read[0][0]
    states = np.full(len(starts), STATES.index("blank"), np.uint8)
    names: dict[str, int] = {}
    flat: list[int] = []
    counts: list[int] = []
    sources: list[str | None] = []
    for at, number in enumerate(first.numbers.tolist()):
        shown = [(rows.rows[at], kind) for rows, kind in read]
        states[number] = min(STATES.index(state(row)) for row, _ in shown)
        if STATES[states[number]] != "labelled":
            continue
        try:
            classes = {
                name for row, kind in shown if row.label is not None for name in class_names(kind, row)
            }
        except ValueError as error:
            raise BadLine(number, str(error)) from error
        flat += [names.setdefault(name, len(names)) for name in sorted(classes)]
        counts.append(len(classes))
        sources.append(shown[0][0].source_ref or shown[0][0].source)
    return _BlockColumns(
        first.lines,
        frozenset(),
        (ends - starts).astype(np.uint32),
        states,
        hash_texts(sources),
        np.array(flat, np.int32),
        np.array(counts, np.int32),
        {(index, name): None for name, index in names.items()},
    )


def class_names(kind: LabelKind, row: Row) -> list[str]:
    """Return the class names of a row; its ``class-name`` alone, where there is one."""
    if kind.schema == "index" and row.metadata is not None and row.metadata.class_name is not None:
        return [row.metadata.class_name]
    named = dict(kind.names(row))
    return [named.get(index, default_name(index)) for index in kind.indices(row)]
