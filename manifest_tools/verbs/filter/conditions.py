"""What a line must meet to be kept, and in a few words why one goes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal

from manifest_tools.base.dates import parse_date, with_zone
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped, shown
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.groundtruth.record import Metadata, Peek, Row, state

ZERO = "confidence 0"
BELOW = "below confidence"
OTHER = "other class"

MultiLabel = Literal["any", "all", "trim"]
ZeroConfidence = Literal["drop", "keep"]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a line must meet to be kept; None asks for nothing.

    ``before`` and ``after`` (on or after) are compared with the creation-date, both without zone meaning
    UTC. ``job`` is a job-name with or without its ``labeling-job/``.
    """

    min_confidence: float | None = None
    zero_confidence: ZeroConfidence | None = None
    multilabel: MultiLabel = "any"
    classes: tuple[str, ...] = ()
    human_annotated: bool | None = None
    jobs: tuple[str, ...] = ()
    before: datetime | None = None
    after: datetime | None = None
    labelled: bool = False

    @property
    def ask_nothing(self) -> bool:
        """Say whether every line meets them."""
        return self == Conditions(multilabel=self.multilabel, zero_confidence=self.zero_confidence)

    @property
    def trims(self) -> bool:
        """Say whether a line keeps only those of its classes, boxes or entities that meet them."""
        return self.multilabel == "trim" and (self.min_confidence is not None or bool(self.classes))


# Every line is read as this where nothing is asked about labels: no field of it is looked at.
ANY_LINE = Peek("source-ref", "source-ref-metadata")


@dataclass(slots=True)
class FilterState:
    """What can be judged only at the end: whether confidences and class names were there at all.

    ``zeros``: one was 0 or missing, and nothing said what that means; ``informative``: another was above 0.
    """

    labelled: bool = False
    informative: bool = False
    zeros: bool = False
    classes: dict[str, None] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)

    def add(self, other: "FilterState") -> None:
        """Add what another part of the manifest shows."""
        self.labelled |= other.labelled
        self.informative |= other.informative
        self.zeros |= other.zeros
        self.wanted |= other.wanted
        if len(self.classes) < 1000:
            self.classes |= other.classes

    def settled(self, wanted: Conditions) -> bool:
        """Say whether ``check`` cannot raise any more, whatever is still to come."""
        asked = bool(wanted.min_confidence) and wanted.zero_confidence is None
        return (self.informative or not asked) and self.wanted.issuperset(wanted.classes)

    def check(self, name: str, wanted: Conditions) -> None:
        """Raise Refused where a condition asked for what the whole manifest does not have."""
        if self.zeros and not self.informative:
            raise Refused(
                f"{name}: every confidence is 0 or missing, as a job with one worker a picture leaves it; "
                "that says nothing about the labels; type --zero-confidence keep, or drop"
            )
        missing = [c for c in wanted.classes if c not in self.wanted]
        if missing and self.labelled:
            there = ", ".join(clipped(one) for one in list(self.classes)[:12]) or "none"
            raise Refused(f"{name}: no line has the class {shown(missing[0])}; it has {there}")


def peek_for(attribute: LabelAttribute, wanted: Conditions) -> Peek:
    """Return the recipe for just the fields that the conditions look at."""
    kind = attribute.kind
    called = f"{clipped(attribute.name)} is {clipped(attribute.short_type)}"
    asked = wanted.min_confidence is not None
    if (asked and not kind.confidence_fields) or (wanted.classes and not kind.has_classes):
        what = "confidence" if asked and not kind.confidence_fields else "class"
        raise Refused(f"{called}, no {what} stands on its lines")
    if wanted.multilabel == "trim" and kind.items is None:
        raise Refused(f"{called}, nothing can be trimmed off its lines")
    fields = [*(kind.confidence_fields if asked else ()), *(kind.class_fields if wanted.classes else ())]
    fields += ["human-annotated"] if wanted.human_annotated is not None else []
    fields += ["job-name"] if wanted.jobs else []
    fields += ["creation-date"] if wanted.before is not None or wanted.after is not None else []
    return attribute.peek(*dict.fromkeys(fields))


def line_filter(kind: LabelKind, wanted: Conditions, seen: FilterState) -> Callable[[Row], str | None]:
    """Return the function that says why a row goes, or None; only what was asked for is looked at."""
    if wanted.ask_nothing:
        return _nothing_asked
    checks: list[Callable[[Row], str | None]] = []
    if wanted.trims:
        checks.append(partial(_some_unit, kind, wanted, seen))
    elif wanted.min_confidence is not None:
        checks.append(partial(_confidence, kind, wanted, seen))
    if wanted.classes and not wanted.trims:
        checks.append(partial(_class, kind, frozenset(wanted.classes), seen))
    if wanted.human_annotated is not None:
        checks.append(partial(_annotator, "yes" if wanted.human_annotated else "no"))
    if wanted.jobs:
        checks.append(partial(_job, frozenset(map(_bare_job, wanted.jobs))))
    if wanted.before is not None or wanted.after is not None:
        checks.append(partial(_date, _utc(wanted.before), _utc(wanted.after)))
    if len(checks) == 1 and wanted.min_confidence is not None and kind.schema == "index":
        return partial(_only_confidence, wanted, seen)
    return partial(_first_reason, seen, checks)


def _nothing_asked(row: Row) -> str | None:
    return None


def _first_reason(seen: FilterState, checks: list[Callable[[Row], str | None]], row: Row) -> str | None:
    """Return the first reason; every check looks at every labelled row, for what the end must know."""
    reason = _not_labelled(seen, row)
    if reason is None:
        for check in checks:
            found = check(row)
            reason = reason or found
    return reason


def _not_labelled(seen: FilterState, row: Row) -> str | None:
    if row.label is not None:
        seen.labelled = True
        return None
    return state(row)


def _only_confidence(wanted: Conditions, seen: FilterState, row: Row) -> str | None:
    """Say the same as the two checks one after the other; the commonest filter, so worth its lines."""
    return _not_labelled(seen, row) or _one_confidence(
        None if row.metadata is None else row.metadata.confidence, wanted, seen
    )


def _confidence(kind: LabelKind, wanted: Conditions, seen: FilterState, row: Row) -> str | None:
    values = kind.confidences(row)
    if len(values) == 1:
        return _one_confidence(values[0], wanted, seen)
    reasons = [_one_confidence(value, wanted, seen) for value in values]
    enough = all if wanted.multilabel == "all" else any
    if not reasons or enough(reason is None for reason in reasons):
        return None
    return next(reason for reason in reasons if reason is not None)


def _one_confidence(value: float | None, wanted: Conditions, seen: FilterState) -> str | None:
    if value:
        seen.informative = True
        return BELOW if value < (wanted.min_confidence or 0) else None
    if not wanted.min_confidence or wanted.zero_confidence == "keep":
        return None
    seen.zeros |= wanted.zero_confidence is None
    return ZERO if value is not None else "no confidence"


def items_to_trim(kind: LabelKind, wanted: Conditions, row: Row) -> list[int]:
    """Return which classes, boxes or entities of a line are to leave it, by their place in the label."""
    reasons = _of_units(kind, wanted, FilterState(), row)
    return [place for place, reason in enumerate(reasons) if reason is not None]


def _some_unit(kind: LabelKind, wanted: Conditions, seen: FilterState, row: Row) -> str | None:
    """Say why a line goes that nothing would be left on; one that had nothing has no low confidence."""
    reasons = _of_units(kind, wanted, seen, row)
    if not reasons:
        return OTHER if wanted.classes else None
    return None if None in reasons else reasons[0]


def _of_units(kind: LabelKind, wanted: Conditions, seen: FilterState, row: Row) -> list[str | None]:
    called = _called(kind, seen, row) if wanted.classes else [""] * len(kind.indices(row))
    reasons = [None if name in wanted.classes or not wanted.classes else OTHER for name in called]
    seen.wanted |= set(wanted.classes).intersection(called)
    if wanted.min_confidence is None:
        return reasons
    low = [_one_confidence(value, wanted, seen) for value in kind.confidences(row)]
    return [one or other for one, other in zip(reasons, low, strict=True)]


def _class(kind: LabelKind, wanted: frozenset[str], seen: FilterState, row: Row) -> str | None:
    met = wanted.intersection(_called(kind, seen, row))
    seen.wanted |= met
    return None if met else OTHER


def _called(kind: LabelKind, seen: FilterState, row: Row) -> list[str]:
    """Return the names of the classes of a line; one that it does not name goes by its index."""
    named = dict(kind.names(row))
    called = [named.get(index, str(index)) for index in kind.indices(row)]
    seen.classes |= dict.fromkeys(called)
    return called


def _metadata(row: Row) -> Metadata:
    return row.metadata if row.metadata is not None else _NO_METADATA


class _Nothing(Metadata):
    human_annotated = job_name = creation_date = None


_NO_METADATA = _Nothing()


def _annotator(wanted: str, row: Row) -> str | None:
    found = (_metadata(row).human_annotated or "unknown").lower()
    found = {"true": "yes", "false": "no"}.get(found, found)
    if found == wanted:
        return None
    return {"yes": "human-annotated", "no": "machine-annotated"}.get(found, "annotator unknown")


def _bare_job(name: str) -> str:
    return name.removeprefix("labeling-job/")


def _job(wanted: frozenset[str], row: Row) -> str | None:
    return None if _bare_job(_metadata(row).job_name or "") in wanted else "other job"


def _date(before: datetime | None, after: datetime | None, row: Row) -> str | None:
    found = parse_date(_metadata(row).creation_date)
    if found is None:
        return "no date"
    if after is not None and found < after:
        return "too early"
    return "too late" if before is not None and found >= before else None


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else with_zone(moment)
