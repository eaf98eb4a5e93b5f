"""``mtool predict``."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.make_command import typed_names
from manifest_tools.cli.shared.pictures import note_left_out, pictures_of, write_picture
from manifest_tools.cli.shared.screen import clean, note, printing, progress, width

if TYPE_CHECKING:
    from manifest_tools.groundtruth.classes import ClassTable
    from manifest_tools.verbs.convert.plan import ConversionPlan
    from trainers import model_archive
    from trainers.contact_sheet import Tile
    from trainers.prediction import Prediction, Unread
    from trainers.prediction_inputs import PredictionInputs, Truth
    from trainers.sagemaker.serving.endpoint_info import EndpointInfo

    LoadedModel = model_archive.Model | EndpointInfo


def predict(
    context: typer.Context,
    pictures: Annotated[
        list[str] | None,
        typer.Argument(metavar="PICTURES", help="Files, folders of files, or s3:// URIs."),
    ] = None,
    model: options.ModelPath = "model",
    sheet: Annotated[
        str | None, typer.Option("--sheet", metavar="FILE", help="Draw a contact sheet: a PNG.")
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option(
            "--manifest",
            metavar="FILE",
            help="Labels to compare with; without PICTURES, predict for its own.",
        ),
    ] = None,
    images: options.Images = None,
    label_attribute: options.LabelAttribute = None,
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="NAME", help="Use an endpoint of SageMaker, in place of a model."),
    ] = None,
    classes: options.ModelClasses = None,
    multi_label: Annotated[
        bool, typer.Option("--multi-label", help="With --endpoint: a picture has several classes, or none.")
    ] = False,
    at_once: Annotated[
        int,
        typer.Option(
            "--concurrency", metavar="N", min=1, max=32, help="With --endpoint: requests at the same time."
        ),
    ] = 8,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print class and probability of pictures.

    With --manifest, a wrong prediction also shows the label. A picture that cannot be read gets a line on
    standard error, and the exit code is 1. An endpoint prepares pictures in its own way, so its
    probabilities differ a little from those of the same model here.

    \b
    For example:
      mtool predict new-photos/*.jpg
      mtool predict --manifest validation.manifest --images ./raw-data --sheet sheet.png
      mtool predict --endpoint birds-20240301-123005 new-photos/*.jpg
    """
    if sheet is not None:
        options.check_png("--sheet", sheet)
    _check_endpoint(context, endpoint)
    loaded = _model(model, classes) if endpoint is None else _endpoint(endpoint, classes, multi_label)
    planned = _planned(manifest, label_attribute, [] if pictures else images or [], loaded.table)
    loaded = _with_names(loaded, planned, quiet)
    inputs = _inputs(pictures or [], planned, quiet)
    truth = _truth(planned)
    column = max((width(clean(name)) for name in inputs.names), default=0)
    line = partial(_json_line, loaded) if as_json else partial(_text_line, loaded, column)
    predictions = progress(_predictions(loaded, inputs, at_once, quiet), len(inputs.names), "pictures")
    with printing(for_a_program=as_json) as print_line:
        good, failed = _print(predictions, truth, line, print_line, keep=sheet is not None)
    if sheet:
        _draw(sheet, good, truth, loaded, inputs, force=force, quiet=quiet)
    if failed:
        raise typer.Exit(1)


def _check_endpoint(context: typer.Context, endpoint: str | None) -> None:
    """Refuse an option that would change nothing."""
    others = ("model",) if endpoint is not None else ("multi_label", "at_once")
    for name in (name for name in others if name in typed_names(context)):
        option = "--concurrency" if name == "at_once" else f"--{name.replace('_', '-')}"
        why = "goes with --endpoint; type both" if endpoint is None else "and --endpoint: type one of them"
        raise Refused(f"{option} {why}")


def _model(path: str, classes: str | None) -> "model_archive.Model":
    from manifest_tools.groundtruth.classes import read_class_table
    from trainers.model_archive import read_model

    return read_model(path, read_class_table(classes) if classes else None)


def _endpoint(name: str, classes: str | None, multi_label: bool) -> "EndpointInfo":
    from manifest_tools.groundtruth.classes import read_class_table
    from trainers.sagemaker.serving.endpoint_info import find_endpoint

    return find_endpoint(name, read_class_table(classes) if classes else None, multi_label)


def _planned(
    manifest: str | None, label_attribute: str | None, images: list[str], table: "ClassTable"
) -> "ConversionPlan | None":
    """Return the labelled lines of ``--manifest``, and where their pictures are to be had."""
    from trainers.prepare import plan_against

    return plan_against(manifest, label_attribute, images, table, "the model") if manifest else None


def _with_names(loaded: "LoadedModel", planned: "ConversionPlan | None", quiet: bool) -> "LoadedModel":
    """Return a model or endpoint with names for its classes, if need be from a manifest, or say that it has
    none.
    """
    from dataclasses import replace

    from trainers.model_archive import NAMELESS, Model, is_nameless

    if is_nameless(loaded.table) and planned is not None:
        return replace(loaded, table=planned.table)
    notes = loaded.notes if not isinstance(loaded, Model) else [NAMELESS] if is_nameless(loaded.table) else []
    for text in notes if not quiet else ():
        note(clean(text))
    return loaded


def _inputs(pictures: list[str], planned: "ConversionPlan | None", quiet: bool) -> "PredictionInputs":
    """Return the pictures to predict for: those that were typed, or else those of the manifest."""
    from trainers.prediction_inputs import inputs_of_files, inputs_of_manifest

    if pictures:
        return inputs_of_files(pictures)
    if planned is None:
        raise Refused(
            "expected pictures; type `mtool predict PICTURES...`, or --manifest FILE for those of a manifest"
        )
    note_left_out(planned, quiet)
    return inputs_of_manifest(planned, pictures_of(planned, quiet))


def _truth(planned: "ConversionPlan | None") -> "Truth | None":
    from trainers.prediction_inputs import truth_of

    return truth_of(planned.lines) if planned else None


def _predictions(
    loaded: "LoadedModel", inputs: "PredictionInputs", at_once: int, quiet: bool
) -> "Iterator[Prediction | Unread]":
    from trainers.model_archive import Model
    from trainers.prediction import predict as predict_here

    if isinstance(loaded, Model):
        return predict_here(loaded, inputs.names, inputs.read)
    from trainers.sagemaker.client.retry import notify_nobody
    from trainers.sagemaker.serving.invoke import invoke

    return invoke(loaded, inputs.names, inputs.read, at_once=at_once, notify=notify_nobody if quiet else note)


def _print(
    predictions: "Iterator[Prediction | Unread]",
    truth: "Truth | None",
    line: "Callable[[Prediction, tuple[int, ...] | None], str]",
    print_line: "Callable[[str], None]",
    *,
    keep: bool,
) -> "tuple[list[Prediction], int]":
    """Print a line for each picture; return the predictions to ``keep``, and how many pictures failed."""
    from trainers.prediction import Prediction

    good: list[Prediction] = []
    failed = 0
    for prediction in predictions:
        if isinstance(prediction, Prediction):
            print_line(line(prediction, truth.of(prediction.picture) if truth else None))
            good += [prediction] if keep else []
        else:
            failed += 1
            note(f"{clean(prediction.picture)}: {clean(prediction.reason)}")
    return good, failed


def _json_line(loaded: "LoadedModel", prediction: "Prediction", truth: tuple[int, ...] | None) -> str:
    row = prediction.to_json(loaded.table, loaded.multi_label)
    if truth is not None:
        row["truth"] = [loaded.table.name(index) for index in truth]
        row["right"] = prediction.classes == truth
    return json.dumps(row)


def _text_line(
    loaded: "LoadedModel", column: int, prediction: "Prediction", truth: tuple[int, ...] | None
) -> str:
    """Return a row of a table whose first column is ``column`` wide."""
    name = clean(prediction.picture)
    row = f"{name}{' ' * (column - width(name))}  {clean(prediction_text(prediction, loaded))}"
    if truth is None or prediction.classes == truth:
        return row
    return f"{row}  wrong: the label is {clean(class_names(truth, loaded))}"


def prediction_text(prediction: "Prediction", loaded: "LoadedModel") -> str:
    """Return the predicted classes, each with its probability."""
    named = (
        f"{loaded.table.name(index)} {prediction.probabilities[index]:.3f}" for index in prediction.classes
    )
    return ", ".join(named) or "no class"


def class_names(classes: tuple[int, ...], loaded: "LoadedModel") -> str:
    """Return the names of some classes."""
    return ", ".join(loaded.table.name(index) for index in classes) or "no class"


def _draw(
    path: str,
    predictions: "list[Prediction]",
    truth: "Truth | None",
    loaded: "LoadedModel",
    inputs: "PredictionInputs",
    *,
    force: bool,
    quiet: bool,
) -> None:
    from trainers.contact_sheet import MOST, draw_contact_sheet

    tiles = [_tile(prediction, truth, loaded, inputs) for prediction in predictions[:MOST]]
    written = write_picture("--sheet", path, draw_contact_sheet(tiles), force=force)
    if not quiet:
        first = f" (the first {MOST:,} of {len(predictions):,})" if len(predictions) > MOST else ""
        note(f"{clean(path)}: {written.state}{first}")


def _tile(
    prediction: "Prediction", truth: "Truth | None", loaded: "LoadedModel", inputs: "PredictionInputs"
) -> "Tile":
    from trainers.contact_sheet import Tile

    known = truth.of(prediction.picture) if truth else None
    return Tile(
        inputs.read(prediction.picture),
        prediction.picture.rpartition("/")[2],
        prediction_text(prediction, loaded),
        "" if known is None else class_names(known, loaded),
        None if known is None else prediction.classes == known,
    )
