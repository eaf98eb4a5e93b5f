"""The configuration of a training run, checked in one place."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from manifest_tools.base.errors import Refused
from trainers.registry import OPTIONS, Trainer


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """The configuration of one training run, complete: a trainer has nothing left to guess.

    Raises Refused for a number outside its bounds; names are checked by ``check_config``.
    """

    network: str = "small"
    """The name of a network of the trainer, see ``trainers.registry``."""

    epochs: int = 30
    """How often every training picture is seen, at most."""

    patience: int = 0
    """Training ends after so many epochs without a gain on the validation pictures; 0: it does not."""

    batch_size: int = 16
    """The most pictures in a step; the batches of an epoch differ in size by one at most."""

    optimizer: str = "adam"
    """The name of an optimizer of the trainer."""

    learning_rate: float = 1e-3
    """Step size of the optimizer."""

    image_size: int = 64
    """Side of the square picture that the network takes, in pixels."""

    augment: bool = False
    """Whether pictures are shifted, turned, scaled and coloured a little; they are not mirrored."""

    mirror: bool = False
    """Whether every second picture is mirrored; not for classes that differ as left and right do."""

    pretrained: bool = False
    """Whether training starts from ImageNet weights."""

    init_from: str = ""
    """The file whose weights training starts from, where they fit: weights of the trainer, or a model."""

    seed: int = 0
    """Decides the order of pictures, the initial weights and the augmentation."""

    def __post_init__(self) -> None:
        if self.pretrained and self.init_from:
            raise Refused("--pretrained and --init-from both choose the initial weights; type one of them")
        _check_range("--epochs", self.epochs, 1, 100_000)
        _check_range("--patience", self.patience, 0, 100_000)
        _check_range("--batch-size", self.batch_size, 1, 65_536)
        _check_range("--image-size", self.image_size, 16, 4_096)
        _check_range("--learning-rate", self.learning_rate, 1e-12, 100)
        _check_range("--seed", self.seed, 0, 2**31 - 1)

    def to_json(self) -> dict[str, Any]:
        """Return the fields by name, as metrics.json keeps them."""
        return asdict(self)


def check_config(config: TrainConfig, trainer: Trainer) -> None:
    """Raise Refused for a network, an optimizer or an option that the trainer does not have."""
    network = trainer.network(config.network)
    trainer.learning_rate(config.optimizer)
    for name in sorted(OPTIONS - trainer.options):
        if getattr(config, name):
            raise Refused(f"--{name.replace('_', '-')}: {trainer.name} does not have it; leave it out")
    if config.pretrained and not network.pretrained:
        some = next(each.name for each in trainer.networks if each.pretrained)
        raise Refused(f"--pretrained: there are no ImageNet weights of {network.name}; type --network {some}")


def _check_range(option: str, value: float, lowest: float, highest: float) -> None:
    if not math.isfinite(value) or not lowest <= value <= highest:
        raise Refused(f"{option}: expected {lowest:,} to {highest:,}, found {value:,}")
