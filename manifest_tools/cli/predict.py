"""``mtool predict``."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.make_command import typed_names
from manifest_tools.cli.shared.options import Model
from manifest_tools.cli.shared.pictures import pictures_of
from manifest_tools.cli.shared.screen import clean, note, progress, width

if TYPE_CHECKING:
    from trainers import model_archive
    from trainers.contact_sheet import Tile
    from trainers.prediction import Prediction, Unread
    from trainers.prediction_inputs import Questions, Truth
    from trainers.sagemaker.serving.endpoint_info import Served


def predict(
    context: typer.Context,
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
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="NAME", help="Ask an endpoint of SageMaker, in place of a model."),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option("--classes", metavar="FILE", help="With --endpoint: what its classes are called."),
    ] = None,
    multi_label: Annotated[
        bool, typer.Option("--multi-label", help="With --endpoint: a picture has several classes, or none.")
    ] = False,
    at_once: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, max=32, help="With --endpoint: at a time.")
    ] = 8,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print class and probability of pictures.

    With --manifest also what each really is, and where the model is wrong. A picture that cannot be
    read gets a line on standard error, and the exit code is 1. An endpoint prepares pictures in its own
    way, so its probabilities are not those of the same model here.

    \b
    For example:
      mtool predict new-photos/*.jpg
      mtool predict --manifest validation.manifest --images ./raw-data --sheet sheet.png
      mtool predict --endpoint birds-20240301-123005 new-photos/*.jpg
    """
    from trainers.model_archive import Model as Local
    from trainers.prediction import Prediction

    if sheet is not None:
        options.check_picture("--sheet", sheet)
    _check_endpoint(context, endpoint)
    trained = _model(model) if endpoint is None else _endpoint(endpoint, classes, multi_label)
    if not isinstance(trained, Local):
        trained = _named(trained, manifest, label_attribute, quiet)
    asked, truth = _questions(pictures or [], manifest, images or [], label_attribute, trained, quiet)
    line = _json_line if as_json else _text_line(asked)
    good: list[Prediction] = []
    failed = 0
    for answer in progress(_answers(trained, asked, at_once, quiet), len(asked.names), "pictures"):
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


def _check_endpoint(context: typer.Context, endpoint: str | None) -> None:
    """Refuse an option that would change nothing."""
    others = ("model",) if endpoint is not None else ("classes", "multi_label", "at_once")
    for name in (name for name in others if name in typed_names(context)):
        option = "--concurrency" if name == "at_once" else f"--{name.replace('_', '-')}"
        why = "goes with --endpoint; type both" if endpoint is None else "and --endpoint: type one of them"
        raise Refused(f"{option} {why}")


def _model(path: str) -> "model_archive.Model":
    from trainers.model_archive import read_model

    return read_model(path)


def _endpoint(name: str, classes: str | None, multi_label: bool) -> "Served":
    from manifest_tools.groundtruth.classes import read_class_table
    from trainers.sagemaker.serving.endpoint_info import find_served

    return find_served(name, read_class_table(classes) if classes else None, multi_label)


def _named(served: "Served", manifest: str | None, label_attribute: str | None, quiet: bool) -> "Served":
    """Return the endpoint with names for its classes, a manifest's if need be, or say that it has none."""
    from dataclasses import replace

    from manifest_tools.groundtruth.examples import read_examples

    if not served.table.names and manifest is not None:
        return replace(served, table=read_examples(manifest, label_attribute).table)
    for remark in served.remarks if not quiet else ():
        note(clean(remark))
    return served


def _answers(
    trained: "model_archive.Model | Served", asked: "Questions", at_once: int, quiet: bool
) -> "Iterator[Prediction | Unread]":
    from trainers.model_archive import Model as Local
    from trainers.prediction import predict as ask

    if isinstance(trained, Local):
        return ask(trained, asked.names, asked.read)
    from trainers.sagemaker.client.retry import silently
    from trainers.sagemaker.serving.invoke import invoke

    return invoke(trained, asked.names, asked.read, at_once=at_once, tell=silently if quiet else note)


def _questions(
    pictures: list[str],
    manifest: str | None,
    images: list[str],
    label_attribute: str | None,
    model: "model_archive.Model | Served",
    quiet: bool,
) -> "tuple[Questions, Truth | None]":
    """Return the pictures to ask about, and what a manifest says of them."""
    from trainers.prediction_inputs import about_files, about_lines, plan_questions, truth_of
    from trainers.prepare import read_against

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


Line = Callable[["Prediction", "tuple[int, ...] | None", "model_archive.Model | Served"], str]


def _json_line(
    answer: "Prediction", truth: tuple[int, ...] | None, model: "model_archive.Model | Served"
) -> str:
    said = answer.to_json(model.table, model.multi_label)
    if truth is not None:
        said["truth"] = [model.table.name(index) for index in truth]
        said["right"] = answer.answers == truth
    return json.dumps(said)


def _text_line(asked: "Questions") -> Line:
    """Return a function that makes a line of a table as wide as the names in it."""
    column = max((width(clean(name)) for name in asked.names), default=0)

    def line(
        answer: "Prediction", truth: tuple[int, ...] | None, model: "model_archive.Model | Served"
    ) -> str:
        name = clean(answer.picture)
        said = f"{name}{' ' * (column - width(name))}  {clean(answer_text(answer, model))}"
        if truth is None or answer.answers == truth:
            return said
        return f"{said}  wrong: {clean(names(truth, model))}"

    return line


def answer_text(answer: "Prediction", model: "model_archive.Model | Served") -> str:
    """Return the classes of an answer, each with its probability."""
    told = (f"{model.table.name(index)} {answer.probabilities[index]:.3f}" for index in answer.answers)
    return ", ".join(told) or "no class"


def names(classes: tuple[int, ...], model: "model_archive.Model | Served") -> str:
    """Return the names of some classes."""
    return ", ".join(model.table.name(index) for index in classes) or "no class"


def _draw(
    path: str,
    answers: "list[Prediction]",
    truth: "Truth | None",
    model: "model_archive.Model | Served",
    asked: "Questions",
    *,
    force: bool,
    quiet: bool,
) -> None:
    from manifest_tools.io.sinks import publishing
    from trainers.contact_sheet import MOST, sheet

    tiles = [_tile(answer, truth, model, asked) for answer in answers[:MOST]]
    with publishing(force=force) as publication:
        publication.open(path).write(sheet(tiles))
    if not quiet:
        first = f" (the first {MOST:,} of {len(answers):,})" if len(answers) > MOST else ""
        note(f"{clean(path)}: {publication.published[0].state}{first}")


def _tile(
    answer: "Prediction", truth: "Truth | None", model: "model_archive.Model | Served", asked: "Questions"
) -> "Tile":
    from trainers.contact_sheet import Tile

    known = truth.of(answer.picture) if truth else None
    return Tile(
        asked.read(answer.picture),
        answer.picture.rpartition("/")[2],
        answer_text(answer, model),
        "" if known is None else names(known, model),
        None if known is None else answer.answers == known,
    )
