"""A tuning job from its plan to its best parameters. Each trial is a training job, and is billed."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from manifest_tools.base.errors import MtoolError
from trainers.ranges import Choice, Range
from trainers.sagemaker.client.client import pages, send
from trainers.sagemaker.client.retry import Sleep, Waiting, waits
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.tuning_job import TuningJob
from trainers.sagemaker.training.follow import ENDED, EVERY, Status
from trainers.sagemaker.training.plan import TrainingPlan
from trainers.trial import Trial, best_of

# What follows from the data is not among the best parameters: the next job has its own.
DERIVED = ("num_classes", "num_training_samples", "multi_label", "label_width")


@dataclass(frozen=True, slots=True)
class Trials:
    """All trials of a tuning job, when one of them has changed."""

    trials: tuple[Trial, ...]
    """The trials, oldest first."""


@dataclass(frozen=True, slots=True)
class TuningEnd:
    """The end of a tuning job."""

    name: str
    """The name of the job."""

    status: str
    """Its last state."""

    reason: str
    """Why it failed; or empty."""

    best: Trial | None
    """The best trial; None where none came to a figure."""

    trials: tuple[Trial, ...]
    """All trials, oldest first."""

    description: dict[str, Any] = field(compare=False, repr=False)
    """All that SageMaker says of the job."""


TuningEvent = Status | Trials | Waiting | TuningEnd


def hardest(ranges: Sequence[Range | Choice]) -> dict[str, str]:
    """Return the values among the ranges that ask most of the data, such as the largest mini batch."""
    return {one.name: one.high if isinstance(one, Range) else one.values[0] for one in ranges}


def tuning_job(planned: TrainingPlan, ranges: Sequence[Range | Choice], **other: Any) -> TuningJob:
    """Return the tuning job whose trials are the planned training; ``other`` are fields of TuningJob."""
    return TuningJob(
        name=planned.name, training=planned.training, ranges=tuple(ranges), tags=planned.tags, **other
    )


def follow_tuning(name: str, *, every: float = EVERY, sleep: Sleep = time.sleep) -> Iterator[TuningEvent]:
    """Yield what happens to a tuning job; the last value is its end.

    Raises NotThere for a job that is not there; while AWS is busy it waits as ``retry.waits`` does.
    """
    request = resources.describe("tuning", name)
    seen: Status | None = None
    known: tuple[Trial, ...] = ()
    while True:
        job = yield from waits(lambda: send(request), sleep=sleep)
        now = Status(job["HyperParameterTuningJobStatus"], "")
        if now != seen:
            yield now
        seen = now
        trials = yield from waits(lambda: list_trials(name), sleep=sleep)
        if trials != known:
            yield Trials(trials)
        known = trials
        if now.status in ENDED:
            yield _end(name, job, trials)
            return
        sleep(every)


def list_trials(name: str) -> tuple[Trial, ...]:
    """Return all trials of a tuning job, oldest first."""
    answers = pages(resources.trials(name))
    found = [one for answer in answers for one in answer["TrainingJobSummaries"]]
    found.sort(key=lambda one: (one["CreationTime"], one["TrainingJobName"]))
    return tuple(map(_trial, found))


def _trial(summary: Mapping[str, Any]) -> Trial:
    figure = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    parameters = _unquoted(summary.get("TunedHyperParameters", {}))
    return Trial(summary["TrainingJobName"], summary["TrainingJobStatus"], parameters, figure)


def _unquoted(values: Mapping[str, str]) -> dict[str, str]:
    """Return values without the quotes that the service puts around choices."""
    return {name: value.strip('"') for name, value in sorted(values.items())}


def _end(name: str, job: Mapping[str, Any], trials: tuple[Trial, ...]) -> TuningEnd:
    """Return the end; the best trial is the one that the service names, or else the best of the trials."""
    summary = job.get("BestTrainingJob")
    goal = job.get("HyperParameterTuningJobConfig", {}).get("HyperParameterTuningJobObjective", {})
    best = _trial(summary) if summary else best_of(trials, maximize=goal.get("Type") != "Minimize")
    reason = " ".join(str(job.get("FailureReason", "")).split())
    return TuningEnd(name, job["HyperParameterTuningJobStatus"], reason, best, trials, dict(job))


def best_parameters(end: TuningEnd) -> dict[str, str]:
    """Return the hyperparameters of the best trial: what was varied, and what people set for all.

    Raises MtoolError where no trial has a value of the objective metric.
    """
    if end.best is None:
        failed = next((one.name for one in end.trials if one.status == "Failed"), "")
        why = f": {end.reason}" if end.reason else ""
        advice = f"; type: mtool doctor {failed}" if failed else ""
        raise MtoolError(
            f"{end.name} is {end.status}, but no trial has a value of the objective metric{why}{advice}"
        )
    static = end.description.get("TrainingJobDefinition", {}).get("StaticHyperParameters", {})
    given = {name: value for name, value in static.items() if name not in DERIVED and name[:1] != "_"}
    return {**given, **end.best.parameters}
