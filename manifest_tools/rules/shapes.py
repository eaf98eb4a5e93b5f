"""What the lines of a block say together in the fields that rules look at, and what the rules say of that."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.classes import MOST_CLASSES
from manifest_tools.dates import date
from manifest_tools.keys import keys_of
from manifest_tools.record import METADATA, Peek, Row
from manifest_tools.rows import all_rows, decodable
from manifest_tools.rules.facts import SEVERAL, Kind, Pair, Seen, label_key, pairs, see
from manifest_tools.rules.judge import judge_line, line_of
from manifest_tools.rules.label import index_of

Shape = tuple[Any, ...]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

# Every field of the metadata that a rule looks at.
_FIELDS = (
    "type",
    "class-name",
    "class-map",
    "class_map",
    "confidence",
    "confidence-map",
    "human-annotated",
    "creation-date",
    "job-name",
    "failure-reason",
    "adjustment-status",
)

_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A label attribute that can be peeked at."""

    name: str
    metadata_key: str
    form: str

    @property
    def peek(self) -> Peek:
        """Return the recipe for every field that a rule looks at."""
        return Peek(self.name, self.metadata_key, self.form, _FIELDS, ("source-ref", "source"))

    @property
    def keys(self) -> tuple[str, str]:
        """The keys of label and metadata."""
        return self.name, self.metadata_key


# Where no attribute is known: an empty key, which no attribute has.
NO_ATTRIBUTE = Attribute("", METADATA, "index")


@dataclass(frozen=True, slots=True)
class Column:
    """What the lines of a block show of one attribute: for each line the number of its shape, -1 for none.

    ``sure`` says which lines have right confidences, lists and maps; ``rows`` has those that could be
    decoded, at the places ``numbers``; ``alone`` says that no line has any other key than those peeked at.
    """

    attribute: Attribute
    shapes: list[Shape]
    codes: Numbers
    has_metadata: Flags
    sure: Flags
    rows: list[Row]
    numbers: Numbers
    alone: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a shape, and what is remembered of its lines; ``kind`` where they have it."""

    clean: bool
    key: int = 0
    pairs: tuple[Pair, ...] = ()
    there: bool = False
    kind: Kind | None = None


class _NoMetadata:
    class_name = _ABSENT
    type = failure_reason = confidence = class_map = confidence_map = job_name = None
    human_annotated = creation_date = adjustment_status = None


def read_column(data: bytes, starts: Numbers, ends: Numbers, attribute: Attribute) -> Column:
    """Return what the lines of a block show of one attribute."""
    found = all_rows(data, starts, ends, replace(attribute.peek, alone=True))
    rows, numbers = found or [], np.arange(len(starts))
    if found is None:
        rows, numbers = decodable(data, starts, ends, attribute.peek)
    metas: list[Any] = [_NoMetadata if row.metadata is None else row.metadata for row in rows]
    seen = _shapes(rows, metas)
    numbered = {shape: code for code, shape in enumerate(dict.fromkeys(seen))}
    codes = np.full(len(starts), -1)
    codes[numbers] = np.fromiter(map(numbered.__getitem__, seen), np.int64, len(seen))
    has_metadata, sure = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    has_metadata[numbers] = np.array([meta is not _NoMetadata for meta in metas], bool)
    sure[numbers] = _sound(rows, metas, attribute.form)
    return Column(attribute, list(numbered), codes, has_metadata, sure, rows, numbers, found is not None)


def _shapes(rows: list[Row], metas: list[Any]) -> list[Shape]:
    """Return of each row what few rows have of their own; of a list only that it is one."""
    labels = [row.label for row in rows]
    if list in set(map(type, labels)):
        labels = [() if isinstance(label, list) else label for label in labels]
    names = [meta.class_name for meta in metas]
    types = [meta.type for meta in metas]
    failures = [meta.failure_reason for meta in metas]
    annotators = [meta.human_annotated for meta in metas]
    adjustments = [meta.adjustment_status for meta in metas]
    return list(zip(labels, names, types, failures, annotators, adjustments, strict=True))


def _sound(rows: list[Row], metas: list[Any], form: str) -> Flags:
    """Say which rows have right confidences and dates, and right lists and maps, where there are any."""
    shares = np.array([0.0 if meta.confidence is None else meta.confidence for meta in metas], np.float64)
    right: Flags = (shares >= 0) & (shares <= 1) & _dated([meta.creation_date for meta in metas])
    if form == "indices":
        right &= np.array(list(map(_list_is_sound, rows, metas)), bool)
    else:
        right &= np.array([meta.class_map is None and meta.confidence_map is None for meta in metas], bool)
    return right


def _dated(dates: list[str | None]) -> Flags:
    """Say which dates can be read, or are not there; most are as ISO 8601 has them."""
    there = [text for text in dates if text is not None]
    try:
        list(map(datetime.fromisoformat, there))
    except ValueError:
        return np.array([text is None or date(text) is not None for text in dates], bool)
    return np.ones(len(dates), bool)


def _list_is_sound(row: Row, meta: Any) -> bool:
    named, shares = meta.class_map or {}, meta.confidence_map
    if not all(map(_is_index, named)):
        return False
    if shares and not (min(shares.values()) >= 0 and max(shares.values()) <= 1):
        return False
    ids = set(map(str, row.label or ()))
    if not (ids <= named.keys() and (shares is None or ids <= shares.keys())):
        return False
    return all(type(index) is int and 0 <= index < MOST_CLASSES for index in row.label or ())


@lru_cache(maxsize=1 << 14)
def _is_index(text: str) -> bool:
    return index_of(text) is not None


def list_keys(column: Column) -> NDArray[np.uint64]:
    """Return for every line the key of its list of classes, 0 where it has none."""
    keys = np.zeros(len(column.codes), np.uint64)
    labels = [row.label for row in column.rows]
    keys[column.numbers] = [0 if label is None else 1 for label in labels]
    texts = [repr(sorted(set(label))) for label in labels if label is not None]
    keys[keys == 1] = keys_of(list(texts)) | np.uint64(SEVERAL)
    return keys


def list_pairs(column: Column, clean: Flags) -> dict[Pair, Seen]:
    """Return what the clean lines say their classes are called."""
    found: dict[tuple[int, str], Seen] = {}
    for number, row in zip(column.numbers.tolist(), column.rows, strict=True):
        named = None if row.metadata is None else row.metadata.class_map
        if named is None or not clean[number]:
            continue
        for index in dict.fromkeys(row.label or ()):
            see(found, (index, named[str(index)]), Seen(number, 1))
    return {Pair(column.attribute.name, *pair): seen for pair, seen in found.items() if pair[1]}


@lru_cache(maxsize=1 << 14)
def verdict(attribute: Attribute, shape: Shape, expected: tuple[str, ...], purpose: str) -> Verdict:
    """Return what the rules say of a line made up of a shape, and what is to be remembered of it."""
    label, name, kind, failure, annotator, adjustment = shape
    value: dict[str, Any] = {"source-ref": "s3://bucket/key"}
    if label is not None:
        value[attribute.name] = list(label) if isinstance(label, tuple) else label
    if name is not _ABSENT:
        metadata = {"class-name": name, "type": kind, "failure-reason": failure}
        metadata |= {"human-annotated": annotator, "adjustment-status": adjustment}
        value[attribute.metadata_key] = {key: inner for key, inner in metadata.items() if inner is not None}
    mine = tuple(one for one in expected if one == attribute.name)
    line = line_of(value, mine, None)
    clean = attribute.name != "" or not (label is not None or name is not _ABSENT)
    if not clean or judge_line(line, purpose):
        return Verdict(False)
    found = line.labels[0] if line.labels else None
    if found is None:
        return Verdict(True, there=label is not None)
    kind = Kind(found.name, found.state, found.type)
    return Verdict(True, label_key(found), tuple(pairs(found)), True, kind)
