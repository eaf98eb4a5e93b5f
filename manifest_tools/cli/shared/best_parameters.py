"""The best parameters of a tuning run, as the file that ``mtool train --params`` takes."""

import json
from typing import TYPE_CHECKING, Any

import typer

from manifest_tools.cli.shared.screen import clean, note, print_json
from manifest_tools.cli.shared.trial_table import trial_title
from manifest_tools.cli.shared.tune_options import TuneOptions
from trainers.registry import DEFAULT

if TYPE_CHECKING:
    from trainers.trial import Trial


def write_best(given: TuneOptions, values: dict[str, Any], best: "Trial", count: int, metric: str) -> None:
    """Write the best parameters of ``count`` trials, and print the value of the metric for them."""
    from manifest_tools.io.sinks import publishing

    # Before the work it was checked that the file may be written; a study that is continued replaces its own.
    with publishing(force=True) as publication:
        publication.open(given.best_file).write(json.dumps(values, indent=2).encode() + b"\n")
    if given.as_json:
        report = {"trial": best.name, "figure": best.value, "trials": count, "parameters": values}
        print_json(report)
    else:
        value = "unknown" if best.value is None else f"{best.value:.4f}"
        typer.echo(f"best of {count:,} trials: {trial_title(best)}, {metric} {value}")
    path = clean(given.best_file)
    trainer = "" if given.trainer == DEFAULT else f"--trainer {given.trainer} "
    note(f"{path}: {publication.published[0].state}; type: mtool train {trainer}--params {path}")
