"""``mtool train``."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli.shared import local_options as local
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared import sagemaker_options as told
from manifest_tools.cli.shared.exit_codes import INTERRUPTED
from manifest_tools.cli.shared.pictures import data_sets, pictures_of
from manifest_tools.cli.shared.screen import clean, note
from trainers.registry import BUILTIN, DEFAULT

if TYPE_CHECKING:
    from manifest_tools.verbs.convert.plan import ConversionPlan
    from trainers.config import TrainConfig
    from trainers.events import Listener
    from trainers.prepare import Pair
    from trainers.training import Result


_NAMES = 8  # classes on one line


def train(
    context: typer.Context,
    train_manifest: Annotated[
        str, typer.Argument(metavar="TRAIN", help="What to learn from.")
    ] = "train.manifest",
    validation_manifest: Annotated[
        str, typer.Argument(metavar="VALIDATION", help="What to check each epoch with.")
    ] = "validation.manifest",
    images: options.Images = None,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="Where the model goes, here or in S3.")
    ] = "model",
    network: local.Network = None,
    epochs: local.Epochs = 30,
    batch_size: local.BatchSize = 16,
    learning_rate: local.LearningRate = None,
    image_size: local.ImageSize = None,
    optimizer: local.Optimizer = local.USUAL_OPTIMIZER,
    augment: local.Augment = False,
    mirror: local.Mirror = False,
    pretrained: local.Pretrained = False,
    init_from: local.InitFrom = None,
    trainer: local.TrainerName = DEFAULT,
    params: Annotated[
        str | None,
        typer.Option("--params", metavar="FILE", help="Parameters as JSON, such as tune's best.json."),
    ] = None,
    seed: options.Seed = 0,
    label_attribute: options.LabelAttribute = None,
    classes: options.Classes = None,
    algorithm: told.AlgorithmName = told.Algorithm.classification,
    input_: told.InputWay = told.Input.manifest,
    channel: told.Channels = None,
    p: told.Pairs = None,
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="builtin: end when validation gains no more.")
    ] = False,
    job_name: told.JobName = None,
    role: told.Role = None,
    instance_type: told.InstanceType = told.USUAL_INSTANCE,
    instance_count: told.InstanceCount = 1,
    volume: told.Volume = None,
    volume_kms_key: told.VolumeKey = None,
    max_run: told.MaxRun = "1h",
    spot: told.Spot = False,
    max_wait: told.MaxWait = None,
    checkpoints: told.Checkpoints = None,
    retries: told.Retries = None,
    tag: told.Tags = None,
    subnet: told.Subnets = None,
    security_group: told.Groups = None,
    kms_key: options.KmsKey = None,
    no_preflight: told.NoPreflight = False,
    emit: told.EmitForm = None,
    yes: told.Yes = False,
    price_per_hour: told.Price = None,
    no_wait: told.NoWait = False,
    every: told.Every = 10,
    attach: told.Attach = None,
    model: Annotated[
        str, typer.Option("--model", metavar="FOLDER", help="builtin: where its model is fetched to.")
    ] = "model",
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

    With --trainer builtin, SageMaker's own algorithm learns: --output is a prefix in S3, to which local
    manifests are uploaded. It shows its plan, asks before what is billed, follows the job, and fetches the
    model. Ctrl-C leaves the job running.

    \b
    For example:
      mtool train --images ./raw-data
      mtool train --network resnet18_v2 --init-from other.params --augment --images ./raw-data
      mtool train --trainer builtin -o s3://lab3-models/hands -p num_layers=18 --dry-run
      mtool train --trainer builtin -o s3://lab3-models/hands -p num_layers=18 --spot --yes
    """
    told.check_trainer(trainer, context, ("model", "early_stopping"))
    if trainer == BUILTIN:
        from manifest_tools.cli.train_sagemaker import train as train_builtin

        train_builtin(told.Given.typed(context), model, early_stopping)
        return
    from manifest_tools.groundtruth.classes import read_class_table
    from manifest_tools.io.sinks import check_key
    from trainers.frameworks import load_trainer
    from trainers.prepare import plan_pair, read_pair, records_place
    from trainers.training import train as run

    local.require(train_manifest, validation_manifest)
    check_key(kms_key, [output])
    table = read_class_table(classes) if classes else None
    pair = read_pair(train_manifest, validation_manifest, label_attribute, table)
    config = local.config_from(context, params, len(pair.train.examples))
    load_trainer(trainer)
    with records_place(output) as place:
        manifests = train_manifest, validation_manifest
        plans = plan_pair(pair, *manifests, place, config.image_size, images or ())
        said = _intention(pair, config)
        if dry_run:
            _show_plans(said, plans)
            return
        if not quiet:
            note(said)
            if leak := _leak(pair):
                note(leak)
        data, dropped = data_sets(plans, jobs, quiet)
        result = run(*data, config, output, _listeners(quiet), trainer=trainer, force=force, kms_key=kms_key)
    _show(result, as_json, quiet)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)
    if dropped:
        raise typer.Exit(1)


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


def _show_plans(said: str, plans: "Sequence[ConversionPlan]") -> None:
    """Say what would be done, and what of it is there already."""
    from manifest_tools.verbs.convert.convert import is_current

    note(said)
    for plan in plans:
        state = "there already" if is_current(plan) else "would be made"
        note(f"{clean(plan.output)}.rec: {state}")
        pictures_of(plan)
    note("dry run, nothing written")


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
