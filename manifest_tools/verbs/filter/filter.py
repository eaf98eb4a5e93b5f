"""Keeps the lines that meet all conditions, and counts the others by the reason why they were dropped."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import BadData
from manifest_tools.base.parallel import Jobs
from manifest_tools.edits.trim import trim
from manifest_tools.formats.open_manifest import manifest_name, open_manifest, remark_elsewhere
from manifest_tools.groundtruth.examples import one_attribute
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.marks import read_marks
from manifest_tools.groundtruth.record import SOURCES, Peek, Row
from manifest_tools.groundtruth.rows import BadLine, Rows, read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.groundtruth.survey import ambiguous, survey
from manifest_tools.io.byte_ranges import ByteRanges, select_lines
from manifest_tools.io.sinks import REJECTS, Published, check_apart, check_key, output_file, publishing
from manifest_tools.io.sources import Block, Source, decompressed
from manifest_tools.io.staging import staged
from manifest_tools.verbs.filter.by_mark import by_mark
from manifest_tools.verbs.filter.choose import Choice, Limits, Ranked, limits, ranked
from manifest_tools.verbs.filter.conditions import Conditions, Empty, MultiLabel, ZeroConfidence
from manifest_tools.verbs.filter.line_filter import (
    ABOVE,
    ANY_LINE,
    BELOW,
    NO_CONFIDENCE,
    ZERO,
    FilterState,
    Reason,
    items_to_trim,
    kept_without_confidence,
    line_filter,
    peek_for,
)


@dataclass(slots=True)
class Filtered:
    """What became of the lines of a manifest; blank lines do not count."""

    manifest: str
    """The manifest, by the name that was typed."""

    kept: int = 0
    """Lines that meet all conditions."""

    trimmed: int = 0
    """Lines among ``kept`` from which classes, boxes or entities were removed."""

    without_confidence: dict[str, int] = field(default_factory=dict)
    """Lines among ``kept`` on which nothing has the confidence asked for, by reason, such as ``no box``."""

    constant: float | None = None
    """The one confidence that all labels have, so that it says nothing; None where they differ."""

    per_class: int | None = None
    """So many lines are kept of a class at most; None where classes are not counted."""

    reasons: dict[str, int] = field(default_factory=dict)
    """The number of dropped lines by reason."""

    unmatched: int = 0
    """Marks that are of no line of the manifest."""

    relabelled: int = 0
    """Lines whose label is another one than when they were marked."""

    published: tuple[Published, ...] = ()
    """The outputs; none after a dry run."""

    @property
    def only_empty(self) -> str:
        """``no box`` where no line that is kept has a box and others went for their confidence, or ""."""
        low = any(reason in self.reasons for reason in (BELOW, ABOVE, ZERO, NO_CONFIDENCE))
        for reason, count in self.without_confidence.items():
            if low and count == self.kept and reason not in (ZERO, NO_CONFIDENCE):
                return reason
        return ""

    @property
    def why_empty(self) -> str:
        """Why no line is kept, in words: the commonest reason first."""
        reasons = sorted(self.reasons.items(), key=lambda one: -one[1])
        why = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
        return f"no line is kept: {why}" if why else "no line is kept: there is none"

    @property
    def dropped(self) -> int:
        """The number of dropped lines."""
        return sum(self.reasons.values())

    def add(self, part: "_Part") -> None:
        """Add the counts of another block."""
        self.kept += part.kept
        self.trimmed += part.trimmed
        for mine, more in (
            (self.reasons, part.reasons),
            (self.without_confidence, part.without_confidence),
        ):
            for reason, count in more.items():
                mine[reason] = mine.get(reason, 0) + count


def filter(
    manifest: AnyPath,
    output: AnyPath = "-",
    *,
    min_confidence: float | None = None,
    max_confidence: float | None = None,
    zero_confidence: ZeroConfidence | None = None,
    empty: Empty | None = None,
    multilabel: MultiLabel | None = None,
    class_: AnyPaths = (),
    exclude_class: AnyPaths = (),
    human_annotated: bool | None = None,
    job: AnyPaths = (),
    before: datetime | None = None,
    after: datetime | None = None,
    labelled: bool = False,
    marked: AnyPath | None = None,
    unmarked: AnyPath | None = None,
    mark: AnyPaths = (),
    sample: int | None = None,
    balance: bool = False,
    per_class: int | None = None,
    seed: int = 0,
    rejects: AnyPath | None = None,
    label_attribute: str | None = None,
    force: bool = False,
    kms_key: str | None = None,
    dry_run: bool = False,
    fail_empty: bool = False,
    jobs: Jobs = None,
) -> Filtered:
    """Write the lines of a manifest that meet all conditions, byte for byte and in order.

    ``Conditions`` says what each of them means. ``sample`` then keeps that many lines, ``per_class`` that
    many of each class, and ``balance`` as many of each class as the smallest has; which ones, ``seed`` says.
    Dropped lines go to ``rejects``. ``kms_key`` encrypts outputs in S3. Raises Refused when a condition
    cannot mean what it says: a confidence is requested and every one is 0, or the same other one, as a job
    with one worker for each picture writes it; only lines without any box would be kept; or no line has a
    class or a job that was typed. ``fail_empty`` raises BadData where no line is kept. Then nothing was
    written, not even to standard output.
    """
    choice = Choice(seed, sample, per_class, balance)
    conditions = Conditions(
        min_confidence,
        max_confidence,
        zero_confidence,
        empty,
        multilabel,
        as_texts(class_),
        as_texts(exclude_class),
        human_annotated,
        as_texts(job),
        before,
        after,
        labelled or choice.by_class,
        as_text(marked) if marked is not None else None,
        as_text(unmarked) if unmarked is not None else None,
        as_texts(mark),
    )
    conditions.check()
    choice.check()
    manifest = as_text(manifest)
    outputs = [output_file(name, manifest_name(manifest)) for name in as_texts(output)]
    outputs += [output_file(name, REJECTS) for name in as_texts(rejects)]
    check_apart(manifest, outputs)
    check_key(kms_key, outputs)
    source = open_manifest(manifest)
    marks = None if conditions.marks_file is None else read_marks(conditions.marks_file)
    if marks is not None:
        label_attribute = marks.attribute(label_attribute)
    twice = conditions.limits_confidence and conditions.zero_confidence == "keep"
    if twice or choice.chooses:
        source = decompressed(source)
    peek, type_name = _peek(source, conditions, choice, label_attribute, jobs)
    if twice:
        conditions = _with_constant_kept(source, peek, type_name, conditions, jobs)
    task = partial(_filter_block, peek, type_name, conditions)
    limit = _limits(source, partial(task, choice, None, False), choice, jobs) if choice.chooses else None
    result, observed = Filtered(source.name), FilterState()
    options = dict.fromkeys(outputs[1:], "--rejects")
    with (
        publishing(force=force, kms_key=kms_key, options=options) as publication,
        contextlib.ExitStack() as stack,
    ):
        opened = [] if dry_run else [(publication.open(name), name) for name in outputs]
        streams = [stack.enter_context(staged(*one)) for one in opened]
        for _, part in scan(source, partial(task, choice, limit, rejects is not None), jobs):
            if part.others:
                raise ambiguous(survey(source, jobs), source.name)
            observed.add(part.observed)
            result.add(part)
            for stream, lines in zip(streams, (part.kept_bytes, part.dropped_bytes), strict=False):
                if observed.is_settled(conditions):
                    stream.release()
                stream.write(lines.read())
        observed.check(source.name, conditions, label_kind(type_name))
        if fail_empty and not result.kept:
            raise BadData(f"{source.name}: {result.why_empty}")
        source.check_unchanged()
    result.constant = observed.constant if conditions.limits_confidence else None
    result.per_class = limit.most if limit is not None and choice.by_class else None
    if marks is not None and label_attribute is not None:
        result.unmatched = len(marks.of(label_attribute).keys() - observed.marked)
        result.relabelled = observed.relabelled
    result.published = tuple(publication.published)
    remark_elsewhere(source, [] if dry_run else outputs)
    return result


def _peek(
    source: Source, conditions: Conditions, choice: Choice, requested: str | None, jobs: Jobs
) -> tuple[Peek, str]:
    """Return how to read the lines, and their label type; "" where nothing is asked about labels."""
    if conditions.accept_all and not choice.by_class and requested is None:
        return ANY_LINE, ""
    attribute = one_attribute(source, requested, jobs)
    choice.check_kind(attribute)
    peek = peek_for(attribute, conditions)
    if conditions.marks_file is not None:
        fields = dict.fromkeys((*peek.fields, *attribute.kind.class_fields))
        peek = replace(peek, fields=tuple(fields), sources=SOURCES)
    return replace(peek, sources=SOURCES) if choice.by_class else peek, attribute.type


def _with_constant_kept(
    source: Source, peek: Peek, type_name: str, conditions: Conditions, jobs: Jobs
) -> Conditions:
    """Return conditions that keep labels whose confidence is the same on the whole manifest."""
    observed = FilterState()
    task = partial(_filter_block, peek, type_name, conditions, Choice(), None, False)
    for _, part in scan(source, task, jobs):
        observed.add(part.observed)
        if observed.informative:
            return conditions
    if observed.constant is None or observed.inside:
        return conditions
    return conditions.including(observed.constant)


@dataclass(slots=True)
class _Part:
    """What became of the lines of one block."""

    lines: int
    others: frozenset[str]
    """Other attributes that are labels too, so that it is not clear which one is meant."""

    kept: int = 0
    trimmed: int = 0
    per_class: int | None = None
    """So many lines are kept of a class at most; None where classes are not counted."""

    reasons: dict[str, int] = field(default_factory=dict)
    without_confidence: dict[str, int] = field(default_factory=dict)
    kept_bytes: ByteRanges = ByteRanges()
    dropped_bytes: ByteRanges = ByteRanges()
    observed: FilterState = field(default_factory=FilterState)
    ranked: Ranked | None = None
    """The lines that meet the conditions, where not all of them are kept."""


def _filter_block(
    peek: Peek,
    type_name: str,
    conditions: Conditions,
    choice: Choice,
    limit: Limits | None,
    keep_dropped: bool,
    block: Block,
) -> _Part:
    data = block.read()
    rows = read_rows(data, peek)
    part = _Part(rows.lines, rows.others)
    kind = label_kind(type_name)
    check = line_filter(kind, conditions.of_labels, part.observed)
    reasons = _reasons(rows, by_mark(peek, kind, conditions, part.observed, check))
    keep = np.array([reason is None for reason in reasons], bool)
    if choice.chooses:
        part.ranked = _ranked(rows, np.flatnonzero(keep), choice, kind, block.start)
    if limit is not None and part.ranked is not None:
        for at in np.flatnonzero(keep)[~limit.keeps(part.ranked)].tolist():
            keep[at], reasons[at] = False, choice.reason
    edited: dict[int, bytes] = {}
    if conditions.trims:
        for at in np.flatnonzero(keep & [row.label is not None for row in rows.rows]).tolist():
            if items := items_to_trim(kind, conditions, rows.rows[at]):
                edited[at] = _trimmed(rows, at, peek, kind, items)
    _count(part, reasons, len(edited))
    if conditions.limits_confidence and (conditions.zero_confidence == "keep" or kind.schema != "index"):
        _count_without_confidence(part, kind, conditions, [rows.rows[at] for at in np.flatnonzero(keep)])
    part.kept_bytes = select_lines(block, data, rows.starts, rows.ends, keep, edited)
    if keep_dropped:
        part.dropped_bytes = select_lines(block, data, rows.starts, rows.ends, ~keep, {})
    return part


def _trimmed(rows: Rows, at: int, peek: Peek, kind: LabelKind, items: list[int]) -> bytes:
    leave = frozenset(items)
    try:
        classes = kind.indices(rows.rows[at])
        stay = {index for item, index in enumerate(classes) if item not in leave}
        gone = {classes[item] for item in leave} - stay
        return trim(rows.line(at), peek.attribute, peek.metadata_key, kind, leave, gone)
    except (ValueError, TypeError) as error:  # of two labels under one key, one may not be a list
        raise BadLine(int(rows.numbers[at]), f"cannot be trimmed: {error}") from error


def _count(part: _Part, reasons: Sequence[Reason], trimmed: int) -> None:
    part.kept = reasons.count(None)
    part.trimmed = trimmed
    for reason in dict.fromkeys(reasons):
        if reason is not None:
            part.reasons[reason] = reasons.count(reason)


def _count_without_confidence(part: _Part, kind: LabelKind, conditions: Conditions, kept: list[Row]) -> None:
    for row in kept:
        why = kept_without_confidence(kind, conditions, row)
        if why is not None:
            part.without_confidence[why] = part.without_confidence.get(why, 0) + 1


def _reasons(rows: Rows, reason_of: Callable[[Row], Reason]) -> list[Reason]:
    """Return for every row why it is dropped, or None; raises BadLine with the number of a row."""
    found: list[Reason] = []
    try:
        for row in rows.rows:
            found.append(reason_of(row))
    except ValueError as error:
        raise BadLine(int(rows.numbers[len(found)]), str(error)) from error
    return found


def _ranked(rows: Rows, at: NDArray[np.int64], choice: Choice, kind: LabelKind, start: int) -> Ranked:
    """Return class and rank of the rows ``at`` of a block; raises BadLine for one without a class."""
    found: list[Row] = [rows.rows[index] for index in at.tolist()]
    try:
        return ranked(choice, kind, found, (rows.starts[at] + start).astype(np.uint64))
    except ValueError:
        for index in at.tolist():
            try:
                kind.indices(rows.rows[index])
            except ValueError as error:
                raise BadLine(int(rows.numbers[index]), str(error)) from error
        raise


def _limits(source: Source, task: Callable[[Block], _Part], choice: Choice, jobs: Jobs) -> Limits | None:
    """Return up to which rank the lines of each class are kept: a pass over the whole manifest."""
    return limits(choice, [part.ranked for _, part in scan(source, task, jobs) if part.ranked is not None])
