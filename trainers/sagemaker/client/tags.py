"""The tags that mtool puts on what it makes, and reads again later."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.sagemaker.client.client import pages
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.limits import check_tags
from trainers.sagemaker.requests.requests import Request

MADE_FOR = "mtool:made-for"  # the endpoint, or transform job, for which it was made, and with which it goes
CLASSES = "mtool:classes"  # where its classes.json lies, in S3
MULTI_LABEL = "mtool:multi-label"
REMIND_AFTER = "mtool:remind-after"  # a time in UTC, after which it counts as forgotten
API = "mtool:api"  # there is an API Gateway in front of it

_SPAN = re.compile(r"(\d{1,6})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=366)


def read_duration(text: str) -> timedelta:
    """Return a length of time that was typed: minutes, hours or days, with a unit.

    >>> read_duration("2h"), read_duration("90m")
    (datetime.timedelta(seconds=7200), datetime.timedelta(seconds=5400))
    """
    found = _SPAN.fullmatch(text)
    span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < span <= _LONGEST:
        raise Refused(f"expected a time such as 30m, 2h or 1d, at most a year; found {shown(text)}")
    return span


def time_text(moment: datetime) -> str:
    """Return a time as the tag has it: in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def reminder(tags: Mapping[str, str]) -> datetime | None:
    """Return the time of the reminder in these tags; None where there is none.

    >>> reminder({"mtool:remind-after": "2024-03-01T12:30:05Z"})
    datetime.datetime(2024, 3, 1, 12, 30, 5, tzinfo=datetime.timezone.utc)
    """
    try:
        found = datetime.fromisoformat(tags[REMIND_AFTER])
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else None


def fits(value: str) -> bool:
    """Return whether a tag can have the value: tags are short, and allow few signs.

    >>> fits("s3://lab3/classes.json"), fits("s3://lab3/a,b/classes.json")
    (True, False)
    """
    try:
        check_tags({"a": value})
    except Refused:
        return False
    return True


def read_tags(arn: str) -> dict[str, str]:
    """Return the tags of anything, by its ARN; raises what ``client.send`` raises."""
    request: Request = resources.tags_of(arn)
    return {one["Key"]: one["Value"] for page in pages(request) for one in page["Tags"]}
