"""One label attribute on many lines of one look: which are right, and what is remembered of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.dates import parse_date
from manifest_tools.base.hashing import hash_texts
from manifest_tools.groundtruth.attributes import Attribute
from manifest_tools.groundtruth.rows import decode
from manifest_tools.verbs.validate.engine.file_facts import SEVERAL, Facts, Occurrences, add_count
from manifest_tools.verbs.validate.engine.shortcut.flat_arrays import (
    Boxes,
    Classes,
    boxes_of,
    classes_of,
    lengths,
)
from manifest_tools.verbs.validate.engine.shortcut.line_template import Fields, Template
from manifest_tools.verbs.validate.engine.shortcut.shape_verdicts import (
    NOT_JSON,
    Purpose,
    Shapes,
    Verdict,
    quotes_in,
    shapes_of,
    verdicts,
)

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(slots=True)
class Column:
    """What lines show of an attribute.

    ``quotes`` are those of a line beside the ones of its look; ``keys`` are those of the labels.
    """

    attribute: Attribute
    shapes: Shapes
    verdicts: list[Verdict]
    right: Flags
    quotes: Numbers
    keys: NDArray[np.uint64]
    classes: Classes | None = None
    boxes: Boxes | None = None

    def remember(self, numbers: Numbers, right: Flags, facts: Facts) -> None:
        """Add what the lines show that are right, of which there is one."""
        facts.attributes[self.attribute.name] = self.attribute.metadata_key
        codes, clean = self.shapes.codes[right], numbers[right]
        counts = np.bincount(codes, minlength=len(self.verdicts)).tolist()
        first = np.zeros(len(self.verdicts), np.int64)
        first[codes[::-1]] = clean[::-1]  # the last one written is the first of its shape
        for one, at, count in zip(self.verdicts, first.tolist(), counts, strict=True):
            for pair in one.named_classes if count else ():
                add_count(facts.classes, pair, Occurrences(at, count))
        if (kind := self.verdicts[int(codes[0])].kind) is not None:  # lines of one look share it
            add_count(facts.states, kind, Occurrences(int(clean[0]), len(clean)))
        if self.classes is not None:
            for pair, seen in self.classes.pairs(self.attribute.name, right, numbers).items():
                add_count(facts.classes, pair, seen)
        if self.boxes is not None:
            _remember_boxes(self.boxes, numbers, right, facts)


def _remember_boxes(boxes: Boxes, numbers: Numbers, right: Flags, facts: Facts) -> None:
    empty = numbers[right & (boxes.counts == 0)]
    facts.see_boxes(
        int(boxes.counts[right].max()),
        float(boxes.smallest[right].min()),
        Occurrences(int(empty[0]), len(empty)) if len(empty) else None,
    )


def column_of(template: Template, attribute: Attribute, rows: Sequence[Any], purpose: Purpose) -> Column:
    """Return what lines of one look show of an attribute; nothing is judged of one that was not told."""
    if purpose.told not in (None, attribute.name):
        purpose = replace(purpose, expected=(), told=None)
    shapes = shapes_of(template, attribute, rows)
    judged = verdicts(template, attribute, shapes.shapes, purpose)
    found = Column(
        attribute,
        shapes,
        judged,
        np.array([one.clean for one in judged], bool)[shapes.codes],
        np.array([one.quotes for one in judged], np.int64)[shapes.codes],
        np.array([one.key for one in judged], np.uint64)[shapes.codes],
    )
    kind = template.kind(attribute.name)
    if kind == "indices":
        _add_lists(found, _values(template, rows, attribute.name))
    if kind == "boxes":
        _add_boxes(found, _values(template, rows, attribute.name), template, rows)
    _add_fields(found, template, rows)
    return found


def _values(template: Template, rows: Sequence[Any], *keys: str) -> list[Any]:
    return list(map(attrgetter(template.place(*keys)), rows))


def _add_lists(column: Column, labels: Sequence[list[int]]) -> None:
    column.keys = hash_texts([repr(sorted(set(label))) for label in labels]) | np.uint64(SEVERAL)
    counts = lengths(labels)
    classes = np.fromiter(chain.from_iterable(labels), np.int64, int(counts.sum()))
    _add_classes(column, classes, counts)


def _add_classes(column: Column, classes: Numbers, counts: Numbers) -> None:
    tables = [one.names for one in column.verdicts]
    column.classes = classes_of(classes, counts, column.shapes.codes, tables)
    column.right[column.classes.unnamed()] = False


def _add_boxes(column: Column, labels: Sequence[Any], template: Template, rows: Sequence[Any]) -> None:
    boxes = column.boxes = boxes_of(labels)
    column.right &= boxes.right
    column.quotes += 10 * boxes.counts  # five keys each
    objects = (column.attribute.metadata_key, "objects")
    if template.kind(*objects) == "shares":
        shares = lengths(_values(template, rows, *objects))
        column.right &= shares == boxes.counts
        column.quotes += 2 * shares
    else:
        column.right &= boxes.counts == 0
    _add_classes(column, boxes.classes, boxes.counts)


def _add_fields(column: Column, template: Template, rows: Sequence[Any]) -> None:
    metadata_key = column.attribute.metadata_key
    if template.kind(metadata_key, "creation-date") == "other date":
        dates = _values(template, rows, metadata_key, "creation-date")
        column.right &= np.array([parse_date(said) is not None for said in dates], bool)
    if template.kind(metadata_key, "confidence-map") == "fractions":
        maps = _values(template, rows, metadata_key, "confidence-map")
        column.quotes += 2 * lengths(maps)
        if template.kind(column.attribute.name) == "indices":
            labels = _values(template, rows, column.attribute.name)
            pairs = zip(labels, maps, strict=True)
            column.right &= np.array([fractions.keys() >= set(map(str, label)) for label, fractions in pairs])


def loose_quotes(template: Template, rows: Sequence[Any]) -> Numbers:
    """Return the quotes of arrays and objects beside the label attributes; negative for what is no JSON."""
    quotes = np.zeros(len(rows), np.int64)
    for keys, kind in _loose(template):
        quotes += [_quotes_in(value, kind) for value in _values(template, rows, *keys)]
    return quotes


def _loose(template: Template) -> Iterator[tuple[tuple[str, ...], str]]:
    known = {attribute.metadata_key for attribute in template.attributes}
    for key, look in template.fields.members:
        if look in ("array", "object"):
            yield (key,), str(look)
        for inner, kind in look.members if isinstance(look, Fields) and key not in known else ():
            if kind in ("raw", "fractions", "shares"):
                yield (key, inner), str(kind)


def _quotes_in(value: Any, kind: str) -> int:
    if kind in ("fractions", "shares"):
        return 2 * len(value)
    parts = value.values() if kind == "object" else value if kind == "array" else [value]
    spelt = b",".join(map(bytes, parts))
    try:
        decode(b"[" + spelt + b"]")
    except ValueError:
        return NOT_JSON
    return quotes_in(spelt) + (2 * len(value) if kind == "object" else 0)
