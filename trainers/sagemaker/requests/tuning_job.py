"""A tuning job as a frozen value: the training that all trials share, and what is varied between them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from manifest_tools.algorithms import Algorithm, Hyperparameter, Metric, Tunable
from manifest_tools.algorithms.values import accepts, expected, number_of
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.ranges import Choice, Range, check_ends, check_names, corners
from trainers.sagemaker.requests.limits import check_tags, check_whole
from trainers.sagemaker.requests.names import LONGEST_TUNING_JOB, check_name
from trainers.sagemaker.requests.training_job import Training, check_hyperparameters

Strategy = Literal["Bayesian", "Random", "Hyperband", "Grid"]

_MOST_RANGES = 30  # of each kind, and values of a choice


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningJob:
    """One tuning job.

    Raises Refused for what the service would not take, and for what the algorithm cannot vary.
    """

    name: str
    """Its name."""

    training: Training
    """What all trials have in common."""

    ranges: tuple[Range | Choice, ...]
    """What is varied."""

    max_jobs: int
    """Trials in all."""

    parallel: int = 1
    """Trials at the same time."""

    metric: str = ""
    """What it aims at; empty for the algorithm's first metric."""

    strategy: Strategy = "Bayesian"
    """How the next values are chosen."""

    early_stopping: bool = False
    """Whether the service stops trials that do worse than others; the algorithm's own early stopping is a
    hyperparameter."""

    max_total: int | None = None
    """Seconds for all trials together."""

    seed: int | None = None
    """The seed of the strategy."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """The tags of the job."""

    def __post_init__(self) -> None:
        check_name("tuning job", self.name, LONGEST_TUNING_JOB)
        check_tags(self.tags)
        _ = self.objective
        _check_limits(self)
        check_names(self.ranges, self.training.hyperparameters)
        for one in self.ranges:
            _check_range(one, self.training.algorithm)
        for values in corners(self.ranges):
            check_hyperparameters(self.training, values)
        _check_strategy(self)

    @property
    def objective(self) -> Metric:
        """The metric and its direction; Refused where the algorithm has no such metric."""
        metrics = self.training.algorithm.metrics
        for one in metrics:
            if self.metric in ("", one.name):
                return one
        known = ", ".join(one.name for one in metrics)
        raise Refused(f"metric: expected {known}, found {shown(self.metric)}")


def tunable(name: str, algorithm: Algorithm) -> tuple[Hyperparameter, Tunable]:
    """Return a hyperparameter and what a tuning job may vary of it; Refused where that is nothing."""
    one = algorithm.find(name)
    if one is None or one.tunable is None:
        names = ", ".join(each.name for each in algorithm.hyperparameters if each.tunable is not None)
        raise Refused(f"{algorithm.name} cannot tune {shown(name)}; it can {names}")
    return one, one.tunable


def warnings(job: TuningJob) -> list[str]:
    """Return the ranges that go beyond what the algorithm's tuning page recommends."""
    return [
        text for one in job.ranges if isinstance(one, Range) for text in _beyond(one, job.training.algorithm)
    ]


def _beyond(one: Range, algorithm: Algorithm) -> Iterator[str]:
    _, known = tunable(one.name, algorithm)
    if float(one.low) < float(known.low) or float(one.high) > float(known.high):
        text = f"{one.name}: {one.low} to {one.high} goes beyond what AWS recommends"
        yield f"{text}, {known.low} to {known.high}"


def _check_limits(job: TuningJob) -> None:
    check_whole("max jobs", job.max_jobs, 1, 750)
    check_whole("parallel", job.parallel, 1, min(job.max_jobs, 100))
    if job.max_total is not None:
        check_whole("max total (seconds)", job.max_total, 120, 15_768_000)
    if job.seed is not None:
        check_whole("seed", job.seed, 0, 2**31 - 1)
    choices = sum(isinstance(one, Choice) for one in job.ranges)
    check_whole("ranges and choices", len(job.ranges), 1, _MOST_RANGES)
    check_whole("choices", choices, 0, _MOST_RANGES)


def _check_range(one: Range | Choice, algorithm: Algorithm) -> None:
    hyperparameter, known = tunable(one.name, algorithm)
    if isinstance(one, Choice):
        _check_choice(one, hyperparameter, known)
        return
    if known.kind == "categorical":
        raise Refused(f"{one.name} takes {expected(hyperparameter)}; vary it by choices, not by a range")
    for end in (one.low, one.high):
        if not accepts(hyperparameter, end):
            raise Refused(f"{one.name}: expected {expected(hyperparameter)}, found {shown(end)}")
    low, high = (number_of(hyperparameter, end) or 0.0 for end in (one.low, one.high))
    check_ends(one, low, high)
    if one.scaling == "ReverseLogarithmic" and (known.kind != "continuous" or high >= 1):
        raise Refused(f"{one.name}: a reverse logarithmic scale is for numbers from 0 to below 1")


def _check_choice(one: Choice, hyperparameter: Hyperparameter, known: Tunable) -> None:
    if known.kind != "categorical":
        raise Refused(f"{one.name} takes {expected(hyperparameter)}; vary it by a range, not by choices")
    check_whole(f"{one.name}: values", len(one.values), 1, _MOST_RANGES)
    if len(set(one.values)) < len(one.values):
        raise Refused(f"{one.name}: a value stands twice among the choices")
    for value in one.values:
        if value not in known.choices:
            raise Refused(f"{one.name}: expected some of {', '.join(known.choices)}; found {shown(value)}")


def _check_strategy(job: TuningJob) -> None:
    if job.strategy == "Hyperband" and job.early_stopping:
        raise Refused("Hyperband stops trials by itself; leave early stopping out")
    if job.strategy != "Grid":
        return
    values = [len(one.values) for one in job.ranges if isinstance(one, Choice)]
    if len(values) < len(job.ranges):
        raise Refused("the strategy Grid varies choices only; take Bayesian or Random for a range")
    if job.max_jobs != math.prod(values):
        raise Refused(f"max jobs: the grid has {math.prod(values):,}, found {job.max_jobs:,}")
