"""What every trainer of the table does, and every predictor; a new row is tested here by being there."""

import gzip
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest

from tests.trainers.conftest import fit
from trainers import Dataset, TrainConfig, from_arrays, read_model
from trainers.bad_model import BadModel
from trainers.dataset import Targets
from trainers.events import Checkpoint, Epoch
from trainers.frameworks import load_predictor, load_trainer
from trainers.model_archive import ARCHIVE, Model, write_model
from trainers.registry import TRAINERS, Trainer

Hands = Callable[..., Dataset]
Quick = Callable[..., TrainConfig]


@pytest.fixture(params=TRAINERS.values(), ids=list(TRAINERS))
def row(request: pytest.FixtureRequest) -> Trainer:
    """Return a row of the table whose framework is installed."""
    found: Trainer = request.param
    if importlib.util.find_spec(found.framework) is None:
        pytest.skip(f"{found.framework} is not installed")
    return found


def learn(row: Trainer, data: Dataset, config: TrainConfig) -> Model:
    """Return the model that one epoch of training leaves."""
    framework = load_trainer(row.name)
    events = list(fit(framework, data, data, config))
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [1]
    best = [event for event in events if isinstance(event, Checkpoint)][-1]
    return framework.export(best.weights, best.epoch, config, data)


def several(data: Dataset) -> Dataset:
    """Return the same pictures, each with both classes or the second alone."""
    labels: Targets = np.stack([data.labels, np.ones_like(data.labels)], axis=1)
    return from_arrays(data.read(np.arange(len(data))), labels, data.table)


@pytest.mark.parametrize("multi_label", [False, True], ids=["one class a picture", "several classes"])
def test_one_epoch_on_eight_pictures_becomes_a_model_that_answers(
    row: Trainer, multi_label: bool, hands: Hands, quick: Quick, in_folder: Path
) -> None:
    data = several(hands(8)) if multi_label else hands(8)
    model = learn(row, data, quick(network=row.quick, epochs=1))
    assert (model.predictor, model.image_size, model.multi_label) == (row.name, 32, multi_label)
    assert [name for name in model.files if name.endswith(row.endings)]

    with gzip.open(ARCHIVE, "wb") as stream:
        write_model(model, cast(BinaryIO, stream))
    assert read_model(ARCHIVE) == model
    answers = load_predictor(read_model(ARCHIVE))(data.read(np.arange(8)))
    assert answers.shape == (8, 2)
    assert answers.dtype == np.float32
    assert ((answers >= 0) & (answers <= 1)).all()
    if not multi_label:
        assert answers.sum(axis=1) == pytest.approx(np.ones(8), abs=1e-5)


def test_one_seed_gives_one_model_to_the_byte(row: Trainer, hands: Hands, quick: Quick) -> None:
    config = quick(network=row.quick, epochs=1, **dict.fromkeys(row.options & {"augment", "mirror"}, True))
    assert learn(row, hands(8), config).files == learn(row, hands(8), config).files


def test_a_learner_goes_on_from_the_state_of_another_one(row: Trainer, hands: Hands, quick: Quick) -> None:
    framework, data, rows = load_trainer(row.name), hands(8), np.arange(8)
    one = framework.learner(data, quick(network=row.quick))
    one.learn(data.read(rows), data.labels)
    other = framework.learner(data, quick(network=row.quick), one.state())
    for learner in (one, other):
        learner.predict(data.read(rows))
        learner.learn(data.read(rows), data.labels)
    assert other.state() == one.state()
    assert other.weights() == one.weights()


def test_a_model_of_a_maker_that_nobody_here_knows_is_refused(hands: Hands) -> None:
    model = Model("caffe", "alexnet", 32, hands(2).table, False, "label", {})
    with pytest.raises(BadModel, match="alexnet: expected a model of gluon, builtin; found one of 'caffe'"):
        load_predictor(model)
