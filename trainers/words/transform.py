"""``mtool transform`` as a function."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import Refused
from manifest_tools.groundtruth.classes import ClassTable, classes_from
from manifest_tools.io.sinks import Published, check_apart, check_free, publishing
from trainers.predicted_lines import ATTRIBUTE, check_attribute
from trainers.sagemaker.batch.collect import Collected, check_prefix, find_answers, lines_of
from trainers.sagemaker.batch.collect import collect as collect_answers
from trainers.sagemaker.batch.picture_list import write_list
from trainers.sagemaker.batch.transform import (
    INSTANCE_TYPE,
    TransformPlan,
    TransformSettings,
    check_names_are_free,
    check_pictures,
    delete_model,
    plan_transform,
    start_transform,
)
from trainers.sagemaker.client.client import region
from trainers.sagemaker.client.retry import Notify, notify_nobody
from trainers.sagemaker.client.upload import check_in_s3, delete_uploads
from trainers.sagemaker.serving.model_source import ModelSource, find_model_source
from trainers.sagemaker.training.follow import JobEnd, check_ended_well, follow
from trainers.words.agreement import check_agreed


@dataclass(frozen=True, slots=True)
class Transformed:
    """What became of a transform job."""

    job: str
    plan: TransformPlan | None = None
    """What was to be made; None for a job of which only answers were collected."""

    answers: Collected | None = None
    """How many pictures have an answer; None where nothing was collected yet."""

    published: tuple[Published, ...] = ()
    """The manifest with the answers."""


def transform(
    model: str,
    pictures: str | None = None,
    *,
    output: str | None = None,
    manifest: AnyPath | None = None,
    joined: AnyPath = "predicted.manifest",
    attribute: str = ATTRIBUTE,
    collect: bool = False,
    classes: ClassTable | AnyPath | None = None,
    instance_type: str = INSTANCE_TYPE,
    instance_count: int = 1,
    volume_kms_key: str | None = None,
    concurrency: int | None = None,
    max_payload: int = 6,
    name: str | None = None,
    role: str | None = None,
    tag: Mapping[str, str] | None = None,
    kms_key: str | None = None,
    force: bool = False,
    no_wait: bool = False,
    every: float = 10,
    dry_run: bool = False,
    yes: bool = False,
) -> Transformed:
    """Ask a model about many pictures in S3 by a transform job, and write its answers as labels.

    Writes to ``joined`` the lines of ``manifest``, or one for each picture under the prefix ``pictures``.
    With ``collect`` nothing is started, and ``model`` is a job that is over. It is billed, and needs
    ``yes=True``; ``dry_run`` only plans, and ``no_wait`` ends once the job is started. Raises MtoolError for
    a job that failed.
    """
    source, path = None if manifest is None else as_text(manifest), as_text(joined)
    table = classes_from(classes)
    check_attribute(attribute)
    check_apart(source or "", [path])
    if not force:
        check_free(path, "--joined")
    if collect:
        return collected(model, source, path, attribute, table, force=force, kms_key=kms_key)
    settings = TransformSettings(
        instance_type=instance_type,
        count=instance_count,
        concurrent=concurrency,
        max_payload=max_payload,
        name=name,
        output_key=kms_key,
        volume_key=volume_kms_key,
        tags=tag or {},
    )
    check_start(pictures, source, output)
    planned, _ = plan(model, pictures, str(output), settings, role=role)
    if dry_run:
        return Transformed(planned.name, planned)
    check_agreed(yes, f"{planned.name} is billed while it runs")
    start(planned, source if pictures is None else None, kms_key=kms_key)
    if no_wait:
        return Transformed(planned.name, planned)
    *_, end = follow(planned.name, kind="transform", every=every)
    delete_model(planned.name, notify_nobody)
    if isinstance(end, JobEnd):
        check_ended_well(end)
    done = collected(planned.name, source, path, attribute, table, force=force, kms_key=kms_key)
    return Transformed(planned.name, planned, done.answers, done.published)


def check_start(pictures: str | None, manifest: str | None, output: str | None) -> None:
    """Raise Refused for a job without pictures, or without a place for its answers."""
    if pictures is None and manifest is None:
        raise Refused("expected pictures: type s3://bucket/prefix/, or --manifest FILE for its own")
    if pictures is not None:
        check_prefix(pictures)
    elif manifest is not None:
        check_in_s3(manifest)
    if output is None:
        raise Refused("where does the job write? type --output s3://bucket/prefix/")


def plan(
    model: str, pictures: str | None, output: str, settings: TransformSettings, *, role: str | None = None
) -> tuple[TransformPlan, ModelSource]:
    """Return what is to be made, and of which model; raises Refused where a name is taken."""
    source = find_model_source(model, role)
    if source.algorithm.name != "image-classification":
        raise Refused(f"{model}: mtool transform reads classes, not what {source.algorithm.name} answers")
    planned = plan_transform(source, pictures or "", output, region(), settings, datetime.now(UTC))
    check_names_are_free(planned)
    check_pictures(planned)
    return planned, source


def start(
    planned: TransformPlan,
    listed: str | None,
    *,
    kms_key: str | None = None,
    notify: Notify = notify_nobody,
) -> None:
    """Write the list of the pictures of the manifest ``listed``, and make model and job: all, or nothing."""
    published = write_list(listed, planned.job.input, kms_key=kms_key) if listed else ()
    for uploaded in published:
        notify(f"{uploaded.path}: {uploaded.state}")
    made_before = [("list of pictures", lambda: delete_uploads(published))] if published else []
    start_transform(planned, notify, made_before)


def collected(
    name: str,
    manifest: str | None,
    joined: str,
    attribute: str,
    table: ClassTable | None,
    *,
    force: bool = False,
    kms_key: str | None = None,
    notify: Notify = notify_nobody,
) -> Transformed:
    """Write the lines with the answers of a job that is over."""
    answers = find_answers(name, table)
    for text in answers.notes:
        notify(text)
    lines = lines_of(answers, manifest, attribute)
    kms_key = kms_key if joined.startswith("s3://") else None
    with publishing(force=force, kms_key=kms_key, options={joined: "--joined"}) as publication:
        found = collect_answers(answers, lines, publication, joined, attribute)
    return Transformed(name, None, found, tuple(publication.published))
