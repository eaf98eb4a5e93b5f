"""The labelled lines of a manifest as examples to learn from, with the class table of all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, class_table, default_name
from manifest_tools.groundtruth.example_columns import Columns, Example, columns, joined
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.record import Peek, state
from manifest_tools.groundtruth.rows import BadLine, read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.groundtruth.survey import ambiguous, label_attribute, survey
from manifest_tools.io.sources import Block, Source


@dataclass(slots=True)
class Examples:
    """The labelled lines of a manifest."""

    attribute: LabelAttribute
    table: ClassTable
    examples: Sequence[Example] = ()
    """One for each labelled line, in the order of the manifest."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Lines that are not labelled, by their state."""

    @property
    def multi_label(self) -> bool:
        """Whether a line may have several classes."""
        return self.attribute.kind.multi_label


def examples_of(
    source: Source,
    attribute: LabelAttribute,
    *,
    classes: ClassTable | None = None,
    jobs: Jobs = None,
) -> Examples:
    """Return the labelled lines of a manifest, of an attribute whose labels are classes or have them.

    ``classes`` are classes that the manifest need not show or name. Raises ClassConflict where lines or
    ``classes`` disagree, InvalidLine for a line that cannot be read.
    """
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
    found.table = whole_table(source.name, pairs, set(np.unique(whole.classes).tolist()), classes)
    return found


def one_attribute(source: Source, requested: str | None = None, jobs: Jobs = None) -> LabelAttribute:
    """Return the label attribute of a manifest as ``label_attribute`` does; a pattern is refused in words."""
    try:
        return label_attribute(source, requested, jobs)
    except Refused as refused:
        if requested is None or "*" not in requested:
            raise
        raise Refused(f"{refused}; type one name here: only mtool split takes a pattern") from refused


def peek(attribute: LabelAttribute) -> Peek:
    """Return what to decode of a line: the label, its class names and the picture."""
    return attribute.peek(*attribute.kind.class_fields, sources=("source-ref",))


def whole_table(
    name: str,
    pairs: dict[tuple[int, str], None],
    shown: set[int],
    given: ClassTable | None = None,
) -> ClassTable:
    """Return the class table of a whole manifest.

    ``pairs`` are the class indices that lines name, ``shown`` all that labels have. Classes without a name
    are named 'class N'. Raises ClassConflict where two lines disagree, or lines and ``given``, of which the
    pairs are among ``pairs``.
    """
    named = {index for index, _ in pairs}
    try:
        return class_table([*pairs, *((index, default_name(index)) for index in shown - named)])
    except ClassConflict as conflict:
        if given is not None and _do_agree(pairs.keys() - set(given.names)):
            raise ClassConflict(f"{name} and --classes disagree: {conflict}") from conflict
        raise ClassConflict(f"{name}: {conflict}; type: mtool validate {name}") from conflict


def _do_agree(pairs: Iterable[tuple[int, str]]) -> bool:
    try:
        class_table(pairs)
    except ClassConflict:
        return False
    return True


@dataclass(slots=True)
class _BlockExamples:
    lines: int
    others: frozenset[str]
    examples: Columns = field(default_factory=lambda: columns(()))
    names: dict[tuple[int, str], None] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def _block(recipe: Peek, type_name: str, block: Block) -> _BlockExamples:
    kind = label_kind(type_name)
    rows = read_rows(block.read(), recipe)
    part = _BlockExamples(rows.lines, rows.others)
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
