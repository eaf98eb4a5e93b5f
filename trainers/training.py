"""A training run: from two data sets to the folder of a model, with any framework."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import BadData, Exists, MtoolError
from manifest_tools.base.version import __version__
from manifest_tools.io import s3
from manifest_tools.io.sinks import Published, check_key, publishing
from trainers import plots
from trainers.config import TrainConfig, check_config
from trainers.dataset import Dataset
from trainers.evaluation import evaluate
from trainers.events import Checkpoint, Epoch, Event, EventListener, Metric, history_writer
from trainers.frameworks import load_trainer
from trainers.metrics import Metrics
from trainers.model_archive import ARCHIVE, Model, inside, write_model
from trainers.registry import DEFAULT, trainer_named

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
        """Whether it was stopped before its last epoch."""
        return bool(self.report["interrupted"])


@dataclass(slots=True)
class _Progress:
    """What a run has done so far."""

    best: Checkpoint | None = None
    epochs: list[Epoch] = field(default_factory=list)
    interrupted: bool = False


def train(
    train: Dataset,
    validation: Dataset,
    config: TrainConfig,
    output: str,
    listeners: Sequence[EventListener] = (),
    *,
    trainer: str = DEFAULT,
    force: bool = False,
    kms_key: str | None = None,
) -> Result:
    """Train, and write the model of the best epoch, its figures and its history to the folder ``output``.

    A model that was made from the same data and configuration is left as it is. Raises Exists for any other
    model there without ``force``, Refused for what the trainer does not have, MtoolError where no epoch gave
    a usable model. After KeyboardInterrupt the best epoch so far is kept, if there is one. ``output`` may be
    a prefix in S3, where ``kms_key`` encrypts what is written.
    """
    check_key(kms_key, [output])
    check_config(config, trainer_named(trainer))
    _check(train, validation)
    origin = _origin(train, validation, config, trainer)
    if (finished := _finished_report(output)) and finished.get("made_from") == origin and not force:
        return Result(output, finished, (Published(inside(output, ARCHIVE), "unchanged"),))
    if _is_there(there := inside(output, ARCHIVE)) and not force:
        raise Exists([there])
    framework = load_trainer(trainer)
    history = io.BytesIO()
    run = _run(framework.fit(train, validation, config), [*listeners, history_writer(history)])
    if run.best is None:
        raise MtoolError("no epoch gave a usable model; try a smaller --learning-rate")
    model = framework.export(run.best.weights, run.best.epoch, config, train)
    metrics = evaluate(model, validation)
    _notify(listeners, Metric("validation:accuracy", metrics.accuracy))
    report = _report(run, metrics, config, origin, train, validation)
    return Result(output, report, _write(output, model, report, history.getvalue(), run.epochs, kms_key))


def _check(train: Dataset, validation: Dataset) -> None:
    if train.table != validation.table:
        raise BadData("expected one class table, found that train and validation have different class tables")
    if train.multi_label != validation.multi_label:
        raise BadData("train and validation differ: one has one class a picture, the other several")
    if train.table.num_classes < 2 and not train.multi_label:
        raise BadData("expected two classes or more, found one")


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
    whole = isinstance(report, dict) and not report.get("interrupted") and _is_there(inside(output, ARCHIVE))
    return report if whole else {}


def _is_there(place: str) -> bool:
    return s3.exists(place) if place.startswith("s3://") else Path(place).exists()


def _run(events: Iterable[Event], listeners: Sequence[EventListener]) -> _Progress:
    run = _Progress()
    try:
        for event in events:
            if isinstance(event, Checkpoint):
                run.best = event
            elif isinstance(event, Epoch):
                run.epochs.append(event)
            _notify(listeners, event)
    except KeyboardInterrupt:
        if run.best is None:
            raise
        run.interrupted = True
    return run


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
        "interrupted": run.interrupted,
        "pictures": {"train": len(train), "validation": len(validation)},
        "validation": metrics.to_json(),
        "made_from": origin,
    }


def _write(
    output: str,
    model: Model,
    report: dict[str, Any],
    history: bytes,
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
        publication.open(inside(output, HISTORY)).write(history)
        if plots.available():
            publication.open(inside(output, HISTORY_PLOT)).write(plots.history(epochs))
    return tuple(publication.published)
