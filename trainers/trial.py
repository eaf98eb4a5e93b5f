"""The trials of tuning, wherever they run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Trial:
    """One training run of a tuning run."""

    name: str
    """The number of a trial on this machine, from 1; the name of a training job in SageMaker."""

    status: str
    """In SageMaker's words: InProgress, Completed, Stopped or Failed."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What this trial varied, by name."""

    value: float | None = None
    """The metric that tuning aims at; None while there is no figure yet."""

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in ("Completed", "Stopped", "Failed")


def best_of(trials: Iterable[Trial], *, maximize: bool = True) -> Trial | None:
    """Return the trial with the best value, of equal ones the first; None where no trial has a value.

    >>> tried = [Trial("a", "Completed", value=0.5), Trial("b", "Completed", value=0.5), Trial("c", "Failed")]
    >>> best_of(tried).name
    'a'
    """
    found = [one for one in trials if one.value is not None and one.ended]
    return max(found, key=lambda one: (one.value or 0.0) * (1 if maximize else -1), default=None)
