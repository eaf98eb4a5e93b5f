"""What is known of one failure that people met, and how a job's own words show it."""

import re
from dataclasses import dataclass
from functools import lru_cache

_GAP = 400  # characters that "..." may stand for: more, and two messages of a log would be taken for one


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A failure that people reported, in our words.

    ``row`` is its stable number, and ``checks`` the stable ids of what would have shown it. ``signs`` are
    the words by which a FailureReason or a log shows it, ``...`` standing for whatever comes between;
    a failure without words of its own has none. ``codes`` are the rules of ``mtool validate`` that find it
    before anything is billed; ``why_not`` says in a sentence why no file and no request can show it.
    A cause that begins with "Likely" was not confirmed.
    """

    row: int
    checks: tuple[str, ...]
    title: str
    cause: str
    fix: str
    sources: tuple[str, ...]
    signs: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A sign of a failure in a text, and where in it (with its white space made single blanks)."""

    failure: KnownFailure
    sign: str
    start: int
    end: int


def sightings(failure: KnownFailure, text: str) -> list[Sighting]:
    """Return where ``text``, whose white space is single blanks, shows the signs of ``failure``."""
    found = ((sign, _pattern(sign).search(text)) for sign in failure.signs)
    return [Sighting(failure, sign, *match.span()) for sign, match in found if match is not None]


@lru_cache(maxsize=256)
def _pattern(sign: str) -> re.Pattern[str]:
    parts = (re.escape(part.strip()) for part in sign.split("..."))
    return re.compile(f".{{0,{_GAP}}}?".join(parts), re.IGNORECASE)
