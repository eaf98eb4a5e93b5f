"""What ``split`` remembers of a manifest: of every line a few bytes, never the line itself."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from manifest_tools.assign import Labels
from manifest_tools.attributes import LabelAttribute, ambiguous, survey
from manifest_tools.classes import MOST_CLASSES, ClassTable
from manifest_tools.errors import BadData
from manifest_tools.keys import keys_of, mix
from manifest_tools.labels import whole_table
from manifest_tools.record import Peek, Row, state
from manifest_tools.rows import BadLine, Rows, line_offsets, read_rows
from manifest_tools.scan import scan
from manifest_tools.sources import Block, Source
from manifest_tools.tasks import TaskType, task_type
from manifest_tools.work import Jobs

_COLUMNS = ("lengths", "kinds", "keys", "flat", "counts")
KINDS = ("labelled", "failed", "unlabelled", "blank")


@dataclass(slots=True)
class Lines:
    """What is remembered of every line: 13 bytes, and 8 or more for its labels.

    ``lengths`` (bytes, newline included) and ``kinds`` (a place in KINDS) have every line, blank ones too;
    ``keys`` (equal for equal sources) and ``labels`` have the labelled lines only.
    """

    lengths: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    keys: NDArray[np.uint64]
    labels: Labels
    table: ClassTable = field(default_factory=ClassTable)


@dataclass(slots=True)
class _Part:
    lines: int
    others: frozenset[str]
    lengths: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    keys: NDArray[np.uint64]
    flat: NDArray[np.int32]
    counts: NDArray[np.int32]
    names: dict[tuple[int, str], None]


def read_lines(source: Source, attribute: LabelAttribute, given: ClassTable, jobs: Jobs) -> Lines:
    """Return what is remembered of every line of a manifest, with the class table of all of it.

    Raises BadData when no line is labelled, Refused where another label attribute turns up.
    """
    recipe = attribute.peek(*attribute.task.fields, sources=("source-ref", "source"))
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _COLUMNS}
    names = dict.fromkeys(given.names)
    for _, part in scan(source, partial(_read_block, recipe, attribute.type), jobs):
        if part.others:
            raise ambiguous(survey(source, jobs), source.name)
        names |= part.names
        for name, parts in columns.items():
            parts.append(getattr(part, name))
    labels = Labels(_whole(columns["flat"]), _whole(columns["counts"]))
    if not len(labels.counts):
        raise BadData(f"{source.name}: no line is labelled, so there is nothing to split")
    table = whole_table(source, names, set(np.flatnonzero(np.bincount(labels.flat)).tolist()))
    keys = _distinct(_whole(columns["keys"]))
    return Lines(_whole(columns["lengths"]), _whole(columns["kinds"]), keys, labels, table)


def _whole(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the parts as one, and let go of them: a column is never in memory twice with the others."""
    whole: NDArray[Any] = np.concatenate(parts)
    parts.clear()
    return whole


def _distinct(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Give a line without source, whose key is 0, a key of its own."""
    nameless = np.flatnonzero(keys == 0)
    keys[nameless] = mix(nameless.astype(np.uint64), 1)
    return keys


def _read_block(recipe: Peek, type_name: str, block: Block) -> _Part:
    data = block.read()
    rows = read_rows(data, recipe)
    starts, ends = line_offsets(data)
    labelled = [row for row in rows.rows if row.label is not None]
    kinds = np.full(len(starts), KINDS.index("blank"), np.uint8)
    kinds[rows.numbers] = 0 if len(labelled) == len(rows.rows) else [KINDS.index(state(r)) for r in rows.rows]
    found = _indices(labelled) if recipe.label == "index" else None
    flat, counts, names = found or _read_labels(task_type(type_name), rows)
    keys = keys_of([row.source_ref or row.source for row in labelled])
    lengths = (ends - starts).astype(np.uint32)
    return _Part(rows.lines, rows.others, lengths, kinds, keys, flat, counts, names)


_Labels = tuple[NDArray[np.int32], NDArray[np.int32], dict[tuple[int, str], None]]


def _indices(labelled: list[Row]) -> _Labels | None:
    """Return the labels of lines with one index each, all at once; None where one is not a plain index."""
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


def _read_labels(task: TaskType, rows: Rows) -> _Labels:
    """Return the labels of a block line by line; raises BadLine at one that is none."""
    flat: list[int] = []
    counts: list[int] = []
    names: dict[tuple[int, str], None] = {}
    for number, row in zip(rows.numbers.tolist(), rows.rows, strict=True):
        if row.label is None:
            continue
        try:
            indices = dict.fromkeys(task.indices(row))
            names |= dict.fromkeys(task.names(row))
        except ValueError as error:
            raise BadLine(number, str(error)) from error
        flat += indices
        counts.append(len(indices))
    return np.array(flat, np.int32), np.array(counts, np.int32), names
