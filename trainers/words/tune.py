"""``mtool tune`` on this machine as a function."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from trainers.choice import Facts
from trainers.config import TrainConfig
from trainers.dataset import Dataset
from trainers.prepare import PlannedPair, ReadPictures, read_pair, read_pictures, records_of_pair
from trainers.ranges import check_names, read_ranges
from trainers.registry import DEFAULT
from trainers.tuning import Search, TrialListener, Tuned, check_place
from trainers.tuning import tune as run
from trainers.words.learning import Choices, given


def tune(
    train_manifest: AnyPath = "train.manifest",
    validation_manifest: AnyPath = "validation.manifest",
    output: AnyPath = "tuning",
    *,
    range_: Mapping[str, str] | None = None,
    choice: Mapping[str, AnyPaths] | None = None,
    max_jobs: int = 20,
    early_stopping: bool = False,
    label_attribute: str | None = None,
    classes: ClassTable | AnyPath | None = None,
    images: AnyPaths = (),
    conflicts: ConflictPolicy = "drop",
    trainer: str = DEFAULT,
    params: AnyPath | None = None,
    init_from: AnyPath | None = None,
    seed: int = 0,
    network: str | None = None,
    epochs: int | None = None,
    force: bool = False,
    jobs: Jobs = None,
    listen: TrialListener | None = None,
) -> Tuned:
    """Find the parameters that give the best model here, and leave the study in the folder ``output``.

    ``range_`` has what lies between two ends, as ``{"learning_rate": "0.0001:0.01:log"}``, and ``choice`` the
    values to try, as ``{"optimizer": ["adam", "sgd"]}``. A study that is there is continued. ``listen`` is
    given all trials after each one. Raises NotInstalled without Optuna, Refused for what cannot be varied.
    """
    place = as_text(output)
    check_place(place)
    values = [f"{name}={value}" for name, several in (choice or {}).items() for value in as_texts(several)]
    ranges = read_ranges([f"{name}={ends}" for name, ends in (range_ or {}).items()], values)
    search = Search(ranges, max_jobs, seed, early_stopping)
    chosen = given(init_from=init_from, seed=seed, network=network, epochs=epochs)
    check_names(ranges, frozenset(chosen))
    pair = read_pair(
        as_text(train_manifest),
        as_text(validation_manifest),
        label_attribute,
        classes_from(classes),
        as_texts(images),
        conflicts,
    )
    choices = Choices(trainer, None if params is None else as_text(params), chosen)
    facts = choices.facts(pair)
    return run_trials(pair, choices, facts, search, place, read_pictures(jobs), listen, force=force)


def run_trials(
    pair: PlannedPair,
    choices: Choices,
    facts: Facts,
    search: Search,
    output: str,
    read_one: ReadPictures,
    listen: TrialListener | None,
    *,
    force: bool,
) -> Tuned:
    """Run trials on two manifests, whose pictures are read once for each size that they want."""

    @cache
    def read(side: int) -> tuple[Dataset, Dataset]:
        first, second = records_of_pair(pair, os.path.join(output, f"pictures-{side}"), side)
        return read_one(first)[0], read_one(second)[0]

    def make(varied: dict[str, Any]) -> TrainConfig:
        return choices.config(facts, varied)

    return run(read, make, search, output, listen, trainer=choices.trainer, force=force)
