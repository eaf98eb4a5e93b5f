"""Decides for one line whether it is kept, and gives a reason in a few words if it is not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from manifest_tools.base.dates import parse_date, with_zone
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped, shown
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.groundtruth.record import Metadata, Peek, Row, state
from manifest_tools.verbs.filter.conditions import Conditions

ZERO = "confidence 0"
BELOW = "below confidence"
ABOVE = "above confidence"
NO_CONFIDENCE = "no confidence"
OTHER = "other class"
EXCLUDED = "excluded class"

_REMEMBERED = 1000  # class names that are remembered for a message
_LISTED = 12  # class names in a message

Reason = str | None
"""Why a line is dropped, in a few words; None for a line that is kept."""

ANY_LINE = Peek("source-ref", "source-ref-metadata")
"""How lines are read when no condition asks about labels: no field is decoded."""


@dataclass(slots=True)
class FilterState:
    """What the whole manifest must show before a filter may be trusted; the parts of a manifest add up."""

    labelled: bool = False
    """A line has a label."""

    first: float | None = None
    """The first confidence that a label has; 0 is one."""

    repeated: bool = False
    """Another label has the same confidence."""

    informative: bool = False
    """Two labels have different confidences."""

    inside: bool = False
    """A confidence is one of those that are asked for."""

    outside: bool = False
    """A label has another one or none."""

    empty: bool = False
    """A line has a label without any class, box or entity."""

    classes: dict[str, None] = field(default_factory=dict)
    """Class names that occur, in order: the first ones of many."""

    matched: set[str] = field(default_factory=set)
    """Class names of the conditions that occur."""

    jobs: dict[str, None] = field(default_factory=dict)
    """Names of labeling jobs that occur, in order: the first ones of many."""

    matched_jobs: set[str] = field(default_factory=set)
    """Names of labeling jobs of the conditions that occur."""

    marked: set[str] = field(default_factory=set)
    """The sources of marks that are of a line."""

    relabelled: int = 0
    """Lines whose label is another one than when they were marked."""

    @property
    def constant(self) -> float | None:
        """The one confidence above 0 that several labels have, and no label another; None where it varies."""
        return self.first if self.repeated and not self.informative and self.first else None

    def observe(self, confidence: float) -> None:
        """Add the confidence of a label."""
        if self.first is None:
            self.first = confidence
        elif self.first == confidence:
            self.repeated = True
        else:
            self.informative = True

    def add(self, other: "FilterState") -> None:
        """Add what another part of the manifest shows."""
        self.labelled |= other.labelled
        if other.first is not None:
            self.observe(other.first)
        self.repeated |= other.repeated
        self.informative |= other.informative
        self.inside |= other.inside
        self.outside |= other.outside
        self.empty |= other.empty
        self.matched |= other.matched
        self.matched_jobs |= other.matched_jobs
        self.marked |= other.marked
        self.relabelled += other.relabelled
        if len(self.jobs) < _REMEMBERED:
            self.jobs |= other.jobs
        if len(self.classes) < _REMEMBERED:
            self.classes |= other.classes

    def is_settled(self, conditions: Conditions) -> bool:
        """Return whether ``check`` cannot raise any more, whatever the rest of the manifest shows."""
        asked = conditions.limits_confidence and conditions.zero_confidence is None
        return (
            (self.inside or not asked)
            and self.matched.issuperset((*conditions.classes, *conditions.excluded))
            and self.matched_jobs.issuperset(map(_bare_job, conditions.jobs))
        )

    def check(self, name: str, conditions: Conditions, kind: LabelKind) -> None:
        """Raise Refused when a condition cannot mean what it says.

        That is when no confidence says anything and ``zero_confidence`` does not decide, when only lines
        without any class, box or entity would be kept, or when no line has a class or a job that was typed.
        """
        asked = conditions.limits_confidence and conditions.zero_confidence is None
        if asked and self.outside and not self.inside:
            self._check_confidences(name, kind, conditions)
        classes = (*conditions.classes, *conditions.excluded)
        missing = [one for one in classes if one not in self.matched]
        if missing and self.labelled:
            raise _not_there(name, "class", "classes", missing[0], self.classes)
        missing = [one for one in conditions.jobs if _bare_job(one) not in self.matched_jobs]
        if missing and self.labelled:
            raise _not_there(name, "labeling job", "labeling jobs", missing[0], self.jobs)

    def _check_confidences(self, name: str, kind: LabelKind, conditions: Conditions) -> None:
        """Raise Refused for a manifest in which no label has the confidence that is asked for."""
        which = "type --zero-confidence keep, or --zero-confidence drop"
        if not self.first and not self.informative:
            raise Refused(
                f"{name}: every confidence is 0 or missing; a job with one worker for each picture writes 0,"
                f" so it says nothing about the labels; {which}"
            )
        if self.constant is not None:
            raise Refused(
                f"{name}: every confidence is {self.constant:g}; a job with one worker for each picture"
                f" writes the same one for every {kind.item}, so it says nothing about the labels; {which}"
            )
        if self.empty and conditions.empty is None:
            raise Refused(
                f"{name}: no {kind.item} has a confidence of {conditions.confidences}, so only"
                f" lines without any {kind.item} would be kept; type --empty keep, or --empty drop"
            )


def _not_there(name: str, what: str, several: str, typed: str, occurring: Iterable[str]) -> Refused:
    found = ", ".join(clipped(one) for one in list(occurring)[:_LISTED]) or "none"
    return Refused(f"{name}: no line has the {what} {shown(typed)}; its {several}: {found}")


def peek_for(attribute: LabelAttribute, conditions: Conditions) -> Peek:
    """Return how to read just the fields that the conditions need.

    Raises Refused when the label type has no confidence, no class, or nothing to trim.
    """
    kind = attribute.kind
    by_confidence = conditions.reads_confidence
    if by_confidence and not kind.confidence_fields:
        option = "--min-confidence" if conditions.min_confidence is not None else "--max-confidence"
        raise _lacks(attribute, f"no confidence on its lines; leave {option} out")
    if conditions.reads_class and not kind.has_classes:
        option = "--class" if conditions.classes else "--exclude-class"
        raise _lacks(attribute, f"no class on its lines; leave {option} out")
    if conditions.multilabel == "trim" and kind.items is None:
        raise _lacks(attribute, "nothing to trim on its lines; leave --multilabel trim out")
    fields = [
        *(kind.confidence_fields if by_confidence else ()),
        *(kind.class_fields if conditions.reads_class else ()),
    ]
    fields += ["human-annotated"] if conditions.human_annotated is not None else []
    fields += ["job-name"] if conditions.jobs else []
    fields += ["creation-date"] if conditions.before is not None or conditions.after is not None else []
    return attribute.peek(*dict.fromkeys(fields))


def _lacks(attribute: LabelAttribute, what: str) -> Refused:
    return Refused(f"{clipped(attribute.name)} is {clipped(attribute.short_type)} and has {what}")


def line_filter(kind: LabelKind, conditions: Conditions, observed: FilterState) -> Callable[[Row], Reason]:
    """Return a function that gives the reason for dropping a row, or None; it adds to ``observed``."""
    if conditions.accept_all:
        return _accept
    checks: list[Callable[[Row], Reason]] = []
    if conditions.trims:
        checks.append(partial(_check_items, kind, conditions, observed))
    elif conditions.reads_confidence:
        checks.append(partial(_check_confidences, kind, conditions, observed))
    if conditions.reads_class and not conditions.trims:
        wanted, unwanted = frozenset(conditions.classes), frozenset(conditions.excluded)
        checks.append(partial(_check_class, kind, wanted, unwanted, observed))
    if conditions.human_annotated is not None:
        checks.append(partial(_check_annotator, "yes" if conditions.human_annotated else "no"))
    if conditions.jobs:
        checks.append(partial(_check_job, frozenset(map(_bare_job, conditions.jobs)), observed))
    if conditions.before is not None or conditions.after is not None:
        checks.append(partial(_check_date, _utc(conditions.before), _utc(conditions.after)))
    if len(checks) == 1 and conditions.reads_confidence and kind.schema == "index":
        return partial(_check_single_label, conditions, observed)
    return partial(_first_reason, observed, checks)


def _accept(row: Row) -> Reason:
    return None


def _first_reason(observed: FilterState, checks: list[Callable[[Row], Reason]], row: Row) -> Reason:
    """Return the first reason; every check sees every labelled row, so that ``observed`` is complete."""
    reason = _check_labelled(observed, row)
    if reason is None:
        for check in checks:
            found = check(row)
            reason = reason or found
    return reason


def _check_labelled(observed: FilterState, row: Row) -> Reason:
    if row.label is not None:
        observed.labelled = True
        return None
    return state(row)


def _check_single_label(conditions: Conditions, observed: FilterState, row: Row) -> Reason:
    """Return what the two general checks would return; the commonest filter, so it gets a short cut."""
    return _check_labelled(observed, row) or _check_confidence(
        None if row.metadata is None else row.metadata.confidence, conditions, observed
    )


def _check_confidences(kind: LabelKind, conditions: Conditions, observed: FilterState, row: Row) -> Reason:
    values = kind.confidences(row)
    if len(values) == 1:
        return _check_confidence(values[0], conditions, observed)
    reasons = [_check_confidence(value, conditions, observed) for value in values]
    if not reasons:
        return _check_empty(kind, conditions, observed)
    enough = all if conditions.multilabel == "all" else any
    if enough(reason is None for reason in reasons):
        return None
    return next(reason for reason in reasons if reason is not None)


def _check_empty(kind: LabelKind, conditions: Conditions, observed: FilterState) -> Reason:
    """Return what ``empty`` says of a line that has nothing with a confidence."""
    observed.empty = True
    return _no_item(kind) if conditions.empty == "drop" else None


def _no_item(kind: LabelKind) -> str:
    return f"no {kind.item}"


def _check_confidence(value: float | None, conditions: Conditions, observed: FilterState) -> Reason:
    if value is not None and not observed.informative:
        observed.observe(value)
    if not conditions.limits_confidence:
        return None
    if value:
        reason = _off_limits(value, conditions)
        observed.inside |= reason is None
        observed.outside |= reason is not None
        return reason
    if conditions.zero_confidence == "keep":
        return None
    observed.outside = True
    return ZERO if value is not None else NO_CONFIDENCE


def _off_limits(value: float, conditions: Conditions) -> Reason:
    if conditions.min_confidence is not None and value < conditions.min_confidence:
        return BELOW
    return ABOVE if conditions.max_confidence is not None and value > conditions.max_confidence else None


def kept_without_confidence(kind: LabelKind, conditions: Conditions, row: Row) -> Reason:
    """Return why a labelled row is kept although nothing on it has the confidence asked for, or None."""
    values = kind.confidences(row)
    if not values:
        return _no_item(kind)
    if any(value and _off_limits(value, conditions) is None for value in values):
        return None
    return ZERO if any(value is not None for value in values) else NO_CONFIDENCE


def items_to_trim(kind: LabelKind, conditions: Conditions, row: Row) -> list[int]:
    """Return which classes, boxes or entities of a row must be removed, by their index in the label."""
    reasons = _item_reasons(kind, conditions, FilterState(), row)
    return [index for index, reason in enumerate(reasons) if reason is not None]


def _check_items(kind: LabelKind, conditions: Conditions, observed: FilterState, row: Row) -> Reason:
    """Return why nothing would be left of a row; one without items has no low confidence."""
    reasons = _item_reasons(kind, conditions, observed, row)
    if not reasons:
        return OTHER if conditions.classes else _check_empty(kind, conditions, observed)
    return None if None in reasons else reasons[0]


def _item_reasons(kind: LabelKind, conditions: Conditions, observed: FilterState, row: Row) -> list[Reason]:
    names = _class_names(kind, observed, row) if conditions.reads_class else [""] * len(kind.indices(row))
    reasons = [_off_class(name, conditions) for name in names]
    observed.matched |= {*conditions.classes, *conditions.excluded}.intersection(names)
    if not conditions.reads_confidence:
        return reasons
    low = [_check_confidence(value, conditions, observed) for value in kind.confidences(row)]
    return [one or other for one, other in zip(reasons, low, strict=True)]


def _off_class(name: str, conditions: Conditions) -> Reason:
    if name in conditions.excluded:
        return EXCLUDED
    return None if name in conditions.classes or not conditions.classes else OTHER


def _check_class(
    kind: LabelKind, wanted: frozenset[str], unwanted: frozenset[str], observed: FilterState, row: Row
) -> Reason:
    names = _class_names(kind, observed, row)
    matched = wanted.intersection(names)
    excluded = unwanted.intersection(names)
    observed.matched |= matched | excluded
    if excluded:
        return EXCLUDED
    return None if matched or not wanted else OTHER


def _class_names(kind: LabelKind, observed: FilterState, row: Row) -> list[str]:
    """Return the name of each class of a row; a class without a name has its index for one."""
    by_index = dict(kind.names(row))
    names = [by_index.get(index, str(index)) for index in kind.indices(row)]
    observed.classes |= dict.fromkeys(names)
    return names


class _NoMetadata(Metadata):
    human_annotated = job_name = creation_date = None


_NO_METADATA = _NoMetadata()


def _metadata(row: Row) -> Metadata:
    return row.metadata if row.metadata is not None else _NO_METADATA


def _check_annotator(wanted: str, row: Row) -> Reason:
    found = (_metadata(row).human_annotated or "unknown").lower()
    found = {"true": "yes", "false": "no"}.get(found, found)
    if found == wanted:
        return None
    return {"yes": "human-annotated", "no": "machine-annotated"}.get(found, "annotator unknown")


def _bare_job(name: str) -> str:
    return name.removeprefix("labeling-job/")


def _check_job(wanted: frozenset[str], observed: FilterState, row: Row) -> Reason:
    job = _bare_job(_metadata(row).job_name or "")
    if job and len(observed.jobs) < _REMEMBERED:
        observed.jobs[job] = None
    if job in wanted:
        observed.matched_jobs.add(job)
        return None
    return "other job"


def _check_date(before: datetime | None, after: datetime | None, row: Row) -> Reason:
    found = parse_date(_metadata(row).creation_date)
    if found is None:
        return "no date"
    if after is not None and found < after:
        return "too early"
    return "too late" if before is not None and found >= before else None


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else with_zone(moment)
