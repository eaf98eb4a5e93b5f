"""What train and tune have in common where they work on this machine; choices are those of the trainers."""

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import either
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.learning_options import LearningOptions
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from trainers.choice import EPOCHS, PATIENCE
from trainers.registry import DEFAULT, TRAINERS

if TYPE_CHECKING:
    from trainers.words.learning import Choices

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


def require(given: LocalOptions) -> None:
    """Raise Refused with the way out where the manifests that a folder should offer are not there."""
    manifests = given.train_manifest, given.validation_manifest
    for manifest, usual in zip(manifests, ("train.manifest", "validation.manifest"), strict=True):
        if manifest == usual and not os.path.exists(usual):
            raise Refused(
                f"{usual}: not in this folder; type `mtool split output.manifest` first, or name two"
                f"{_or_the_folder(given.images or ())}"
            )


def _or_the_folder(images: Iterable[str]) -> str:
    """Return what is to be typed where a folder with folders, maybe one a class, was named for pictures."""
    for folder in filter(os.path.isdir, images):
        if has_folders(folder):
            typed = shlex.quote(folder)
            return f"; for a folder a class, type {typed} in place of --images {typed}"
    return ""


def has_folders(folder: str) -> bool:
    """Say whether a folder has others in it, maybe one a class."""
    return any(os.path.isdir(os.path.join(folder, name)) for name in os.listdir(folder))


def choices_of(given: LocalOptions) -> "Choices":
    """Return what was typed of how the pictures are learnt."""
    from trainers.parameters import PARAMETER_TYPES
    from trainers.words.learning import Choices

    typed = {name: getattr(given, name) for name in PARAMETER_TYPES if name in given.typed}
    return Choices(given.trainer, given.params, typed)
