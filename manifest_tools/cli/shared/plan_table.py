"""The plan of a job that is about to be billed, on the screen."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from manifest_tools.cli.shared.sagemaker_options import JobOptions
from manifest_tools.cli.shared.screen import note, table, warn

if TYPE_CHECKING:
    from trainers.sagemaker.requests.training_job import Training
    from trainers.sagemaker.training.plan import TrainingPlan

SHOWN = 20  # problems of the data, of which there may be thousands


def show_plan(planned: "TrainingPlan", given: JobOptions, warnings: list[str] | None = None) -> None:
    """Print what is about to be started, and what looks like a mistake in it."""
    say = before_asking(given)
    training = planned.training
    rows = [("job", planned.name), ("algorithm", training.algorithm.title), ("image", training.image)]
    rows += [
        ("role", training.role),
        ("machines", _machines(training)),
        ("time limit", _limit(training, given)),
    ]
    rows += [(one.name, one.uri) for one in training.channels]
    rows += [("upload", f"{one.source} to {one.target}") for one in planned.uploads if one.source]
    rows += [("lines", " and ".join(f"{count:,}" for count in planned.samples))] if planned.samples else []
    rows += [("classes", _classes(planned))] if planned.table is not None else []
    rows += [("output", training.output)]
    for name, value in sorted(training.hyperparameters.items()):
        rows.append((f"-p {name}", value + (" (from the data)" if name in planned.derived else "")))
    say(table(rows))
    if not planned.samples:
        say("the data was not read, so it is not known whether the job can use it")
    for problem in planned.problems[:SHOWN]:
        say(str(problem))
    for warning in planned.warnings if warnings is None else warnings:
        say(warning)


def before_asking(given: JobOptions) -> Callable[[str], None]:
    """Return what prints a plan: it is seen by whoever is asked about it, also with --quiet."""
    asks = not given.yes and not given.dry_run and given.emit is None
    return warn if asks else note


def _machines(training: "Training") -> str:
    compute = training.compute
    disk = f", {compute.volume:,} GB" if compute.volume else ""
    return f"{compute.count} x {compute.instance_type}{disk}{', spot' if training.max_wait else ''}"


def _limit(training: "Training", given: JobOptions) -> str:
    hours = training.max_run / 3600
    price = price_of(given)
    text = (
        f"{hours:g} h"
        if price is None
        else f"{hours:g} h, which cost at most {price * hours * training.compute.count:.2f}"
    )
    return text + (f"; {training.max_wait / 3600:g} h with waiting" if training.max_wait else "")


def _classes(planned: "TrainingPlan") -> str:
    labels = planned.table.labels if planned.table is not None else ()
    return ", ".join(labels[:8]) + (f" and {len(labels) - 8:,} more" if len(labels) > 8 else "")


def price_of(given: JobOptions) -> float | None:
    """Return what one of the machines costs an hour; None where no price was typed."""
    from trainers.sagemaker.account.jobs import read_prices

    prices = read_prices(given.price_per_hour)
    return prices.get(given.instance_type, prices.get(""))
