"""``mtool predict``."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli import options
from manifest_tools.cli.convert import pictures_of
from manifest_tools.cli.evaluate import Model
from manifest_tools.cli.screen import clean, note, progress, width
from manifest_tools.errors import Refused

if TYPE_CHECKING:
    from trainers import artifact
    from trainers.predict import Prediction
    from trainers.questions import Questions, Truth
    from trainers.sheet import Tile


def predict(
    pictures: Annotated[
        list[str] | None,
        typer.Argument(metavar="PICTURES", help="Files, folders of files, or s3:// URIs."),
    ] = None,
    model: Model = "model",
    sheet: Annotated[
        str | None, typer.Option("--sheet", metavar="FILE", help="Draw a contact sheet: a PNG.")
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option("--manifest", metavar="FILE", help="What is true; without PICTURES, ask about its own."),
    ] = None,
    images: options.Images = None,
    label_attribute: options.LabelAttribute = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print class and probability of pictures.

    With --manifest also what each really is, and where the model is wrong. A picture that cannot be
    read gets a line on standard error, and the exit code is 1.

    \b
    For example:
      mtool predict new-photos/*.jpg
      mtool predict --manifest validation.manifest --images ./raw-data --sheet sheet.png
    """
    from trainers.artifact import read_model
    from trainers.predict import Prediction
    from trainers.predict import predict as ask

    if sheet is not None:
        options.check_picture("--sheet", sheet)
    trained = read_model(model)
    asked, truth = _questions(pictures or [], manifest, images or [], label_attribute, trained, quiet)
    line = _json_line if as_json else _text_line(asked)
    good: list[Prediction] = []
    failed = 0
    for answer in progress(ask(trained, asked.names, asked.read), len(asked.names), "pictures"):
        if isinstance(answer, Prediction):
            typer.echo(line(answer, truth.of(answer.picture) if truth else None, trained))
            good += [answer] if sheet else []
        else:
            failed += 1
            note(f"{clean(answer.picture)}: {clean(answer.reason)}")
    if sheet:
        _draw(sheet, good, truth, trained, asked, force=force, quiet=quiet)
    if failed:
        raise typer.Exit(1)


def _questions(
    pictures: list[str],
    manifest: str | None,
    images: list[str],
    label_attribute: str | None,
    model: "artifact.Model",
    quiet: bool,
) -> "tuple[Questions, Truth | None]":
    """Return the pictures to ask about, and what a manifest says of them."""
    from trainers.prepare import read_against
    from trainers.questions import about_files, about_lines, plan_questions, truth_of

    if manifest is None:
        if not pictures:
            raise Refused(
                "expected pictures; type `mtool predict PICTURES...`, or --manifest FILE for its own"
            )
        return about_files(pictures), None
    truth = truth_of(read_against(manifest, label_attribute, model.table, "the model").examples)
    if pictures:
        return about_files(pictures), truth
    planned = plan_questions(manifest, label_attribute, images)
    return about_lines(planned, pictures_of(planned, quiet)), truth


Line = Callable[["Prediction", "tuple[int, ...] | None", "artifact.Model"], str]


def _json_line(answer: "Prediction", truth: tuple[int, ...] | None, model: "artifact.Model") -> str:
    said = answer.to_json(model.table, model.multi_label)
    if truth is not None:
        said["truth"] = [model.table.name(index) for index in truth]
        said["right"] = answer.answers == truth
    return json.dumps(said)


def _text_line(asked: "Questions") -> Line:
    """Return a function that makes a line of a table as wide as the names in it."""
    column = max((width(clean(name)) for name in asked.names), default=0)

    def line(answer: "Prediction", truth: tuple[int, ...] | None, model: "artifact.Model") -> str:
        name = clean(answer.picture)
        said = f"{name}{' ' * (column - width(name))}  {clean(answer_text(answer, model))}"
        if truth is None or answer.answers == truth:
            return said
        return f"{said}  wrong: {clean(names(truth, model))}"

    return line


def answer_text(answer: "Prediction", model: "artifact.Model") -> str:
    """Return the classes of an answer, each with its probability."""
    told = (f"{model.table.name(index)} {answer.probabilities[index]:.3f}" for index in answer.answers)
    return ", ".join(told) or "no class"


def names(classes: tuple[int, ...], model: "artifact.Model") -> str:
    """Return the names of some classes."""
    return ", ".join(model.table.name(index) for index in classes) or "no class"


def _draw(
    path: str,
    answers: "list[Prediction]",
    truth: "Truth | None",
    model: "artifact.Model",
    asked: "Questions",
    *,
    force: bool,
    quiet: bool,
) -> None:
    from manifest_tools.sinks import publishing
    from trainers.sheet import MOST, sheet

    tiles = [_tile(answer, truth, model, asked) for answer in answers[:MOST]]
    with publishing(force=force) as publication:
        publication.open(path).write(sheet(tiles))
    if not quiet:
        first = f" (the first {MOST:,} of {len(answers):,})" if len(answers) > MOST else ""
        note(f"{clean(path)}: {publication.published[0].state}{first}")


def _tile(answer: "Prediction", truth: "Truth | None", model: "artifact.Model", asked: "Questions") -> "Tile":
    from trainers.sheet import Tile

    known = truth.of(answer.picture) if truth else None
    return Tile(
        asked.read(answer.picture),
        answer.picture.rpartition("/")[2],
        answer_text(answer, model),
        "" if known is None else names(known, model),
        None if known is None else answer.answers == known,
    )
