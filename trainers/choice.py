"""What a run takes where nothing was typed: a function of the pictures, the device and the weights.

The choice ends in minutes on two processor cores as long as that can be. It does not depend on how many cores
there are: the same command is the same run on a larger machine, and is over sooner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trainers.config import TrainConfig
from trainers.registry import Trainer

Device = Literal["cpu", "gpu"]
"""What a trainer calculates on."""

# Epochs without a gain after which training ends.
PATIENCE = 8

EPOCHS = 30
_FEWEST_EPOCHS = 5
_SECONDS = 300  # that all epochs may take together

# From so many pictures on, a deep network learns the classes from scratch; of fewer it learns the pictures.
_FOR_DEEP = 1_000
_GPU_TIMES_FASTER = 50

# Of many pictures the steps are larger: that is quicker, and there are enough of them.
_BATCH, _LARGE_BATCH = 16, 64
_FOR_LARGE_BATCH = 10_000

# Networks halve their pictures four or five times: a side is a multiple of this, and this at least.
_SIDE_STEP = 32


@dataclass(frozen=True, slots=True)
class Facts:
    """What the choice depends on, beside what was typed."""

    pictures: int
    """Training pictures."""

    size: tuple[int, int] | None
    """Width and height of an ordinary picture; None where no picture is here to be looked at."""

    device: Device = "cpu"


def complete(typed: Mapping[str, Any], facts: Facts, trainer: Trainer) -> dict[str, Any]:
    """Return the fields of a TrainConfig: those that were typed, and the others as they suit the facts."""
    values = dict(typed)
    values.setdefault("optimizer", next(iter(trainer.optimizers)))
    values.setdefault("learning_rate", trainer.learning_rate(values["optimizer"]))
    values.setdefault("network", _network(values, facts, trainer))
    values.setdefault("image_size", _side(trainer.network(values["network"]).side, facts.size))
    values.setdefault("batch_size", _BATCH if facts.pictures < _FOR_LARGE_BATCH else _LARGE_BATCH)
    values.setdefault("patience", 0 if "epochs" in typed else PATIENCE)
    if "epochs" not in typed:
        # Who chose a network has the time for it, or is told how long it takes.
        seconds = 0.0 if "network" in typed else _epoch_seconds(values, facts, trainer)
        values["epochs"] = _epochs(seconds)
    return values


def _network(values: Mapping[str, Any], facts: Facts, trainer: Trainer) -> str:
    weights = values.get("pretrained") or values.get("init_from")
    many = facts.device == "gpu" and facts.pictures >= _FOR_DEEP
    return trainer.deep if weights or many else trainer.quick


def _side(largest: int, size: tuple[int, int] | None) -> int:
    """Return the side for pictures of which the shorter edge is what the network sees.

    >>> _side(64, (8, 8)), _side(64, (40, 90)), _side(224, (100, 140)), _side(224, None)
    (32, 64, 128, 224)
    """
    if size is None:
        return largest
    return min(largest, -(-min(size) // _SIDE_STEP) * _SIDE_STEP)


def _epoch_seconds(values: Mapping[str, Any], facts: Facts, trainer: Trainer) -> float:
    side = int(values["image_size"])
    cost = trainer.network(values["network"]).cost * side**2 / 1e6
    return facts.pictures * cost / (_GPU_TIMES_FASTER if facts.device == "gpu" else 1)


def _epochs(seconds: float) -> int:
    """Return how many epochs of so many seconds there should be.

    >>> _epochs(0.5), _epochs(20), _epochs(3600)
    (30, 15, 5)
    """
    return max(_FEWEST_EPOCHS, min(EPOCHS, int(_SECONDS / max(seconds, 1e-9))))


def reason(config: TrainConfig, typed: Mapping[str, Any], facts: Facts, trainer: Trainer) -> str:
    """Return why the network and the side were chosen, in a line; empty where both were typed."""
    parts = []
    if "image_size" not in typed and facts.size is not None:
        width, height = facts.size
        least = ", the least," if min(facts.size) < config.image_size == _SIDE_STEP else ""
        parts.append(f"{config.image_size} pixels{least} because pictures are about {width:,} x {height:,}")
    if "network" not in typed:
        parts += _why_network(config, facts, trainer)
    return "; ".join(parts)


def _why_network(config: TrainConfig, facts: Facts, trainer: Trainer) -> list[str]:
    if config.pretrained or config.init_from:
        return [f"{config.network} because there are weights to start from"]
    if config.network == trainer.deep:
        return [f"{config.network} because a GPU learns {facts.pictures:,} pictures"]
    return [
        f"{config.network} because it learns from scratch in minutes",
        f"for {trainer.deep} with ImageNet's weights type --pretrained",
    ]


def quicker(config: TrainConfig, trainer: Trainer) -> str:
    """Return what to type for a run that takes less time than one of this configuration."""
    quick, cost = trainer.network(trainer.quick), trainer.network(config.network).cost
    if cost > quick.cost and not (config.pretrained or config.init_from):
        side = min(quick.side, config.image_size)
        share = cost * config.image_size**2 / (quick.cost * side**2)
        return f"--network {quick.name} --image-size {side} takes about 1/{share:,.0f} of that"
    if (half := config.image_size // 2) >= _SIDE_STEP:
        return f"--image-size {half} takes about a quarter of that"
    return "--epochs N ends earlier, and fewer pictures take less"
