"""A training run: from two data sets to the folder of a model, with any framework."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import BadData, Exists, MtoolError, Refused
from manifest_tools.base.version import __version__
from manifest_tools.io import s3
from manifest_tools.io.sinks import Published, check_key, publishing
from trainers import plots
from trainers.config import TrainConfig, check_config
from trainers.dataset import Dataset
from trainers.epochs import run_epochs
from trainers.evaluation import evaluate
from trainers.events import (
    Checkpoint,
    Epoch,
    Event,
    EventListener,
    Metric,
    Note,
    Stopped,
    StopReason,
    history,
)
from trainers.frameworks import load_trainer
from trainers.metrics import Metrics
from trainers.model_archive import ARCHIVE, Model, inside, write_model
from trainers.registry import DEFAULT, trainer_named
from trainers.unfinished import (
    STATE,
    Unfinished,
    is_unfinished,
    nothing_unfinished,
    read_unfinished,
    remove_unfinished,
    write_unfinished,
)

HISTORY, METRICS, HISTORY_PLOT = "history.jsonl", "metrics.json", "history.png"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a training run."""

    output: str
    """The folder of the model, or its prefix in S3."""

    report: dict[str, Any]
    """The content of metrics.json."""

    published: tuple[Published, ...]
    """The files in the folder, and whether each was written or unchanged."""

    @property
    def accuracy(self) -> float:
        """Accuracy of the best epoch on the validation pictures, 0 to 1."""
        return float(self.report["validation"]["accuracy"])

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C stopped it."""
        return bool(self.report["stopped"] == "interrupted")


@dataclass(slots=True)
class _Progress:
    """What a run has done so far."""

    best: Checkpoint | None = None
    epochs: list[Epoch] = field(default_factory=list)
    stopped: StopReason = "epochs"


def train(
    train: Dataset,
    validation: Dataset,
    config: TrainConfig,
    output: str,
    listeners: Sequence[EventListener] = (),
    *,
    trainer: str = DEFAULT,
    force: bool = False,
    resume: bool = False,
    kms_key: str | None = None,
) -> Result:
    """Train, and write the model of the best epoch, its figures and its history to the folder ``output``.

    A model that was made from the same data and configuration is left as it is. Raises Exists for any other
    model there without ``force``, Refused for what the trainer does not have, MtoolError where no epoch gave
    a usable model. After KeyboardInterrupt the best epoch so far is kept, if there is one. ``output`` may be
    a prefix in S3, where ``kms_key`` encrypts what is written.

    In a folder on this disk every epoch leaves the state of the run, until it is over. ``resume`` goes on
    from there, and comes to the same model; raises Refused where there is none, or one of another run.
    """
    check_key(kms_key, [output])
    check_resume(output, resume, force)
    check_config(config, trainer_named(trainer))
    _check(train, validation)
    origin = _origin(train, validation, config, trainer)
    if (finished := _finished_report(output)) and finished.get("made_from") == origin and not force:
        return Result(output, finished, (Published(inside(output, ARCHIVE), "unchanged"),))
    begun = _begun(output, origin, resume, force)
    framework = load_trainer(trainer)
    learner = framework.learner(train, config, begun.learner if begun else None)
    _notify(listeners, Note(learner.origin if begun is None else _going_on(begun)))
    run = _Progress(begun.best, list(begun.epochs)) if begun else _Progress()

    def keep(best: Checkpoint) -> None:
        if not output.startswith("s3://"):
            write_unfinished(output, Unfinished(origin, run.epochs, best, learner.state()))

    _run(run_epochs(train, validation, config, learner, tuple(run.epochs)), run, keep, listeners)
    if run.best is None:
        raise MtoolError("no epoch gave a usable model; try a smaller --learning-rate")
    model = framework.export(run.best.weights, run.best.epoch, config, train)
    metrics = evaluate(model, validation)
    _notify(listeners, Metric("validation:accuracy", metrics.accuracy))
    report = _report(run, metrics, config, origin, train, validation)
    published = _write(output, model, report, run.epochs, kms_key)
    if run.stopped != "interrupted":
        remove_unfinished(output)
    return Result(output, report, published)


def check_resume(output: str, resume: bool, force: bool) -> None:
    """Raise Refused, before any work, where there is nothing to go on with."""
    if resume and force:
        raise Refused("--resume goes on and --force begins anew; type one of them")
    if resume and not is_unfinished(output) and not _finished_report(output):
        raise nothing_unfinished(output)


def _check(train: Dataset, validation: Dataset) -> None:
    if train.table != validation.table:
        raise BadData("expected one class table, found that train and validation have different class tables")
    if train.multi_label != validation.multi_label:
        raise BadData("train and validation differ: one has one class a picture, the other several")
    if train.table.num_classes < 2 and not train.multi_label:
        raise BadData("expected two classes or more, found one")


def check_model_is_free(output: str, config: TrainConfig, trainer: str) -> None:
    """Raise, before pictures are read, for what was made there in another way, or is not over."""
    made_from = _finished_report(output).get("made_from", {})
    wanted = {"config": json.loads(json.dumps(config.to_json())), "trainer": trainer}
    if {name: made_from.get(name) for name in wanted} != wanted:
        _check_nothing_there(output)


def _begun(output: str, origin: dict[str, Any], resume: bool, force: bool) -> Unfinished | None:
    """Return the run to go on with; raises where there is none, or where beginning anew would replace one."""
    if resume:
        return read_unfinished(output, origin)
    if force:
        return None
    _check_nothing_there(output)
    return None


def _check_nothing_there(output: str) -> None:
    """Raise Refused for an unfinished run, which Ctrl-C leaves beside its best model; Exists for a model."""
    if is_unfinished(output):
        raise Refused(
            f"{inside(output, STATE)}: an unfinished run; type --resume to go on with it, --force to begin"
            " anew, or -o for another place"
        )
    if _is_there(there := inside(output, ARCHIVE)):
        raise Exists([there])


def _going_on(begun: Unfinished) -> str:
    return f"going on after epoch {begun.epochs[-1].epoch}; the best so far is epoch {begun.best.epoch}"


def _origin(train: Dataset, validation: Dataset, config: TrainConfig, trainer: str) -> dict[str, Any]:
    """Return what the bytes of a model depend on."""
    return {
        "made_by": f"mtool {__version__}",
        "trainer": trainer,
        "config": config.to_json(),
        "train": train.digest,
        "validation": validation.digest,
        "classes": train.table.digest,
        "init_from": _weights_digest(config.init_from),
    }


def _weights_digest(path: str) -> str:
    if path.startswith("s3://"):
        return s3.head(path).etag
    file = Path(path) / ARCHIVE if Path(path).is_dir() else Path(path)
    if not path or not file.is_file():
        return ""
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _finished_report(output: str) -> dict[str, Any]:
    """Return the metrics.json of a finished run in a folder, or nothing."""
    place = inside(output, METRICS)
    try:
        report = json.loads(s3.read(place) if place.startswith("s3://") else Path(place).read_bytes())
    except (OSError, ValueError, s3.NotThere):
        return {}
    whole = isinstance(report, dict) and report.get("stopped", "interrupted") != "interrupted"
    return report if whole and _is_there(inside(output, ARCHIVE)) else {}


def _is_there(place: str) -> bool:
    return s3.exists(place) if place.startswith("s3://") else Path(place).exists()


def _run(
    events: Iterable[Event],
    run: _Progress,
    keep: Callable[[Checkpoint], None],
    listeners: Sequence[EventListener],
) -> None:
    """Take note of what happens; after Ctrl-C the epochs that are over count, where one is."""
    best = run.best
    try:
        for event in events:
            if isinstance(event, Checkpoint):
                best = event
            elif isinstance(event, Epoch) and best is not None:
                run.epochs.append(event)
                run.best = best
                keep(best)
            elif isinstance(event, Stopped):
                run.stopped = event.why
            _notify(listeners, event)
    except KeyboardInterrupt:
        if run.best is None:
            raise
        run.stopped = "interrupted"


def _notify(listeners: Iterable[EventListener], event: Event) -> None:
    for listener in listeners:
        listener(event)


def _report(
    run: _Progress,
    metrics: Metrics,
    config: TrainConfig,
    origin: dict[str, Any],
    train: Dataset,
    validation: Dataset,
) -> dict[str, Any]:
    return {
        "network": config.network,
        "best_epoch": run.best.epoch if run.best else 0,
        "epochs_done": len(run.epochs),
        "stopped": run.stopped,
        "pictures": {"train": len(train), "validation": len(validation)},
        "validation": metrics.to_json(),
        "made_from": origin,
    }


def _write(
    output: str,
    model: Model,
    report: dict[str, Any],
    epochs: Sequence[Epoch],
    kms_key: str | None,
) -> tuple[Published, ...]:
    if not output.startswith("s3://"):
        Path(output).mkdir(parents=True, exist_ok=True)
    # Other files of a model there may be replaced: there is no finished model, or `force` was given.
    with publishing(force=True, kms_key=kms_key) as publication:
        # The sink compresses what ends in .gz, without a time in it.
        write_model(model, publication.open(inside(output, ARCHIVE)))
        publication.open(inside(output, METRICS)).write(json.dumps(report, indent=2).encode() + b"\n")
        publication.open(inside(output, HISTORY)).write(history(epochs))
        if plots.available():
            publication.open(inside(output, HISTORY_PLOT)).write(plots.history(epochs))
    return tuple(publication.published)
