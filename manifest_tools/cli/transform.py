"""``mtool transform``."""

import contextlib
import os
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from manifest_tools.base.errors import Exists, Refused
from manifest_tools.cli.shared import options
from manifest_tools.cli.shared import serving_options as shared
from manifest_tools.cli.shared.confirm import confirm
from manifest_tools.cli.shared.follow import watch
from manifest_tools.cli.shared.make_command import typed_names
from manifest_tools.cli.shared.sagemaker_options import pairs
from manifest_tools.cli.shared.screen import clean, note

if TYPE_CHECKING:
    from manifest_tools.groundtruth.classes import ClassTable
    from trainers.sagemaker.batch.transform import TransformPlan, TransformSettings
    from trainers.sagemaker.training.follow import JobEnd


def transform(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(
            metavar="JOB|MODEL",
            help="A training job, or a model.tar.gz in S3; with --collect a transform job.",
        ),
    ],
    pictures: Annotated[
        str | None,
        typer.Argument(metavar="[PICTURES]", help="A prefix in S3; without, those of --manifest."),
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="URI", help="Where the job writes in S3.")
    ] = None,
    manifest: Annotated[
        str | None, typer.Option("--manifest", metavar="FILE", help="Put the answers into its lines.")
    ] = None,
    joined: Annotated[
        str, typer.Option("--joined", metavar="FILE", help="Where the lines with answers go.")
    ] = "predicted.manifest",
    attribute: Annotated[
        str, typer.Option("--attribute", metavar="NAME", help="What the answers are called in a line.")
    ] = "predicted",
    collect: Annotated[
        bool, typer.Option("--collect", help="Start nothing: join what a transform job has answered.")
    ] = False,
    classes: shared.Classes = None,
    instance_type: Annotated[
        str, typer.Option("--instance-type", metavar="TYPE", help="The machine that answers.")
    ] = "ml.m5.large",
    instance_count: Annotated[
        int, typer.Option("--instance-count", metavar="N", help="How many of them.")
    ] = 1,
    concurrent: Annotated[
        int | None, typer.Option("--concurrent", metavar="N", help="Pictures at a time on each machine.")
    ] = None,
    max_payload: Annotated[
        int, typer.Option("--max-payload", metavar="MB", help="The largest picture; times --concurrent, 100.")
    ] = 6,
    name: shared.Name = None,
    role: shared.Role = None,
    kms_key: options.KmsKey = None,
    volume_kms_key: shared.VolumeKey = None,
    tag: shared.Tag = None,
    price_per_hour: shared.Price = None,
    dry_run: shared.PrintOnly = False,
    emit: shared.EmitForm = None,
    yes: shared.Yes = False,
    no_wait: shared.NoWait = False,
    every: shared.Every = 10,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Ask a model about many pictures in S3.

    Runs a transform job, and writes a manifest that has its answers as one more label: the lines of
    --manifest, or one for each picture under PICTURES. Exit code 1 where a picture has no answer.

    \b
    For example:
      mtool transform birds-20240301-123005 s3://lab3/new/ -o s3://lab3/answers/
      mtool transform birds-20240301-123005 -o s3://lab3/answers/ --manifest s3://lab3/test.manifest
      mtool transform birds-20240301-130000 --collect
    """
    from trainers.sagemaker.batch.collect import check_attribute
    from trainers.sagemaker.batch.transform import TransformSettings

    check_attribute(attribute)
    _check(context, collect, pictures, output, manifest)
    answer = CollectOptions(joined, manifest, attribute, classes, kms_key, force, quiet)
    answer.check()
    if collect:
        _join(model, answer)
        return
    settings = TransformSettings(
        instance_type=instance_type,
        count=instance_count,
        concurrent=concurrent,
        max_payload=max_payload,
        name=name,
        output_key=kms_key,
        volume_key=volume_kms_key,
        tags=pairs("--tag", tag or []),
    )
    planned, listed = _plan(model, role, pictures, str(output), settings)
    shared.say(_intention(planned, manifest if listed else None, price_per_hour), quiet and yes)
    if dry_run or emit is not None:
        shared.print_calls(planned.calls, planned.model.region, emit)
        if listed:
            note(f"nothing of that writes the list of pictures, {planned.job.input}; mtool transform does")
        return
    confirm(yes)
    _start(planned, manifest if listed else None, kms_key, quiet)
    print(planned.name, flush=True)
    if no_wait:
        note(_afterwards(planned.name, answer))
        return
    end = _follow(planned, answer, price_per_hour, every)
    _finish(planned, end, answer)


_TO_START: tuple[str, ...] = ("output", "instance_type", "instance_count", "concurrent", "max_payload")
_TO_START += ("name", "role", "tag", "volume_kms_key", "price_per_hour", "dry_run", "emit", "yes")
_TO_START += ("no_wait", "every")


def _check(
    context: typer.Context, collect: bool, pictures: str | None, output: str | None, manifest: str | None
) -> None:
    """Refuse an option that would change nothing, and a job without pictures, or without a place to write."""
    from trainers.sagemaker.batch.collect import check_prefix

    if manifest == "-":
        raise Refused("--manifest -: standard input comes once, and is read several times; name a file")
    if collect:
        _check_collect(context, pictures)
        return
    if pictures is None and manifest is None:
        raise Refused("expected pictures: type s3://bucket/prefix/, or --manifest FILE for its own")
    if pictures is not None:
        check_prefix(pictures)
    if output is None:
        raise Refused("where does the job write? type --output s3://bucket/prefix/")


def _check_collect(context: typer.Context, pictures: str | None) -> None:
    typed = typed_names(context)
    wrong = [f"--{name.replace('_', '-')}" for name in _TO_START if name in typed]
    wrong += ["PICTURES"] if pictures else []
    if wrong:
        raise Refused(f"{wrong[0]} is for a job that is started, and --collect starts none; leave it out")


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """How answers are joined: the new file, what its lines are taken from, and what the label is called."""

    path: str
    manifest: str | None
    attribute: str
    classes: str | None
    kms_key: str | None
    force: bool
    quiet: bool

    def check(self) -> None:
        """Raise before the bill what would be raised after it."""
        from manifest_tools.io import s3
        from manifest_tools.io.sinks import check_apart

        check_apart(self.manifest or "", [self.path])
        there = s3.exists(self.path) if self.path.startswith("s3://") else os.path.exists(self.path)
        if there and not self.force:
            raise Exists([self.path])
        if self.classes is not None:
            self.table()

    def table(self) -> "ClassTable | None":
        """Return the class table that was typed."""
        from manifest_tools.groundtruth.classes import read_class_table

        return read_class_table(self.classes) if self.classes else None


def _plan(
    model: str, role: str | None, pictures: str | None, output: str, settings: "TransformSettings"
) -> "tuple[TransformPlan, bool]":
    """Return what is to be made, and whether the pictures are listed one by one."""
    from trainers.sagemaker.batch.transform import check_free, check_pictures, plan_transform
    from trainers.sagemaker.client.client import region
    from trainers.sagemaker.serving.model_source import find_model_source

    source = find_model_source(model, role)
    if source.algorithm.name != "image-classification":
        raise Refused(f"{model}: mtool transform reads classes, not what {source.algorithm.name} answers")
    planned = plan_transform(source, pictures or "", output, region(), settings, datetime.now(UTC))
    check_free(planned)
    check_pictures(planned)
    shared.say(source.remarks, quiet=False)
    return planned, pictures is None


def _intention(planned: "TransformPlan", listed: str | None, prices: list[str] | None) -> list[str]:
    job = planned.job
    each = shared.machines(job.instance_type, job.count)
    source = (
        f"the pictures of {listed}, listed in {job.input}" if listed else f"every object under {job.input}"
    )
    return [
        f"the transform job {job.name} in {planned.model.region}, of {planned.model.data}",
        f"{source}, to {job.output}",
        f"on {each}, {shared.per_hour(prices, job.instance_type, job.count)} while it runs",
    ]


def _start(planned: "TransformPlan", listed: str | None, kms_key: str | None, quiet: bool) -> None:
    """Write the list of pictures where there is one, and make model and job; or nothing."""
    from trainers.sagemaker.batch.picture_list import write_list
    from trainers.sagemaker.batch.transform import make
    from trainers.sagemaker.training.upload import withdraw

    published = write_list(listed, planned.job.input, kms_key=kms_key) if listed else ()
    shared.say([f"{one.path}: {one.state}" for one in published], quiet)
    made_before = [("list of pictures", lambda: withdraw(published))] if published else []
    make(planned, lambda text: shared.say([text], quiet), made_before)


def _afterwards(name: str, answer: CollectOptions) -> str:
    """Return what to type once a job is over that nobody waits for."""
    words = ["mtool", "transform", name, "--collect"]
    words += ["--manifest", answer.manifest] if answer.manifest else []
    return f"once it is over: {shlex.join(words)}; its model goes with: mtool delete {name}"


def _follow(
    planned: "TransformPlan", answer: CollectOptions, prices: list[str] | None, every: float
) -> "JobEnd":
    from trainers.sagemaker.account.jobs import read_prices
    from trainers.sagemaker.training.follow import follow

    known = read_prices(prices or ())
    price = known.get(planned.job.instance_type, known.get(""))
    events = follow(planned.name, kind="transform", price_per_hour=price, every=every)
    try:
        return watch(planned.name, events, quiet=answer.quiet)
    except typer.Exit:
        note(_afterwards(planned.name, answer))
        raise


def _finish(planned: "TransformPlan", end: "JobEnd", answer: CollectOptions) -> None:
    """Take the model back, join what was answered, and say how the job ended."""
    from trainers.sagemaker.batch.transform import delete_model
    from trainers.sagemaker.training.follow import check_ended_well

    delete_model(planned.name, lambda text: shared.say([text], answer.quiet))
    if end.status == "Completed":
        _join(planned.name, answer)
        return
    with contextlib.suppress(typer.Exit):
        _join(planned.name, answer)
    check_ended_well(end)


def _join(name: str, answer: CollectOptions) -> None:
    """Write the lines with their answers; ends with exit code 1 where a picture has none."""
    from manifest_tools.io.sinks import publishing
    from trainers.sagemaker.batch.collect import collect, find_answers, lines_of

    answers = find_answers(name, answer.table())
    shared.say(answers.remarks, answer.quiet)
    lines = lines_of(answers, answer.manifest, answer.attribute)
    kms_key = answer.kms_key if answer.path.startswith("s3://") else None
    with publishing(force=answer.force, kms_key=kms_key) as publication:
        found = collect(answers, lines, publication, answer.path, answer.attribute)
    shared.say([f"{one.path}: {one.state}" for one in publication.published], answer.quiet)
    if found.unanswered:
        note(f"{found.unanswered:,} pictures have no answer: {clean(', '.join(found.missing))}")
        raise typer.Exit(1)
    shared.say([f"{found.answered:,} pictures have their answer"], answer.quiet)
