"""Tuning on this machine: every trial is a training run, with values that Optuna chooses (extra ``tune``).

A study is a file, and can be continued. The values of a trial follow from the seed and from the trials before
it. So a study that was interrupted and continued has the same trials as one without a break.
"""

import importlib.util
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import MtoolError, NotInstalled, Refused
from manifest_tools.base.text import shown
from manifest_tools.io.sinks import Published, publishing
from trainers import plots
from trainers.config import TrainConfig, check_config
from trainers.dataset import Dataset
from trainers.epochs import run_epochs
from trainers.events import Checkpoint, Epoch
from trainers.frameworks import load_trainer
from trainers.parameters import PARAMETER_TYPES, parse_values
from trainers.ranges import Choice, Range, Ranges, check_ends, check_names, corners
from trainers.registry import BUILTIN, DEFAULT, trainer_named
from trainers.trial import Trial, best_of

STUDY, TRIALS, TRIALS_PLOT = "study.journal", "trials.jsonl", "trials.png"

# Fields of TrainConfig that no trial varies.
_FIXED = ("seed", "init_from", "pretrained")
_NAME = "mtool"

MakeConfig = Callable[[dict[str, Any]], TrainConfig]
"""What a trial varies, by name -> the whole configuration."""

ReadData = Callable[[int], tuple[Dataset, Dataset]]
"""Side of the pictures in pixels -> the training and the validation data set."""

TrialListener = Callable[[tuple[Trial, ...]], None]
"""Takes all trials so far, after each one."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a study searches; raises Refused for what cannot be varied, or is varied twice."""

    ranges: Ranges
    max_jobs: int
    """Trials in all."""

    seed: int = 0
    """Decides the values of the trials."""

    early_stopping: bool = False
    """Whether a trial ends early when it does worse than half of the others at the same epoch."""

    def __post_init__(self) -> None:
        if self.max_jobs < 1:
            raise Refused(f"--max-jobs: expected 1 or more, found {self.max_jobs:,}")
        if not self.ranges:
            raise Refused("nothing is varied; type --range learning_rate=0.0001:0.01:log, or --choice")
        check_names(self.ranges)
        for one in self.ranges:
            _check(one)

    def to_json(self) -> list[dict[str, Any]]:
        """Return what is varied, as the study keeps it."""
        return [{name: getattr(one, name) for name in one.__slots__} for one in self.ranges]


def _check(one: Range | Choice) -> None:
    if one.name not in PARAMETER_TYPES or one.name in _FIXED:
        names = ", ".join(name for name in PARAMETER_TYPES if name not in _FIXED)
        raise Refused(f"{shown(one.name)} cannot be varied; expected one of {names}")
    if isinstance(one, Choice):
        for value in one.values:
            parse_values({one.name: value})
        return
    if PARAMETER_TYPES[one.name] not in (int, float):
        raise Refused(f"{one.name} is not a number; vary it by --choice {one.name}=VALUE")
    if one.scaling == "ReverseLogarithmic":
        raise Refused(f"{one.name}: the scale reverse-log is for --trainer {BUILTIN}; type log or linear")
    low, high = (parse_values({one.name: end})[one.name] for end in (one.low, one.high))
    check_ends(one, low, high)


@dataclass(frozen=True, slots=True)
class Tuned:
    """The result of a study."""

    trials: tuple[Trial, ...]
    """All, in the order in which they ran."""

    best: Trial
    config: TrainConfig
    """The whole configuration of the best trial."""

    published: tuple[Published, ...]
    """The files beside the study."""


def available() -> bool:
    """Say whether Optuna is installed."""
    return importlib.util.find_spec("optuna") is not None


def check_place(output: str) -> None:
    """Raise Refused for a study in S3."""
    if output.startswith("s3://"):
        raise Refused(f"--output {output}: expected a folder on this disk, where the study is a file")


def tune(
    read: ReadData,
    make: MakeConfig,
    search: Search,
    output: str,
    listen: TrialListener | None = None,
    *,
    trainer: str = DEFAULT,
    force: bool = False,
) -> Tuned:
    """Run trials until there are ``search.max_jobs``, and leave the study in the folder ``output``.

    A study that is there already is continued. One of other data or ranges is refused, or replaced by
    ``force``. Raises NotInstalled without Optuna, MtoolError where no trial gave a usable model.
    """
    if not available():
        raise NotInstalled("optuna", "tune", "tuning on this machine")
    configs = [make(parse_values(values)) for values in corners(search.ranges)]
    for config in configs:
        check_config(config, trainer_named(trainer))
    first = configs[0]
    place = Path(output) / STUDY
    study = _study(place, search, _origin(read(first.image_size), first, search, trainer), force)
    trials = _trials(study)
    while sum(one.ended for one in trials) < search.max_jobs:
        _try_once(study, read, make, search, trainer)
        trials = _trials(study)
        if listen is not None:
            listen(trials)
    best = best_of(one for one in trials if one.status == "Completed")
    if best is None:
        raise MtoolError("no trial gave a usable model; try a lower range of learning_rate")
    config = make(dict(best.parameters))
    return Tuned(trials, best, config, _write(output, trials))


# What people call the entries of an origin.
_ORIGIN = {
    "trainer": "--trainer",
    "config": "parameters",
    "ranges": "ranges",
    "early_stopping": "--early-stopping",
    "train": "training pictures",
    "validation": "validation pictures",
}


def _origin(
    data: tuple[Dataset, Dataset], first: TrainConfig, search: Search, trainer: str
) -> dict[str, Any]:
    """Return what must be the same for a study to be continued."""
    return {
        "trainer": trainer,
        "config": first.to_json(),
        "ranges": json.loads(json.dumps(search.to_json())),
        "early_stopping": search.early_stopping,
        "train": data[0].digest,
        "validation": data[1].digest,
    }


def _study(place: Path, search: Search, origin: dict[str, Any], force: bool) -> Any:
    """Return the study in a file, which is made where there is none."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    place.parent.mkdir(parents=True, exist_ok=True)
    if force:
        place.unlink(missing_ok=True)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=3)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(place))),
        study_name=_NAME,
        direction="maximize",
        load_if_exists=True,
        pruner=pruner if search.early_stopping else optuna.pruners.NopPruner(),
    )
    if "made_from" not in study.user_attrs:
        study.set_user_attr("made_from", origin)
    _check_origin(place, study.user_attrs["made_from"], origin)
    for trial in study.trials:
        if trial.state == optuna.trial.TrialState.RUNNING:  # the process that ran it has ended
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _check_origin(place: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise Refused for a study of other data, ranges or parameters."""
    others = [_ORIGIN[name] for name in wanted if found.get(name) != wanted[name]]
    if others:
        raise Refused(
            f"{place}: the study there has other {' and '.join(others)};"
            " type -o FOLDER for a new one, or --force to replace it"
        )


def _try_once(study: Any, read: ReadData, make: MakeConfig, search: Search, trainer: str) -> None:
    """Run the next trial; one that is interrupted counts for nothing, and runs again next time."""
    import optuna

    done = sum(trial.state.is_finished() and trial.state.name != "FAIL" for trial in study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=search.seed * 1_000_003 + done)
    trial = study.ask()
    try:
        varied = {one.name: _suggested(trial, one) for one in search.ranges}
        value, pruned = _accuracy(trial, read, make(varied), trainer)
    except BaseException:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        raise
    if pruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, value)


def _suggested(trial: Any, one: Range | Choice) -> Any:
    if isinstance(one, Choice):
        values = [parse_values({one.name: value})[one.name] for value in one.values]
        return trial.suggest_categorical(one.name, values)
    low, high = (parse_values({one.name: end})[one.name] for end in (one.low, one.high))
    suggest = trial.suggest_int if PARAMETER_TYPES[one.name] is int else trial.suggest_float
    return suggest(one.name, low, high, log=one.scaling == "Logarithmic")


def _accuracy(trial: Any, read: ReadData, config: TrainConfig, trainer: str) -> tuple[float, bool]:
    """Return the best validation accuracy of a run, or 0, and whether the run was ended early."""
    best = 0.0
    train, validation = read(config.image_size)
    learner = load_trainer(trainer).learner(train, config)
    for event in run_epochs(train, validation, config, learner):
        if isinstance(event, Checkpoint):
            best = max(best, event.accuracy)
        elif isinstance(event, Epoch) and math.isfinite(event.validation_accuracy):
            trial.report(event.validation_accuracy, event.epoch)
            if trial.should_prune() and event.epoch < event.epochs:
                return best, True
    return best, False


# Optuna's states in SageMaker's words, without FAIL: such a trial was interrupted.
_STATUS = {"COMPLETE": "Completed", "PRUNED": "Stopped", "RUNNING": "InProgress"}


def _trials(study: Any) -> tuple[Trial, ...]:
    return tuple(
        Trial(str(number), _STATUS[trial.state.name], trial.params, trial.value)
        for number, trial in enumerate(_kept(study), 1)
    )


def _kept(study: Any) -> Iterator[Any]:
    return (trial for trial in study.trials if trial.state.name in _STATUS)


def _write(output: str, trials: Sequence[Trial]) -> tuple[Published, ...]:
    with publishing(force=True) as publication:
        stream = publication.open(os.path.join(output, TRIALS))
        for one in trials:
            row = {"trial": one.name, "status": one.status, "value": one.value, **one.parameters}
            stream.write(json.dumps(row).encode() + b"\n")
        if plots.available():
            publication.open(os.path.join(output, TRIALS_PLOT)).write(plots.trials(trials))
    return tuple(publication.published)
