"""The options of train and tune that hold for every trainer."""

from dataclasses import dataclass
from typing import Annotated

import typer

from manifest_tools.base.text import either
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.make_command import Options
from trainers.registry import BUILTIN, DEFAULT, TRAINERS


@dataclass(frozen=True, kw_only=True)
class DataOptions(Options):
    """What is learnt from."""

    SECTION = "Data"

    train_manifest: Annotated[str, typer.Argument(metavar="TRAIN", help="What to learn from.")] = (
        "train.manifest"
    )
    validation_manifest: Annotated[str, typer.Argument(metavar="VALIDATION", help="What to check with.")] = (
        "validation.manifest"
    )
    label_attribute: options.LabelAttribute = None
    classes: options.Classes = None


@dataclass(frozen=True, kw_only=True)
class LearningOptions(DataOptions):
    """How it is learnt, by whatever trainer."""

    SECTION = "Learning"

    trainer: Annotated[
        str,
        typer.Option(
            metavar="NAME", help=f"{either(TRAINERS)}, on this machine, or {BUILTIN}, in SageMaker."
        ),
    ] = DEFAULT
    params: Annotated[
        str | None, typer.Option(metavar="FILE", help="Parameters as JSON, such as tune's best.json.")
    ] = None
    init_from: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help=f"Start from a {either(end for row in TRAINERS.values() for end in row.endings)} file or"
            f" a model.tar.gz; {BUILTIN}: from a job, or a model in S3.",
        ),
    ] = None
    seed: options.Seed = 0
