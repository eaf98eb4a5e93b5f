"""Jobs and endpoints of an account: their states, their machines, and what they cost an hour."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.text import shown
from trainers.sagemaker.client.client import Denied, NotThere, pages, region, send
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.requests import Request
from trainers.sagemaker.training.follow import machines

KINDS = ("training", "tuning", "transform", "endpoint")
NEWEST = 50  # jobs of a kind that have ended; what runs is listed always

_ANY = ""  # the key of a price that holds for every instance type


@dataclass(frozen=True, slots=True)
class JobSummary:
    """A job or an endpoint, as a list shows it."""

    kind: str
    """One of KINDS."""

    name: str
    """Its name."""

    state: str
    """Its state, in SageMaker's words."""

    created: datetime
    """When it was created."""

    ended: datetime | None = None
    """When it ended; None while it runs."""

    machines: tuple[tuple[str, int], ...] = ()
    """The instance types that run now, each with its count. A tuning job has none: its training jobs
    have."""

    per_hour: float | None = None
    """What it costs now, in the currency of the prices: 0 when it has ended, None when a price is not
    known."""

    @property
    def runs(self) -> bool:
        """Whether it may be billed now."""
        return self.state in resources.KINDS[self.kind].live

    def age(self, now: datetime) -> timedelta:
        """Return the time since it was created."""
        return now - self.created


def read_prices(texts: Sequence[str]) -> dict[str, float]:
    """Return prices an hour by instance type; a number alone is for every other type.

    >>> read_prices(["ml.p3.2xlarge=3.825", "1"])
    {'ml.p3.2xlarge': 3.825, '': 1.0}
    """
    prices: dict[str, float] = {}
    for text in texts:
        instance_type, _, number = text.rpartition("=")
        try:
            prices[instance_type] = float(number)
        except ValueError:
            prices[instance_type] = -1
        if not 0 <= prices[instance_type] < float("inf"):
            raise Refused(f"--price-per-hour: expected TYPE=PRICE or PRICE, found {shown(text)}")
    return prices


def list_jobs(
    kinds: Sequence[str] = KINDS, *, newest: int | None = NEWEST, prices: Mapping[str, float] | None = None
) -> Iterator[JobSummary]:
    """Yield jobs and endpoints of these kinds, kind by kind, newest first.

    All that run, and the ``newest`` that have ended; None for all of these. Raises what ``client.send``
    raises.
    """
    for kind in kinds:
        for job in sorted(_found(kind, newest).values(), key=lambda one: one.created, reverse=True):
            yield _priced(job, prices or {})


def _found(kind: str, newest: int | None) -> dict[str, JobSummary]:
    """Return the jobs of one kind by name; of endpoints, which all bill, all of them."""
    found: dict[str, JobSummary] = {}
    for job in _pages(kind, ""):
        if newest is not None and kind != "endpoint" and len(found) >= newest:
            break
        found[job.name] = job
    if newest is not None and kind != "endpoint" and len(found) >= newest:
        for state in resources.KINDS[kind].live:
            found |= {job.name: job for job in _pages(kind, state)}
    return found


def _pages(kind: str, state: str) -> Iterator[JobSummary]:
    listed = resources.KINDS[kind].listed
    for page in pages(resources.list_newest(kind, state=state)):
        yield from (_job(kind, one) for one in page[listed])


_ENDS = ("TrainingEndTime", "HyperParameterTuningEndTime", "TransformEndTime")


def _job(kind: str, description: Mapping[str, Any]) -> JobSummary:
    """Return a job from what a list or a description has of it."""
    found = resources.KINDS[kind]
    ended = next((description[field] for field in _ENDS if field in description), None)
    return JobSummary(
        kind, description[found.name], description[found.state], description["CreationTime"], ended
    )


def _priced(job: JobSummary, prices: Mapping[str, float]) -> JobSummary:
    """Return the job with its machines, which only its description has, and what they cost."""
    if not job.runs or job.kind == "tuning":
        return replace(job, per_hour=None if job.runs else 0.0)
    try:
        placed = _machines(job.kind, send(resources.describe(job.kind, job.name)))
    except NotThere:  # gone since it was listed
        return job
    return replace(job, machines=placed, per_hour=_per_hour(placed, prices))


def _machines(kind: str, description: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    if kind != "endpoint":
        placed = machines(dict(description))
        return (placed,) if placed[0] else ()
    config = send(resources.describe("endpoint-config", description["EndpointConfigName"]))
    counts = {
        one["VariantName"]: one.get("CurrentInstanceCount")
        for one in description.get("ProductionVariants", ())
    }
    found = []
    for variant in config["ProductionVariants"]:
        count = counts.get(variant["VariantName"]) or variant.get("InitialInstanceCount", 0)
        found.append((variant.get("InstanceType", SERVERLESS), int(count)))
    return tuple(found)


SERVERLESS = "serverless"  # billed by the request, and nothing while it waits


def _per_hour(placed: Sequence[tuple[str, int]], prices: Mapping[str, float]) -> float | None:
    """Return the price of all machines together; None where one has no price.

    >>> _per_hour([("ml.m5.large", 2), ("serverless", 0)], {"ml.m5.large": 0.25})
    0.5
    >>> _per_hour([("ml.m5.large", 2)], {"ml.m4.large": 0.25})
    """
    each = [
        0.0 if instance_type == SERVERLESS else prices.get(instance_type, prices.get(_ANY))
        for instance_type, _ in placed
    ]
    if None in each or not placed:
        return None
    return sum((price or 0.0) * count for price, (_, count) in zip(each, placed, strict=True))


def find_job(name: str) -> tuple[JobSummary, dict[str, Any]]:
    """Return the job or endpoint of a name, and its description; raises NotThere or Refused.

    Where several kinds have the name, the first of KINDS counts.
    """
    denied: MtoolError | None = None
    for kind in KINDS:
        try:
            description = send(resources.describe(kind, name))
        except NotThere:
            continue
        except Denied as error:
            denied = error
            continue
        except Refused:  # a name that is too long for one kind may be right for another
            if len(name) > resources.KINDS[kind].longest and kind == "tuning":
                continue
            raise
        return _job(kind, description), description
    raise denied or NotThere(
        f"{name}: there is no job and no endpoint of that name in {region()}; type mtool jobs, or"
        " set AWS_REGION"
    )


def with_machines(job: JobSummary, description: Mapping[str, Any], prices: Mapping[str, float]) -> JobSummary:
    """Return a job with its machines, and with what they cost an hour while it runs."""
    placed = _machines(job.kind, description) if job.kind != "tuning" else ()
    return replace(job, machines=placed, per_hour=_per_hour(placed, prices) if job.runs else 0.0)


def stop_job(name: str, *, dry_run: bool = False) -> tuple[JobSummary, Request | None]:
    """Stop a job, and return it with the request; None for the request where the job has ended already.

    Raises Refused for an endpoint, which is deleted. A training job keeps what it has saved by then.
    """
    job, _ = find_job(name)
    request = resources.stop(job.kind, name)
    if not job.runs or job.state == "Stopping":
        return job, None
    if not dry_run:
        send(request)
    return job, request
