"""Reads the dates of label metadata, in every form that real manifests have."""

from datetime import UTC, datetime

# The form of JavaScript's Date.toString(), which Lookout for Vision wrote.
_JAVASCRIPT = "%a %b %d %Y %H:%M:%S GMT%z"


def parse_date(text: str | None) -> datetime | None:
    """Return the moment that a creation-date names, or None when the text is no date.

    A date without a time zone is in UTC.

    >>> parse_date("2018-10-18T22:18:13.527256").isoformat()
    '2018-10-18T22:18:13.527256+00:00'
    >>> parse_date("Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)").isoformat()
    '2022-08-22T13:52:52-07:00'
    """
    try:
        return with_zone(datetime.fromisoformat(text or ""))
    except ValueError:
        pass
    try:
        return datetime.strptime((text or "").partition(" (")[0], _JAVASCRIPT)
    except ValueError:
        return None


def with_zone(moment: datetime) -> datetime:
    """Return the moment with a time zone: its own, or else UTC.

    >>> with_zone(datetime(2018, 10, 18)).isoformat()
    '2018-10-18T00:00:00+00:00'
    """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
