"""Endpoints that get no requests, and are billed all the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trainers.sagemaker.account.jobs import JobSummary, list_jobs
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.client import Denied, call_service, send
from trainers.sagemaker.requests import resources

IDLE_AFTER = timedelta(hours=1)
_LOOK_BACK = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Idle:
    """An endpoint that nobody sends requests to."""

    job: JobSummary
    """The endpoint."""

    since: datetime
    """The time of the last request, or of its creation."""

    asked: bool
    """Whether there was a request in the last two weeks."""

    reminder: datetime | None = None
    """The time of ``deploy --remind-after``, once it has come."""


def idle_endpoints(
    *, now: datetime | None = None, prices: Mapping[str, float] | None = None, after: timedelta = IDLE_AFTER
) -> list[Idle]:
    """Return the endpoints without a request for an hour or longer, longest idle first, and those whose
    reminder is due.

    CloudWatch counts the requests (Invocations, of AWS/SageMaker). Raises as ``call_service`` does.
    """
    moment = now or datetime.now(UTC)
    found = []
    for job in list_jobs(("endpoint",), prices=prices):
        if job.state != "InService":
            continue
        description = send(resources.describe("endpoint", job.name))
        last = _last_request(description, moment)
        since = max(last or job.created, job.created)
        reminder = _reminder(description, moment)
        if moment - since >= after or reminder is not None:
            found.append(Idle(job, since, last is not None, reminder))
    return sorted(found, key=lambda one: one.since)


def _reminder(description: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return the reminder of a described endpoint; None before its time, or where tags cannot be read."""
    try:
        due = tags.reminder(tags.read_tags(description["EndpointArn"]))
    except Denied:
        return None
    return due if due is not None and due <= now else None


def _last_request(description: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return the hour of the last request; None where that is two weeks ago or more."""
    name = description["EndpointName"]
    last = [_last_of(name, one["VariantName"], now) for one in description.get("ProductionVariants", ())]
    return max((moment for moment in last if moment is not None), default=None)


def _last_of(name: str, variant: str, now: datetime) -> datetime | None:
    asked = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Dimensions": [
            {"Name": "EndpointName", "Value": name},
            {"Name": "VariantName", "Value": variant},
        ],
        "StartTime": now - _LOOK_BACK,
        "EndTime": now,
        "Period": 3600,
        "Statistics": ["Sum"],
    }
    points = call_service("cloudwatch", "get_metric_statistics", asked)["Datapoints"]
    return max((point["Timestamp"] for point in points if point["Sum"] > 0), default=None)
