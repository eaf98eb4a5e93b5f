"""``mtool tune``."""

from typing import Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import local_options as local
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared import sagemaker_options as told
from trainers.registry import BUILTIN, DEFAULT


def tune(
    context: typer.Context,
    train_manifest: Annotated[
        str, typer.Argument(metavar="TRAIN", help="What to learn from.")
    ] = "train.manifest",
    validation_manifest: Annotated[
        str, typer.Argument(metavar="VALIDATION", help="What to compare the trials with.")
    ] = "validation.manifest",
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="NAME=LOW:HIGH[:log]", help="Vary it between two ends; repeats."),
    ] = None,
    choice: Annotated[
        list[str] | None,
        typer.Option("--choice", metavar="NAME=VALUE", help="Try this value of it; may be repeated."),
    ] = None,
    max_jobs: Annotated[int, typer.Option("--max-jobs", metavar="N", help="Trials in all.")] = 20,
    best: Annotated[
        str, typer.Option("--best", metavar="FILE", help="Where the best parameters go, for train --params.")
    ] = "best.json",
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="End trials that do worse than the others.")
    ] = False,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Where the study goes; builtin: s3://bucket/prefix."
        ),
    ] = "tuning",
    trainer: local.TrainerName = DEFAULT,
    params: Annotated[
        str | None, typer.Option("--params", metavar="FILE", help="Parameters of all trials, as JSON.")
    ] = None,
    images: options.Images = None,
    network: Annotated[
        str | None, typer.Option("--network", metavar="NAME", help="Of all trials; see mtool train.")
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="Of all trials.")] = 30,
    seed: options.Seed = 0,
    init_from: local.InitFrom = None,
    label_attribute: options.LabelAttribute = None,
    classes: options.Classes = None,
    algorithm: told.AlgorithmName = told.Algorithm.classification,
    parallel: Annotated[
        int, typer.Option("--parallel", metavar="N", min=1, help="builtin: trials at the same time.")
    ] = 1,
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="NAME", help="builtin: what to aim at. [the algorithm's first]"),
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", metavar="NAME", help="builtin: Bayesian, Random, Hyperband or Grid."),
    ] = None,
    max_total: Annotated[
        str | None,
        typer.Option("--max-total", metavar="TIME", help="builtin: stop all trials after so long: 12h, 2d."),
    ] = None,
    input_: told.InputWay = told.Input.manifest,
    channel: told.Channels = None,
    p: told.Pairs = None,
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
    jobs: options.Jobs = None,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Find parameters that learn best, by trying.

    Writes them to best.json, which `mtool train --params best.json` takes. Here each trial is a run on this
    machine, and the study in FOLDER goes on where it was left: Ctrl-C, and the same words again. With
    --trainer builtin each is a training job in SageMaker, and is billed.

    \b
    For example:
      mtool tune --images ./raw-data --range learning_rate=0.0001:0.01:log --max-jobs 10
      mtool tune --trainer builtin -o s3://lab3-models/hands --range learning_rate=0.001:0.1:log --parallel 2
    """
    from trainers.ranges import read_ranges

    told.check_trainer(trainer, context, ("parallel", "metric", "strategy", "max_total"))
    if not (range_ or choice or context.params.get("attach")):
        raise Refused("nothing is varied; type --range learning_rate=0.0001:0.01:log, or --choice")
    ranges = read_ranges(range_ or [], choice or [])
    if trainer == BUILTIN:
        from manifest_tools.cli.tune_sagemaker import tune as tune_builtin

        tune_builtin(context, ranges)
    else:
        from manifest_tools.cli.tune_local import tune as tune_local

        tune_local(context, ranges)
