"""``mtool train``."""

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli import options
from manifest_tools.cli.convert import pictures_of, show_problems
from manifest_tools.cli.screen import clean, note, progress
from manifest_tools.errors import Refused

if TYPE_CHECKING:
    from manifest_tools.convert import Plan
    from trainers.config import TrainConfig
    from trainers.dataset import Dataset
    from trainers.events import Listener
    from trainers.prepare import Pair
    from trainers.train import Result

# Below this many pictures a network without first weights learns the pictures by heart, not the classes.
FEW = 1_000
SMALL, LARGE = "small", "resnet18_v2"

INTERRUPTED = 130

_NAMES = 8  # classes on one line


def train(
    train_manifest: Annotated[
        str, typer.Argument(metavar="TRAIN", help="What to learn from.")
    ] = "train.manifest",
    validation_manifest: Annotated[
        str, typer.Argument(metavar="VALIDATION", help="What to check each epoch with.")
    ] = "validation.manifest",
    images: options.Images = None,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="Where the model goes.")
    ] = "model",
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            metavar="NAME",
            help="small, mlp, mobilenetv2, resnet18_v2, 34, 50, 101 or 152; small for under 1,000 pictures.",
        ),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="Times to see every picture.")] = 30,
    batch_size: Annotated[int, typer.Option("--batch-size", metavar="N", help="Pictures a step.")] = 16,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", metavar="R", help="Step size. [adam, rmsprop: 0.001; others: 0.01]"),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            "--image-size", metavar="N", help="Pixels a side that the network sees. [small, mlp: 64; 224]"
        ),
    ] = None,
    optimizer: Annotated[
        str, typer.Option("--optimizer", metavar="NAME", help="adam, sgd, nag or rmsprop.")
    ] = "adam",
    augment: Annotated[
        bool, typer.Option("--augment", help="Shift, turn, scale and recolour a little; never mirrors.")
    ] = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Mirror every second picture: never where left is not right.")
    ] = False,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Start from the model zoo's ImageNet weights.")
    ] = False,
    init_from: Annotated[
        str | None,
        typer.Option("--init-from", metavar="FILE", help="Start from a .params file or a model.tar.gz."),
    ] = None,
    trainer: Annotated[str, typer.Option("--trainer", metavar="NAME", help="gluon.")] = "gluon",
    seed: options.Seed = 0,
    label_attribute: options.LabelAttribute = None,
    classes: options.Classes = None,
    jobs: options.Jobs = None,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fine-tune an image classifier.

    Learns from TRAIN and keeps the epoch that does best on VALIDATION. Leaves FOLDER with model.tar.gz,
    metrics.json, history.jsonl and history.png. Ctrl-C keeps the best epoch so far. Exit code 1 when
    pictures had to be left out.

    \b
    For example:
      mtool train --images ./raw-data
      mtool train --network resnet18_v2 --init-from other.params --augment --images ./raw-data
    """
    from manifest_tools.classes import read_class_table
    from trainers import registry
    from trainers.config import TrainConfig, usual_rate, usual_side
    from trainers.prepare import plan_pair, read_pair
    from trainers.train import train as run

    _require(train_manifest, validation_manifest)
    table = read_class_table(classes) if classes else None
    pair = read_pair(train_manifest, validation_manifest, label_attribute, table)
    chosen = network or _usual_network(len(pair.train.examples), pretrained or bool(init_from))
    config = TrainConfig(
        network=chosen,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=usual_rate(optimizer) if learning_rate is None else learning_rate,
        image_size=usual_side(chosen) if image_size is None else image_size,
        augment=augment,
        mirror=mirror,
        pretrained=pretrained,
        init_from=init_from or "",
        seed=seed,
    )
    registry.check_network(config)
    registry.load(trainer)
    plans = plan_pair(pair, train_manifest, validation_manifest, output, config.image_size, images or ())
    said = _intention(pair, config)
    if dry_run:
        _show_plans(said, plans)
        return
    if not quiet:
        note(said)
        if leak := _leak(pair):
            note(leak)
    data, dropped = _data_sets(plans, jobs, quiet)
    result = run(*data, config, output, _listeners(quiet), trainer=trainer, force=force)
    _show(result, as_json, quiet)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)
    if dropped:
        raise typer.Exit(1)


def _require(train: str, validation: str) -> None:
    """Raise Refused with the way out where the manifests that a folder should offer are not there."""
    for manifest, usual in ((train, "train.manifest"), (validation, "validation.manifest")):
        if manifest == usual and not os.path.exists(usual):
            raise Refused(
                f"{usual}: not in this folder; type `mtool split output.manifest` first, or name two"
            )


def _usual_network(pictures: int, weights: bool) -> str:
    """Return the network for as many pictures, with first weights or without."""
    return LARGE if weights or pictures >= FEW else SMALL


def _intention(pair: "Pair", config: "TrainConfig") -> str:
    """Say in one line what is about to be trained, on what."""
    counts = (
        f"{len(pair.train.examples):,} pictures to learn from, {len(pair.validation.examples):,} to check"
    )
    names = ", ".join(clean(name) for name in pair.table.labels[:_NAMES])
    more = ", ..." if pair.table.num_classes > _NAMES else ""
    return (
        f"{counts}; {pair.table.num_classes:,} classes: {names}{more}\n"
        f"network {config.network} at {config.image_size} pixels, {config.epochs:,}"
        f" epoch{'s' if config.epochs != 1 else ''}, {config.optimizer} {config.learning_rate:g},"
        f" seed {config.seed}"
    )


def _leak(pair: "Pair") -> str:
    """Say how many pictures are on both sides: what was learnt by heart is no test."""
    learnt = {example.ref for example in pair.train.examples}
    both = sum(example.ref in learnt for example in pair.validation.examples)
    if not both:
        return ""
    total = len(pair.validation.examples)
    return f"{both:,} of {total:,} pictures to check are also learnt from: the accuracy will say too much"


def _show_plans(said: str, plans: "Sequence[Plan]") -> None:
    """Say what would be done, and what of it is there already."""
    from manifest_tools.convert import is_current

    note(said)
    for plan in plans:
        state = "there already" if is_current(plan) else "would be made"
        note(f"{clean(plan.output)}.rec: {state}")
        pictures_of(plan)
    note("dry run, nothing written")


def _data_sets(
    plans: "Sequence[Plan]", jobs: int | None, quiet: bool
) -> tuple[tuple["Dataset", "Dataset"], bool]:
    """Return both data sets, and whether pictures had to be left out of them."""
    first, second = (read_data(plan, jobs, quiet) for plan in plans)
    return (first[0], second[0]), first[1] or second[1]


def read_data(plan: "Plan", jobs: int | None, quiet: bool) -> tuple["Dataset", bool]:
    """Return the data set of a plan, and whether pictures had to be left out of it, after saying which."""
    from manifest_tools.convert import NothingUsable
    from trainers.prepare import dataset

    fetch = pictures_of(plan, quiet)
    try:
        data, problems = dataset(plan, jobs=jobs, fetch=fetch, progress=progress)
    except NothingUsable as error:
        show_problems(error.problems)
        raise
    show_problems(problems)
    return data, bool(problems)


def _listeners(quiet: bool) -> "list[Listener]":
    from trainers.events import progress as tell

    return [] if quiet else [tell(_write, sys.stderr.isatty())]


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _show(result: "Result", as_json: bool, quiet: bool) -> None:
    """Print where the model is, and how good."""
    if as_json:
        typer.echo(json.dumps({**result.report, "output": result.output}))
    else:
        typer.echo(_summary(result))
    if quiet:
        return
    from trainers.plots import available

    if not available():
        note("no history.png: it needs matplotlib; type: pip install 'mtool[plots]'")
    for published in result.published:
        note(f"{clean(published.path)}: {published.state}")


def _summary(result: "Result") -> str:
    best, done = result.report["best_epoch"], result.report["epochs_done"]
    told = f"validation accuracy {result.accuracy:.3f} at epoch {best} of {done}"
    if result.interrupted:
        return f"interrupted; the best epoch so far is kept: {told}"
    return told
