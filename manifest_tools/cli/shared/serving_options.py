"""The options that deploy, delete and transform share, and what they print alike."""

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared.make_command import Options
from manifest_tools.cli.shared.screen import clean, is_quiet, note, print_json, warn
from trainers.sagemaker.client.scripts import ScriptForm

if TYPE_CHECKING:
    from trainers.sagemaker.client.calls import Call


@dataclass(frozen=True, kw_only=True)
class MachineOptions(Options):
    """What answers, for deploy and transform."""

    SECTION = "Machines"

    instance_type: Annotated[str, typer.Option(metavar="TYPE", help="The machine that answers.")] = (
        "ml.m5.large"
    )
    instance_count: Annotated[int, typer.Option(metavar="N", help="How many of them.")] = 1
    volume_kms_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Encrypt the machines' disks with it.")
    ] = None
    price_per_hour: Annotated[
        list[str],
        typer.Option(metavar="[TYPE=]PRICE", help="What a machine costs an hour; may be repeated, by type."),
    ] = field(default_factory=list)


# What delete has as well.
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the exact requests as JSON, and send nothing.")
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do it without asking.")]
Every = Annotated[
    float, typer.Option("--every", metavar="SECONDS", min=0.05, help="How often to look at it.")
]


@dataclass(frozen=True, kw_only=True)
class ServingOptions(MachineOptions):
    """What deploy and transform have in common."""

    SECTION = "Request"

    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What it is called. [the job's or the file's name, and the time]"),
    ] = None
    role: Annotated[
        str | None, typer.Option(metavar="ARN", help="What the model runs as. [the job's own, or MTOOL_ROLE]")
    ] = None
    tag: Annotated[
        list[str], typer.Option(metavar="KEY=VALUE", help="Tag what is made; may be repeated.")
    ] = field(default_factory=list)
    dry_run: DryRun = False
    emit: Annotated[
        ScriptForm | None, typer.Option(help="Print a script that sends the requests, and send nothing.")
    ] = None
    yes: Yes = False
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Start it, print its name, and end.")] = False
    every: Every = 10
    kms_key: options.KmsKey = None
    force: options.Force = False
    as_json: options.Json = False

    @property
    def asks(self) -> bool:
        """Whether the person is asked before anything is made."""
        return not self.yes and not self.dry_run and self.emit is None


def print_calls(
    calls: "Sequence[Call]", region: str, emit: ScriptForm | None = None, in_object: bool = False
) -> None:
    """Print what would be sent: as JSON, or as a script of the given form.

    The JSON is an array, or ``in_object`` an object with it, as ``--json`` prints.
    """
    from trainers.sagemaker.client.scripts import as_json, as_script

    if in_object:
        if emit is not None:
            raise Refused("--emit and --json are two forms of output; type one of them")
        print_json({"requests": json.loads(as_json(calls))})
        return
    print(f"{as_json(calls)}\n" if emit is None else as_script(emit, calls, region=region), end="")


def per_hour(price_texts: list[str] | None, instance_type: str, count: int) -> str:
    """Return what machines cost an hour, in words.

    >>> per_hour(["ml.m5.large=0.25"], "ml.m5.large", 2), per_hour(None, "ml.m5.large", 1)
    ('0.5 an hour', 'price not known; type --price-per-hour')
    """
    from trainers.sagemaker.account.jobs import read_prices

    prices = read_prices(price_texts or ())
    price = prices.get(instance_type, prices.get(""))
    return "price not known; type --price-per-hour" if price is None else f"{price * count:.4g} an hour"


def machines(instance_type: str, count: int) -> str:
    """Return machines in words.

    >>> machines("ml.m5.large", 1), machines("ml.m5.large", 2)
    ('ml.m5.large', '2 x ml.m5.large')
    """
    return instance_type if count == 1 else f"{count} x {instance_type}"


def print_notes(texts: Sequence[str], before_asking: bool = False) -> None:
    """Print notes, a line each; with --quiet too those that somebody has to know before an answer."""
    for text in texts:
        (warn if before_asking else note)(clean(text))


@contextlib.contextmanager
def waiting(name: str) -> Iterator[None]:
    """Show on a terminal that something is waited for, and for how long."""
    if is_quiet() or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("waiting for {task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        shown.add_task(clean(name), total=None)
        yield
