"""Lines of one picture, or of one text, whose classes differ: at most one of them can be right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import BadData
from manifest_tools.base.hashing import hash_texts, mix
from manifest_tools.base.text import clipped, counted
from manifest_tools.groundtruth.classes import ClassTable, default_name
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from manifest_tools.groundtruth.example_columns import Columns, Example, columns
from manifest_tools.groundtruth.examples import Examples
from manifest_tools.groundtruth.line_columns import ClassArrays

_NAMED = 3  # classes of a line that a message names


@dataclass(frozen=True, slots=True)
class Contradictions:
    """The labelled lines of a manifest that contradict another line."""

    lines: NDArray[np.bool_]
    """``(labelled lines,)``: whether the line's source is on another line with other classes."""

    sources: int
    """How many pictures or texts they are of."""

    first: str
    """The first of them in words: both lines and their classes."""

    def summary(self) -> str:
        """Return how many they are, and the first."""
        lines = counted(int(self.lines.sum()), "line")
        return (
            f"{lines} of {counted(self.sources, 'picture')} contradict one another; the first: {self.first}"
        )


def find_contradictions(
    keys: NDArray[np.uint64], classes: ClassArrays, numbers: NDArray[np.int64], table: ClassTable
) -> Contradictions | None:
    """Return the lines of one source whose classes differ; None where there are none.

    ``keys`` is ``(labelled lines,)``: equal for equal sources. ``numbers`` are their line numbers, from 1.
    """
    ordered = np.sort(keys)
    new = np.ones(len(keys), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    if new.all():  # in most manifests; to sort the keys alone takes half the time
        return None
    order = np.argsort(keys, kind="stable")
    group = np.cumsum(new) - 1
    start = np.flatnonzero(new)[group]
    labels = _label_hashes(classes)[order]
    differs = labels != labels[start]
    if not differs.any():
        return None
    wrong = np.zeros(int(group[-1]) + 1, bool)
    wrong[group[differs]] = True
    lines = np.zeros(len(order), bool)
    lines[order[wrong[group]]] = True
    later = np.flatnonzero(differs)
    at = later[np.argmin(order[later])]
    here, there = int(order[at]), int(order[start[at]])
    first = (
        f"line {numbers[here]} has {_names(classes, here, table)},"
        f" line {numbers[there]} has {_names(classes, there, table)}"
    )
    return Contradictions(lines, int(wrong.sum()), first)


def resolve(name: str, read: Examples, policy: ConflictPolicy) -> Contradictions | None:
    """Return the examples of one picture with different classes; ``drop`` removes them, ``error`` raises."""
    found = contradictions_of(read.examples, read.table)
    if found is None or policy == "keep":
        return found
    if policy == "error":
        raise refused(name, found)
    read.examples = columns(one for one, drop in zip(read.examples, found.lines, strict=True) if not drop)
    read.left_out["contradictory"] = int(found.lines.sum())
    return found


def contradictions_of(examples: Sequence[Example], table: ClassTable) -> Contradictions | None:
    """Return the examples of one picture whose classes differ; None where there are none."""
    whole = examples if isinstance(examples, Columns) else columns(examples)
    keys = hash_texts([example.ref or None for example in whole])
    keys[keys == 0] = mix(np.flatnonzero(keys == 0).astype(np.uint64), 1)
    counts = np.diff(whole.class_ends, prepend=0).astype(np.int32)
    return find_contradictions(keys, ClassArrays(whole.classes, counts), whole.numbers, table)


def refused(name: str, found: Contradictions) -> BadData:
    """Return the error for a manifest that must not have them."""
    return BadData(
        f"{name}: {found.summary()}; type --conflicts drop or keep, or choose with: mtool merge --on-conflict"
    )


def _label_hashes(classes: ClassArrays) -> NDArray[np.uint64]:
    """Return a hash of the set of classes of each line, ``(lines,)``."""
    if classes.single:
        return classes.flat.astype(np.uint64)
    line_of = np.repeat(np.arange(len(classes.counts), dtype=np.int64), classes.counts)
    pairs = np.unique((line_of << 32) | classes.flat)
    sums = np.zeros(len(classes.counts), np.uint64)
    np.add.at(sums, pairs >> 32, mix((pairs & 0xFFFFFFFF).astype(np.uint64), 1))
    return sums


def _names(classes: ClassArrays, at: int, table: ClassTable) -> str:
    end = int(classes.counts[: at + 1].sum())
    indices = sorted(set(classes.flat[end - int(classes.counts[at]) : end].tolist()))
    names = dict(table.names)
    named = [clipped(names.get(index, default_name(index))) for index in indices[:_NAMED]]
    return ", ".join([*named, *(["..."] if len(indices) > _NAMED else [])]) or "no class"
