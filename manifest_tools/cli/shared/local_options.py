"""What train and tune have in common where they work on this machine."""

import os
from typing import TYPE_CHECKING, Any

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.sagemaker_options import typed_names

if TYPE_CHECKING:
    from trainers.config import TrainConfig

# Below this many pictures a network without first weights learns the pictures by heart, not the classes.
FEW = 1_000
SMALL, LARGE = "small", "resnet18_v2"


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

    What nobody told follows from the others, and from the number of pictures.
    """
    from trainers.config import TrainConfig, usual_rate, usual_side
    from trainers.parameters import KINDS, read_parameters

    values = read_parameters(params) if params else {}
    values |= {name: context.params[name] for name in KINDS if name in typed_names(context)}
    values |= varied or {}
    weights = bool(values.get("pretrained") or values.get("init_from"))
    values.setdefault("network", usual_network(pictures, weights))
    values.setdefault("learning_rate", usual_rate(values.get("optimizer", "adam")))
    values.setdefault("image_size", usual_side(values["network"]))
    return TrainConfig(**values)


def usual_network(pictures: int, weights: bool) -> str:
    """Return the network for as many pictures, with first weights or without."""
    return LARGE if weights or pictures >= FEW else SMALL
