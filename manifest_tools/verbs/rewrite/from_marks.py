"""Corrects the lines of manifests by the marks of a person: a mark of a class sets the label to that class.

A first pass finds the marked lines and the class table; the new lines are made here, and a second pass copies
the manifest with them in their places.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from manifest_tools.base.errors import InvalidLine, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import clipped, listed, shown
from manifest_tools.edits.set_classes import Correction, set_classes
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassTable, agree
from manifest_tools.groundtruth.examples import one_attribute, whole_table
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.marks import OTHER_LABEL, Mark, classes_on, find_mark, line_peek, read_marks
from manifest_tools.groundtruth.record import Peek, Row, decoder
from manifest_tools.groundtruth.rows import BadLine, read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.groundtruth.survey import ambiguous, survey
from manifest_tools.io.json_spans import Span, splice
from manifest_tools.io.sources import Block, Source
from manifest_tools.io.staging import StagedStream
from manifest_tools.verbs.rewrite.report import Rewritten

NO_CLASS = "mark without a class"
ALREADY = "has the class already"
UNLABELLED = "no label"

_LISTED = 12  # classes in a message


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A line whose picture has a mark."""

    number: int
    """Its number, from 1."""

    span: Span
    """Its place in the manifest, decompressed."""

    line: bytes


@dataclass(slots=True)
class Corrected:
    """What the marks make of one manifest."""

    lines: list[tuple[MarkedLine, bytes]] = field(default_factory=list)
    """The lines that change, in order, with their new bytes."""

    unchanged: Counter[str] = field(default_factory=Counter)
    """Marked lines that do not change, by reason."""

    matched: set[str] = field(default_factory=set)
    """The sources of marks that are of a line."""

    unmatched: int = 0
    """Marks that are of no line in any of the manifests."""


def corrections(
    sources: Sequence[Source], path: str, requested: str | None, add_class: bool, jobs: Jobs
) -> list[Corrected]:
    """Return what the marks of a file make of each manifest.

    Raises Refused for a label that is no class or list of classes, and for a class that no line has, unless
    ``add_class`` lets it be added after the others.
    """
    marks = read_marks(path)
    name = marks.attribute(requested)
    by_source = marks.of(name)
    surveyed = [_survey(source, marks.name, name, jobs) for source in sources]
    classes = _classes(surveyed, marks.name, add_class)
    result = [_correct(one, by_source, classes) for one in surveyed]
    matched = {source for one in result for source in one.matched}
    for corrected in result:
        corrected.unmatched = len(by_source.keys() - matched)
    return result


@dataclass(slots=True)
class _Classes:
    """The classes of all manifests, to which a mark may add."""

    where: str
    indices: dict[str, int]
    names: dict[int, str]
    """The names that lines have; a class that no line names is missing."""

    add: bool

    def index(self, name: str) -> int:
        """Return the index of a class; raises Refused for one that no line has, unless it may be added."""
        if name not in self.indices:
            if not self.add:
                known = ", ".join(clipped(one) for one in islice(self.indices, _LISTED)) or "none"
                raise Refused(
                    f"{self.where}: no line has the class {shown(name)} of a mark; the classes: {known}; "
                    "type --add-class to add it"
                )
            self.indices[name] = max(self.indices.values(), default=-1) + 1
            self.names[self.indices[name]] = name
        return self.indices[name]


def _classes(surveyed: "Sequence[_Surveyed]", path: str, add: bool) -> _Classes:
    table = agree({one.source.name: one.table for one in surveyed})
    names = {index: name for one in surveyed for index, name in one.names}
    return _Classes(path, {name: index for index, name in table.names}, names, add)


def _correct(one: "_Surveyed", marks: Mapping[str, Mark], classes: _Classes) -> Corrected:
    found = Corrected()
    for marked in one.marked:
        row = decoder(one.peek).decode(marked.line)
        mark = find_mark(marks, row)
        if mark is None:  # it was made or taken back after the first pass began
            continue
        found.matched.add(mark.source)
        why = _why_unchanged(one, marked, mark, row)
        new = marked.line if why else _corrected(one, marked, mark, row, classes)
        if new is marked.line:
            found.unchanged[why or ALREADY] += 1
        else:
            found.lines.append((marked, new))
    return found


@dataclass(slots=True)
class _Surveyed:
    """What is known of a manifest after the first pass."""

    source: Source
    attribute: LabelAttribute
    peek: Peek
    names: dict[tuple[int, str], None] = field(default_factory=dict)
    """The class indices that lines name, each with its name."""

    table: ClassTable = field(default_factory=ClassTable)
    marked: list[MarkedLine] = field(default_factory=list)


def _survey(source: Source, path: str, name: str, jobs: Jobs) -> _Surveyed:
    attribute = one_attribute(source, name, jobs)
    found = _Surveyed(source, attribute, line_peek(attribute))
    observed: set[int] = set()
    for first, part in scan(source, partial(_survey_block, found.peek, attribute.type, path), jobs):
        if part.others:
            raise ambiguous(survey(source, jobs), source.name)
        found.names |= part.names
        observed |= part.observed
        found.marked += (MarkedLine(first + number, span, line) for number, span, line in part.marked)
    found.table = whole_table(source.name, found.names, observed)
    return found


@dataclass(slots=True)
class _Part:
    lines: int
    others: frozenset[str]
    names: dict[tuple[int, str], None] = field(default_factory=dict)
    observed: set[int] = field(default_factory=set)
    marked: list[tuple[int, Span, bytes]] = field(default_factory=list)


def _survey_block(peek: Peek, type_name: str, path: str, block: Block) -> _Part:
    marks = read_marks(path).of(peek.attribute)
    kind = label_kind(type_name)
    rows = read_rows(block.read(), peek)
    part = _Part(rows.lines, rows.others)
    for at, row in enumerate(rows.rows):
        if row.label is not None:
            try:
                part.observed.update(kind.indices(row))
                part.names |= dict.fromkeys(kind.names(row))
            except ValueError as error:
                raise BadLine(int(rows.numbers[at]), str(error)) from error
        if find_mark(marks, row) is not None:
            span = Span(block.start + int(rows.starts[at]), block.start + int(rows.ends[at]))
            part.marked.append((int(rows.numbers[at]), span, rows.line(at)))
    return part


def _why_unchanged(one: _Surveyed, marked: MarkedLine, mark: Mark, row: Row) -> str:
    """Return why a mark changes nothing; "" where it does. Raises Refused where it cannot."""
    if mark.classes is None:
        return NO_CLASS
    kind = one.attribute.kind
    if not kind.is_classification:
        what = f"{clipped(one.attribute.name)} is {clipped(one.attribute.short_type)}"
        raise Refused(f"{_at(one, marked)}: a mark sets the class of classification alone, and {what}")
    if not kind.multi_label and len(mark.classes) != 1:
        raise Refused(f"{_at(one, marked)}: expected a mark of one class, found {listed(mark.classes)}")
    classes = classes_on(kind, row)
    if classes is None:
        return UNLABELLED
    return {"corrected": ALREADY, "other label": OTHER_LABEL, "as marked": ""}[mark.agreement(classes)]


def _corrected(one: _Surveyed, marked: MarkedLine, mark: Mark, row: Row, classes: _Classes) -> bytes:
    attribute = one.attribute
    new = tuple(sorted(map(classes.index, mark.classes or ())))
    correction = Correction(attribute.kind.indices(row), new, classes.names, mark.date)
    try:
        return set_classes(marked.line, attribute.name, attribute.metadata_key, attribute.kind, correction)
    except (ValueError, TypeError) as error:  # of two labels under one key, one may be anything
        raise InvalidLine(one.source.name, marked.number, f"cannot be corrected: {error}") from error


def _at(one: _Surveyed, marked: MarkedLine) -> str:
    return f"{one.source.name}:{marked.number}"


def write_corrected(source: Source, corrected: Corrected, stream: StagedStream | None) -> Rewritten:
    """Copy a manifest to ``stream`` with the corrected lines in their places."""
    result = Rewritten(
        source.name,
        changed=len(corrected.lines),
        unchanged=dict(corrected.unchanged),
        without_score=sum(b'"confidence' in new for _, new in corrected.lines),
        unmatched=corrected.unmatched,
    )
    for marked, new in corrected.lines:
        result.keep(marked.number, marked.line, new)
    if stream is not None:
        stream.release()
    waiting = list(reversed(corrected.lines))
    for block in source.blocks():
        data = block.read()
        result.lines += data.count(b"\n") + (not data.endswith(b"\n"))
        edits = []
        while waiting and waiting[-1][0].span.start < block.end:
            marked, new = waiting.pop()
            edits.append((Span(marked.span.start - block.start, marked.span.end - block.start), new))
        if stream is not None:
            stream.write(splice(data, edits))
    return result
