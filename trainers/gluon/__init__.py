"""Training with MXNet's Gluon; has the functions of ``trainers.frameworks.Framework``."""

from trainers.choice import Device
from trainers.config import TrainConfig
from trainers.dataset import Dataset
from trainers.gluon.export import export, predictor
from trainers.gluon.gluon_learner import GluonLearner
from trainers.gluon.mxnet_import import load_mxnet

__all__ = ["device", "export", "learner", "predictor"]


def device() -> Device:
    """Return what it calculates on: the wheel of MXNet 1.9.1 is for processors."""
    return "cpu"


def learner(data: Dataset, config: TrainConfig, state: bytes | None = None) -> GluonLearner:
    """Return the network with its initial weights, or in the state of an earlier one.

    On the CPU of one machine a seed decides the weights to the bit. Raises MtoolError where the initial
    weights cannot be had, BadModel for a state that does not fit.
    """
    return GluonLearner(load_mxnet(), data, config, state)
