"""What train and tune have in common where they work on this machine; choices are those of the trainers."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.sagemaker_options import typed_names
from trainers.registry import BUILTIN, DEFAULT, TRAINERS, Trainer, trainer_named

if TYPE_CHECKING:
    from trainers.config import TrainConfig

USUAL_OPTIMIZER = next(iter(TRAINERS[DEFAULT].optimizers))

# Below this many pictures a network without first weights learns the pictures by heart, not the classes.
FEW = 1_000


_ROWS = TRAINERS.values()


def _either(names: Iterable[str]) -> str:
    """Return names as a list of which one is meant.

    >>> _either(["adam", "nag", "sgd"])
    'adam, nag or sgd'
    """
    *most, last = dict.fromkeys(names)
    return f"{', '.join(most)} or {last}" if most else last


def _usual(values: Iterable[tuple[str, float]]) -> str:
    """Return the usual value of each name, that of most names last.

    >>> _usual([("adam", 0.001), ("nag", 0.01), ("sgd", 0.01)])
    'adam: 0.001; others: 0.01'
    """
    names: dict[float, dict[str, None]] = {}
    for name, value in values:
        names.setdefault(value, {})[name] = None
    *few, (most, _) = sorted(names.items(), key=lambda one: len(one[1]))
    return "; ".join([*(f"{', '.join(of)}: {value:g}" for value, of in few), f"others: {most:g}"])


TrainerName = Annotated[
    str,
    typer.Option(
        "--trainer",
        metavar="NAME",
        help=f"{_either(TRAINERS)}, on this machine, or {BUILTIN}, in SageMaker.",
    ),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="NAME",
        help=f"{_either(network.name for row in _ROWS for network in row.networks)}; "
        f"{_either(row.for_few for row in _ROWS)} for under {FEW:,} pictures.",
    ),
]
Epochs = Annotated[int, typer.Option("--epochs", metavar="N", help="Times to see every picture.")]
BatchSize = Annotated[int, typer.Option("--batch-size", metavar="N", help="Pictures a step.")]
LearningRate = Annotated[
    float | None,
    typer.Option(
        "--learning-rate",
        metavar="R",
        help=f"Step size. [{_usual(rate for row in _ROWS for rate in row.optimizers.items())}]",
    ),
]
ImageSize = Annotated[
    int | None,
    typer.Option(
        "--image-size",
        metavar="N",
        help="Pixels a side that the network sees. "
        f"[{_usual((network.name, network.side) for row in _ROWS for network in row.networks)}]",
    ),
]
Optimizer = Annotated[
    str,
    typer.Option(
        "--optimizer",
        metavar="NAME",
        help=f"{_either(name for row in _ROWS for name in row.optimizers)}.",
    ),
]
Augment = Annotated[
    bool, typer.Option("--augment", help="Shift, turn, scale and recolour a little; never mirrors.")
]
Mirror = Annotated[
    bool, typer.Option("--mirror", help="Mirror every second picture: never where left is not right.")
]
Pretrained = Annotated[
    bool, typer.Option("--pretrained", help="Start from ImageNet weights of the framework's model library.")
]
InitFrom = Annotated[
    str | None,
    typer.Option(
        "--init-from",
        metavar="FILE",
        help=f"Start from a {_either(ending for row in _ROWS for ending in row.endings)} file or a "
        f"model.tar.gz; {BUILTIN}: from a job, or a model in S3.",
    ),
]


def require(train: str, validation: str) -> None:
    """Raise Refused with the way out where the manifests that a folder should offer are not there."""
    for manifest, usual in ((train, "train.manifest"), (validation, "validation.manifest")):
        if manifest == usual and not os.path.exists(usual):
            raise Refused(
                f"{usual}: not in this folder; type `mtool split output.manifest` first, or name two"
            )


def config_from(
    context: typer.Context, params: str | None, pictures: int, varied: dict[str, Any] | None = None
) -> "TrainConfig":
    """Return the numbers of a run: those of a file, over them what was typed, and over all what is varied.

    What was not given follows from the others, from the trainer, and from the number of pictures. Raises
    Refused for what the trainer does not have.
    """
    from trainers.config import TrainConfig, check_config
    from trainers.parameters import KINDS, read_parameters

    trainer = trainer_named(context.params["trainer"])
    values = read_parameters(params) if params else {}
    values |= {name: context.params[name] for name in KINDS if name in typed_names(context)}
    values |= varied or {}
    weights = bool(values.get("pretrained") or values.get("init_from"))
    values.setdefault("network", usual_network(trainer, pictures, weights))
    values.setdefault(
        "learning_rate", trainer.learning_rate(values.get("optimizer", context.params["optimizer"]))
    )
    values.setdefault("image_size", trainer.network(values["network"]).side)
    config = TrainConfig(**values)
    check_config(config, trainer)
    return config


def usual_network(trainer: Trainer, pictures: int, weights: bool) -> str:
    """Return the network of a trainer for as many pictures, with first weights or without."""
    return trainer.for_many if weights or pictures >= FEW else trainer.for_few
