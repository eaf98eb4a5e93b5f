"""What a training run is told, checked in one place."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from manifest_tools.base.errors import Refused

# The optimizers of SageMaker's built-in algorithm, with a step size at which small data sets settle.
LEARNING_RATES = {"adam": 1e-3, "nag": 0.01, "rmsprop": 1e-3, "sgd": 0.01}

# Pixels at which a network is at home; ImageNet's 224 for those that have ImageNet weights.
_SIDES = {"small": 64, "mlp": 64}
_IMAGENET_SIDE = 224


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """The numbers of one training run, complete: nothing is left for a trainer to guess.

    Raises Refused for a number that cannot be meant.
    """

    network: str = "small"
    """A name from ``trainers.registry.NETWORKS``."""

    epochs: int = 30
    """Times that every training picture is seen."""

    batch_size: int = 16
    """Pictures a step, at most; batches of an epoch differ in size by one at most."""

    optimizer: str = "adam"
    """A key of ``LEARNING_RATES``."""

    learning_rate: float = LEARNING_RATES["adam"]
    """Step size of the optimizer."""

    image_size: int = 64
    """Side of the square that the network sees, in pixels."""

    augment: bool = False
    """Shift, turn and scale a little, vary the colours. Never mirrors."""

    mirror: bool = False
    """Mirror every second picture, left to right: not for parts that have a left and a right."""

    pretrained: bool = False
    """Start from the model zoo's ImageNet weights."""

    init_from: str = ""
    """Start from the weights in this file, where they fit: a .params file or a model."""

    seed: int = 0
    """Order of pictures, first weights and augmentation follow from it."""

    def __post_init__(self) -> None:
        if self.pretrained and self.init_from:
            raise Refused("--pretrained and --init-from both name first weights; type one of them")
        _check_choice("--optimizer", self.optimizer, LEARNING_RATES)
        _check_range("--epochs", self.epochs, 1, 100_000)
        _check_range("--batch-size", self.batch_size, 1, 65_536)
        _check_range("--image-size", self.image_size, 16, 4_096)
        _check_range("--learning-rate", self.learning_rate, 1e-12, 100)
        _check_range("--seed", self.seed, 0, 2**31 - 1)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers by name, as metrics.json keeps them."""
        return asdict(self)


def usual_side(network: str) -> int:
    """Return the pixels a side at which a network is at home.

    >>> usual_side("small"), usual_side("resnet18_v2")
    (64, 224)
    """
    return _SIDES.get(network, _IMAGENET_SIDE)


def usual_rate(optimizer: str) -> float:
    """Return the step size for an optimizer; raises Refused for an unknown one."""
    _check_choice("--optimizer", optimizer, LEARNING_RATES)
    return LEARNING_RATES[optimizer]


def _check_choice(option: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise Refused(f"{option}: expected one of {', '.join(choices)}; found {value!r}")


def _check_range(option: str, value: float, lowest: float, highest: float) -> None:
    if not math.isfinite(value) or not lowest <= value <= highest:
        raise Refused(f"{option}: expected {lowest:,} to {highest:,}, found {value:,}")
