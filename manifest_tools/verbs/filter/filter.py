"""Keeps the lines that meet all conditions; every line that goes has a reason, and is counted."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import Refused
from manifest_tools.base.hashing import mix
from manifest_tools.base.parallel import Jobs
from manifest_tools.edits.trim import trim
from manifest_tools.groundtruth.examples import one_attribute
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.record import Peek, Row
from manifest_tools.groundtruth.rows import BadLine, Rows, read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.groundtruth.survey import ambiguous, survey
from manifest_tools.io.byte_ranges import ByteRanges, select_lines
from manifest_tools.io.sinks import Published, check_apart, check_key, publishing
from manifest_tools.io.sources import Block, Source, decompressed, open_source
from manifest_tools.io.staging import staged
from manifest_tools.verbs.filter.conditions import (
    ANY_LINE,
    Conditions,
    FilterState,
    items_to_trim,
    line_filter,
    peek_for,
)

NOT_SAMPLED = "not sampled"


@dataclass(slots=True)
class Filtered:
    """How many lines were kept, trimmed, and left out for which reason; blank lines are no lines."""

    manifest: str
    kept: int = 0
    trimmed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    published: tuple[Published, ...] = ()

    @property
    def dropped(self) -> int:
        """Lines left out, for whatever reason."""
        return sum(self.reasons.values())

    def add(self, part: "_Part") -> None:
        """Add what became of another block."""
        self.kept += part.kept
        self.trimmed += part.trimmed
        for reason, count in part.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count


def filter(
    manifest: str,
    output: str = "-",
    *,
    conditions: Conditions | None = None,
    sample: int | None = None,
    seed: int = 0,
    rejects: str | None = None,
    label_attribute_name: str | None = None,
    force: bool = False,
    kms_key: str | None = None,
    dry_run: bool = False,
    jobs: Jobs = None,
) -> Filtered:
    """Write the lines of a manifest that meet all ``conditions``, byte for byte, in order.

    ``sample`` then keeps so many of them, chosen by ``seed``. What goes is counted by reason, and kept in
    ``rejects``. Raises Refused for a confidence asked of a manifest where every confidence is 0: a job
    with one worker a picture writes that, and it says nothing; not a byte is out by then, to standard
    output neither. ``kms_key`` encrypts what goes to S3.
    """
    wanted = conditions or Conditions()
    outputs = [output, *([] if rejects is None else [rejects])]
    check_apart(manifest, outputs)
    check_key(kms_key, outputs)
    source = open_source(manifest) if sample is None else decompressed(open_source(manifest))
    recipe, type_name = _recipe(source, wanted, label_attribute_name, jobs)
    task = partial(_filter_block, recipe, type_name, wanted)
    limit = None if sample is None else _sample_limit(source, task, sample, seed, jobs)
    result, seen = Filtered(source.name), FilterState()
    with publishing(force=force, kms_key=kms_key) as publication, contextlib.ExitStack() as stack:
        opened = [] if dry_run else [(publication.open(name), name) for name in outputs]
        streams = [stack.enter_context(staged(*one)) for one in opened]
        for _, part in scan(source, partial(task, limit, rejects is not None), jobs):
            if part.others:
                raise ambiguous(survey(source, jobs), source.name)
            seen.add(part.seen)
            result.add(part)
            for stream, found in zip(streams, (part.kept_bytes, part.left_bytes), strict=False):
                if seen.settled(wanted):
                    stream.release()
                stream.write(found.read())
        seen.check(source.name, wanted)
        source.check_unchanged()
    result.published = tuple(publication.published)
    return result


def _recipe(source: Source, wanted: Conditions, told: str | None, jobs: Jobs) -> tuple[Peek, str]:
    """Return how to read the lines, and the type of their labels; labels are sought only if asked about."""
    if wanted.ask_nothing and told is None:
        return ANY_LINE, ""
    attribute = one_attribute(source, told, jobs)
    return peek_for(attribute, wanted), attribute.type


@dataclass(frozen=True, slots=True)
class _Limit:
    """Of the lines that meet the conditions, those whose rank is at most ``rank`` are the sample."""

    seed: int
    rank: int


@dataclass(slots=True)
class _Part:
    lines: int
    others: frozenset[str]
    kept: int = 0
    trimmed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    kept_bytes: ByteRanges = ByteRanges()
    left_bytes: ByteRanges = ByteRanges()
    seen: FilterState = field(default_factory=FilterState)
    ranks: NDArray[np.uint64] | None = None


def _filter_block(
    recipe: Peek, type_name: str, wanted: Conditions, limit: "_Limit | None", keep_left: bool, block: Block
) -> _Part:
    data = block.read()
    rows = read_rows(data, recipe)
    part = _Part(rows.lines, rows.others)
    kind = label_kind(type_name)
    reasons = _reasons(rows, line_filter(kind, wanted, part.seen))
    keep = np.array([reason is None for reason in reasons], bool)
    if limit is not None:
        ranks = mix((rows.starts + block.start).astype(np.uint64), limit.seed)
        part.ranks = ranks[keep]
        out = keep & (ranks > np.uint64(limit.rank))
        keep &= ~out
        reasons = [NOT_SAMPLED if o else reason for o, reason in zip(out.tolist(), reasons, strict=True)]
    edited: dict[int, bytes] = {}
    if wanted.trims:
        for at in np.flatnonzero(keep & [row.label is not None for row in rows.rows]).tolist():
            if places := items_to_trim(kind, wanted, rows.rows[at]):
                edited[at] = _trimmed(rows, at, recipe, kind, places)
    _tally(part, reasons, len(edited))
    part.kept_bytes = select_lines(block, data, rows.starts, rows.ends, keep, edited)
    if keep_left:
        part.left_bytes = select_lines(block, data, rows.starts, rows.ends, ~keep, {})
    return part


def _trimmed(rows: Rows, at: int, recipe: Peek, kind: LabelKind, places: list[int]) -> bytes:
    leave = frozenset(places)
    try:
        classes = kind.indices(rows.rows[at])
        stay = {index for place, index in enumerate(classes) if place not in leave}
        gone = {classes[place] for place in leave} - stay
        return trim(rows.line(at), recipe.attribute, recipe.metadata_key, kind, leave, gone)
    except (ValueError, TypeError) as error:  # of two labels under one key, one may be no list
        raise BadLine(int(rows.numbers[at]), f"cannot be trimmed: {error}") from error


def _tally(part: _Part, reasons: Sequence[str | None], trimmed: int) -> None:
    part.kept = reasons.count(None)
    part.trimmed = trimmed
    for reason in dict.fromkeys(reasons):
        if reason is not None:
            part.reasons[reason] = reasons.count(reason)


def _reasons(rows: Rows, why: Callable[[Row], str | None]) -> list[str | None]:
    """Return for every row why it goes, or None."""
    found: list[str | None] = []
    try:
        for row in rows.rows:
            found.append(why(row))
    except ValueError as error:
        raise BadLine(int(rows.numbers[len(found)]), str(error)) from error
    return found


def _sample_limit(
    source: Source, task: Callable[["_Limit", bool, Block], _Part], sample: int, seed: int, jobs: Jobs
) -> _Limit:
    """Return the rank up to which just ``sample`` of the lines that meet the conditions stay."""
    if sample < 1:
        raise Refused(f"expected --sample 1 or more, found {sample}")
    everything = _Limit(seed, 2**64 - 1)
    parts = scan(source, partial(task, everything, False), jobs)
    found = [part.ranks for _, part in parts if part.ranks is not None]
    ranks = np.sort(np.concatenate(found)) if found else np.zeros(0, np.uint64)
    return _Limit(seed, int(ranks[sample - 1])) if sample < len(ranks) else everything
