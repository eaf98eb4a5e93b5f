"""What the screen and JSON show of jobs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from manifest_tools.cli.shared.screen import table

if TYPE_CHECKING:
    from trainers.sagemaker.account.idle import Idle
    from trainers.sagemaker.account.jobs import JobSummary


def duration_text(time: timedelta) -> str:
    """Return a length of time in words, in the largest unit of which there are at least two.

    >>> [duration_text(timedelta(minutes=count)) for count in (5, 30 * 60, 9 * 24 * 60)]
    ['5 min', '30 h', '9 days']
    """
    minutes = max(0, int(time.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def machines(job: "JobSummary") -> str:
    """Return the machines of a job in words."""
    return ", ".join(name if count <= 1 else f"{count} x {name}" for name, count in job.machines)


def cost(job: "JobSummary") -> str:
    """Return what a job costs an hour; empty where no price is known, a hyphen where it has ended."""
    if not job.runs:
        return "-"
    return "" if job.per_hour is None else f"{job.per_hour:.2f}"


def jobs_table(found: "Sequence[JobSummary]", now: datetime) -> str:
    """Return jobs and endpoints as a table."""
    rows = [
        (job.name, job.kind, job.state, duration_text(job.age(now)), machines(job), cost(job))
        for job in found
    ]
    return table(rows, ("name", "kind", "state", "age", "machines", "an hour"))


def idle_table(found: "Sequence[Idle]", now: datetime) -> str:
    """Return idle endpoints as a table."""
    rows = [
        (one.job.name, duration_text(now - one.since), _last_asked(one), machines(one.job), cost(one.job))
        for one in found
    ]
    return table(rows, ("endpoint", "idle for", "last asked", "machines", "an hour"))


def _last_asked(one: "Idle") -> str:
    return f"{one.since:%Y-%m-%d %H:%M}" if one.asked else "not in two weeks"


def summary(found: "Sequence[JobSummary]") -> str:
    """Return what runs, and what it costs together as far as it is known.

    >>> summary([])
    'no jobs and no endpoints in this account and region'
    """
    if not found:
        return "no jobs and no endpoints in this account and region"
    placed = [job for job in found if job.runs and job.machines]
    if not placed:
        return f"{len(found):,} listed, none of them on a machine now"
    known = [job.per_hour for job in placed if job.per_hour is not None]
    types = sorted({name for job in placed if job.per_hour is None for name, _ in job.machines})
    unknown = f"; no price for {', '.join(types)}: type --price-per-hour TYPE=PRICE" if types else ""
    cost = f"{sum(known):.2f} an hour" if known or not types else "cost not known"
    return f"{len(placed):,} on machines now, {cost}{unknown}"


def about(job: "JobSummary", description: dict[str, Any]) -> str:
    """Return one job, as ``find_job`` and ``with_machines`` return it, as a table of two columns."""
    rows = [("name", job.name), ("kind", job.kind), ("state", job.state)]
    rows += [("about", description["SecondaryStatus"])] if "SecondaryStatus" in description else []
    rows += [("created", f"{job.created:%Y-%m-%d %H:%M:%S%z}")]
    rows += [("ended", f"{job.ended:%Y-%m-%d %H:%M:%S%z}")] if job.ended else []
    rows += [("machines", machines(job))] if job.machines else []
    rows += [("an hour", f"{job.per_hour:.2f}")] if job.runs and job.per_hour is not None else []
    return table(rows + _details(description))


def _details(description: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the failure reason, the model, the figures and the hyperparameters of a described job."""
    rows = (
        [("reason", " ".join(description["FailureReason"].split()))] if "FailureReason" in description else []
    )
    artifact = description.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    rows += [("model", artifact)] if artifact else []
    seconds = description.get("BillableTimeInSeconds")
    rows += [("billed", f"{seconds:,} s a machine")] if seconds is not None else []
    figures = sorted(description.get("FinalMetricDataList", ()), key=lambda one: str(one["MetricName"]))
    rows += [(one["MetricName"], f"{one['Value']:.4g}") for one in figures]
    rows += [(f"-p {name}", value) for name, value in sorted(description.get("HyperParameters", {}).items())]
    return rows


def as_row(job: "JobSummary") -> dict[str, Any]:
    """Return a job as JSON has it."""
    return {
        "name": job.name,
        "kind": job.kind,
        "state": job.state,
        "created": job.created.isoformat(),
        "ended": job.ended.isoformat() if job.ended else None,
        "machines": [{"instance_type": name, "count": count} for name, count in job.machines],
        "per_hour": job.per_hour,
    }


def as_json(value: Any) -> str:
    """Return a date as text, for ``json.dumps``."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
