"""The conditions that a line must meet to be kept."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import either, shown
from manifest_tools.groundtruth.marks import WHATS

MultiLabel = Literal["any", "all", "trim"]
ZeroConfidence = Literal["drop", "keep"]
Empty = Literal["keep", "drop"]


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions that a line must meet to be kept; the default of each one is met by every line."""

    min_confidence: float | None = None
    """The lowest confidence, from 0 to 1."""

    max_confidence: float | None = None
    """The highest confidence, from 0 to 1: what is doubtful."""

    zero_confidence: ZeroConfidence | None = None
    """What happens to labels whose confidence says nothing: it is 0 or missing, or the same low one on all.

    None refuses a manifest that has no other, and drops the labels with 0 or none of a manifest that has.
    """

    empty: Empty | None = None
    """What a condition on the confidence does to a line with a label but no class, box or entity.

    None keeps it, and refuses a manifest where nothing else would be kept.
    """

    multilabel: MultiLabel | None = None
    """How many classes, boxes or entities of a line must meet the conditions on confidence and class.

    ``trim`` keeps a line if one does, and removes those that do not. None is ``any``.
    """

    classes: tuple[str, ...] = ()
    """Class names; a line must have one of them. A class without a name is called by its index."""

    excluded: tuple[str, ...] = ()
    """Class names; a line may have none of them."""

    human_annotated: bool | None = None
    """True keeps labels of people, False those of a model."""

    jobs: tuple[str, ...] = ()
    """Names of labeling jobs, with or without ``labeling-job/``; a label must come from one of them."""

    before: datetime | None = None
    """The creation-date must be earlier; UTC without a time zone."""

    after: datetime | None = None
    """The creation-date must be this moment or later; UTC without a time zone."""

    labelled: bool = False
    """Keep only lines with a label, whatever it is."""

    marked: str | None = None
    """A file of marks; a line must have one."""

    unmarked: str | None = None
    """A file of marks; a line must have none."""

    mark: tuple[str, ...] = ()
    """The marks of that file that count, such as ``wrong``; () for all of them."""

    @property
    def marks_file(self) -> str | None:
        """The file of marks, where they are about marks."""
        return self.unmarked if self.marked is None else self.marked

    @property
    def of_labels(self) -> "Conditions":
        """Those that are not about marks; a line without a label can meet the others."""
        return replace(self, marked=None, unmarked=None, mark=())

    @property
    def accept_all(self) -> bool:
        """Whether every line meets them."""
        return self == Conditions(multilabel=self.multilabel, zero_confidence=self.zero_confidence)

    @property
    def trims(self) -> bool:
        """Whether classes, boxes or entities are removed from lines that are kept."""
        return self.multilabel == "trim" and (self.reads_confidence or self.reads_class)

    @property
    def reads_confidence(self) -> bool:
        """Whether they are about confidences, even if any confidence will do."""
        return self.min_confidence is not None or self.max_confidence is not None

    @property
    def limits_confidence(self) -> bool:
        """Whether there is a confidence that does not meet them."""
        return bool(self.min_confidence) or (self.max_confidence is not None and self.max_confidence < 1)

    @property
    def reads_class(self) -> bool:
        """Whether they are about classes."""
        return bool(self.classes or self.excluded)

    @property
    def confidences(self) -> str:
        """The confidences that meet them, in words."""
        if self.max_confidence is None:
            return f"{self.min_confidence:g} or more"
        low = f"{self.min_confidence:g} to " if self.min_confidence else ""
        return f"{low}{self.max_confidence:g}{'' if low else ' or less'}"

    def including(self, confidence: float) -> "Conditions":
        """Return the conditions, widened so that ``confidence`` meets them."""
        low, high = self.min_confidence, self.max_confidence
        low = None if low is None else min(low, confidence)
        return replace(
            self, min_confidence=low, max_confidence=None if high is None else max(high, confidence)
        )

    def check(self) -> None:
        """Raise Refused for conditions that no line can meet, or that say nothing."""
        self._check_marks()
        self._check_needs()
        low, high = self.min_confidence, self.max_confidence
        if low is not None and high is not None and low > high:
            raise Refused(
                f"--min-confidence {low:g} --max-confidence {high:g}: no confidence is both;"
                " type the lower one as --min-confidence"
            )
        for name in self.classes:
            if name in self.excluded:
                raise Refused(
                    f"{shown(name)} is typed for --class and --exclude-class; leave one of them out"
                )

    def _check_needs(self) -> None:
        """Raise Refused for an option that has no effect without another one."""
        if self.reads_confidence:
            return
        bounds = "--min-confidence or --max-confidence"
        if self.multilabel == "trim" and not self.reads_class:
            raise Refused(
                f"--multilabel trim has no effect without {bounds}, --class or --exclude-class;"
                " type one of them"
            )
        typed = {
            "--zero-confidence": self.zero_confidence is not None,
            "--empty": self.empty is not None,
            f"--multilabel {self.multilabel}": self.multilabel in ("any", "all"),
        }
        for option in (option for option, given in typed.items() if given):
            raise Refused(f"{option} has no effect without {bounds}; type one of them")

    def _check_marks(self) -> None:
        if self.marked is not None and self.unmarked is not None:
            raise Refused("--marked and --unmarked keep opposite lines; leave one of them out")
        if self.mark and self.marks_file is None:
            raise Refused("--mark has no effect without --marked or --unmarked; type one of them")
        for one in self.mark:
            if one not in WHATS:
                raise Refused(f"expected --mark to be {either(WHATS)}, found {shown(one)}")
