"""The trainers and networks by name; a framework is imported only when a trainer gets to work."""

import importlib.util
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Protocol

from manifest_tools.base.errors import NotInstalled, Refused
from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities
from trainers.events import Event
from trainers.model_archive import Model
from trainers.pixels import Pixels

Predict = Callable[[Pixels], Probabilities]


class Trainer(Protocol):
    """The functions that every framework's module has."""

    def fit(self, train: Dataset, validation: Dataset, config: TrainConfig) -> Iterator[Event]:
        """Train, and yield what happens; every improvement is a Checkpoint."""

    def export(self, weights: bytes, epoch: int, config: TrainConfig, data: Dataset) -> Model:
        """Return the model that a Checkpoint's weights make."""

    def predictor(self, model: Model) -> Predict:
        """Return a function from pictures (n, height, width, RGB) to probabilities (n, classes)."""


# name -> (module, framework, extra). Importing the module must not import its framework.
# The built-in algorithm trains in SageMaker; here its models are asked.
TRAINERS = {
    "gluon": ("trainers.gluon", "mxnet", "gluon"),
    "builtin": ("trainers.gluon.builtin_model", "mxnet", "gluon"),
}

# Known without MXNet, for a refusal before any work; those after the first two have ImageNet weights.
SMALL_NETWORKS = ("small", "mlp")
LARGE_NETWORKS = (
    "resnet18_v2",
    "resnet34_v2",
    "resnet50_v2",
    "resnet101_v2",
    "resnet152_v2",
    "mobilenetv2",
)
NETWORKS = SMALL_NETWORKS + LARGE_NETWORKS


def load(name: str) -> Trainer:
    """Return the trainer called ``name``; raises Refused for an unknown one, or NotInstalled."""
    if name not in TRAINERS:
        raise Refused(f"--trainer: expected one of {', '.join(TRAINERS)}; found {name!r}")
    module, framework, extra = TRAINERS[name]
    if importlib.util.find_spec(framework) is None:
        raise NotInstalled(framework, extra, f"the trainer {name}")
    trainer: Trainer = import_module(module)
    return trainer


def check_network(config: TrainConfig) -> None:
    """Raise Refused for a network that there is not, or weights that it cannot have."""
    if config.network not in NETWORKS:
        raise Refused(f"--network: expected one of {', '.join(NETWORKS)}; found {config.network!r}")
    if config.pretrained and config.network in SMALL_NETWORKS:
        raise Refused(f"--pretrained: nobody has trained {config.network}; type --network resnet18_v2, say")
