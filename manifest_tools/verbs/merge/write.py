"""Writes the lines that are kept: as they came, changed where they must, with labels and keys of others."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import InvalidLine
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.edits.members import NamedMember, overlay_members, read_members
from manifest_tools.io.byte_ranges import ByteRanges, read_ranges, select_lines
from manifest_tools.io.staging import StagedStream
from manifest_tools.verbs.merge.extra_keys import add_extra_keys
from manifest_tools.verbs.merge.line_changes import LineChanges, change
from manifest_tools.verbs.merge.write_tasks import LineAt, Overlay, WriteTask

# So many keys are reported by name, and one more, to say that there are more.
NAMED_KEYS = 8


@dataclass(frozen=True, slots=True)
class WrittenBlock:
    """What became of the lines of a block."""

    manifest: int
    kept: ByteRanges
    rejected: ByteRanges
    renamed: int
    """Lines that have a label attribute under another name."""

    reindexed: int
    """Lines that have other class indices."""

    overlaid: int
    """Lines that have a label of another line."""

    carried: int
    """Lines that have extra keys of other lines."""

    differ: int
    """Lines left out that have other values for keys of the line that is kept."""

    differing: tuple[str, ...]
    """The first few of these keys."""


@dataclass(slots=True)
class LineStream:
    """A stream of lines. The last line of a file may lack its end; it gets one when another line follows."""

    stream: StagedStream | None
    """Where the lines go; None in a dry run."""

    _unended: bool = field(default=False)

    def write(self, lines: ByteRanges) -> None:
        """Write whole lines."""
        data = b"" if self.stream is None else lines.read()
        if not data or self.stream is None:
            return
        if self._unended:
            self.stream.write(b"\n")
        self.stream.write(data)
        self._unended = not data.endswith(b"\n")


def write(
    changes: Sequence[LineChanges],
    handled: frozenset[str],
    tasks: Iterable[WriteTask],
    kept: LineStream,
    rejected: LineStream,
    jobs: Jobs = None,
) -> Iterator[WrittenBlock]:
    """Write every block in order, and yield what became of it.

    ``changes`` has an element for each manifest; ``handled`` are the keys that are no extra keys. Raises
    InvalidLine for a line that cannot be changed.
    """
    for block in run(partial(_write_block, tuple(changes), handled), tasks, jobs):
        kept.write(block.kept)
        rejected.write(block.rejected)
        yield block


@dataclass(slots=True)
class _Lines:
    """The lines of a block while they are edited."""

    data: bytes
    starts: NDArray[np.int64]
    """(lines,): offsets in ``data``."""

    ends: NDArray[np.int64]
    """(lines,): offsets in ``data``."""

    edited: dict[int, bytes] = field(default_factory=dict)
    """By place, the lines that changed."""

    def line(self, place: int) -> bytes:
        """Return a line as it is by now."""
        return self.edited.get(place) or self.data[self.starts[place] : self.ends[place]]


def _write_block(changes: tuple[LineChanges, ...], handled: frozenset[str], task: WriteTask) -> WrittenBlock:
    ends = np.cumsum(task.lengths, dtype=np.int64)
    lines = _Lines(task.block.read(), ends - task.lengths, ends)
    renamed, reindexed = _change_lines(changes[task.manifest], task, lines)
    _lay_over(changes, task, lines)
    counts = _add_extra_keys(changes, handled, task, lines)
    block, data, starts = task.block, lines.data, lines.starts
    kept, rejected = select_lines(block, data, starts, ends, task.kept, lines.edited), ByteRanges()
    if task.rejected is not None:
        rejected = select_lines(block, data, starts, ends, task.rejected, {})
    return WrittenBlock(task.manifest, kept, rejected, renamed, reindexed, len(task.overlays), *counts)


def _change_lines(changes: LineChanges, task: WriteTask, lines: _Lines) -> tuple[int, int]:
    """Change the names and indices of the lines that are kept; return how many were renamed and reindexed."""
    renamed = reindexed = 0
    for place in np.flatnonzero(task.kept).tolist() if changes.any else ():
        line = lines.line(place)
        try:
            found = change(line, changes, task.chosen_on(place))
        except (ValueError, RecursionError) as error:
            raise InvalidLine(changes.manifest, task.first + place, str(error)) from error
        renamed, reindexed = renamed + found.renamed, reindexed + found.reindexed
        if found.line != line:
            lines.edited[place] = found.line
    return renamed, reindexed


def _lay_over(changes: Sequence[LineChanges], task: WriteTask, lines: _Lines) -> None:
    """Write the labels of other lines over the lines that get them."""
    overlays = [(place, one) for place, some in task.overlays.items() for one in some]
    others = _read_lines([one.line for _, one in overlays])
    own = changes[task.manifest]
    for (place, overlay), other in zip(overlays, others, strict=True):
        keys = own.keys(overlay.target, task.chosen_on(place))
        label = _label(changes[overlay.line.manifest], overlay, other)
        try:
            lines.edited[place] = overlay_members(lines.line(place), label, keys)
        except (ValueError, RecursionError) as error:
            raise InvalidLine(own.manifest, task.first + place, str(error)) from error


def _label(changes: LineChanges, overlay: Overlay, line: bytes) -> tuple[NamedMember, ...]:
    """Return the label of a line and its metadata, as the result has them."""
    try:
        changed = change(line, changes, overlay.chosen).line
        return read_members(changed, changes.keys(overlay.target, overlay.chosen))
    except (ValueError, RecursionError) as error:
        raise InvalidLine(changes.manifest, overlay.line.number, str(error)) from error


def _add_extra_keys(
    changes: Sequence[LineChanges], handled: frozenset[str], task: WriteTask, lines: _Lines
) -> tuple[int, int, tuple[str, ...]]:
    """Add the extra keys of other lines to the lines that get them.

    Returns how many lines got any, how many others have other values, and for which keys.
    """
    others = iter(_read_lines([one for some in task.extra_keys.values() for one in some]))
    carried = differ = 0
    differing: dict[str, None] = {}
    for place, some in task.extra_keys.items():
        before = line = lines.line(place)
        for one in some:
            try:
                line, keys = add_extra_keys(line, next(others), handled)
            except (ValueError, RecursionError) as error:
                raise InvalidLine(changes[one.manifest].manifest, one.number, str(error)) from error
            differ += bool(keys)
            differing |= dict.fromkeys(keys[: NAMED_KEYS + 1] if len(differing) <= NAMED_KEYS else ())
        if line != before:
            lines.edited[place], carried = line, carried + 1
    return carried, differ, tuple(differing)[: NAMED_KEYS + 1]


def _read_lines(lines: Sequence[LineAt]) -> list[bytes]:
    """Return the bytes of lines of any manifests, in the order asked for."""
    found = [b""] * len(lines)
    by_manifest: dict[int, list[int]] = {}
    for at, line in enumerate(lines):
        by_manifest.setdefault(line.manifest, []).append(at)
    for places in by_manifest.values():
        blocks = [lines[at].block for at in places]
        starts, ends = np.array([(block.start, block.end) for block in blocks]).T
        for at, data in zip(places, read_ranges(blocks[0].uri, starts, ends, blocks[0].etag), strict=True):
            found[at] = data
    return found
