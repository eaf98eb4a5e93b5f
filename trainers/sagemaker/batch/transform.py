"""A transform job: a model is made for it, the job answers for every picture, and the model is deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from manifest_tools.base.errors import Refused
from trainers.sagemaker.batch.picture_list import list_place
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.calls import Call, Undo, of_sagemaker, run_calls, undo_call
from trainers.sagemaker.client.client import call_service
from trainers.sagemaker.client.existing import check_name_is_free, was_made
from trainers.sagemaker.client.retry import Notify
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.endpoint import Model, TransformJob
from trainers.sagemaker.requests.names import job_name
from trainers.sagemaker.requests.requests import create
from trainers.sagemaker.serving.model_source import ModelSource, class_tags

INSTANCE_TYPE = "ml.m5.large"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformPlan:
    """A transform job and the model that is made for it; both have one name."""

    model: Model
    job: TransformJob

    @property
    def name(self) -> str:
        """The name of the job."""
        return self.job.name

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that make both, in order."""
        model = of_sagemaker(create(self.model), f"model {self.name}", resources.delete("model", self.name))
        return model, of_sagemaker(create(self.job), f"transform job {self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSettings:
    """What people can set of a transform job."""

    instance_type: str = INSTANCE_TYPE
    """The machine that answers."""

    count: int = 1
    """How many of them."""

    concurrent: int | None = None
    """Requests at a time on each machine; None for SageMaker's own number."""

    max_payload: int = 6
    """The largest picture, in MB."""

    name: str | None = None
    """The name of the job and its model; None for one from the model and the time."""

    output_key: str | None = None
    """The KMS key that encrypts the answers."""

    volume_key: str | None = None
    """The KMS key that encrypts the machines' disks."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """The tags of both."""


def plan_transform(
    source: ModelSource, pictures: str, output: str, region: str, settings: TransformSettings, now: datetime
) -> TransformPlan:
    """Return what is to be made; ``pictures`` is a prefix in S3, or empty for a list of them.

    Raises Refused for what the service would not take. No call is made.
    """
    if not source.data:
        raise Refused(
            f"{source.title}: expected a job, or a model.tar.gz in S3; type: aws s3 cp {source.local} s3://..."
        )
    name = settings.name or job_name(source.stem, now)
    given = {**settings.tags, tags.MADE_FOR: name}
    return TransformPlan(
        model=Model(
            name=name,
            algorithm=source.algorithm,
            region=region,
            role=source.role,
            data=source.data,
            tags=given,
        ),
        job=TransformJob(
            name=name,
            algorithm=source.algorithm,
            model=name,
            input=pictures or list_place(output, name),
            data_type="S3Prefix" if pictures else "ManifestFile",
            output=output,
            instance_type=settings.instance_type,
            count=settings.count,
            concurrent=settings.concurrent,
            max_payload=settings.max_payload,
            output_key=settings.output_key,
            volume_key=settings.volume_key,
            tags={**given, **class_tags(source, source.classes)},
        ),
    )


def check_pictures(transform: TransformPlan) -> None:
    """Raise Refused where no object is under the prefix: the job would be billed for nothing."""
    if transform.job.data_type != "S3Prefix":
        return
    bucket, _, prefix = transform.job.input.removeprefix("s3://").partition("/")
    found = call_service("s3", "list_objects_v2", {"Bucket": bucket, "Prefix": prefix, "MaxKeys": 1})
    if not found.get("KeyCount"):
        raise Refused(f"{transform.job.input}: there is no picture; check the prefix (known failure 13)")


def check_names_are_free(transform: TransformPlan) -> None:
    """Raise Refused where there is, or was, a job of the name, or a model, before anything is made."""
    check_name_is_free(transform.name, ("transform", "model"), "take another --name")


def start_transform(
    transform: TransformPlan, notify: Notify, made_before: Sequence[tuple[str, Undo]] = ()
) -> None:
    """Make the model and the job; see ``run_calls``."""
    still_billed = (
        f"{transform.name} was made all the same, and is billed; type: mtool jobs stop {transform.name}"
    )
    run_calls(
        transform.calls,
        notify,
        later=f"mtool delete {transform.name}",
        made_before=made_before,
        was_made=lambda: was_made("transform", transform.name, "ModelName", notify, still_billed),
    )


def delete_model(name: str, notify: Notify) -> None:
    """Delete the model that was made for a job, once the job is over."""
    undo = of_sagemaker(resources.delete("model", name)).send
    undo_call(f"model {name}", undo, notify, f"mtool delete {name}")
