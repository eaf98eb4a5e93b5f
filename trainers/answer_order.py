"""In which order answers are looked at."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from trainers.answers import Answer

Order = Literal["mistakes", "confidence", "name", "input"]
"""Mistakes first, from the surest on, and then the least sure; the least sure first; by name; as named."""


def in_order(answers: "Sequence[Answer]", order: Order) -> "list[Answer]":
    """Return answers as one wants to look at them; those that are equal keep their order."""
    if order == "input":
        return list(answers)
    if order == "name":
        return sorted(answers, key=lambda one: one.prediction.picture)
    if order == "confidence":
        return sorted(answers, key=lambda one: one.confidence)
    mistakes = [one for one in answers if one.is_right is False]
    others = [one for one in answers if one.is_right is not False]
    surest_first = sorted(mistakes, key=lambda one: -one.confidence)
    return surest_first + sorted(others, key=lambda one: one.confidence)
