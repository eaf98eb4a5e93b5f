"""One try of a tuning run, wherever it is made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried and what came of it; ``value`` is None until, or unless, there is a figure.

    ``status`` is in the words of who tried: InProgress, Completed, Stopped, Failed, of SageMaker.
    """

    name: str
    status: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    value: float | None = None

    @property
    def ended(self) -> bool:
        """Say whether nothing more comes of it."""
        return self.status in ("Completed", "Stopped", "Failed")


def best_of(trials: Iterable[Trial], *, maximize: bool = True) -> Trial | None:
    """Return the trial with the best figure, the first of equals; None where no trial has one.

    >>> tried = [Trial("a", "Completed", value=0.5), Trial("b", "Completed", value=0.5), Trial("c", "Failed")]
    >>> best_of(tried).name
    'a'
    """
    found = [one for one in trials if one.value is not None and one.ended]
    return max(found, key=lambda one: (one.value or 0.0) * (1 if maximize else -1), default=None)
