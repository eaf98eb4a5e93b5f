"""The dates of metadata: UTC where they name no zone, in all the forms that real manifests have."""

from datetime import UTC, datetime

# Lookout for Vision wrote what JavaScript prints.
_JAVASCRIPT = "%a %b %d %Y %H:%M:%S GMT%z"


def parse_date(text: str | None) -> datetime | None:
    """Return a creation-date, UTC where it names no zone, or None for what is no date.

    >>> date("2018-10-18T22:18:13.527256").isoformat()
    '2018-10-18T22:18:13.527256+00:00'
    >>> date("Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)").isoformat()
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
    """Return a moment with a zone.

    >>> utc(datetime(2018, 10, 18)).isoformat()
    '2018-10-18T00:00:00+00:00'
    """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
