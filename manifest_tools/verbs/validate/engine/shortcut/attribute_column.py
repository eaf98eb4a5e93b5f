"""One label attribute on all lines of one template: which are right, and what is remembered of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.dates import parse_date
from manifest_tools.base.hashing import hash_texts
from manifest_tools.groundtruth.attributes import Attribute
from manifest_tools.groundtruth.rows import decode
from manifest_tools.verbs.validate.engine.file_facts import SEVERAL, Facts, Occurrences, add_count
from manifest_tools.verbs.validate.engine.run_rules import RuleContext
from manifest_tools.verbs.validate.engine.shortcut.box_arrays import (
    ClassColumn,
    box_arrays,
    class_column,
    lengths,
)
from manifest_tools.verbs.validate.engine.shortcut.group_lines import LineGroup
from manifest_tools.verbs.validate.engine.shortcut.line_template import Fields, LineTemplate
from manifest_tools.verbs.validate.engine.shortcut.verdicts import (
    NOT_JSON,
    Variants,
    Verdict,
    quotes_in,
    variants_of,
    verdicts,
)

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(slots=True)
class AttributeColumn:
    """What the lines of a template show of an attribute."""

    attribute: Attribute
    variants: Variants
    verdicts: list[Verdict]
    """What the rules say of each variant."""

    right: Flags
    """Whether nothing was found on a line so far: ``(lines,)``."""

    quotes: Numbers
    """The quotes of a line, without those that its template has at least: ``(lines,)``."""

    keys: NDArray[np.uint64]
    """The key of the label, as ``label_key`` makes it: ``(lines,)``."""

    classes: ClassColumn | None = None
    """The classes of lists and boxes; None for a label with one class."""

    def remember(self, numbers: Numbers, right: Flags, facts: Facts) -> None:
        """Add to the facts what the lines show that are right; there must be at least one."""
        codes, clean = self.variants.codes[right], numbers[right]
        if (state := self.verdicts[int(codes[0])].state) is None:  # lines of one template share it
            return
        if state.state != "unlabelled":
            facts.attributes[self.attribute.name] = self.attribute.metadata_key
        counts = np.bincount(codes, minlength=len(self.verdicts)).tolist()
        first = np.zeros(len(self.verdicts), np.int64)
        first[codes[::-1]] = clean[::-1]  # the last one written is the first of its variant
        for one, at, count in zip(self.verdicts, first.tolist(), counts, strict=True):
            for named in one.named_classes if count else ():
                add_count(facts.classes, named, Occurrences(at, count))
        add_count(facts.states, state, Occurrences(int(clean[0]), len(clean)))
        if self.classes is not None:
            for named, occurrences in self.classes.named_classes(self.attribute.name, right, numbers).items():
                add_count(facts.classes, named, occurrences)


def attribute_column(lines: LineGroup, attribute: Attribute, context: RuleContext) -> AttributeColumn:
    """Return what lines of one template show of an attribute; one that was not requested is always right."""
    if context.requested not in (None, attribute.name):
        context = replace(context, expected=(), requested=None)
    template = lines.template
    variants = variants_of(template, attribute, lines.rows)
    found = verdicts(template, attribute, variants.every, context)
    column = AttributeColumn(
        attribute,
        variants,
        found,
        np.array([one.clean for one in found], bool)[variants.codes],
        np.array([one.quotes for one in found], np.int64)[variants.codes],
        np.array([one.key for one in found], np.uint64)[variants.codes],
    )
    field_type = template.field_type(attribute.name)
    if field_type == "indices":
        _add_lists(column, lines.values(attribute.name))
    if field_type == "boxes":
        _add_boxes(column, lines)
    _add_fields(column, lines)
    return column


def _add_lists(column: AttributeColumn, labels: Sequence[list[int]]) -> None:
    column.keys = hash_texts([repr(sorted(set(label))) for label in labels]) | np.uint64(SEVERAL)
    counts = lengths(labels)
    classes = np.fromiter(chain.from_iterable(labels), np.int64, int(counts.sum()))
    _add_classes(column, classes, counts)


def _add_classes(column: AttributeColumn, classes: Numbers, counts: Numbers) -> None:
    tables = [one.names for one in column.verdicts]
    column.classes = class_column(classes, counts, column.variants.codes, tables)
    column.right[column.classes.unnamed()] = False


def _add_boxes(column: AttributeColumn, lines: LineGroup) -> None:
    boxes = box_arrays(lines.values(column.attribute.name))
    column.right &= boxes.right
    column.quotes += 10 * boxes.counts  # five keys each
    objects = (column.attribute.metadata_key, "objects")
    if lines.template.field_type(*objects) == "confidences":
        confidences = lengths(lines.values(*objects))
        column.right &= confidences == boxes.counts
        column.quotes += 2 * confidences
    else:
        column.right &= boxes.counts == 0
    _add_classes(column, boxes.classes, boxes.counts)


def _add_fields(column: AttributeColumn, lines: LineGroup) -> None:
    template, metadata_key = lines.template, column.attribute.metadata_key
    if template.field_type(metadata_key, "creation-date") == "other date":
        dates = lines.values(metadata_key, "creation-date")
        column.right &= np.array([parse_date(text) is not None for text in dates], bool)
    if template.field_type(metadata_key, "confidence-map") == "fractions":
        maps = lines.values(metadata_key, "confidence-map")
        column.quotes += 2 * lengths(maps)
        if template.field_type(column.attribute.name) == "indices":
            labels = lines.values(column.attribute.name)
            pairs = zip(labels, maps, strict=True)
            column.right &= np.array([fractions.keys() >= set(map(str, label)) for label, fractions in pairs])


def other_quotes(lines: LineGroup) -> Numbers:
    """Return the quotes of arrays and objects that belong to no label: ``(lines,)``; negative for no JSON."""
    quotes = np.zeros(len(lines.rows), np.int64)
    for keys, field_type in _other_values(lines.template):
        quotes += [_quotes_in(value, field_type) for value in lines.values(*keys)]
    return quotes


def _other_values(template: LineTemplate) -> Iterator[tuple[tuple[str, ...], str]]:
    known = {attribute.metadata_key for attribute in template.attributes}
    for key, schema in template.fields.members:
        if schema in ("array", "object"):
            yield (key,), str(schema)
        for inner, field_type in schema.members if isinstance(schema, Fields) and key not in known else ():
            if field_type in ("raw", "fractions", "confidences"):
                yield (key, inner), str(field_type)


def _quotes_in(value: Any, field_type: str) -> int:
    if field_type in ("fractions", "confidences"):
        return 2 * len(value)
    parts = value.values() if field_type == "object" else value if field_type == "array" else [value]
    spelt = b",".join(map(bytes, parts))
    try:
        decode(b"[" + spelt + b"]")
    except ValueError:
        return NOT_JSON
    return quotes_in(spelt) + (2 * len(value) if field_type == "object" else 0)
