"""The parameters of what trains in SageMaker, for train and tune; and which belong to which trainer."""

import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, Any

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.registry import BUILTIN, DEFAULT, TRAINERS, choose

# The cheapest machine with a GPU that the algorithm's guide names and that can still be had.
USUAL_INSTANCE = "ml.g4dn.xlarge"


class Algorithm(StrEnum):
    """The built-in algorithms."""

    classification = "image-classification"
    segmentation = "semantic-segmentation"
    detection = "object-detection"


class Input(StrEnum):
    """How the data comes."""

    manifest = "augmented-manifest"
    recordio = "recordio"
    lst = "lst"
    image = "image"


class Emit(StrEnum):
    """The forms of a script."""

    boto3 = "boto3"
    cli = "cli"


_PANEL = "In SageMaker (--trainer builtin)"


def _option(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=_PANEL, **more)


AlgorithmName = Annotated[Algorithm, _option("--algorithm", help="Which of the three learns.")]
InputWay = Annotated[
    Input,
    _option(
        "--input",
        help="How the data comes: manifests, a .rec a channel, pictures with .lst, or (image) pictures with "
        "masks or boxes.",
    ),
]
Channels = Annotated[
    list[str] | None,
    _option("--channel", metavar="NAME=URI", help="One more channel, such as train_lst; may be repeated."),
]
Pairs = Annotated[
    list[str] | None,
    _option("-p", metavar="NAME=VALUE", help="A hyperparameter of the algorithm; may be repeated."),
]
JobName = Annotated[
    str | None, _option("--job-name", metavar="NAME", help="[the manifest's name, and the time]")
]
Role = Annotated[
    str | None, _option("--role", metavar="ARN", help="The role that SageMaker takes on. [MTOOL_ROLE]")
]
InstanceType = Annotated[str, _option("--instance-type", metavar="TYPE", help="The machine that trains.")]
InstanceCount = Annotated[int, _option("--instance-count", metavar="N", min=1, help="How many of them.")]
Volume = Annotated[
    int | None, _option("--volume", metavar="GB", help="The disk beside each. [50, or the machine's own]")
]
VolumeKey = Annotated[
    str | None, _option("--volume-kms-key", metavar="KEY", help="Encrypt these disks with it.")
]
MaxRun = Annotated[str, _option("--max-run", metavar="TIME", help="Stop after so long: 90m, 2h, 1d.")]
Spot = Annotated[bool, _option("--spot", help="Take spare machines, cheaper, that may be taken away.")]
MaxWait = Annotated[
    str | None,
    _option(
        "--max-wait", metavar="TIME", help="With --spot: wait and run at most so long. [twice --max-run]"
    ),
]
Checkpoints = Annotated[
    str | None,
    _option("--checkpoints", metavar="URI", help="Save what is learnt there. [--spot: under --output]"),
]
Tags = Annotated[
    list[str] | None, _option("--tag", metavar="KEY=VALUE", help="Tag the job; may be repeated.")
]
Subnets = Annotated[
    list[str] | None, _option("--subnet", metavar="ID", help="Train in this private network; repeats.")
]
Groups = Annotated[
    list[str] | None, _option("--security-group", metavar="ID", help="Of the private network; repeats.")
]
Retries = Annotated[
    int | None, _option("--retries", metavar="N", help="Begin again after failures of SageMaker itself.")
]
NoPreflight = Annotated[bool, _option("--no-preflight", help="Start even where the data has errors.")]
EmitForm = Annotated[
    Emit | None, _option("--emit", help="Print a script that sends the request, and send nothing.")
]
Yes = Annotated[bool, _option("-y", "--yes", help="Start what is billed without asking.")]
Price = Annotated[
    list[str] | None,
    _option(
        "--price-per-hour", metavar="[TYPE=]PRICE", help="What a machine costs, to say what the job does."
    ),
]
NoWait = Annotated[bool, _option("--no-wait", help="Start the job, print its name, and end.")]
Every = Annotated[
    float, _option("--every", metavar="SECONDS", min=0.05, help="How often to look at the job.")
]
Attach = Annotated[
    str | None, _option("--attach", metavar="JOB", help="Start nothing: follow this job, then fetch from it.")
]


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed for the trainer in SageMaker, by the names of the parameters."""

    train_manifest: str
    validation_manifest: str
    algorithm: Algorithm
    input_: Input
    channel: list[str]
    params: str | None
    p: list[str]
    job_name: str | None
    role: str | None
    instance_type: str
    instance_count: int
    volume: int | None
    volume_kms_key: str | None
    max_run: str
    spot: bool
    max_wait: str | None
    checkpoints: str | None
    tag: list[str]
    kms_key: str | None
    subnet: list[str]
    security_group: list[str]
    retries: int | None
    no_preflight: bool
    emit: Emit | None
    yes: bool
    price_per_hour: list[str]
    no_wait: bool
    every: float
    attach: str | None
    init_from: str | None
    label_attribute: str | None
    classes: str | None
    seed: int
    jobs: int | None
    output: str
    force: bool
    dry_run: bool
    as_json: bool
    quiet: bool
    typed_names: frozenset[str]
    """The parameters that were typed, and are not at their defaults."""

    @classmethod
    def typed(cls, context: typer.Context) -> "Given":
        """Return the parameters of a command; lists are never None."""
        told = context.params
        lists = {one.name for one in fields(cls) if one.type == list[str]}
        values: dict[str, Any] = {
            one.name: told[one.name] or [] if one.name in lists else told[one.name]
            for one in fields(cls)
            if one.name in told
        }
        return cls(**values, typed_names=typed_names(context))


# Parameters that mean something for one trainer alone, and what stands for them with the other.
_OF_GLUON = {
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
_SHARED = {
    *("train_manifest", "validation_manifest", "params", "init_from", "label_attribute", "classes", "seed"),
    *("kms_key", "jobs", "output", "force", "dry_run", "as_json", "quiet"),
}
_OF_BUILTIN = {one.name for one in fields(Given)} - _SHARED - {"typed_names"}


def check_trainer(trainer: str, context: typer.Context, of_builtin: Collection[str] = ()) -> None:
    """Refuse a trainer that there is not, and every option that was typed and means nothing for it.

    ``of_builtin`` are parameters of this command that are for the trainer in SageMaker alone.
    """
    choose("--trainer", trainer, (*TRAINERS, BUILTIN))
    others = _OF_GLUON if trainer == BUILTIN else dict.fromkeys((*_OF_BUILTIN, *of_builtin), "")
    typed = typed_names(context)
    for parameter in context.command.params:
        if parameter.name in others and parameter.name in typed:
            hint = others[parameter.name] or "leave it out"
            other = DEFAULT if trainer == BUILTIN else BUILTIN
            raise Refused(f"{parameter.opts[0]} is of --trainer {other}; {hint}")


def typed_names(context: typer.Context) -> frozenset[str]:
    """Return the parameters that were typed, and are not at their defaults."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")


_TIME = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(option: str, text: str) -> int:
    """Return a length of time in seconds.

    >>> seconds("--max-run", "90m"), seconds("--max-run", "3600")
    (5400, 3600)
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise Refused(f"{option}: expected a time such as 90m, 2h or 1d, found {shown(text)}")
    return int(match[1]) * _SECONDS[match[2]]


def pairs(option: str, told: list[str]) -> dict[str, str]:
    """Return KEY=VALUE texts as a table; raises Refused for one without a =, or a key that comes twice."""
    found: dict[str, str] = {}
    for text in told:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise Refused(f"{option}: expected KEY=VALUE, found {shown(text)}")
        if key in found:
            raise Refused(f"{option}: {shown(key)} comes twice; type it once")
        found[key] = value
    return found
