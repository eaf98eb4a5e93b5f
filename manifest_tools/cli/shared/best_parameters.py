"""The best parameters of a tuning run, as the file that ``mtool train --params`` takes."""

import json
import os
from typing import Any

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.screen import clean, note
from trainers.registry import DEFAULT


def check_free(best: str, force: bool) -> None:
    """Raise Refused for a file that would be replaced at the end: before the work, and not after it."""
    from manifest_tools.io import s3

    if not force and (s3.exists(best) if best.startswith("s3://") else os.path.exists(best)):
        raise Refused(f"{best}: there already; type --force to replace it, or --best for another file")


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
