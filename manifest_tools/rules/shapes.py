"""What the lines of a block say together in the fields that rules look at, and what the rules say of that."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.record import FIELDS, METADATA, Peek, Row
from manifest_tools.rows import decodable
from manifest_tools.rules.facts import Pair, label_key, pairs
from manifest_tools.rules.judge import judge_line, line_of

Shape = tuple[Any, ...]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

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
        return Peek(self.name, self.metadata_key, self.form, tuple(FIELDS), ("source-ref", "source"))


# Where no attribute is known: an empty key, which no attribute has.
NO_ATTRIBUTE = Attribute("", METADATA, "index")


@dataclass(frozen=True, slots=True)
class Column:
    """What the lines of a block show of one attribute: for each line the number of its shape, -1 for none.

    ``sure`` says which lines have nothing but right confidences; ``rows`` has those that could be decoded,
    at the places ``numbers``.
    """

    attribute: Attribute
    shapes: list[Shape]
    codes: Numbers
    has_metadata: Flags
    sure: Flags
    rows: list[Row]
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a shape, and what is remembered of its lines; ``there``: they have it."""

    clean: bool
    key: int
    pairs: tuple[Pair, ...]
    there: bool


class _NoMetadata:
    class_name = _ABSENT
    type = failure_reason = confidence = class_map = confidence_map = job_name = None


def read_column(data: bytes, starts: Numbers, ends: Numbers, attribute: Attribute) -> Column:
    """Return what the lines of a block show of one attribute."""
    rows, numbers = decodable(data, starts, ends, attribute.peek)
    metas: list[Any] = [_NoMetadata if row.metadata is None else row.metadata for row in rows]
    seen = _shapes(rows, metas)
    numbered = {shape: code for code, shape in enumerate(dict.fromkeys(seen))}
    codes = np.full(len(starts), -1)
    codes[numbers] = np.fromiter(map(numbered.__getitem__, seen), np.int64, len(seen))
    has_metadata, sure = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
    has_metadata[numbers] = np.array([meta is not _NoMetadata for meta in metas], bool)
    sure[numbers] = _shares_are_right(metas)
    return Column(attribute, list(numbered), codes, has_metadata, sure, rows, numbers)


def _shapes(rows: list[Row], metas: list[Any]) -> list[Shape]:
    labels = [row.label for row in rows]
    if list in set(map(type, labels)):
        labels = [tuple(label) if isinstance(label, list) else label for label in labels]
    columns: list[list[Any]] = [
        labels,
        [meta.class_name for meta in metas],
        [meta.type for meta in metas],
        [meta.failure_reason for meta in metas],
    ]
    class_maps = [meta.class_map for meta in metas]
    confidence_maps = [meta.confidence_map for meta in metas]
    if any(class_maps) or any(confidence_maps):
        columns.append([None if table is None else tuple(table.items()) for table in class_maps])
        columns.append([None if table is None else tuple(table) for table in confidence_maps])
    return list(zip(*columns, strict=True))


def _shares_are_right(metas: list[Any]) -> Flags:
    column = np.array([0.0 if meta.confidence is None else meta.confidence for meta in metas], np.float64)
    right: Flags = (column >= 0) & (column <= 1)
    tables = [meta.confidence_map for meta in metas]
    if any(tables):
        shares = [[0.5] if not table else table.values() for table in tables]
        right &= np.array([min(one) >= 0 and max(one) <= 1 for one in shares], bool)
    return right


@lru_cache(maxsize=1 << 14)
def verdict(attribute: Attribute, shape: Shape, expected: tuple[str, ...]) -> Verdict:
    """Return what the rules say of a line made up of a shape, and what is to be remembered of it."""
    label, name, kind, failure, *maps = shape
    value: dict[str, Any] = {"source-ref": "s3://bucket/key"}
    if label is not None:
        value[attribute.name] = list(label) if isinstance(label, tuple) else label
    if name is not _ABSENT:
        metadata = {"class-name": name, "type": kind, "failure-reason": failure}
        if maps:
            metadata["class-map"] = None if maps[0] is None else dict(maps[0])
            metadata["confidence-map"] = None if maps[1] is None else dict.fromkeys(maps[1], 0.5)
        value[attribute.metadata_key] = {key: inner for key, inner in metadata.items() if inner is not None}
    mine = tuple(one for one in expected if one == attribute.name)
    line = line_of(value, mine, None)
    clean = attribute.name != "" or not (label is not None or name is not _ABSENT)
    if not clean or judge_line(line):
        return Verdict(False, 0, (), False)
    found = line.labels[0] if line.labels else None
    if found is None:
        return Verdict(True, 0, (), label is not None)
    return Verdict(True, label_key(found), tuple(pairs(found)), True)
