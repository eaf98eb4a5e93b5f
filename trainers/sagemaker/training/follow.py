"""A running job as a stream of values: changes of its state, lines of its log, epochs, and its end.

SageMaker notifies nobody, so it is asked every few seconds. While AWS is busy or the network is gone, it
waits; the job goes on without whoever follows it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from manifest_tools.base.errors import MtoolError
from trainers.events import Note
from trainers.sagemaker.client.client import Denied, send
from trainers.sagemaker.client.retry import Sleep, Waiting, waits
from trainers.sagemaker.requests import resources
from trainers.sagemaker.training.log_lines import BestSoFar, Epoch, Epochs, Fault, Figure, Speed, read_line
from trainers.sagemaker.training.log_streams import LogLine, Tail

EVERY = 10.0  # seconds between two requests for the state

ENDED = ("Completed", "Failed", "Stopped")

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Status:
    """The job's state, when it has changed."""

    status: str
    """The state, in SageMaker's words."""

    secondary: str
    """What the job is doing in that state; equal to ``status`` where nothing is said."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the job has cost so far."""

    seconds: float
    """The seconds that are billed."""

    amount: float
    """The cost, in the currency of the price."""


@dataclass(frozen=True, slots=True)
class JobEnd:
    """The end of a job."""

    name: str
    """The name of the job."""

    status: str
    """Its last state, one of ENDED."""

    secondary: str
    """More about the state."""

    reason: str
    """Why it failed; or empty."""

    artifact: str
    """The S3 URI of what it made; or empty."""

    billed: float | None
    """Billed seconds of each of its machines; None where the service does not say."""

    description: dict[str, Any] = field(compare=False, repr=False)
    """All that SageMaker says of the job."""


JobEvent = Note | Status | LogLine | Figure | Epoch | Speed | BestSoFar | Fault | Cost | Waiting | JobEnd


def follow(
    name: str,
    *,
    kind: str = "training",
    price_per_hour: float | None = None,
    every: float = EVERY,
    clock: Clock = lambda: datetime.now(UTC),
    sleep: Sleep = time.sleep,
) -> Iterator[JobEvent]:
    """Yield what happens to a training or transform job, from its first line on; the last value is its
    JobEnd.

    ``price_per_hour`` is that of one machine. ``clock`` and ``sleep`` stand for time itself. Raises
    NotThere for a job that is not there, and what ``client.send`` raises; while AWS is busy or the network
    is gone, it waits as ``retry.waits`` does.
    """
    request = resources.describe(kind, name)
    log = _Log(Tail(kind, name), sleep)
    seen: Status | None = None
    while True:
        job = yield from waits(lambda: send(request), sleep=sleep)
        now = _status(kind, job)
        if now != seen:
            yield now
        seen = now
        over = now.status in ENDED
        if over:
            sleep(every)  # the last lines come after the end
        yield from log.new_events()
        if price_per_hour is not None:
            yield _cost(job, price_per_hour, clock())
        if over:
            yield from log.epochs.end()
            yield _end(kind, name, job, now)
            return
        sleep(every)


class _Log:
    """The log of a job, read as long as the credentials allow it."""

    def __init__(self, tail: Tail, sleep: Sleep) -> None:
        self.epochs = Epochs()
        self._tail: Tail | None = tail
        self._sleep = sleep

    def new_events(self) -> Iterator[JobEvent]:
        """Yield the new lines and the events in them; without the right to read the log, a note, and then
        nothing.
        """
        if self._tail is None:
            return
        try:
            lines = yield from waits(self._tail.new_lines, sleep=self._sleep)
        except Denied as error:
            self._tail = None
            yield Note(f"the log cannot be read, only the job's state: {error}")
            return
        for line in lines:
            yield line
            for event in read_line(line.text):
                yield event
                if isinstance(event, Figure):
                    yield from self.epochs.add(event)


def _status(kind: str, job: dict[str, Any]) -> Status:
    status = job[resources.KINDS[kind].state]
    return Status(status, job.get("SecondaryStatus", status))


def machines(job: dict[str, Any]) -> tuple[str, int]:
    """Return the instance type of a described job, and how many there are of it.

    >>> machines({"ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 2}})
    ('ml.p3.2xlarge', 2)
    """
    found = job.get("ResourceConfig") or job.get("TransformResources") or {}
    return found.get("InstanceType", ""), int(found.get("InstanceCount", 1))


def _cost(job: dict[str, Any], price_per_hour: float, now: datetime) -> Cost:
    """Return the cost so far: of the billed seconds, or of the time since the machines came while it runs.

    Spot machines are billed by BillableTimeInSeconds, which is known only at the end.
    """
    started = job.get("TrainingStartTime") or job.get("TransformStartTime")
    ended = job.get("TrainingEndTime") or job.get("TransformEndTime") or now
    seconds = job.get("BillableTimeInSeconds")
    if seconds is None:
        seconds = max(0.0, (ended - started).total_seconds()) if started else 0.0
    return Cost(float(seconds), price_per_hour * machines(job)[1] * float(seconds) / 3600)


def _end(kind: str, name: str, job: dict[str, Any], status: Status) -> JobEnd:
    artifact = job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    if kind == "transform":
        artifact = job.get("TransformOutput", {}).get("S3OutputPath", "")
    return JobEnd(
        name,
        status.status,
        status.secondary,
        job.get("FailureReason", ""),
        artifact,
        job.get("BillableTimeInSeconds"),
        job,
    )


def how_to_go_on(name: str) -> str:
    """Return what to tell a person who no longer follows a job that goes on."""
    return (
        f"{name} goes on, and is billed; to follow it: mtool jobs logs {name} --follow;"
        f" to stop it: mtool jobs stop {name}"
    )


def check_ended_well(end: JobEnd) -> None:
    """Raise MtoolError for a job that failed, with its reason in one line and what to type."""
    if end.status == "Failed":
        reason = " ".join(end.reason.split()) or "no reason was given"
        raise MtoolError(f"{end.name} failed: {reason}; type: mtool doctor {end.name}")
    if end.status == "Stopped":
        raise MtoolError(f"{end.name} was stopped ({end.secondary}); type: mtool doctor {end.name}")
