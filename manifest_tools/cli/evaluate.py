"""``mtool evaluate``."""

import os
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.installation import pip_install
from manifest_tools.base.text import counted
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.pictures import read_data, write_picture
from manifest_tools.cli.shared.screen import clean, elided, note, print_json, screen_width, table, width

if TYPE_CHECKING:
    from manifest_tools.groundtruth.classes import ClassTable
    from trainers.metrics import ClassFigures, Metrics


_PAIRS = 10  # of classes that are confused, where the matrix is wider than the screen
_BESIDE = 53  # columns of the figures beside the name of a class
_NARROWEST = 12  # columns of such a name


def evaluate(
    manifest: Annotated[
        str, typer.Argument(metavar="MANIFEST", help="Pictures whose classes are known.")
    ] = "validation.manifest",
    model: options.ModelPath = "model",
    images: options.Images = None,
    picture: Annotated[
        str | None,
        typer.Option(
            "--picture", metavar="FILE", help="The confusion matrix as a PNG. [MODEL/confusion.png]"
        ),
    ] = None,
    label_attribute: options.LabelAttribute = None,
    classes: options.ModelClasses = None,
    force: options.Force = False,
    kms_key: options.KmsKey = None,
    jobs: options.Jobs = None,
    as_json: options.Json = False,
) -> None:
    """Print how good a model is.

    On the pictures of MANIFEST: precision, recall and F1 of every class, and which class it takes for which.
    Exit code 1 when pictures had to be left out.

    \b
    For example:
      mtool evaluate --images ./raw-data
      mtool evaluate test.manifest --model model/model.tar.gz --json
    """
    from manifest_tools.io.sinks import check_key
    from trainers.words.evaluate import evaluate as measure

    if manifest == "validation.manifest" and not os.path.exists(manifest):
        raise Refused("validation.manifest: not in this folder; type `mtool evaluate MANIFEST`")
    check_key(kms_key, [picture or "confusion.png"])
    if picture is not None:
        picture = options.free_png(picture, "confusion.png", force, "--picture")
    done = measure(
        manifest,
        model,
        images=images or (),
        label_attribute=label_attribute,
        classes=classes,
        read=lambda planned: read_data(planned, jobs),
    )
    metrics = done.metrics
    if as_json:
        print_json(metrics.to_json())
    else:
        typer.echo(report(metrics, done.table, screen_width()))
    _write_plot(metrics, done.table, picture, model, force=force, kms_key=kms_key)
    if wrong := round(metrics.examples * (1 - metrics.exact)):
        words = _how_to_see_mistakes(manifest, model, images or [], label_attribute, classes)
        note(clean(f"to see {counted(wrong, 'mistake')}, type: {shlex.join(words)}"))
    if done.problems:
        raise typer.Exit(1)


def _how_to_see_mistakes(
    manifest: str, model: str, images: list[str], label_attribute: str | None, classes: str | None
) -> list[str]:
    words = ["mtool", "predict", "--manifest", manifest]
    words += ["--model", model] if model != "model" else []
    words += [word for one in images for word in ("--images", one)]
    words += ["--label-attribute", label_attribute] if label_attribute is not None else []
    words += ["--classes", classes] if classes is not None else []
    return [*words, "--sheet", "mistakes.png", "--wrong-only"]


def report(metrics: "Metrics", classes: "ClassTable", columns: int) -> str:
    """Return the figures as text of at most ``columns``: by class, which is taken for which, the accuracy."""
    room = max(_NARROWEST, columns - _BESIDE)
    names = [elided(clean(name), room) for name in classes.labels]
    rows = [(each.index, names[each.index], *_figures(each), each.support) for each in metrics.classes]
    by_class = table(rows, ("index", "class", "precision", "recall", "F1", "support"))
    return "\n".join((by_class, "", _confusion(metrics, names, columns), "", _accuracy(metrics)))


def _confusion(metrics: "Metrics", names: list[str], columns: int) -> str:
    """Return the confusion matrix, or what is worst in it where it is wider than the screen."""
    rows = [(index, names[index], *row) for index, row in enumerate(metrics.confusion)]
    if metrics.multi_label:
        return table(rows, ("index", "class", "true neg.", "false pos.", "false neg.", "true pos."))
    corner = ("index", "label \\ predicted")
    for heads in (names, [str(index) for index in range(len(names))]):
        if len(names) <= columns // 3:
            matrix = table(rows, (*corner, *heads))
            if max(map(width, matrix.split("\n"))) <= columns:
                return matrix
    return _worst_pairs(metrics, names, columns)


def _worst_pairs(metrics: "Metrics", names: list[str], columns: int) -> str:
    pairs = metrics.worst_pairs()
    if not pairs:
        return "no class was taken for another"
    room = max(_NARROWEST, (columns - len("index  ...  index  ...  pictures")) // 2)
    short = [elided(name, room) for name in names]
    rows = [(label, short[label], found, short[found], count) for count, label, found in pairs[:_PAIRS]]
    shown = table(rows, ("index", "label", "index", "taken for", "pictures"))
    left = sum(count for count, *_ in pairs[_PAIRS:])
    more = f"\n({counted(left, 'more mistake')} in {counted(len(pairs) - _PAIRS, 'pair')})" if left else ""
    return f"confused most; the whole matrix is in the plot, and in --json\n{shown}{more}"


def _figures(figures: "ClassFigures") -> list[str]:
    values = (figures.precision, figures.recall, figures.f1)
    return ["-" if value is None else f"{value:.3f}" for value in values]


def _accuracy(metrics: "Metrics") -> str:
    pictures = counted(metrics.examples, "picture")
    if metrics.multi_label:
        exact = f"{metrics.exact:.3f} with every class right"
        return f"accuracy {metrics.accuracy:.3f} (mean over classes), {exact}; {pictures}"
    return f"accuracy {metrics.accuracy:.3f} of {pictures}, loss {metrics.loss:.3f}"


def _write_plot(
    metrics: "Metrics",
    classes: "ClassTable",
    picture: str | None,
    model: str,
    *,
    force: bool,
    kms_key: str | None,
) -> None:
    """Write the confusion matrix as a PNG; raises NotInstalled where one is asked for without matplotlib."""
    from trainers import plots

    if picture is None and (why := _why_no_plot(model, plots.available())):
        note(why)
        return
    folder = model if os.path.isdir(model) else os.path.dirname(model)
    path = os.path.join(folder, "confusion.png") if picture is None else picture
    # The plot beside the model belongs to the last evaluation, and this one replaces it.
    force = force or picture is None
    written = write_picture(
        "--picture", path, plots.confusion(metrics, classes), force=force, kms_key=kms_key
    )
    note(f"{clean(path)}: {written.state}")


def _why_no_plot(model: str, can_draw: bool) -> str:
    """Return why no plot is drawn unless it is asked for; evaluating a model in S3 writes nothing there."""
    if not can_draw:
        return f"no confusion.png: it needs matplotlib; type: {pip_install('plots')}"
    return "no confusion.png: the model is in S3; type --picture FILE" if model.startswith("s3://") else ""
