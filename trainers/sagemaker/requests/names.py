"""Names of jobs, models and endpoints: what the service takes, and new ones with the time in them."""

import re
from datetime import UTC, datetime

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown

LONGEST = 63
LONGEST_TUNING_JOB = 32

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", re.ASCII)
_STEM = "mtool"  # of what has no letter that a name may have


def job_name(stem: str, now: datetime, longest: int = LONGEST) -> str:
    """Return a valid name made of ``stem`` and the time in UTC, to the second.

    What cannot stand in a name becomes a hyphen; of a long stem the beginning is kept. ``longest`` is 63
    characters, of a tuning job 32.

    >>> job_name("lab3 left_right!", datetime(2024, 3, 1, 12, 30, 5, tzinfo=UTC))
    'lab3-left-right-20240301-123005'
    """
    time = now.astimezone(UTC).strftime("%Y%m%d-%H%M%S")
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", stem).strip("-")
    kept = plain[: longest - len(time) - 1].strip("-") or _STEM
    return f"{kept}-{time}"


def check_name(what: str, name: str, longest: int = LONGEST) -> None:
    """Raise Refused for a name that the service would not take; ``what`` is whose name it is."""
    if len(name) > longest:
        raise Refused(f"name of the {what}: expected at most {longest} characters, found {len(name)}")
    if not _NAME.fullmatch(name):
        form = "letters and digits, hyphens between them"
        raise Refused(f"name of the {what}: expected {form}, found {shown(name)}")
