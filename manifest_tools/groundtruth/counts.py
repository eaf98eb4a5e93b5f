"""Counts what is in a block of lines, for every label attribute; the counts of blocks add up."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from os.path import commonprefix

import numpy as np
from numpy.typing import NDArray

from manifest_tools.groundtruth.attributes import Attribute, LabelAttribute, attributes_in
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.record import METADATA, Metadata, Peek, Row
from manifest_tools.groundtruth.rows import BadLine, Rows, read_rows
from manifest_tools.groundtruth.survey import check_number, survey_lines
from manifest_tools.io.sources import Block

BINS = 10
"""Confidences are counted by tenths."""

NO_URI = "no s3:// URI"
"""Stands for the bucket of lines whose source-ref is not an S3 URI."""


@dataclass(slots=True)
class BucketCounts:
    """The lines whose pictures are in one bucket."""

    lines: int

    common_start: str
    """The longest text with which all their URIs begin."""

    def add(self, other: "BucketCounts") -> None:
        """Add the lines of another part."""
        self.lines += other.lines
        self.common_start = commonprefix([self.common_start, other.common_start])


@dataclass(slots=True)
class AttributeCounts:
    """The counts of one label attribute."""

    types: Counter[str] = field(default_factory=Counter)
    """Labels by the ``type`` of their metadata."""

    labelled: int = 0
    failed: int = 0

    classes: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    """Lines by class index and name; the name is None on lines that do not name the class."""

    items: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    """Boxes, cuboids or entities, in the same way."""

    empty: int = 0
    """Labels without any class, box or entity."""

    adjusted: int = 0
    """Labels that an adjustment job changed."""

    unadjusted: int = 0
    """Labels that an adjustment job left as they were."""

    bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))
    """``(BINS,)``: confidences above 0, by tenths."""

    zeros: int = 0
    """Confidences of 0."""

    lowest: float = math.inf
    """The lowest confidence; infinity where there is none."""

    highest: float = -math.inf
    """The highest confidence; minus infinity where there is none."""

    annotators: Counter[str] = field(default_factory=Counter)
    """Labels by ``human-annotated``, as it is written."""

    jobs: Counter[str] = field(default_factory=Counter)
    """Labels by ``job-name``."""

    days: Counter[str] = field(default_factory=Counter)
    """Labels by the first ten characters of ``creation-date``."""

    failures: Counter[str] = field(default_factory=Counter)
    """Lines without a label by ``failure-reason``."""

    def add(self, other: "AttributeCounts") -> None:
        """Add what another part counted."""
        self.labelled += other.labelled
        self.failed += other.failed
        self.zeros += other.zeros
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)
        self.empty += other.empty
        self.adjusted += other.adjusted
        self.unadjusted += other.unadjusted
        self.bins = self.bins + other.bins
        self.classes.update(other.classes)
        self.items.update(other.items)
        for mine, more in zip(self._texts(), other._texts(), strict=True):
            mine.update(more)

    def _texts(self) -> list[Counter[str]]:
        return [self.types, self.annotators, self.jobs, self.days, self.failures]


@dataclass(slots=True)
class ManifestCounts:
    """The counts of a manifest, or of a part of it."""

    lines: int = 0
    """All lines, blank ones too."""

    objects: int = 0
    """Lines that are not blank."""

    texts: int = 0
    """Lines with a text in ``source`` instead of a ``source-ref``."""

    buckets: dict[str, BucketCounts] = field(default_factory=dict)
    """By the name of the bucket, or NO_URI."""

    attributes: dict[str, AttributeCounts] = field(default_factory=dict)
    """By the name of the label attribute."""

    def add(self, other: "ManifestCounts") -> None:
        """Add what another part counted."""
        self.lines += other.lines
        self.objects += other.objects
        self.texts += other.texts
        for name, bucket in other.buckets.items():
            self.buckets.setdefault(name, BucketCounts(0, bucket.common_start)).add(bucket)
        for name, counts in other.attributes.items():
            self.attributes.setdefault(name, AttributeCounts()).add(counts)
        check_number(self.attributes)


def count_block(known: LabelAttribute | None, block: Block) -> ManifestCounts:
    """Return the counts of a block, of the ``known`` attribute or of all; raises BadLine."""
    found = ManifestCounts()
    for attribute, rows in rows_by_attribute(known, block.read()):
        if not found.lines:
            found.lines, found.objects = rows.lines, len(rows.rows)
            _count_sources(rows.rows, found)
        if attribute.name:
            found.attributes[attribute.name] = _count_rows(rows, label_kind(attribute.type))
    return found


def rows_by_attribute(known: LabelAttribute | None, data: bytes) -> list[tuple[Attribute, Rows]]:
    """Return the rows of a block for the ``known`` attribute or for each; raises BadLine.

    An attribute without a name stands for lines that have none.
    """
    if known is not None:
        return _peek(data, [Attribute(known.name, known.metadata_key, known.type, "")])
    return _peek_all(data)


def _peek_all(data: bytes) -> list[tuple[Attribute, Rows]]:
    """Return the rows of each attribute of a block.

    A line has one ``-metadata`` key for each attribute, so counting these keys proves that those of the first
    line are all there are.
    """
    first = attributes_in(data)
    if all(one.type for one in first):
        peeked = _peek(data, first)
        with_metadata = sum(row.metadata is not None for _, rows in peeked for row in rows.rows)
        escaped = b"\\" in data and b"\\u00" in data
        if not escaped and data.count(METADATA.encode() + b'"') == with_metadata:
            return peeked
    surveyed = survey_lines(data).attributes
    return _peek(data, [Attribute(name, one.metadata_key, one.type, "") for name, one in surveyed.items()])


def _peek(data: bytes, attributes: list[Attribute]) -> list[tuple[Attribute, Rows]]:
    check_number(attributes)
    # No attribute has the empty name: it makes the lines count when there is no attribute.
    return [(one, _rows(data, one)) for one in attributes or [Attribute("", METADATA, "", "")]]


def _rows(data: bytes, attribute: Attribute) -> Rows:
    kind = label_kind(attribute.type)
    fields = ("type", "human-annotated", "creation-date", "job-name", "adjustment-status")
    wanted = dict.fromkeys((*fields, *kind.class_fields, *kind.confidence_fields))
    peek = Peek(attribute.name, attribute.metadata_key, kind.schema, tuple(wanted), ("source-ref", "source"))
    return read_rows(data, peek)


def _count_sources(rows: Iterable[Row], found: ManifestCounts) -> None:
    refs = [row.source_ref for row in rows if row.source_ref is not None]
    found.texts = sum(row.source_ref is None and row.source is not None for row in rows)
    buckets = Counter([_bucket(ref) for ref in refs])
    for bucket, lines in buckets.items():
        mine = refs if len(buckets) == 1 else [ref for ref in refs if _bucket(ref) == bucket]
        # All refs begin with what the first and the last one in order have in common.
        found.buckets[bucket] = BucketCounts(lines, commonprefix([min(mine), max(mine)]))


def _bucket(ref: str) -> str:
    scheme, _, rest = ref.partition("s3://")
    bucket, slash, _ = rest.partition("/")
    return NO_URI if scheme or not bucket or not slash else bucket


def _count_rows(rows: Rows, kind: LabelKind) -> AttributeCounts:
    labelled = [row for row in rows.rows if row.label is not None]
    rest = [row.metadata for row in rows.rows if row.label is None and row.metadata is not None]
    metas = [row.metadata for row in labelled if row.metadata is not None]
    counts = AttributeCounts(labelled=len(labelled))
    counts.failures = Counter(str(m.failure_reason) for m in rest if m.failure_reason is not None)
    counts.failed = counts.failures.total()
    counts.types = _texts([meta.type for meta in metas])
    counts.annotators = _texts([meta.human_annotated for meta in metas])
    counts.jobs = _texts([meta.job_name for meta in metas])
    counts.days = Counter([(meta.creation_date or "")[:10] for meta in metas])
    statuses = [meta.adjustment_status for meta in metas]
    counts.adjusted, counts.unadjusted = statuses.count("adjusted"), statuses.count("unadjusted")
    if kind.schema == "index":
        _count_classes(rows, labelled, metas, counts)
    elif kind.has_classes:
        _count_lists(rows, kind, counts)
    return counts


def _texts(values: list[str | None]) -> Counter[str]:
    found = Counter(values)
    del found[None]
    return Counter({text: count for text, count in found.items() if text is not None})


def _count_classes(rows: Rows, labelled: list[Row], metas: list[Metadata], counts: AttributeCounts) -> None:
    from manifest_tools.groundtruth.classes import class_index

    names = [None if row.metadata is None else row.metadata.class_name for row in labelled]
    for (label, name), count in Counter(zip([row.label for row in labelled], names, strict=True)).items():
        try:
            counts.classes[class_index(label), name] += count
        except ValueError as error:
            raise BadLine(_line_of(rows, label), str(error)) from error
    _count_confidences([meta.confidence for meta in metas if meta.confidence is not None], counts)


def _count_lists(rows: Rows, kind: LabelKind, counts: AttributeCounts) -> None:
    lines: list[tuple[int, str | None]] = []
    items: list[tuple[int, str | None]] = []
    confidences: list[float] = []
    for number, row in zip(rows.numbers.tolist(), rows.rows, strict=True):
        if row.label is None:
            continue
        try:
            named = dict(kind.names(row))
            shown = [(index, named.get(index)) for index in kind.indices(row)]
            lines += dict.fromkeys(shown)
            items += shown
            counts.empty += not shown
            confidences += [one for one in kind.confidences(row) if one is not None]
        except ValueError as error:
            raise BadLine(number, str(error)) from error
    counts.classes, counts.items = Counter(lines), Counter(items)
    _count_confidences(confidences, counts)


def _line_of(rows: Rows, label: object) -> int:
    return next(int(rows.numbers[at]) for at, row in enumerate(rows.rows) if row.label == label)


def _count_confidences(confidences: list[float], counts: AttributeCounts) -> None:
    values = np.array(confidences, np.float64)
    counts.zeros = int((values == 0).sum())
    counts.lowest, counts.highest = float(values.min(initial=math.inf)), float(values.max(initial=-math.inf))
    above = np.clip(values[values != 0] * BINS, 0, BINS - 1).astype(np.int64)
    counts.bins = np.bincount(above, minlength=BINS)
