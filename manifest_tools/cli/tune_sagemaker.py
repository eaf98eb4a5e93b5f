"""``mtool tune --trainer builtin``: a tuning job in SageMaker, from the plan to the best parameters."""

from typing import TYPE_CHECKING

import typer

from manifest_tools.cli.shared.best_parameters import write_best
from manifest_tools.cli.shared.exit_codes import INTERRUPTED
from manifest_tools.cli.shared.plan_table import before_asking, price_of, show_plan
from manifest_tools.cli.shared.sagemaker_options import seconds
from manifest_tools.cli.shared.sagemaker_plan import (
    launch_or_print,
    plan_or_explain,
    training_settings,
    will_follow,
)
from manifest_tools.cli.shared.screen import clean, note, warn
from manifest_tools.cli.shared.trial_table import TrialTable
from manifest_tools.cli.shared.tune_options import TuneOptions

if TYPE_CHECKING:
    from trainers.ranges import Ranges
    from trainers.sagemaker.training.plan import TrainingPlan
    from trainers.sagemaker.training.tuning import TuningEnd


def tune(given: TuneOptions, ranges: "Ranges") -> None:
    """Plan the tuning job, start it once the person agrees, and follow it."""
    from trainers.sagemaker.requests.names import LONGEST_TUNING_JOB
    from trainers.sagemaker.requests.requests import create
    from trainers.sagemaker.requests.tuning_job import warnings
    from trainers.sagemaker.training.tuning import hardest, tuning_job

    if given.attach is not None:
        _follow(given.attach, given)
        return
    if will_follow(given):
        given.check_best_is_free()
    settings = training_settings(given, {}, hardest(ranges), longest_name=LONGEST_TUNING_JOB)
    planned = plan_or_explain(settings)
    job = tuning_job(
        planned,
        ranges,
        max_jobs=given.max_jobs,
        parallel=given.concurrency,
        metric=given.metric or "",
        strategy=given.strategy,
        early_stopping=given.early_stopping,
        max_total=seconds("--max-total", given.max_total) if given.max_total else None,
        seed=given.seed if "seed" in given.typed else None,
    )
    show_plan(planned, given, [*warnings(job), *_unknown(planned)])
    before_asking(given)(_bill(given, planned.training.max_run))
    if launch_or_print(create(job), given, planned, _how_to_go_on(planned.name)):
        _follow(planned.name, given)


def _unknown(planned: "TrainingPlan") -> list[str]:
    """Return warnings about what AWS does not document."""
    if planned.training.checkpoints is None:
        return []
    return ["AWS does not say whether each trial has checkpoints of its own; look at those of the first two"]


def _bill(given: TuneOptions, max_run: int) -> str:
    """Return how much is billed at most: each trial is a training job of its own."""
    price = price_of(given)
    hours = given.max_jobs * given.instance_count * max_run / 3600
    cost = "" if price is None else f", which cost {price * hours:.2f}"
    return (
        f"{given.max_jobs:,} trials, {given.concurrency:,} at a time, {hours:g} machine hours at most{cost}"
    )


def _follow(name: str, given: TuneOptions) -> None:
    """Show the trials until the job is over, and write the best parameters."""
    from trainers.sagemaker.training.tuning import best_parameters

    given.check_best_is_free()
    metric = given.metric or "objective metric"
    shown = TrialTable(clean(metric))
    try:
        end = _watch(name, shown, given.every)
    except KeyboardInterrupt:
        shown.close()
        warn(_how_to_go_on(name))
        raise typer.Exit(INTERRUPTED) from None
    finally:
        shown.close()
    values = best_parameters(end)
    if end.best is not None:
        write_best(given, values, end.best, len(end.trials), metric)


def _how_to_go_on(name: str) -> str:
    return (
        f"{name} goes on, and its trials are billed; to follow it:"
        f" mtool tune --trainer builtin --attach {name}; to stop it: mtool jobs stop {name}"
    )


def _watch(name: str, shown: TrialTable, every: float) -> "TuningEnd":
    from trainers.sagemaker.client.retry import Waiting
    from trainers.sagemaker.training.follow import Status
    from trainers.sagemaker.training.tuning import Trials, TuningEnd, follow_tuning

    for one in follow_tuning(name, every=every):
        match one:
            case TuningEnd():
                return one
            case Trials():
                shown.show(one.trials)
            case Status():
                note(f"{name}: {one.status}")
            case Waiting():
                note(str(one))
    raise AssertionError("a job that is followed comes to its end")
