"""The labelled lines of a manifest, one by one, with the class table of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import clipped
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, class_table, unnamed
from manifest_tools.groundtruth.example_columns import Columns, Example, columns, joined
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.record import Peek, state
from manifest_tools.groundtruth.rows import BadLine, read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.groundtruth.survey import ambiguous, label_attribute, survey
from manifest_tools.io.sources import Block, Source, open_source


@dataclass(slots=True)
class Examples:
    """The labelled lines of a manifest in order, and how many others were left out, by state."""

    attribute: LabelAttribute
    table: ClassTable
    examples: Sequence[Example] = ()
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def multi_label(self) -> bool:
        """Say whether a line may have several classes."""
        return self.attribute.kind.multi_label


def read_examples(
    manifest: str,
    label_attribute_name: str | None = None,
    *,
    classes: ClassTable | None = None,
    jobs: Jobs = None,
) -> Examples:
    """Return the labelled lines of a manifest whose label is a class or a list of classes.

    ``classes`` supplies what no line shows, or names; two tables that disagree are refused. Raises
    Refused for a type without classes, InvalidLine for a line that cannot be read.
    """
    source = open_source(manifest)
    attribute = one_attribute(source, label_attribute_name, jobs)
    if not attribute.kind.is_classification:
        called = f"{clipped(attribute.name)} is {clipped(attribute.short_type)}"
        raise Refused(f"{source.name}: {called}, no class")
    return examples_of(source, attribute, classes=classes, jobs=jobs)


def examples_of(
    source: Source,
    attribute: LabelAttribute,
    *,
    classes: ClassTable | None = None,
    jobs: Jobs = None,
) -> Examples:
    """Return what ``read_examples`` does, of an attribute whose labels are classes."""
    found = Examples(attribute, classes or ClassTable())
    pairs = dict.fromkeys(found.table.names)
    parts: list[tuple[int, Columns]] = []
    for first, part in scan(source, partial(_block, peek(attribute), attribute.type), jobs):
        if part.others:
            raise ambiguous(survey(source, jobs), source.name)
        parts.append((first, part.examples))
        pairs |= part.names
        for reason, count in part.left_out.items():
            found.left_out[reason] = found.left_out.get(reason, 0) + count
    whole = joined(parts)
    found.examples = whole
    found.table = whole_table(source.name, pairs, set(np.unique(whole.classes).tolist()))
    return found


def one_attribute(source: Source, told: str | None = None, jobs: Jobs = None) -> LabelAttribute:
    """Return what ``label_attribute`` does; who typed a pattern is told which command takes one."""
    try:
        return label_attribute(source, told, jobs)
    except Refused as refused:
        if told is None or "*" not in told:
            raise
        raise Refused(f"{refused}; only mtool split takes a pattern, so type one name") from refused


def peek(attribute: LabelAttribute) -> Peek:
    """Return the recipe for label, class names and picture."""
    return attribute.peek(*attribute.kind.class_fields, sources=("source-ref",))


def whole_table(name: str, pairs: dict[tuple[int, str], None], shown: set[int]) -> ClassTable:
    """Return the class table that a whole manifest agrees on; a class without name is called by number."""
    named = {index for index, _ in pairs}
    try:
        return class_table([*pairs, *((index, unnamed(index)) for index in shown - named)])
    except ClassConflict as conflict:
        raise ClassConflict(f"{name}: {conflict}; type: mtool validate {name}") from conflict


@dataclass(slots=True)
class _Part:
    lines: int
    others: frozenset[str]
    examples: Columns = field(default_factory=lambda: columns(()))
    names: dict[tuple[int, str], None] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def _block(recipe: Peek, type_name: str, block: Block) -> _Part:
    kind = label_kind(type_name)
    rows = read_rows(block.read(), recipe)
    part = _Part(rows.lines, rows.others)
    found: list[Example] = []
    for number, row in zip(rows.numbers.tolist(), rows.rows, strict=True):
        what = state(row)
        if what != "labelled":
            part.left_out[what] = part.left_out.get(what, 0) + 1
            continue
        try:
            found.append(Example(number, row.source_ref or "", kind.indices(row)))
            part.names |= dict.fromkeys(kind.names(row))
        except ValueError as error:
            raise BadLine(number, str(error)) from error
    part.examples = columns(found)
    return part
