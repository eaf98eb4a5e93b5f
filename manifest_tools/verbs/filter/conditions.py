"""The conditions that a line must meet to be kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MultiLabel = Literal["any", "all", "trim"]
ZeroConfidence = Literal["drop", "keep"]
Empty = Literal["keep", "drop"]


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions that a line must meet to be kept; the default of each one is met by every line."""

    min_confidence: float | None = None
    """The lowest confidence, from 0 to 1."""

    zero_confidence: ZeroConfidence | None = None
    """What happens to labels whose confidence says nothing: it is 0 or missing, or the same low one on all.

    None refuses a manifest that has no other, and drops the labels with 0 or none of a manifest that has.
    """

    empty: Empty | None = None
    """What ``min_confidence`` does to a line with a label but no class, box or entity, and so no confidence.

    None keeps it, and refuses a manifest where nothing else would be kept.
    """

    multilabel: MultiLabel = "any"
    """How many classes, boxes or entities of a line must meet ``min_confidence`` and ``classes``.

    ``trim`` keeps a line if one does, and removes those that do not.
    """

    classes: tuple[str, ...] = ()
    """Class names; a line must have one of them. A class without a name is called by its index."""

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

    @property
    def accept_all(self) -> bool:
        """Whether every line meets them."""
        return self == Conditions(multilabel=self.multilabel, zero_confidence=self.zero_confidence)

    @property
    def trims(self) -> bool:
        """Whether classes, boxes or entities are removed from lines that are kept."""
        return self.multilabel == "trim" and (self.min_confidence is not None or bool(self.classes))
