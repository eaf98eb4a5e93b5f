"""Writes the lines that were kept: as they came, changed where they must, or with labels of others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import InvalidLine
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.edits.members import NamedMember, overlay_members, read_members
from manifest_tools.io.byte_ranges import ByteRanges, read_ranges, select_lines
from manifest_tools.io.sources import Block
from manifest_tools.verbs.merge.line_changes import Plan, change
from manifest_tools.verbs.merge.other_keys import given

# So many keys are told by name, and one more, to say that there are more.
NAMED_KEYS = 8


@dataclass(frozen=True, slots=True)
class Donor:
    """A line whose label for a role goes over another one: where it stands, and how it changes."""

    role: str
    plan: int
    number: int
    block: Block
    chosen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Giver:
    """A line whose other keys may go on another one: where it stands."""

    plan: int
    number: int
    block: Block


@dataclass(frozen=True, slots=True)
class Work:
    """The lines of one block: which go on, which are left; ``chosen`` has a column for each folded role."""

    plan: int
    first: int
    block: Block
    lengths: NDArray[np.uint32]
    kept: NDArray[np.bool_]
    left: NDArray[np.bool_] | None
    chosen: Mapping[str, NDArray[np.uint8]]
    donors: Mapping[int, Sequence[Donor]]
    givers: Mapping[int, Sequence[Giver]]

    def choice(self, at: int) -> dict[str, int]:
        """Return which attribute plays each folded role on a line."""
        return {role: int(column[at]) for role, column in self.chosen.items()}


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a block; ``differing`` has the first few keys of which ``differ`` lines said more."""

    plan: int
    kept: ByteRanges
    left: ByteRanges
    renamed: int
    reindexed: int
    overlaid: int
    carried: int
    differ: int
    differing: tuple[str, ...]


@dataclass(slots=True)
class Joined:
    """A stream of lines in which a line without end gets one when another comes to follow it."""

    stream: BinaryIO | None
    _open: bool = field(default=False)

    def write(self, data: bytes) -> None:
        """Write whole lines."""
        if not data or self.stream is None:
            return
        if self._open:
            self.stream.write(b"\n")
        self.stream.write(data)
        self._open = not data.endswith(b"\n")


def write(
    plans: Sequence[Plan],
    known: frozenset[str],
    works: Iterator[Work],
    kept: Joined,
    left: Joined,
    jobs: Jobs = None,
) -> Iterator[Written]:
    """Write every block in order, and yield what became of it; ``known`` as in ``other_keys``."""
    for done in run(partial(_write_block, tuple(plans), known), works, jobs):
        if kept.stream is not None:
            kept.write(done.kept.read())
        if left.stream is not None:
            left.write(done.left.read())
        yield done


def _write_block(plans: tuple[Plan, ...], known: frozenset[str], work: Work) -> Written:
    data, plan = work.block.read(), plans[work.plan]
    ends = np.cumsum(work.lengths, dtype=np.int64)
    starts = ends - work.lengths
    edited: dict[int, bytes] = {}
    renamed = reindexed = 0
    for at in np.flatnonzero(work.kept).tolist() if plan.changes else ():
        line = data[starts[at] : ends[at]]
        try:
            done = change(line, plan, work.choice(at))
        except (ValueError, RecursionError) as error:
            raise InvalidLine(plan.name, work.first + at, str(error)) from error
        renamed, reindexed = renamed + done.renamed, reindexed + done.reindexed
        if done.line != line:
            edited[at] = done.line
    _lay_over(plans, work, data, (starts, ends), edited)
    said = _give(plans, known, work, data, (starts, ends), edited)
    kept = select_lines(work.block, data, starts, ends, work.kept, edited)
    left = ByteRanges() if work.left is None else select_lines(work.block, data, starts, ends, work.left, {})
    return Written(work.plan, kept, left, renamed, reindexed, len(work.donors), *said)


def _lay_over(
    plans: Sequence[Plan],
    work: Work,
    data: bytes,
    offsets: tuple[NDArray[np.int64], NDArray[np.int64]],
    edited: dict[int, bytes],
) -> None:
    """Add to ``edited`` the lines that other lines' labels go over."""
    donors = [donor for group in work.donors.values() for donor in group]
    lines = dict(zip(map(id, donors), _read_all([donor.block for donor in donors]), strict=True))
    starts, ends = offsets
    for at, group in work.donors.items():
        line = edited.get(at) or data[starts[at] : ends[at]]
        for donor in group:
            own = plans[work.plan].keys(donor.role, work.choice(at))
            try:
                line = overlay_members(line, _donated(plans, donor, lines[id(donor)]), own)
            except (ValueError, RecursionError) as error:
                raise InvalidLine(plans[work.plan].name, work.first + at, str(error)) from error
        edited[at] = line


def _give(
    plans: Sequence[Plan],
    known: frozenset[str],
    work: Work,
    data: bytes,
    offsets: tuple[NDArray[np.int64], NDArray[np.int64]],
    edited: dict[int, bytes],
) -> tuple[int, int, tuple[str, ...]]:
    """Add to ``edited`` the lines that get keys of others.

    Returns how many those are, how many of the others say other things, and under which keys.
    """
    givers = [giver for group in work.givers.values() for giver in group]
    lines = iter(_read_all([giver.block for giver in givers]))
    carried = differ = 0
    differing: dict[str, None] = {}
    for at, group in work.givers.items():
        before = line = edited.get(at) or data[offsets[0][at] : offsets[1][at]]
        for giver in group:
            try:
                line, keys = given(line, next(lines), known)
            except (ValueError, RecursionError) as error:
                raise InvalidLine(plans[giver.plan].name, giver.number, str(error)) from error
            differ += bool(keys)
            differing |= dict.fromkeys(keys[: NAMED_KEYS + 1] if len(differing) <= NAMED_KEYS else ())
        if line != before:
            edited[at], carried = line, carried + 1
    return carried, differ, tuple(differing)[: NAMED_KEYS + 1]


def _donated(plans: Sequence[Plan], donor: Donor, line: bytes) -> tuple[NamedMember, ...]:
    plan = plans[donor.plan]
    try:
        return read_members(change(line, plan, donor.chosen).line, plan.keys(donor.role, donor.chosen))
    except (ValueError, RecursionError) as error:
        raise InvalidLine(plan.name, donor.number, str(error)) from error


def _read_all(blocks: Sequence[Block]) -> list[bytes]:
    """Return the bytes of many small blocks."""
    found: list[bytes] = [b""] * len(blocks)
    by_file: dict[tuple[str, str], list[int]] = {}
    for at, block in enumerate(blocks):
        by_file.setdefault((block.uri, block.etag), []).append(at)
    for (uri, etag), places in by_file.items():
        starts, ends = np.array([(blocks[at].start, blocks[at].end) for at in places]).T
        for at, data in zip(places, read_ranges(uri, starts, ends, etag), strict=True):
            found[at] = data
    return found
