"""Decides by the mark of a person whether a line is kept."""

from collections.abc import Callable, Mapping
from functools import partial

from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.groundtruth.marks import OTHER_LABEL, Mark, classes_on, find_mark, read_marks
from manifest_tools.groundtruth.record import Peek, Row
from manifest_tools.verbs.filter.conditions import Conditions
from manifest_tools.verbs.filter.line_filter import FilterState, Reason

NOT_MARKED = "not marked"
OTHER_MARK = "other mark"

Check = Callable[[Row], Reason]


def by_mark(
    peek: Peek, kind: LabelKind, conditions: Conditions, observed: FilterState, check: Check
) -> Check:
    """Return ``check`` with the condition on marks before it, where there is one."""
    path = conditions.marks_file
    if path is None:
        return check
    marks = read_marks(path).of(peek.attribute)
    return partial(_first_reason, partial(_by_mark, marks, kind, conditions, observed), check)


def _first_reason(by_mark: Check, check: Check, row: Row) -> Reason:
    reason, other = by_mark(row), check(row)  # every check sees every row
    return reason or other


def _by_mark(
    marks: Mapping[str, Mark], kind: LabelKind, conditions: Conditions, observed: FilterState, row: Row
) -> Reason:
    mark = find_mark(marks, row)
    if mark is not None:
        observed.marked.add(mark.source)
    counts = mark is not None and (not conditions.mark or mark.mark in conditions.mark)
    if mark is not None and counts and mark.agreement(classes_on(kind, row)) == "other label":
        observed.relabelled += 1
        return OTHER_LABEL if conditions.marked else None
    if conditions.marked is None:
        return f"marked {mark.mark}" if mark is not None and counts else None
    return None if counts else NOT_MARKED if mark is None else OTHER_MARK
