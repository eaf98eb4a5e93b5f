"""The options of train and tune for what trains in SageMaker, and which options are which trainer's."""

import re
from dataclasses import dataclass, field
from typing import Annotated

import typer

from manifest_tools.algorithms import ALGORITHMS
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.choices import choice
from manifest_tools.cli.shared.learning_options import LearningOptions
from manifest_tools.cli.shared.local_options import ON_THIS_MACHINE
from manifest_tools.cli.shared.make_command import typed_names
from trainers.registry import BUILTIN, DEFAULT, TRAINERS, choose
from trainers.sagemaker.client.scripts import ScriptForm
from trainers.sagemaker.requests.channels import InputFormat

IN_SAGEMAKER = f"In SageMaker (--trainer {BUILTIN})"


@dataclass(frozen=True, kw_only=True)
class SageMakerOptions(LearningOptions):
    """What learns in SageMaker."""

    SECTION = IN_SAGEMAKER

    algorithm: Annotated[str, choice("--algorithm", ALGORITHMS, "Which of the three learns.")] = (
        "image-classification"
    )
    input_: Annotated[
        InputFormat,
        typer.Option(
            "--input",
            help="How the data comes: manifests, a .rec a channel, pictures with .lst, or (image) pictures"
            " with masks or boxes.",
        ),
    ] = "augmented-manifest"
    channel: Annotated[
        list[str],
        typer.Option(metavar="NAME=URI", help="One more channel, such as train_lst; may be repeated."),
    ] = field(default_factory=list)
    p: Annotated[
        list[str],
        typer.Option("-p", metavar="NAME=VALUE", help="A hyperparameter of the algorithm; may be repeated."),
    ] = field(default_factory=list)
    job_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What the job is called. [the manifest's name, and the time]"),
    ] = None
    role: Annotated[
        str | None, typer.Option(metavar="ARN", help="The role that SageMaker takes on. [MTOOL_ROLE]")
    ] = None
    # The cheapest machine with a GPU that the algorithm's guide names and that can still be had.
    instance_type: Annotated[str, typer.Option(metavar="TYPE", help="The machine that trains.")] = (
        "ml.g4dn.xlarge"
    )
    instance_count: Annotated[int, typer.Option(metavar="N", min=1, help="How many of them.")] = 1
    volume: Annotated[
        int | None, typer.Option(metavar="GB", help="The disk of each machine. [50, or the machine's own]")
    ] = None
    volume_kms_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Encrypt these disks with it.")
    ] = None
    max_run: Annotated[str, typer.Option(metavar="TIME", help="Stop after so long: 90m, 2h, 1d.")] = "1h"
    spot: Annotated[
        bool, typer.Option("--spot", help="Use spare machines: cheaper, but AWS may take them away.")
    ] = False
    max_wait: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="With --spot: wait and run at most so long. [twice --max-run]"),
    ] = None
    checkpoints: Annotated[
        str | None, typer.Option(metavar="URI", help="Save what is learnt there. [--spot: under --output]")
    ] = None
    retries: Annotated[
        int | None, typer.Option(metavar="N", help="Begin again after failures of SageMaker itself.")
    ] = None
    tag: Annotated[list[str], typer.Option(metavar="KEY=VALUE", help="Tag the job; may be repeated.")] = (
        field(default_factory=list)
    )
    subnet: Annotated[
        list[str], typer.Option(metavar="ID", help="Train in this private network; may be repeated.")
    ] = field(default_factory=list)
    security_group: Annotated[
        list[str], typer.Option(metavar="ID", help="Of the private network; may be repeated.")
    ] = field(default_factory=list)
    no_preflight: Annotated[
        bool, typer.Option("--no-preflight", help="Start even where the data has errors.")
    ] = False
    emit: Annotated[
        ScriptForm | None, typer.Option(help="Print a script that sends the request, and send nothing.")
    ] = None
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Start what is billed without asking.")] = False
    price_per_hour: Annotated[
        list[str],
        typer.Option(
            metavar="[TYPE=]PRICE",
            help="What a machine costs an hour, to say what the job costs; may be repeated, by type.",
        ),
    ] = field(default_factory=list)
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Start the job, print its name, and end.")] = (
        False
    )
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.05, help="How often to look at the job.")
    ] = 10
    attach: Annotated[
        str | None, typer.Option(metavar="JOB", help="Start nothing: follow this job, then fetch from it.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class JobOptions(SageMakerOptions):
    """All that a job in SageMaker needs to know, with what becomes of its results."""

    SECTION = "Output"

    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="Where the model goes, here or in S3.")
    ] = "model"
    kms_key: options.KmsKey = None
    jobs: options.Jobs = None
    force: options.Force = False
    dry_run: options.DryRun = False
    as_json: options.Json = False


# What stands in SageMaker for an option that only the trainer here has.
_INSTEAD = {
    "images": "the pictures must be in S3",
    "network": "type -p num_layers=18",
    "epochs": "type -p epochs=N",
    "batch_size": "type -p mini_batch_size=N",
    "learning_rate": "type -p learning_rate=R",
    "image_size": "type -p image_shape=3,N,N",
    "optimizer": "type -p optimizer=NAME",
    "augment": "type -p augmentation_type=crop",
    "mirror": "type -p augmentation_type=crop, which mirrors",
    "pretrained": "type -p use_pretrained_model=1",
}


def check_trainer(trainer: str, context: typer.Context) -> None:
    """Refuse a trainer that there is not, and every option that was typed and is the other trainer's."""
    choose("--trainer", trainer, (*TRAINERS, BUILTIN))
    section, other = (ON_THIS_MACHINE, DEFAULT) if trainer == BUILTIN else (IN_SAGEMAKER, BUILTIN)
    typed = typed_names(context)
    for parameter in context.command.params:
        if getattr(parameter, "rich_help_panel", None) == section and parameter.name in typed:
            hint = _INSTEAD.get(str(parameter.name), "leave it out")
            raise Refused(f"{parameter.opts[0]} works with --trainer {other} only; {hint}")


_TIME = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(option: str, text: str) -> int:
    """Return a length of time in seconds.

    >>> seconds("--max-run", "90m"), seconds("--max-run", "3600")
    (5400, 3600)
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise Refused(f"{option}: expected a time such as 90m, 2h or 1d; found {shown(text)}")
    return int(match[1]) * _SECONDS[match[2]]


def pairs(option: str, texts: list[str]) -> dict[str, str]:
    """Return KEY=VALUE texts as a table; raises Refused for one without a =, or a key that comes twice."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise Refused(f"{option}: expected KEY=VALUE; found {shown(text)}")
        if key in found:
            raise Refused(f"{option}: {shown(key)} comes twice; type it once")
        found[key] = value
    return found
