"""``mtool predict``."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.make_command import Options, typed_names
from manifest_tools.cli.shared.pictures import note_left_out, pictures_of, write_pages
from manifest_tools.cli.shared.screen import clean, note, progress, streaming, warn, width
from trainers.answer_order import Order

if TYPE_CHECKING:
    from manifest_tools.verbs.convert.plan import ConversionPlan
    from trainers import model_archive
    from trainers.answers import Answer, Summary
    from trainers.prediction import Prediction, Unread
    from trainers.prediction_inputs import PredictionInputs, Truth
    from trainers.sagemaker.serving.endpoint_info import EndpointInfo

    LoadedModel = model_archive.Model | EndpointInfo


_MOST_PAGES = 20  # of a contact sheet


@dataclass(frozen=True, kw_only=True)
class SheetOptions(Options):
    """The contact sheet."""

    SECTION = "Contact sheet"

    sheet: Annotated[
        str | None,
        typer.Option(
            "--sheet",
            metavar="FILE",
            help="Draw the pictures with their answers: sheet.png, sheet-2.png, ...",
        ),
    ] = None
    wrong_only: Annotated[bool, typer.Option("--wrong-only", help="Draw the mistakes alone.")] = False
    sort: Annotated[
        Order | None,
        typer.Option(
            "--sort",
            help="What is drawn first: the surest mistake; the least sure answer; the first name; the first"
            " picture named. [mistakes with --manifest, else input]",
        ),
    ] = None


def predict(
    context: typer.Context,
    drawn: SheetOptions,
    pictures: Annotated[
        list[str] | None,
        typer.Argument(metavar="PICTURES", help="Files, folders of files, or s3:// URIs."),
    ] = None,
    model: options.ModelPath = "model",
    manifest: Annotated[
        str | None,
        typer.Option(
            "--manifest",
            metavar="FILE",
            help="Labels to compare with; without PICTURES, predict for its own, labelled or not.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write the predictions as labels of a manifest, here or in S3.",
        ),
    ] = None,
    attribute: Annotated[
        str, typer.Option("--attribute", metavar="NAME", help="With -o: the name of that label attribute.")
    ] = "predicted",
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
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON Lines: an object for each picture, as soon as it is known; one that cannot be"
            " read has error.",
        ),
    ] = False,
) -> None:
    """Print class and probability of pictures.

    With --manifest, the label stands beside it as the truth. A picture that cannot be read gets a line on
    standard error, and the exit code is 1. -o writes the lines of the manifest, or a new line for each
    picture, with the prediction as a label that no person made, and its confidence. An endpoint prepares
    pictures in its own way, so its probabilities differ a little from those of the same model here.

    \b
    For example:
      mtool predict new-photos/*.jpg
      mtool predict --manifest validation.manifest --images ./raw-data --sheet sheet.png --wrong-only
      mtool predict --endpoint birds-20240301-123005 new-photos/*.jpg
    """
    from trainers.prediction_inputs import truth_of
    from trainers.words.predict import labelled_lines, load, predictions

    sheet = _sheet(drawn, manifest, force)
    _check_endpoint(context, endpoint)
    _check_output(context, output, attribute, manifest)
    output = options.free_file(output, "predicted.manifest", force) if output is not None else None
    loaded = load(model, endpoint, classes, multi_label)
    folders = [] if pictures else images or []
    planned = labelled_lines(manifest, label_attribute, folders, loaded.table)
    loaded = _with_names(loaded, planned)
    inputs = _inputs(pictures or [], manifest, attribute if output else "", planned, folders)
    truth = truth_of(planned.lines) if planned else None
    line = partial(_json_line, loaded) if as_json else _text_line(loaded, inputs.names)
    found = progress(predictions(loaded, inputs, at_once, note), len(inputs.names), "pictures")
    is_kept = bool(sheet or output)
    with streaming(for_a_program=as_json, to_the_end=is_kept) as print_line:
        unread = (lambda one: print_line(_json_unread(one))) if as_json else None
        answers, summary = _print(
            found, truth, loaded, lambda one: print_line(line(one)), unread, keep=is_kept
        )
    if len(inputs.names) > 1:
        note(clean(str(summary)))
    if sheet:
        _draw(sheet, drawn, answers, loaded, inputs, force=force)
    if output:
        source = None if pictures else manifest
        name = endpoint or model.rstrip("/").rpartition("/")[2]
        good = [one.prediction for one in answers]
        _write(output, attribute, good, source, inputs, loaded, f"predict/{name}", force=force)
    if summary.unread:
        raise typer.Exit(1)


def _sheet(drawn: SheetOptions, manifest: str | None, force: bool) -> str | None:
    """Return the first page to write; refuses one that could not be, and options without effect."""
    for name in (name for name in ("wrong_only", "sort") if name in drawn.typed):
        if drawn.sheet is None:
            raise Refused(f"--{name.replace('_', '-')} needs --sheet FILE; type both")
    if manifest is None and (drawn.wrong_only or drawn.sort == "mistakes"):
        option = "--wrong-only" if drawn.wrong_only else "--sort mistakes"
        raise Refused(f"{option} needs labels to compare with; type --manifest FILE too")
    return options.free_png(drawn.sheet, "sheet.png", force, "--sheet") if drawn.sheet is not None else None


def _check_endpoint(context: typer.Context, endpoint: str | None) -> None:
    """Refuse an option that would change nothing."""
    others = ("model",) if endpoint is not None else ("multi_label", "at_once")
    for name in (name for name in others if name in typed_names(context)):
        option = "--concurrency" if name == "at_once" else f"--{name.replace('_', '-')}"
        why = "goes with --endpoint; type both" if endpoint is None else "and --endpoint: type one of them"
        raise Refused(f"{option} {why}")


def _check_output(context: typer.Context, output: str | None, attribute: str, manifest: str | None) -> None:
    """Refuse, before the work, an output that could not be written after it."""
    from manifest_tools.io.sinks import check_apart
    from trainers.predicted_lines import check_attribute

    if output is None:
        if "attribute" in typed_names(context):
            raise Refused("--attribute has no effect without -o FILE; type both")
        return
    if "-" in (output, manifest):
        raise Refused("-o: expected files for the output and for --manifest, found -; name a file")
    check_attribute(attribute)
    check_apart(manifest or "", [output])


def _with_names(loaded: "LoadedModel", planned: "ConversionPlan | None") -> "LoadedModel":
    """Return a model or endpoint with names for its classes, if need be from a manifest, or say that it has
    none.
    """

    from dataclasses import replace

    from trainers.model_archive import NAMELESS, Model, is_nameless

    if is_nameless(loaded.table) and planned is not None:
        return replace(loaded, table=planned.table)
    notes = loaded.notes if not isinstance(loaded, Model) else [NAMELESS] if is_nameless(loaded.table) else []
    for text in notes:
        note(clean(text))
    return loaded


def _inputs(
    pictures: list[str],
    manifest: str | None,
    attribute: str,
    planned: "ConversionPlan | None",
    images: list[str],
) -> "PredictionInputs":
    """Return the pictures to predict for: those that were typed, or else those of the manifest."""
    from trainers.prediction_inputs import inputs_of_files, inputs_of_manifest
    from trainers.words.predict import plan_predicted

    if pictures:
        return inputs_of_files(pictures)
    if manifest is None:
        raise Refused(
            "expected pictures; type `mtool predict PICTURES...`, or --manifest FILE for those of a manifest"
        )
    every = plan_predicted(manifest, attribute, planned, images)
    note_left_out(every)
    return inputs_of_manifest(every, pictures_of(every))


def _write(
    output: str,
    attribute: str,
    predictions: "list[Prediction]",
    manifest: str | None,
    inputs: "PredictionInputs",
    loaded: "LoadedModel",
    job: str,
    *,
    force: bool,
) -> None:
    """Write every line of the manifest, or one for each picture, with its prediction where there is one."""
    from datetime import UTC, datetime

    from manifest_tools.io.sinks import publishing
    from trainers.predicted_lines import lines_of_pictures, of_manifest, predicted_label, with_label

    now = datetime.now(UTC)
    found = {prediction.picture: prediction for prediction in predictions}
    lines = lines_of_pictures(inputs.names) if manifest is None else of_manifest(manifest, attribute)
    with publishing(force=force) as publication:
        stream = publication.open(output)
        for ref, line in lines:
            if ref in found:
                label = predicted_label(found[ref], loaded.table, loaded.multi_label, job, now)
                line = with_label(line, attribute, label)
            stream.write(line)
    for published in publication.published:
        note(f"{clean(published.path)}: {published.state}")


def _print(
    predictions: "Iterator[Prediction | Unread]",
    truth: "Truth | None",
    loaded: "LoadedModel",
    print_answer: "Callable[[Answer], None]",
    print_unread: "Callable[[Unread], None] | None",
    *,
    keep: bool,
) -> "tuple[list[Answer], Summary]":
    """Print an answer for each picture; return the answers to ``keep``, and what was answered in all."""
    from trainers.answers import Summary, answer
    from trainers.prediction import Prediction

    answers: list[Answer] = []
    summary = Summary(loaded.table)
    for prediction in predictions:
        if isinstance(prediction, Prediction):
            known = truth.of(prediction.picture) if truth else None
            one = answer(prediction, known, loaded.multi_label)
            print_answer(one)
            summary.add(one)
            answers += [one] if keep else []
        else:
            summary.unread += 1
            warn(f"{clean(prediction.picture)}: {clean(prediction.reason)}")
            if print_unread is not None:
                print_unread(prediction)
    return answers, summary


def _json_unread(one: "Unread") -> str:
    return json.dumps({"picture": one.picture, "error": one.reason})


def _json_line(loaded: "LoadedModel", one: "Answer") -> str:
    row = one.prediction.to_json(loaded.table, loaded.multi_label)
    if one.truth is not None:
        row["truth"] = [loaded.table.name(index) for index in one.truth]
        row["right"] = one.is_right
    return json.dumps(row)


def _text_line(loaded: "LoadedModel", names: tuple[str, ...]) -> "Callable[[Answer], str]":
    """Return what makes the row of an answer: picture, classes, and the truth where it is known."""
    from trainers.answers import labelled, predicted

    wrong = " (wrong)"
    first = max((width(clean(name)) for name in names), default=0)
    longest = max((width(clean(name)) for name in loaded.table.labels), default=0)
    second = 0 if loaded.multi_label else longest + len(" 0.000") + len(wrong)

    def row(one: "Answer") -> str:
        mark = wrong if one.is_right is False else ""
        told = _padded(clean(", ".join(predicted(one, loaded.table))) + mark, second)
        truth = ", ".join(labelled(one, loaded.table))
        cells = [
            _padded(clean(one.prediction.picture), first),
            told,
            f"truth: {clean(truth)}" if truth else "",
        ]
        return "  ".join(cells).rstrip()

    return row


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _draw(
    path: str,
    drawn: SheetOptions,
    answers: "list[Answer]",
    loaded: "LoadedModel",
    inputs: "PredictionInputs",
    *,
    force: bool,
) -> None:
    """Write the pages of the contact sheet, and say what is on them."""
    from manifest_tools.images.contact_sheet import PAGE, contact_sheets, page_path
    from trainers.answer_order import in_order
    from trainers.answers import tile

    order = drawn.sort or ("input" if all(one.is_right is None for one in answers) else "mistakes")
    chosen = in_order([one for one in answers if one.is_right is False or not drawn.wrong_only], order)
    shown = chosen[: PAGE * _MOST_PAGES]
    tiles = (tile(one, loaded.table, inputs.read) for one in shown)
    pages = write_pages("--sheet", path, contact_sheets(tiles), force=force)
    last = f" to {clean(pages[-1].path)}" if len(pages) > 1 else ""
    state = "unchanged" if all(page.state == "unchanged" for page in pages) else "written"
    of = f" of {len(chosen):,}" if len(shown) < len(chosen) else ""
    what = "mistake" if drawn.wrong_only else "picture"
    note(f"{clean(path)}{last}: {state}; {counted(len(shown), what)}{of}")
    after = page_path(path, len(pages) + 1)
    if os.path.exists(after):
        note(f"{clean(after)}: is of an earlier sheet, and no page of this one")
