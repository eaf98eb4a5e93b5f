"""The functions that the module of a framework has, and the only place where it is imported."""

import importlib.util
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol, cast

from manifest_tools.base.errors import NotInstalled
from manifest_tools.base.text import shown
from trainers.bad_model import BadModel
from trainers.choice import Device
from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities, Targets
from trainers.model_archive import Model
from trainers.pixels import Pixels
from trainers.registry import PREDICTORS, Predictor, trainer_named

Predict = Callable[[Pixels], Probabilities]
"""Pictures (pictures, side, side, RGB) -> probabilities (pictures, classes)."""


class Learner(Protocol):
    """A network that is being trained."""

    origin: str
    """Where its weights come from, for a person."""

    def learn(self, pictures: Pixels, labels: Targets) -> Probabilities:
        """Take a step on a batch, and return the probabilities from before the step."""

    def predict(self, pictures: Pixels) -> Probabilities:
        """Return the probabilities as they are now; what is learnt does not depend on who asked."""

    def weights(self) -> bytes:
        """Return the weights as they are now, in the format of the framework."""

    def state(self) -> bytes:
        """Return all that the next epoch depends on: weights, the optimizer's numbers, random numbers."""


class Framework(Protocol):
    """The functions in the module of a trainer; the module of a predictor has only the last one."""

    def device(self) -> Device:
        """Return what it calculates on."""

    def learner(self, data: Dataset, config: TrainConfig, state: bytes | None = None) -> Learner:
        """Return the network with its initial weights, or in a state that an earlier one was in.

        A state may come from anywhere: raises BadModel where it does not fit, MtoolError for initial weights
        that cannot be had.
        """

    def export(self, weights: bytes, epoch: int, config: TrainConfig, data: Dataset) -> Model:
        """Return the model that a Checkpoint's weights make."""

    def predictor(self, model: Model) -> Predict:
        """Return the function that predicts with a model; raises BadModel where it cannot be used."""


def load_trainer(name: str) -> Framework:
    """Return the functions of a trainer; raises Refused for an unknown one, NotInstalled without it."""
    trainer = trainer_named(name)
    return cast(Framework, _module(trainer, f"the trainer {name}"))


def load_predictor(model: Model) -> Predict:
    """Return the function that predicts with a model; raises what ``check_predictor`` does."""
    row = check_predictor(model)
    return cast(Framework, import_module(row.module)).predictor(model)


def check_predictor(model: Model) -> Predictor:
    """Return the row of what predicts with a model, before anything else is said of the model.

    Raises BadModel for a model of an unknown maker, NotInstalled where the framework is missing.
    """
    if model.predictor not in PREDICTORS:
        known = ", ".join(PREDICTORS)
        raise BadModel(model.network, f"expected a model of {known}; found one of {shown(model.predictor)}")
    row = PREDICTORS[model.predictor]
    _check_installed(row, f"a model of {row.title}")
    return row


def _module(row: Predictor, purpose: str) -> Any:
    _check_installed(row, purpose)
    return import_module(row.module)


def _check_installed(row: Predictor, purpose: str) -> None:
    if importlib.util.find_spec(row.framework) is None:
        raise NotInstalled(row.framework, row.extra, purpose)
