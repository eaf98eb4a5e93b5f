"""The best parameters of a tuning run, as the file that ``mtool train --params`` takes."""

import json
from typing import Any

import typer

from manifest_tools.cli.shared.screen import clean, note
from trainers.registry import DEFAULT


def tell_best(
    context: typer.Context, values: dict[str, Any], trial: str, figure: float | None, count: int
) -> None:
    """Write the best parameters, and say how good they were."""
    from manifest_tools.io.sinks import publishing

    typed = context.params
    # What was there was looked at before the work; a study that goes on replaces its own.
    with publishing(force=True) as publication:
        publication.open(typed["best"]).write(json.dumps(values, indent=2).encode() + b"\n")
    if typed["as_json"]:
        typer.echo(json.dumps({"trial": trial, "figure": figure, "trials": count, "parameters": values}))
    else:
        said = "no figure" if figure is None else f"{figure:.4f}"
        typer.echo(f"best of {count:,}: {clean(trial)}, {said}")
    if not typed["quiet"]:
        best = clean(typed["best"])
        trainer = "" if typed["trainer"] == DEFAULT else f"--trainer {typed['trainer']} "
        note(f"{best}: {publication.published[0].state}; type: mtool train {trainer}--params {best}")
