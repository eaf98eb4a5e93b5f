"""``mtool jobs``."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import job_table
from manifest_tools.cli.shared.choices import choice
from manifest_tools.cli.shared.leftovers import list_leftovers
from manifest_tools.cli.shared.screen import clean, note, print_json, printing
from trainers.sagemaker.account.jobs import KINDS

if TYPE_CHECKING:
    from trainers.sagemaker.account.jobs import JobSummary
    from trainers.sagemaker.training.log_streams import LogLine


EVERY = 10.0  # seconds between two requests for the state


Task = Literal["show", "logs", "stop"]


def jobs(
    what: Annotated[
        Task | None, typer.Argument(metavar="show|logs|stop", help="What to do; without, a list.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of a job or an endpoint.")] = None,
    kind: Annotated[list[str] | None, choice("--kind", KINDS, "List only these; may be repeated.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List all that have ended, not only the newest 50 of a kind.")
    ] = False,
    idle: Annotated[
        bool, typer.Option("--idle", help="List the endpoints that were not asked anything for an hour.")
    ] = False,
    leftovers: Annotated[
        str | None,
        typer.Option(
            "--leftovers",
            metavar="S3-URI",
            help="List what killed commands left: uploads under a bucket or prefix, temporary files.",
        ),
    ] = None,
    price_per_hour: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TYPE=]PRICE",
            help="What a machine costs, of one instance type or of any; may be repeated.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="With logs: stay, and print lines as they come.")
    ] = False,
    every: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.1, help="With --follow: how often to look. [10]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With stop: print the request, and send nothing.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON Lines: an object for each job, or line of logs."),
    ] = False,
) -> None:
    """List what is in SageMaker, or show, read or stop one job.

    Training, tuning and transform jobs and endpoints, with age and state; with the machines of what runs, and
    with what it costs an hour where a price is given.

    \b
    For example:
      mtool jobs --price-per-hour ml.p3.2xlarge=3.825
      mtool jobs --idle
      mtool jobs logs birds-20240301-123005 --follow
      mtool jobs stop birds-20240301-123005
      mtool jobs --leftovers s3://bucket/data-sets
    """
    from trainers.sagemaker.account.jobs import read_prices

    given = {
        "--kind": bool(kind),
        "--all": everything,
        "--idle": idle,
        "--leftovers": leftovers is not None,
        "--follow": follow,
        "--every": every is not None,
        "--dry-run": dry_run,
        "--price-per-hour": bool(price_per_hour),
    }
    _check(what, name, given)
    if follow and as_json:
        raise Refused("--follow prints lines as they come, and --json at the end; leave one of them out")
    prices = read_prices(price_per_hour or ())
    if leftovers is not None:
        list_leftovers(leftovers, as_json)
    elif what is None and idle:
        _list_idle(prices, as_json)
    elif what is None:
        _list(kind or KINDS, everything, prices, as_json)
    elif what == "show":
        _show(str(name), prices, as_json)
    elif what == "logs":
        _logs(str(name), follow, every or EVERY, prices, as_json)
    else:
        _stop(str(name), dry_run, as_json)


# Which options go with what; None is the list.
_GO_WITH: dict[Task | None, set[str]] = {
    None: {"--kind", "--all", "--idle", "--leftovers", "--price-per-hour"},
    "show": {"--price-per-hour"},
    "logs": {"--follow", "--every", "--price-per-hour"},
    "stop": {"--dry-run"},
}


def _check(what: Task | None, name: str | None, given: dict[str, bool]) -> None:
    """Refuse an option that would change nothing, and a verb without its job."""
    if what is not None and not name:
        raise Refused(f"expected the name of a job; type: mtool jobs {what} NAME; mtool jobs lists them")
    for option in (option for option, typed in given.items() if typed and option not in _GO_WITH[what]):
        place = next(other for other, allowed in _GO_WITH.items() if option in allowed)
        words = f"mtool jobs {place} NAME" if place else "mtool jobs"
        raise Refused(f"{option} goes with {words} only; leave it out")
    if given["--idle"] and (given["--kind"] or given["--all"]):
        raise Refused("--idle lists endpoints, all of them; leave --kind and --all out")
    if given["--leftovers"] and sum(given.values()) > 1:
        raise Refused("--leftovers lists uploads in S3, and no jobs; leave the other options out")
    for option in ("--price-per-hour", "--every"):
        if what == "logs" and given[option] and not given["--follow"]:
            raise Refused(f"{option} goes with --follow; type both")


def _list(kinds: Sequence[str], everything: bool, prices: dict[str, float], as_json: bool) -> None:
    from trainers.sagemaker.account.jobs import NEWEST, list_jobs

    found = list(list_jobs(kinds, newest=None if everything else NEWEST, prices=prices))
    if as_json:
        _print_json(job_table.as_row(job) for job in found)
        return
    if found:
        print(job_table.jobs_table(found, datetime.now(UTC)))
    note(job_table.summary(found))


def _list_idle(prices: dict[str, float], as_json: bool) -> None:
    from trainers.sagemaker.account.idle import idle_endpoints

    found = idle_endpoints(prices=prices)
    if as_json:
        _print_json(job_table.as_row(one.job) | {"idle_since": one.since.isoformat()} for one in found)
        return
    if found:
        print(job_table.idle_table(found, datetime.now(UTC)))
    due = [one for one in found if one.reminder]
    reminded = [f"{one.job.name}: its reminder was due at {one.reminder:%Y-%m-%d %H:%M}" for one in due]
    typed = [f"mtool delete {one.job.name}" for one in found]
    note("\n".join([*reminded, *typed]) or "no endpoint is idle")


def _show(name: str, prices: dict[str, float], as_json: bool) -> None:
    from trainers.sagemaker.account.jobs import find_job, with_machines

    job, description = find_job(name)
    description.pop("ResponseMetadata", None)
    if as_json:
        print(json.dumps(description, default=job_table.as_json, indent=2))
        return
    print(job_table.about(with_machines(job, description, prices), description))


def _logs(name: str, follow: bool, every: float, prices: dict[str, float], as_json: bool) -> None:
    from trainers.sagemaker.account.jobs import find_job
    from trainers.sagemaker.training.log_streams import all_lines

    job, description = find_job(name)
    if follow:
        _follow(job, description, every, prices)
        return
    count = 0
    with printing(for_a_program=as_json) as print_line:
        for count, line in enumerate(all_lines(job.kind, name), 1):  # noqa: B007 - counted for the note below
            print_line(json.dumps(_as_value(line)) if as_json else clean(line.text))
    if not count:
        note(f"{name} has written no log lines yet; it is {job.state}")


def _follow(job: "JobSummary", description: dict[str, Any], every: float, prices: dict[str, float]) -> None:
    from manifest_tools.cli.shared.follow import epochs_of, watch
    from trainers.sagemaker.training.follow import check_ended_well, follow, machines

    if job.kind not in ("training", "transform"):
        raise Refused(f"{job.name}: a {job.kind} cannot be followed, only training and transform jobs can")
    price = prices.get(machines(description)[0], prices.get(""))
    events = follow(job.name, kind=job.kind, price_per_hour=price, every=every)
    end = watch(job.name, events, epochs=epochs_of(description), line=_print_line)
    check_ended_well(end)


def _print_line(text: str) -> None:
    print(text, flush=True)


def _as_value(line: "LogLine") -> dict[str, str]:
    return {"when": line.when.isoformat(), "stream": line.stream, "text": line.text}


def _stop(name: str, dry_run: bool, as_json: bool) -> None:
    from trainers.sagemaker.account.jobs import stop_job

    job, request = stop_job(name, dry_run=dry_run)
    if request is None:
        note(f"{name} is {job.state} already; nothing to stop")
    elif dry_run:
        print(json.dumps(request.body, indent=2))
        return
    else:
        note(f"{name}: asked to stop; it takes up to two minutes, and what it has saved by then is kept")
    if as_json:
        print_json({"name": name, "state": job.state, "stopped": request is not None})


def _print_json(rows: Iterable[dict[str, Any]]) -> None:
    with printing(for_a_program=True) as print_line:
        for row in rows:
            print_line(json.dumps(row))
