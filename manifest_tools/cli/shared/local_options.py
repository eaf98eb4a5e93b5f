"""What train and tune have in common where they work on this machine; choices are those of the trainers."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import either
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.learning_options import LearningOptions
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from trainers.choice import EPOCHS, PATIENCE, complete
from trainers.registry import DEFAULT, TRAINERS, Trainer, trainer_named

if TYPE_CHECKING:
    from trainers.choice import Facts
    from trainers.config import TrainConfig
    from trainers.prepare import PlannedPair

USUAL_OPTIMIZER = next(iter(TRAINERS[DEFAULT].optimizers))

ON_THIS_MACHINE = f"On this machine (--trainer {either(TRAINERS)})"

_ROWS = TRAINERS.values()


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


@dataclass(frozen=True, kw_only=True)
class LocalOptions(LearningOptions):
    """What learns on this machine, for train and tune."""

    SECTION = ON_THIS_MACHINE

    images: options.Images = None
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"{either(network.name for row in _ROWS for network in row.networks)}."
            f" [{either(row.quick for row in _ROWS)}; with weights to start from"
            f" {either(row.deep for row in _ROWS)}]",
        ),
    ] = None
    conflicts: Annotated[
        ConflictPolicy,
        typer.Option(
            help="What to do with lines of one picture that have different classes: drop leaves all of them"
            " out and says so, error stops.",
        ),
    ] = "drop"
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help=f"Times to see every picture. [{EPOCHS}, fewer of very many pictures; see --patience]",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class LocalTrainOptions(LocalOptions):
    """What learns on this machine, for train alone."""

    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="End after so many epochs without a gain on the validation part; 0 never does."
            f" [{PATIENCE}; 0 with --epochs]",
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the unfinished run in FOLDER; the rest is typed as it was then."
        ),
    ] = False
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Pictures a step. [16; 64 of very many pictures]")
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            help=f"Step size. [{_usual(rate for row in _ROWS for rate in row.optimizers.items())}]",
        ),
    ] = None
    image_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Pixels a side that the network sees. "
            f"[{_usual((network.name, network.side) for row in _ROWS for network in row.networks)};"
            " less where pictures are smaller]",
        ),
    ] = None
    optimizer: Annotated[
        str, typer.Option(metavar="NAME", help=f"{either(name for row in _ROWS for name in row.optimizers)}.")
    ] = USUAL_OPTIMIZER
    augment: Annotated[
        bool, typer.Option("--augment", help="Shift, turn, scale and recolour a little; never mirrors.")
    ] = False
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Mirror every second picture: never where left is not right.")
    ] = False
    pretrained: Annotated[
        bool,
        typer.Option("--pretrained", help="Start from ImageNet weights of the framework's model library."),
    ] = False


def require(train: str, validation: str) -> None:
    """Raise Refused with the way out where the manifests that a folder should offer are not there."""
    for manifest, usual in ((train, "train.manifest"), (validation, "validation.manifest")):
        if manifest == usual and not os.path.exists(usual):
            raise Refused(
                f"{usual}: not in this folder; type `mtool split output.manifest` first, or name two"
            )


def facts_of(given: LocalOptions, pair: "PlannedPair") -> "Facts":
    """Return what decides how the pictures are learnt where nothing was typed."""
    from trainers.choice import Facts
    from trainers.frameworks import load_trainer
    from trainers.picture_sizes import ordinary_size

    return Facts(pair.counts[0], ordinary_size(pair.train), load_trainer(given.trainer).device())


def chosen(given: LocalOptions, varied: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what somebody chose: in ``--params``, then what was typed, then what is varied.

    A model to start from brings its own network along. Raises Refused for one that does not exist.
    """
    from trainers.parameters import PARAMETER_TYPES, read_parameters

    values = read_parameters(given.params) if given.params else {}
    values |= {name: getattr(given, name) for name in PARAMETER_TYPES if name in given.typed}
    values |= varied or {}
    if values.get("init_from"):
        values |= _of_model(trainer_named(given.trainer), values)
    return values


def config_from(given: LocalOptions, facts: "Facts", varied: dict[str, Any] | None = None) -> "TrainConfig":
    """Return the configuration of a run: what somebody chose, and the rest as it suits the facts.

    Raises Refused for what the trainer does not have, and for initial weights that do not exist.
    """
    from trainers.config import TrainConfig, check_config

    trainer = trainer_named(given.trainer)
    config = TrainConfig(**complete(chosen(given, varied), facts, trainer))
    check_config(config, trainer)
    return config


def _of_model(trainer: Trainer, values: dict[str, Any]) -> dict[str, Any]:
    """Return what ``--init-from`` decides unless it was chosen: a model continues its own network."""
    from trainers.model_archive import is_model, read_model

    path = values["init_from"]
    if not path.startswith("s3://") and not os.path.exists(path):
        raise Refused(f"--init-from {path}: no such file or folder; check the name")
    if not is_model(path) or {"network", "image_size"} <= values.keys():
        return {}
    model = read_model(path)
    known = [network.name for network in trainer.networks]
    # The built-in algorithm calls by their layers what others call version 2.
    own = [name for name in (model.network, f"{model.network}_v2") if name in known]
    found = {"image_size": model.image_size, **({"network": own[0]} if own else {})}
    return {name: value for name, value in found.items() if name not in values}
