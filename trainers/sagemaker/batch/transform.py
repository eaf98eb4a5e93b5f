"""A batch of pictures in S3, asked about by a transform job: what it needs is made, and taken away again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from manifest_tools.base.errors import MtoolError, Refused
from trainers.sagemaker.batch.picture_list import list_place
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.calls import Call, of_sagemaker
from trainers.sagemaker.client.client import NotThere, ask, send
from trainers.sagemaker.client.retry import Notify
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.endpoint import Model, TransformJob
from trainers.sagemaker.requests.names import job_name
from trainers.sagemaker.requests.requests import create
from trainers.sagemaker.requests.training_job import CLASSES_TAG
from trainers.sagemaker.serving.model_source import ModelSource

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
        return of_sagemaker(create(self.model)), of_sagemaker(create(self.job))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSettings:
    """What a person may set."""

    instance_type: str = INSTANCE_TYPE
    count: int = 1
    concurrent: int | None = None
    max_payload: int = 6
    name: str | None = None
    output_key: str | None = None
    volume_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def plan_transform(
    source: ModelSource, pictures: str, output: str, region: str, settings: TransformSettings, now: datetime
) -> TransformPlan:
    """Return what is to be made; ``pictures`` are a prefix in S3, or empty for a list of them.

    Raises Refused for what the service would not take. Nothing is asked of it.
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
            tags={**given, **_told(source)},
        ),
    )


def _told(source: ModelSource) -> dict[str, str]:
    """Return the tags by which the answers are named, now or later."""
    found = {tags.CLASSES: source.classes} if source.classes and tags.fits(source.classes) else {}
    found |= {CLASSES_TAG: source.table.digest} if source.table else {}
    return found | ({tags.MULTI_LABEL: "1"} if source.multi_label else {})


def check_pictures(transform: TransformPlan) -> None:
    """Raise Refused where no object is under the prefix: the job would be billed, and answer nothing."""
    if transform.job.data_type != "S3Prefix":
        return
    bucket, _, prefix = transform.job.input.removeprefix("s3://").partition("/")
    found = ask("s3", "list_objects_v2", {"Bucket": bucket, "Prefix": prefix, "MaxKeys": 1})
    if not found.get("KeyCount"):
        raise Refused(f"{transform.job.input}: there is no picture; check the prefix (known failure 13)")


def check_free(transform: TransformPlan) -> None:
    """Raise Refused where there is, or was, a job of the name, or a model, before anything is made."""
    for kind in ("transform", "model"):
        try:
            send(resources.describe(kind, transform.name))
        except NotThere:
            continue
        title = resources.KINDS[kind].title
        raise Refused(f"{transform.name}: there is a {title} of that name already; take another --name")


def make(transform: TransformPlan, notify: Notify, undo: Callable[[], object] = lambda: None) -> None:
    """Make the model and the job; where there is no job then, the model is taken back.

    ``undo`` takes back what the caller has made before.
    """
    try:
        send(create(transform.model))
    except BaseException:
        undo()
        raise
    try:
        send(create(transform.job))
    except BaseException:
        if not _is_there(transform.name):
            take_back(transform.name, notify)
            undo()
        else:
            notify(f"{transform.name}: made all the same, and billed; type: mtool jobs stop {transform.name}")
        raise


def _is_there(name: str) -> bool:
    try:
        return bool(send(resources.describe("transform", name))["ModelName"] == name)
    except NotThere:
        return False
    except MtoolError:  # nobody can say; what is left costs nothing but its name
        return True


def take_back(name: str, notify: Notify) -> None:
    """Delete the model that was made for a job; that it is gone already is well."""
    try:
        send(resources.delete("model", name))
    except NotThere:
        return
    except MtoolError as error:
        notify(f"model {name}: stays, and costs nothing: {error}; to delete it: mtool delete {name}")
    else:
        notify(f"model {name}: taken back")
