"""What ``stats`` counts in a block of lines, for every label attribute; tallies of blocks add up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from os.path import commonprefix

import numpy as np
from numpy.typing import NDArray

from manifest_tools.groundtruth.attributes import Attribute, attributes_in
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.record import METADATA, Metadata, Peek, Row
from manifest_tools.groundtruth.rows import BadLine, Rows, read_rows
from manifest_tools.groundtruth.survey import check_number, survey_lines
from manifest_tools.io.sources import Block

BINS = 10
NO_URI = "no s3:// URI"


@dataclass(slots=True)
class BucketCounts:
    """Lines whose pictures share a bucket, and how their URIs begin."""

    lines: int
    begins: str

    def add(self, other: "BucketCounts") -> None:
        """Add the lines of another part."""
        self.lines += other.lines
        self.begins = commonprefix([self.begins, other.begins])


@dataclass(slots=True)
class AttributeCounts:
    """What is counted of one label attribute.

    ``classes`` counts lines by index and name, None where the line has none, ``items`` what they have several
    of (boxes, entities), ``empty`` labels without any; ``bins`` counts the confidences above 0 by tenths,
    ``zeros`` those that are 0; ``adjusted`` and ``unadjusted`` the labels that an adjustment job changed, or
    left as they were.
    """

    types: Counter[str] = field(default_factory=Counter)
    labelled: int = 0
    failed: int = 0
    classes: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    items: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    empty: int = 0
    adjusted: int = 0
    unadjusted: int = 0
    bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))
    zeros: int = 0
    annotators: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, other: "AttributeCounts") -> None:
        """Add what another part counted."""
        self.labelled += other.labelled
        self.failed += other.failed
        self.zeros += other.zeros
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
    """What is counted of a manifest, or of a part of it; ``lines`` has the blank ones, ``objects`` not."""

    lines: int = 0
    objects: int = 0
    texts: int = 0
    prefixes: dict[str, BucketCounts] = field(default_factory=dict)
    attributes: dict[str, AttributeCounts] = field(default_factory=dict)

    def add(self, other: "ManifestCounts") -> None:
        """Add what another part counted."""
        self.lines += other.lines
        self.objects += other.objects
        self.texts += other.texts
        for bucket, prefix in other.prefixes.items():
            self.prefixes.setdefault(bucket, BucketCounts(0, prefix.begins)).add(prefix)
        for name, tally in other.attributes.items():
            self.attributes.setdefault(name, AttributeCounts()).add(tally)
        check_number(self.attributes)


def count_block(requested: str | None, block: Block) -> ManifestCounts:
    """Return what a block shows; raises BadLine at a line that cannot be read."""
    data = block.read()
    found = ManifestCounts()
    peeked = _peek_all(data, attributes_in(data), requested)
    if peeked is None:
        surveyed = survey_lines(data).attributes
        every = [Attribute(name, one.metadata_key, one.type, "") for name, one in surveyed.items()]
        peeked = _peek_all(data, every, requested, sure=True) or []
    for attribute, rows in peeked:
        if not found.lines:
            found.lines, found.objects = rows.lines, len(rows.rows)
            _count_sources(rows.rows, found)
        if attribute.name:
            found.attributes[attribute.name] = _count_rows(rows, label_kind(attribute.type))
    return found


def _peek_all(
    data: bytes, attributes: list[Attribute], requested: str | None, sure: bool = False
) -> list[tuple[Attribute, Rows]] | None:
    """Return the rows of each attribute, or None where there may be others, or one has no type yet.

    A ``-metadata`` key is spelt once an attribute and line, so counting them proves that there is no other.
    """
    wanted = [one for one in attributes if requested in (None, one.name)]
    check_number(wanted)
    if not sure and not all(one.type for one in wanted):
        return None
    # The empty key is no attribute's: where there is none, the lines are counted all the same.
    peeked = [(one, _rows(data, one)) for one in wanted or [Attribute("", METADATA, "", "")]]
    if not sure:
        spelt = sum(row.metadata is not None for _, rows in peeked for row in rows.rows)
        escaped = b"\\" in data and b"\\u00" in data
        if escaped or data.count(METADATA.encode() + b'"') != spelt:
            return None
    return peeked


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
        # What the first and the last in order have in common, all have.
        found.prefixes[bucket] = BucketCounts(lines, commonprefix([min(mine), max(mine)]))


def _bucket(ref: str) -> str:
    scheme, _, rest = ref.partition("s3://")
    bucket, slash, _ = rest.partition("/")
    return NO_URI if scheme or not bucket or not slash else bucket


def _count_rows(rows: Rows, kind: LabelKind) -> AttributeCounts:
    labelled = [row for row in rows.rows if row.label is not None]
    rest = [row.metadata for row in rows.rows if row.label is None and row.metadata is not None]
    metas = [row.metadata for row in labelled if row.metadata is not None]
    tally = AttributeCounts(labelled=len(labelled))
    tally.failures = Counter(str(m.failure_reason) for m in rest if m.failure_reason is not None)
    tally.failed = tally.failures.total()
    tally.types = _texts([meta.type for meta in metas])
    tally.annotators = _texts([meta.human_annotated for meta in metas])
    tally.jobs = _texts([meta.job_name for meta in metas])
    tally.days = Counter([(meta.creation_date or "")[:10] for meta in metas])
    said = [meta.adjustment_status for meta in metas]
    tally.adjusted, tally.unadjusted = said.count("adjusted"), said.count("unadjusted")
    if kind.schema == "index":
        _count_classes(rows, labelled, metas, tally)
    elif kind.has_classes:
        _count_lists(rows, kind, tally)
    return tally


def _texts(values: list[str | None]) -> Counter[str]:
    found = Counter(values)
    del found[None]
    return Counter({text: count for text, count in found.items() if text is not None})


def _count_classes(rows: Rows, labelled: list[Row], metas: list[Metadata], tally: AttributeCounts) -> None:
    from manifest_tools.groundtruth.classes import class_index

    names = [None if row.metadata is None else row.metadata.class_name for row in labelled]
    for (label, name), count in Counter(zip([row.label for row in labelled], names, strict=True)).items():
        try:
            tally.classes[class_index(label), name] += count
        except ValueError as error:
            raise BadLine(_place(rows, label), str(error)) from error
    _count_shares([meta.confidence for meta in metas if meta.confidence is not None], tally)


def _count_lists(rows: Rows, kind: LabelKind, tally: AttributeCounts) -> None:
    lines: list[tuple[int, str | None]] = []
    items: list[tuple[int, str | None]] = []
    shares: list[float] = []
    for number, row in zip(rows.numbers.tolist(), rows.rows, strict=True):
        if row.label is None:
            continue
        try:
            named = dict(kind.names(row))
            shown = [(index, named.get(index)) for index in kind.indices(row)]
            lines += dict.fromkeys(shown)
            items += shown
            tally.empty += not shown
            shares += [share for share in kind.confidences(row) if share is not None]
        except ValueError as error:
            raise BadLine(number, str(error)) from error
    tally.classes, tally.items = Counter(lines), Counter(items)
    _count_shares(shares, tally)


def _place(rows: Rows, label: object) -> int:
    return next(int(rows.numbers[at]) for at, row in enumerate(rows.rows) if row.label == label)


def _count_shares(shares: list[float], tally: AttributeCounts) -> None:
    values = np.array(shares, np.float64)
    tally.zeros = int((values == 0).sum())
    above = np.clip(values[values != 0] * BINS, 0, BINS - 1).astype(np.int64)
    tally.bins = np.bincount(above, minlength=BINS)
