"""``mtool transform``."""

import contextlib
import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared import serving_options as shared
from manifest_tools.cli.shared.confirm import confirm
from manifest_tools.cli.shared.follow import watch
from manifest_tools.cli.shared.sagemaker_options import pairs
from manifest_tools.cli.shared.screen import clean, note, print_json, warn
from manifest_tools.cli.shared.serving_options import MachineOptions, ServingOptions

if TYPE_CHECKING:
    from manifest_tools.groundtruth.classes import ClassTable
    from trainers.sagemaker.batch.transform import TransformPlan
    from trainers.sagemaker.training.follow import JobEnd


_JOINED = "predicted.manifest"


@dataclass(frozen=True, kw_only=True)
class TransformMachineOptions(MachineOptions):
    """What answers, for transform alone."""

    concurrency: Annotated[
        int | None, typer.Option(metavar="N", help="Pictures at a time on each machine.")
    ] = None
    max_payload: Annotated[
        int, typer.Option(metavar="MB", help="The largest picture; times --concurrency, at most 100.")
    ] = 6


@dataclass(frozen=True, kw_only=True)
class AnswerOptions(TransformMachineOptions):
    """What becomes of the answers."""

    SECTION = "Answers"

    manifest: Annotated[str | None, typer.Option(metavar="FILE", help="Put the answers into its lines.")] = (
        None
    )
    joined: Annotated[str, typer.Option(metavar="FILE", help="Where the lines with answers go.")] = _JOINED
    attribute: Annotated[str, typer.Option(metavar="NAME", help="What the answers are called in a line.")] = (
        "predicted"
    )
    collect: Annotated[
        bool, typer.Option("--collect", help="Start nothing: collect what a transform job has answered.")
    ] = False
    classes: Annotated[
        str | None, typer.Option(metavar="FILE", help="What the classes are called: JSON, or a name a line.")
    ] = None

    @property
    def joined_file(self) -> str:
        """The file of the lines with answers."""
        from manifest_tools.io.sinks import output_file

        return output_file(self.joined, _JOINED)

    @property
    def table(self) -> "ClassTable | None":
        """The class table that was typed."""
        from manifest_tools.groundtruth.classes import classes_from

        return classes_from(self.classes)


@dataclass(frozen=True, kw_only=True)
class TransformOptions(ServingOptions, AnswerOptions):
    """The options of transform."""

    model: Annotated[
        str,
        typer.Argument(
            metavar="JOB|MODEL",
            help="A training job, or a model.tar.gz in S3; with --collect a transform job.",
        ),
    ]
    pictures: Annotated[
        str | None, typer.Argument(metavar="[PICTURES]", help="A prefix in S3; without, those of --manifest.")
    ] = None
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="URI", help="Where the job writes in S3.")
    ] = None


def transform(given: TransformOptions) -> None:
    """Ask a model about many pictures in S3.

    Runs a transform job, and writes a manifest that has its answers as one more label: the lines of
    --manifest, or one for each picture under PICTURES. Exit code 1 where a picture has no answer.

    \b
    For example:
      mtool transform birds-20240301-123005 s3://lab3/new/ -o s3://lab3/answers/
      mtool transform birds-20240301-123005 -o s3://lab3/answers/ --manifest s3://lab3/test.manifest
      mtool transform birds-20240301-130000 --collect
    """
    from trainers.words.transform import start

    _check(given)
    if given.collect:
        _collect(given.model, given)
        return
    planned = _plan(given)
    listed = given.manifest if given.pictures is None else None
    shared.print_notes(_intention(planned, listed, given.price_per_hour), given.asks)
    if given.dry_run or given.emit is not None:
        shared.print_calls(planned.calls, planned.model.region, given.emit, given.as_json)
        if listed:
            note(
                f"these requests do not write {planned.job.input}, the list of pictures; mtool transform does"
            )
        return
    confirm(given.yes)
    start(planned, listed, kms_key=given.kms_key, notify=lambda text: shared.print_notes([text]))
    if not given.as_json:
        print(planned.name, flush=True)
    elif given.no_wait:
        print_json({"job": planned.name, "status": "InProgress"})
    if given.no_wait:
        warn(_afterwards(planned.name, given.manifest))
        return
    _finish(planned, _follow(planned, given), given)


_TO_START: tuple[str, ...] = ("output", "instance_type", "instance_count", "concurrency", "max_payload")
_TO_START += ("name", "role", "tag", "volume_kms_key", "price_per_hour", "dry_run", "emit", "yes")
_TO_START += ("no_wait", "every")


def _check(given: TransformOptions) -> None:
    """Raise Refused before the bill for all that would be refused after it, and options without effect."""
    from manifest_tools.io.sinks import check_apart, check_free
    from trainers.predicted_lines import check_attribute
    from trainers.words.transform import check_start

    check_attribute(given.attribute)
    if given.manifest == "-":
        raise Refused("--manifest -: standard input comes once, and is read several times; name a file")
    if given.collect:
        _check_collect(given)
    else:
        check_start(given.pictures, given.manifest, given.output)
    check_apart(given.manifest or "", [given.joined_file])
    if not given.force:
        check_free(given.joined_file, "--joined")
    _ = given.table


def _check_collect(given: TransformOptions) -> None:
    wrong = [f"--{name.replace('_', '-')}" for name in _TO_START if name in given.typed]
    wrong += ["PICTURES"] if given.pictures else []
    if wrong:
        raise Refused(f"{wrong[0]} is for a job that is started, and --collect starts none; leave it out")


def _plan(given: TransformOptions) -> "TransformPlan":
    """Return what is to be made; raises Refused where a name is taken. Nothing is made yet."""
    from trainers.sagemaker.batch.transform import TransformSettings
    from trainers.words.transform import plan

    settings = TransformSettings(
        instance_type=given.instance_type,
        count=given.instance_count,
        concurrent=given.concurrency,
        max_payload=given.max_payload,
        name=given.name,
        output_key=given.kms_key,
        volume_key=given.volume_kms_key,
        tags=pairs("--tag", given.tag),
    )
    planned, source = plan(given.model, given.pictures, str(given.output), settings, role=given.role)
    shared.print_notes(source.notes)
    return planned


def _intention(planned: "TransformPlan", listed: str | None, prices: list[str]) -> list[str]:
    job = planned.job
    each = shared.machines(job.instance_type, job.count)
    pictures = f"every object under {job.input}"
    if listed:
        pictures = f"the pictures of {listed}, listed in {job.input}"
    return [
        f"the transform job {job.name} in {planned.model.region}, of {planned.model.data}",
        f"{pictures}, to {job.output}",
        f"on {each}, {shared.per_hour(prices, job.instance_type, job.count)} while it runs",
    ]


def _afterwards(name: str, manifest: str | None) -> str:
    """Return what to type later for a job that is not waited for."""
    words = ["mtool", "transform", name, "--collect", *(["--manifest", manifest] if manifest else [])]
    return f"once it is over, type: {shlex.join(words)}; then, to delete its model: mtool delete {name}"


def _follow(planned: "TransformPlan", given: TransformOptions) -> "JobEnd":
    from trainers.sagemaker.account.jobs import read_prices
    from trainers.sagemaker.training.follow import follow

    prices = read_prices(given.price_per_hour)
    price = prices.get(planned.job.instance_type, prices.get(""))
    events = follow(planned.name, kind="transform", price_per_hour=price, every=given.every)
    try:
        return watch(planned.name, events)
    except typer.Exit:
        warn(_afterwards(planned.name, given.manifest))
        raise


def _finish(planned: "TransformPlan", end: "JobEnd", given: TransformOptions) -> None:
    """Delete the model, collect the answers, and raise MtoolError for a job that failed."""
    from trainers.sagemaker.batch.transform import delete_model
    from trainers.sagemaker.training.follow import check_ended_well

    delete_model(planned.name, lambda text: shared.print_notes([text]))
    if end.status == "Completed":
        _collect(planned.name, given)
        return
    with contextlib.suppress(typer.Exit):
        _collect(planned.name, given)
    check_ended_well(end)


def _collect(name: str, given: TransformOptions) -> None:
    """Write the lines with their answers; ends with exit code 1 where a picture has none."""
    from trainers.words.transform import collected

    done = collected(
        name,
        given.manifest,
        given.joined_file,
        given.attribute,
        given.table,
        force=given.force,
        kms_key=given.kms_key,
        notify=lambda text: shared.print_notes([text]),
    )
    shared.print_notes([f"{one.path}: {one.state}" for one in done.published])
    found = done.answers
    if given.as_json and found is not None:
        print_json({"job": name, **asdict(found), "outputs": [asdict(one) for one in done.published]})
    if found is not None and found.unanswered:
        warn(f"{found.unanswered:,} pictures have no answer: {clean(', '.join(found.missing))}")
        raise typer.Exit(1)
    if found is not None:
        shared.print_notes([f"{found.answered:,} pictures have their answer"])
