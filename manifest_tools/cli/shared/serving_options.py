"""The parameters that deploy, delete and transform share, and what they print alike."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.cli.shared.screen import clean, note
from trainers.sagemaker.client.scripts import ScriptForm

if TYPE_CHECKING:
    from trainers.sagemaker.client.calls import Call

Role = Annotated[
    str | None,
    typer.Option("--role", metavar="ARN", help="What the model runs as. [the job's own, or MTOOL_ROLE]"),
]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="[the job's or the file's name, and the time]")
]
Tag = Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="May be repeated.")]
VolumeKey = Annotated[
    str | None, typer.Option("--volume-kms-key", metavar="KEY", help="Encrypt the machines' disks with it.")
]
Price = Annotated[
    list[str] | None,
    typer.Option(
        "--price-per-hour", metavar="[TYPE=]PRICE", help="What a machine costs; may be repeated, by type."
    ),
]
EmitForm = Annotated[
    ScriptForm | None,
    typer.Option("--emit", help="Print a script that sends the requests, and send nothing."),
]
PrintOnly = Annotated[
    bool, typer.Option("--dry-run", help="Print the exact requests as JSON, and send nothing.")
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do it without asking.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Start it, print its name, and end.")]
Every = Annotated[
    float, typer.Option("--every", metavar="SECONDS", min=0.05, help="How often to look at it.")
]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="FILE", help="What the classes are called: JSON, or a name a line."),
]


def print_calls(calls: "Sequence[Call]", region: str, emit: ScriptForm | None) -> None:
    """Print what would be sent: as JSON, or as a script of the form that was asked for."""
    from trainers.sagemaker.client.scripts import as_json, as_script

    print(f"{as_json(calls)}\n" if emit is None else as_script(emit, calls, region=region), end="")


def per_hour(told: list[str] | None, instance_type: str, count: int) -> str:
    """Return what machines cost an hour, in words.

    >>> per_hour(["ml.m5.large=0.25"], "ml.m5.large", 2), per_hour(None, "ml.m5.large", 1)
    ('0.5 an hour', 'price not known: --price-per-hour')
    """
    from trainers.sagemaker.account.jobs import read_prices

    prices = read_prices(told or ())
    price = prices.get(instance_type, prices.get(""))
    return "price not known: --price-per-hour" if price is None else f"{price * count:.4g} an hour"


def machines(instance_type: str, count: int) -> str:
    """Return machines in words.

    >>> machines("ml.m5.large", 1), machines("ml.m5.large", 2)
    ('ml.m5.large', '2 x ml.m5.large')
    """
    return instance_type if count == 1 else f"{count} x {instance_type}"


def say(texts: Sequence[str], quiet: bool) -> None:
    """Say remarks, a line each."""
    for text in texts:
        if not quiet:
            note(clean(text))


@contextlib.contextmanager
def waiting(name: str, quiet: bool) -> Iterator[None]:
    """Show that something is waited for, and how long by now, where standard error is a terminal."""
    if quiet or not sys.stderr.isatty():
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
