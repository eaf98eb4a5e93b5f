"""``mtool train``."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.installation import pip_install
from manifest_tools.base.text import counted
from manifest_tools.cli.shared.exit_codes import INTERRUPTED
from manifest_tools.cli.shared.local_options import LocalTrainOptions, choices_of, require
from manifest_tools.cli.shared.pictures import contradictions, data_sets, pictures_of
from manifest_tools.cli.shared.sagemaker_options import IN_SAGEMAKER, JobOptions, check_trainer
from manifest_tools.cli.shared.screen import clean, is_quiet, note, print_json, warn, write_to_log
from manifest_tools.cli.shared.two_parts import in_two_parts
from trainers.registry import BUILTIN, trainer_named

if TYPE_CHECKING:
    from manifest_tools.verbs.convert.plan import ConversionPlan
    from trainers.config import TrainConfig
    from trainers.events import EventListener
    from trainers.prepare import PlannedPair
    from trainers.training import Result


_NAMES = 8  # classes on one line


@dataclass(frozen=True, kw_only=True)
class TrainOptions(JobOptions, LocalTrainOptions):
    """The options of train."""

    early_stopping: Annotated[
        bool,
        typer.Option(
            "--early-stopping",
            rich_help_panel=IN_SAGEMAKER,
            help="End when the validation part gains no more.",
        ),
    ] = False
    model: Annotated[
        str,
        typer.Option(metavar="FOLDER", rich_help_panel=IN_SAGEMAKER, help="Where its model is fetched to."),
    ] = "model"


def train(context: typer.Context, given: TrainOptions) -> None:
    """Fine-tune an image classifier.

    Learns from TRAIN and keeps the epoch that does best on VALIDATION. Leaves FOLDER with model.tar.gz,
    metrics.json, history.jsonl and history.png. Exit code 1 when pictures had to be left out. One manifest,
    or one folder with a folder for each class, is divided first, as `mtool split` does it.

    What is not typed follows from the pictures, so that it ends in minutes. It says what it chose and why,
    and how long it will take. Ctrl-C keeps the best epoch so far; the same command with --resume goes on.

    With --trainer builtin, SageMaker's own algorithm learns: --output is a prefix in S3, to which local
    manifests are uploaded. It shows its plan, asks before what is billed, follows the job, and fetches the
    model. Ctrl-C leaves the job running.

    \b
    For example:
      mtool train --images ./raw-data
      mtool train ./pictures
      mtool train --images ./raw-data --resume
      mtool train --network resnet18_v2 --init-from other.params --augment --images ./raw-data
      mtool train --trainer builtin -o s3://lab3-models/hands -p num_layers=18 --dry-run
      mtool train --trainer builtin -o s3://lab3-models/hands -p num_layers=18 --spot --yes
    """
    check_trainer(given.trainer, context)
    if given.trainer == BUILTIN:
        from manifest_tools.cli.train_sagemaker import train as train_in_sagemaker

        train_in_sagemaker(given, given.model, given.early_stopping)
    else:
        _train_here(in_two_parts(given, force=given.force, dry_run=given.dry_run, jobs=given.jobs))


def _train_here(given: TrainOptions) -> None:
    """Train on this machine; ends with exit code 1 where pictures had to be left out."""
    from manifest_tools.groundtruth.classes import classes_from
    from manifest_tools.io.sinks import check_key
    from trainers.choice import reason
    from trainers.prepare import read_pair, records_of_pair, records_place
    from trainers.training import check_model_is_free, check_resume

    manifests = given.train_manifest, given.validation_manifest
    require(given)
    check_resume(given.output, given.resume, given.force)
    check_key(given.kms_key, [given.output])
    table = classes_from(given.classes)
    pair = read_pair(*manifests, given.label_attribute, table, given.images or (), given.conflicts)
    choices = choices_of(given)
    facts = choices.facts(pair)
    config = choices.config(facts)
    why = reason(config, choices.values(), facts, trainer_named(given.trainer))
    with records_place(given.output) as place:
        plans = records_of_pair(pair, place, config.image_size)
        intention = "\n".join(filter(None, [_intention(pair, config), why]))
        if given.dry_run:
            _show_plans("\n".join([intention, *contradictions(pair, given.conflicts)]), plans)
            if given.as_json:
                planned = {"config": config.to_json(), "pictures": list(pair.counts)}
                print_json({**planned, "output": given.output})
            return
        if not given.force and not given.resume:
            check_model_is_free(given.output, config, given.trainer)
        note(intention)
        for text in contradictions(pair, given.conflicts):
            note(text)
        if leak := _leak(pair):
            note(leak)
        _run(given, config, plans)


def _run(given: TrainOptions, config: "TrainConfig", plans: "Sequence[ConversionPlan]") -> None:
    """Train from what was planned, and show what came of it."""
    from trainers.training import train as run

    try:
        data, dropped = data_sets(plans, given.jobs)
        result = run(
            *data,
            config,
            given.output,
            _listeners(given, config),
            trainer=given.trainer,
            force=given.force,
            resume=given.resume,
            kms_key=given.kms_key,
        )
    except KeyboardInterrupt:
        warn(f"interrupted; {_left(given.output)}")
        raise typer.Exit(INTERRUPTED) from None
    _show(result, given.as_json)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)
    if dropped:
        raise typer.Exit(1)


def _intention(pair: "PlannedPair", config: "TrainConfig") -> str:
    """Return two lines: the data, and how it is trained on."""
    training, validation = pair.counts
    counts = f"{training:,} training pictures, {validation:,} validation pictures"
    names = ", ".join(clean(name) for name in pair.table.labels[:_NAMES])
    more = ", ..." if pair.table.num_classes > _NAMES else ""
    return (
        f"{counts}; {pair.table.num_classes:,} classes: {names}{more}\n"
        f"network {config.network} at {config.image_size} pixels, {counted(config.epochs, 'epoch')}"
        f"{f' at most (patience {config.patience:,})' if config.patience else ''},"
        f" {config.optimizer} {config.learning_rate:g}, seed {config.seed}"
    )


def _leak(pair: "PlannedPair") -> str:
    """Return a warning where pictures are in both manifests: a picture that was learnt from tests nothing."""
    both = pair.in_both()
    if not both:
        return ""
    total = pair.counts[1]
    return (
        f"{both:,} of {total:,} validation pictures are also training pictures: the accuracy will be too high"
    )


def _show_plans(intention: str, plans: "Sequence[ConversionPlan]") -> None:
    """Say what would be done, and what of it is there already."""
    from manifest_tools.verbs.convert.report import is_current

    note(intention)
    for plan in plans:
        state = "there already" if is_current(plan) else "would be made"
        note(f"{clean(plan.output)}.rec: {state}")
        pictures_of(plan)
    note("dry run, nothing written")


def _listeners(given: TrainOptions, config: "TrainConfig") -> "list[EventListener]":
    from trainers.choice import quicker
    from trainers.progress import Progress

    advice = quicker(config, trainer_named(given.trainer))
    live = sys.stderr.isatty() and not is_quiet()
    return [Progress(_write if live else _note, live, advice)]


def _write(text: str) -> None:
    """Write to the terminal as it is; a line that stays goes into the log, too."""
    sys.stderr.write(text)
    sys.stderr.flush()
    if text.endswith("\n"):
        write_to_log(text.rpartition("\x1b[K")[2].strip())


def _note(text: str) -> None:
    note(text.removesuffix("\n"))


def _show(result: "Result", as_json: bool) -> None:
    """Print where the model is, and how good."""
    if as_json:
        print_json({**result.report, "output": result.output})
    else:
        typer.echo(_summary(result))
    from trainers.plots import available

    if not available():
        note(f"no history.png: it needs matplotlib; type: {pip_install('plots')}")
    for published in result.published:
        note(f"{clean(published.path)}: {published.state}")


_GO_ON = "type the same command with --resume to go on"


def _summary(result: "Result") -> str:
    from trainers.unfinished import is_unfinished

    best, done = result.report["best_epoch"], result.report["epochs_done"]
    figures = f"validation accuracy {result.accuracy:.3f} at epoch {best} of {done}"
    if result.interrupted:
        resume = f"; {_GO_ON}" if is_unfinished(result.output) else ""
        return f"interrupted; kept: {figures}, in {clean(result.output)}{resume}"
    return figures


def _left(output: str) -> str:
    """Return what there is to go on from where Ctrl-C left no new model."""
    from trainers.unfinished import is_unfinished

    if is_unfinished(output):
        return f"the unfinished run in {clean(output)} is as it was: {_GO_ON}"
    return "no epoch was over, and nothing is kept"
