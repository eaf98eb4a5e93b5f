"""A failure that people reported, and how to find it in the messages of a job."""

import re
from dataclasses import dataclass
from functools import lru_cache

_GAP = 400  # characters that "..." matches: with more, two messages of a log would count as one


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A failure that people reported."""

    row: int
    """Its number, which never changes."""
    checks: tuple[str, ...]
    """The ids of the checks that would have found it, which never change."""
    title: str
    cause: str
    """Begins with "Likely" if nobody confirmed it."""
    fix: str
    sources: tuple[str, ...]
    """The pages that report it."""
    signs: tuple[str, ...] = ()
    """The messages of a FailureReason or a log that show it; ``...`` matches any short text. May be empty."""
    codes: tuple[str, ...] = ()
    """The rules of ``mtool validate`` that find it before a job is paid for."""
    why_not: str = ""
    """Why no rule can find it: a sentence, if there are no codes."""


@dataclass(frozen=True, slots=True)
class SignMatch:
    """A sign of a failure in a text, and its position there."""

    failure: KnownFailure
    sign: str
    start: int
    end: int


def match_signs(failure: KnownFailure, text: str) -> list[SignMatch]:
    """Return the signs of ``failure`` in ``text``, whose white space is single spaces."""
    found = ((sign, _pattern(sign).search(text)) for sign in failure.signs)
    return [SignMatch(failure, sign, *match.span()) for sign, match in found if match is not None]


@lru_cache(maxsize=256)
def _pattern(sign: str) -> re.Pattern[str]:
    parts = (re.escape(part.strip()) for part in sign.split("..."))
    return re.compile(f".{{0,{_GAP}}}?".join(parts), re.IGNORECASE)
