"""Parameters found by trying: a training run a trial on this machine, chosen by Optuna (extra ``tune``).

A study is a file, and goes on where it was left. Which values a trial gets follows from the seed and the
trials before it, so that a study that was interrupted comes to what one without a break comes to.
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
from trainers.events import Checkpoint, Epoch
from trainers.frameworks import load_trainer
from trainers.parameters import PARAMETER_TYPES, parse_values
from trainers.ranges import Choice, Range, check_ends, check_names, corners
from trainers.registry import DEFAULT, trainer_named
from trainers.trial import Trial, best_of

STUDY, TRIALS, TRIALS_PLOT = "study.journal", "trials.jsonl", "trials.png"

# What is no parameter of learning.
_FIXED = ("seed", "init_from", "pretrained")
_NAME = "mtool"

MakeConfig = Callable[[dict[str, Any]], TrainConfig]
ReadData = Callable[[int], tuple[Dataset, Dataset]]
TrialListener = Callable[[tuple[Trial, ...]], None]


@dataclass(frozen=True, slots=True)
class Search:
    """What is varied, how often, and from which seed; ``early_stopping`` ends trials that do worse."""

    ranges: tuple[Range | Choice, ...]
    max_jobs: int
    seed: int = 0
    early_stopping: bool = False

    def __post_init__(self) -> None:
        if self.max_jobs < 1:
            raise Refused(f"--max-jobs: expected 1 or more, found {self.max_jobs:,}")
        if not self.ranges:
            raise Refused("nothing is varied; type --range learning_rate=0.0001:0.01:log, say")
        check_names(self.ranges)
        for one in self.ranges:
            _check(one)

    def to_json(self) -> list[dict[str, Any]]:
        """Return what is varied, as the study keeps it."""
        return [{name: getattr(one, name) for name in one.__slots__} for one in self.ranges]


def _check(one: Range | Choice) -> None:
    if one.name not in PARAMETER_TYPES or one.name in _FIXED:
        names = ", ".join(name for name in PARAMETER_TYPES if name not in _FIXED)
        raise Refused(f"there is no {shown(one.name)} to vary; there are {names}")
    if isinstance(one, Choice):
        for value in one.values:
            parse_values({one.name: value})
        return
    if PARAMETER_TYPES[one.name] not in (int, float):
        raise Refused(f"{one.name} is no number; vary it by --choice {one.name}=VALUE")
    if one.scaling == "ReverseLogarithmic":
        raise Refused(f"{one.name}: reverse-log is for --trainer builtin; type log or linear")
    low, high = (parse_values({one.name: end})[one.name] for end in (one.low, one.high))
    check_ends(one, low, high)


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of a study: every trial, the best one's whole configuration, and the files."""

    trials: tuple[Trial, ...]
    best: Trial
    config: TrainConfig
    published: tuple[Published, ...]


def available() -> bool:
    """Say whether Optuna is installed."""
    return importlib.util.find_spec("optuna") is not None


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
    """Try until there are as many trials as wanted, and leave the study in the folder ``output``.

    ``make`` returns the configuration with what a trial varies, ``read`` the data sets for pictures of a
    side. A study that is there already goes on; one of other data or ranges is refused, or begun anew by
    ``force``. Raises NotInstalled without Optuna.
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
        raise MtoolError("no trial came to a usable model; try a lower range of learning_rate")
    config = make(dict(best.parameters))
    return Tuned(trials, best, config, _write(output, trials))


def _origin(
    data: tuple[Dataset, Dataset], first: TrainConfig, search: Search, trainer: str
) -> dict[str, Any]:
    """Return what must be the same for a study to go on."""
    return {
        "trainer": trainer,
        "config": first.to_json(),
        "ranges": json.loads(json.dumps(search.to_json())),
        "early_stopping": search.early_stopping,
        "train": data[0].digest,
        "validation": data[1].digest,
    }


def _study(place: Path, search: Search, origin: dict[str, Any], force: bool) -> Any:
    """Return the study in the file, which is made where it is not there."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    place.parent.mkdir(parents=True, exist_ok=True)
    if force:
        place.unlink(missing_ok=True)
    pruners = optuna.pruners
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(place))),
        study_name=_NAME,
        direction="maximize",
        load_if_exists=True,
        pruner=pruners.MedianPruner(n_startup_trials=3) if search.early_stopping else pruners.NopPruner(),
    )
    made_from = study.user_attrs.get("made_from")
    if made_from is None:
        study.set_user_attr("made_from", origin)
    elif made_from != origin:
        wrong = ", ".join(name for name in origin if made_from.get(name) != origin[name])
        raise Refused(f"{place}: begun with another {wrong}; type -o FOLDER, or --force to begin anew")
    for trial in study.trials:
        if trial.state == optuna.trial.TrialState.RUNNING:  # whoever ran it is gone
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _try_once(study: Any, read: ReadData, make: MakeConfig, search: Search, trainer: str) -> None:
    """Run the next trial; an interrupted one is forgotten, and tried again."""
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
    """Return the best accuracy of a run (0 where nothing came of it), and whether it was ended early."""
    best = 0.0
    for event in load_trainer(trainer).fit(*read(config.image_size), config):
        if isinstance(event, Checkpoint):
            best = max(best, event.accuracy)
        elif isinstance(event, Epoch) and math.isfinite(event.validation_accuracy):
            trial.report(event.validation_accuracy, event.epoch)
            if trial.should_prune() and event.epoch < event.epochs:
                return best, True
    return best, False


# Optuna's states, in SageMaker's words; a trial that failed here was interrupted.
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
