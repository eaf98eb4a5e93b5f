"""Divides the writing into tasks: for every block which lines are kept, and what they get from others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.io.sources import Block, Source
from manifest_tools.verbs.merge.candidates import MergedAttribute
from manifest_tools.verbs.merge.columns import Manifest
from manifest_tools.verbs.merge.line_changes import Chosen
from manifest_tools.verbs.merge.line_numbers import LineNumbers
from manifest_tools.verbs.merge.resolve import (
    OVERLAID,
    SAME_LABEL,
    UNLABELLED,
    Indices,
    LineOutcomes,
    Pictures,
)

# Lines left out for these reasons give their extra keys; a line that lost a conflict or failed does not.
_GIVE_EXTRA_KEYS = (UNLABELLED, SAME_LABEL, OVERLAID)


@dataclass(frozen=True, slots=True)
class LineAt:
    """Where a line is."""

    manifest: int
    number: int
    """From 1."""

    block: Block
    """Its bytes."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A label that is written over another line."""

    target: str
    """The label attribute of the result."""

    line: LineAt
    """The line whose label it is."""

    chosen: Chosen


@dataclass(frozen=True, slots=True)
class WriteTask:
    """The lines of one block of a manifest, and what becomes of them; places of lines count from 0."""

    manifest: int
    first: int
    """The number of the first line, from 1."""

    block: Block
    lengths: NDArray[np.uint32]
    """(lines,): bytes, with the line end."""

    kept: NDArray[np.bool_]
    """(lines,): whether the line is in the result."""

    rejected: NDArray[np.bool_] | None
    """(lines,): whether the line is one of the rejects; None where nobody wants them."""

    chosen: Mapping[str, NDArray[np.uint8]]
    """By label attribute, (lines,): which of several attributes has the label."""

    overlays: Mapping[int, Sequence[Overlay]]
    """By place of a line, the labels that are written over it."""

    extra_keys: Mapping[int, Sequence[LineAt]]
    """By place of a line, the lines whose extra keys go on it."""

    def chosen_on(self, place: int) -> dict[str, int]:
        """Return which of several attributes has the label of one line, by label attribute."""
        return {target: int(column[place]) for target, column in self.chosen.items()}


@dataclass(slots=True)
class ExtraKeyLines:
    """Lines whose extra keys may go on another line, in the order of the lines that get them."""

    to_lines: Indices
    """(pairs,): the lines that get the keys."""

    from_lines: Indices
    """(pairs,): the lines that are left out and have the keys."""


def extra_key_lines(
    pictures: Pictures, outcomes: LineOutcomes, extra_keys: NDArray[np.uint64]
) -> ExtraKeyLines:
    """Return which lines that are left out have extra keys other than those of the line that is kept.

    ``extra_keys`` is (lines,), a hash of the keys of each line, 0 for none; or (0,): no line has any.
    """
    if not len(extra_keys):
        return ExtraKeyLines(np.zeros(0, np.int64), np.zeros(0, np.int64))
    kept = np.zeros(pictures.count, np.int64)
    kept[pictures.of_line[outcomes.kept]] = np.flatnonzero(outcomes.kept)
    gives = ~outcomes.kept & (extra_keys != 0) & np.isin(outcomes.reasons, _GIVE_EXTRA_KEYS)
    from_lines = np.flatnonzero(gives)
    to_lines = kept[pictures.of_line[from_lines]]
    other = extra_keys[from_lines] != extra_keys[to_lines]
    from_lines, to_lines = from_lines[other], to_lines[other]
    order = np.argsort(to_lines, kind="stable")
    return ExtraKeyLines(to_lines[order], from_lines[order])


@dataclass(slots=True)
class WriteTasks:
    """All that the tasks are made from."""

    sources: Sequence[Source]
    manifests: Sequence[Manifest]
    numbers: LineNumbers
    attributes: Sequence[MergedAttribute]
    outcomes: LineOutcomes
    extra_keys: ExtraKeyLines
    with_rejects: bool

    def __iter__(self) -> Iterator[WriteTask]:
        """Yield the task of every block of every manifest, in order."""
        ends = [np.cumsum(one.columns.lengths, dtype=np.int64) for one in self.manifests]
        for at, source in enumerate(self.sources):
            first = 0
            for block in source.blocks():
                last = int(np.searchsorted(ends[at], block.end, side="right"))
                yield self._task(at, block, slice(first, last), ends)
                first = last

    def _task(self, at: int, block: Block, lines: slice, ends: Sequence[Indices]) -> WriteTask:
        begin = self.numbers.lines_of(at).start
        numbered = slice(begin + lines.start, begin + lines.stop)
        columns = self.manifests[at].columns
        kept = self.outcomes.kept[numbered]
        return WriteTask(
            manifest=at,
            first=lines.start + 1,
            block=block,
            lengths=columns.lengths[lines],
            kept=kept,
            rejected=~kept & ~columns.blank[lines] if self.with_rejects else None,
            chosen={one.name: one.chosen[at][lines] for one in self.attributes if at in one.chosen},
            overlays=self._overlays(numbered, ends),
            extra_keys=self._extra_keys(numbered, ends),
        )

    def _overlays(self, lines: slice, ends: Sequence[Indices]) -> dict[int, list[Overlay]]:
        overlays = self.outcomes.overlays
        some = _of_lines(overlays.to_lines, lines)
        columns = (overlays.to_lines[some], overlays.from_lines[some], overlays.attributes[some])
        found: dict[int, list[Overlay]] = {}
        for to_line, from_line, attribute in zip(*(column.tolist() for column in columns), strict=True):
            overlay = self._overlay(from_line, self.attributes[attribute].name, ends)
            found.setdefault(to_line - lines.start, []).append(overlay)
        return found

    def _overlay(self, from_line: int, target: str, ends: Sequence[Indices]) -> Overlay:
        line = self._line_at(from_line, ends)
        at, place = line.manifest, line.number - 1
        chosen = {one.name: int(one.chosen[at][place]) for one in self.attributes if at in one.chosen}
        return Overlay(target, line, chosen)

    def _extra_keys(self, lines: slice, ends: Sequence[Indices]) -> dict[int, list[LineAt]]:
        some = _of_lines(self.extra_keys.to_lines, lines)
        to_lines, from_lines = self.extra_keys.to_lines[some], self.extra_keys.from_lines[some]
        found: dict[int, list[LineAt]] = {}
        for to_line, from_line in zip(to_lines.tolist(), from_lines.tolist(), strict=True):
            found.setdefault(to_line - lines.start, []).append(self._line_at(from_line, ends))
        return found

    def _line_at(self, line: int, ends: Sequence[Indices]) -> LineAt:
        at, place = self.numbers.split(line)
        end = int(ends[at][place])
        start, source = end - int(self.manifests[at].columns.lengths[place]), self.sources[at]
        return LineAt(at, place + 1, Block(source.uri, start, end, etag=source.etag))


def _of_lines(to_lines: Indices, lines: slice) -> slice:
    """Return which of ``to_lines``, which is sorted, are among ``lines``."""
    first, last = np.searchsorted(to_lines, (lines.start, lines.stop)).tolist()
    return slice(first, last)
