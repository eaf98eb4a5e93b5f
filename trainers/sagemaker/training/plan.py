"""The plan of a training job: what people set, and what follows from the data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from manifest_tools.algorithms import Algorithm, hyperparameter_findings
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.classes import ClassTable
from trainers.sagemaker.client.upload import CLASSES, Upload, job_prefix, plan_uploads
from trainers.sagemaker.requests.channels import (
    Channel,
    InputFormat,
    find_input,
    image_channels,
    manifest_channels,
    model_channel,
    recordio_channels,
)
from trainers.sagemaker.requests.images import image_uri
from trainers.sagemaker.requests.limits import check_role, check_s3, check_tags
from trainers.sagemaker.requests.names import check_name
from trainers.sagemaker.requests.training_job import (
    CLASSES_TAG,
    HOUR,
    Compute,
    Training,
    TrainingJob,
    Vpc,
    warnings,
)
from trainers.sagemaker.training.data_check import DataCheck, Unfit, check_batches, check_data, derived
from trainers.sagemaker.training.warm_start import WarmStart, inherited_hyperparameters

# What has to be given where the data is not looked at.
_NEEDED = ("num_classes", "num_training_samples")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """What people can set of a training job.

    Raises Refused for what needs no data to be seen.
    """

    name: str
    """The name of the job."""

    algorithm: Algorithm
    """The built-in algorithm."""

    data: Mapping[str, str]
    """A path or URI for each channel."""

    output: str
    """The prefix in S3 that the job writes under."""

    region: str
    """Where the job runs."""

    role: str
    """The ARN of the role that the job runs as."""

    compute: Compute
    """The machines."""

    input_format: InputFormat = "augmented-manifest"
    """How the data comes."""

    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    """As texts, by name."""

    varied: Mapping[str, str] = field(default_factory=dict)
    """For a tuning job, the values of what is varied that ask most of the data."""

    label_attribute: str | None = None
    """The label to learn; None where there is one only."""

    classes: ClassTable | None = None
    """The class table, for classes that no line shows."""

    seed: int = 0
    """The seed of the shuffling."""

    preflight: bool = True
    """Whether errors of the data stop the job."""

    warm_start: WarmStart | None = None
    """The model to begin from."""

    max_run: int = HOUR
    """The longest run, in seconds."""

    max_wait: int | None = None
    """For spot machines, the longest run with the waiting, in seconds."""

    checkpoints: str | None = None
    """Where checkpoints go in S3."""

    output_key: str | None = None
    """The KMS key that encrypts what the job writes."""

    vpc: Vpc | None = None
    """The private network; None for none."""

    network_isolation: bool = False
    """Whether the container has no network at all."""

    encrypt_traffic: bool = False
    """Whether the machines encrypt what they send each other."""

    retries: int | None = None
    """How often the job begins again after failures of SageMaker itself."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for the container."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """The tags of the job."""

    jobs: Jobs = None
    """Worker processes that read the data."""

    def __post_init__(self) -> None:
        image_uri(self.algorithm.name, self.region)
        check_role(self.role, self.region)
        check_name("training job", self.name)
        check_s3("output", self.output)
        check_tags(self.tags)
        self.compute.check(self.algorithm)
        _check_channels(self)
        wrong = [
            one.message
            for one in hyperparameter_findings({**self.hyperparameters, **self.varied}, self.algorithm.name)
            if one.severity == "error" and one.kind not in ("missing", "contradiction")
        ]
        if wrong:
            raise Refused("; ".join(wrong))


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """A complete job, with what has to be uploaded for it."""

    name: str
    """The name of the job."""

    training: Training
    """All that the job is but its name."""

    tags: Mapping[str, str]
    """The tags, with the hash of the class table."""

    uploads: tuple[Upload, ...]
    """What has to be uploaded before."""

    table: ClassTable | None
    """The class table; None where it is not known."""

    samples: tuple[int, ...]
    """Lines to learn from, and to check with; empty where the data was not looked at."""

    derived: Mapping[str, str]
    """Hyperparameters that nobody set."""

    problems: tuple[Problem, ...]
    """The problems of the data."""

    @property
    def job(self) -> TrainingJob:
        """The training job."""
        common: dict[str, Any] = {one.name: getattr(self.training, one.name) for one in fields(Training)}
        return TrainingJob(name=self.name, tags=self.tags, **common)

    @property
    def warnings(self) -> list[str]:
        """What is allowed and yet looks like a mistake, without problems of the data."""
        return warnings(self.job)


def plan_training(settings: TrainingSettings) -> TrainingPlan:
    """Return the plan of the job. Reads the data, on this disk or in S3.

    Raises Unfit where the data has errors that the job would fail with, Refused for what cannot be.
    """
    place = job_prefix(settings.output, settings.name)
    uris, uploads = plan_uploads(settings.data, place)
    found = _checked_data(settings)
    given = {**settings.hyperparameters, **settings.varied}
    follows = {} if found is None else derived(found, settings.algorithm, given)
    if settings.warm_start is not None:
        follows |= inherited_hyperparameters(settings.warm_start, settings.algorithm, given, follows)
    hyperparameters = {**settings.hyperparameters, **follows}
    problems = () if found is None else _check(settings, found, hyperparameters)
    training = Training(
        algorithm=settings.algorithm,
        channels=_channels(settings, uris, found, hyperparameters),
        hyperparameters=hyperparameters,
        **{one: getattr(settings, one) for one in _SAME},
    )
    table = settings.classes if found is None else found.table
    classes, tags = _class_table(settings, training, table, place)
    return TrainingPlan(
        name=settings.name,
        training=training,
        tags=tags,
        uploads=(*uploads, *classes),
        table=table,
        samples=() if found is None else found.samples,
        derived=follows,
        problems=problems,
    )


_SAME = (
    "region",
    "role",
    "output",
    "compute",
    "max_run",
    "max_wait",
    "checkpoints",
    "output_key",
    "vpc",
    "network_isolation",
    "encrypt_traffic",
    "retries",
    "environment",
)


def _check_channels(settings: TrainingSettings) -> None:
    """Raise Refused for a form of data that the algorithm does not take, and for channels that it does not
    have.
    """
    channels = find_input(settings.algorithm, settings.input_format).channels
    masks = any(name.endswith("_annotation") for name in channels)
    if settings.input_format == "lst" and masks:
        raise Refused(f"{settings.algorithm.name} reads no .lst, but masks or boxes; type --input image")
    if settings.input_format == "image" and not masks:
        raise Refused(f"{settings.algorithm.name} reads pictures with their .lst; type --input lst")
    missing = [name for name in channels if name not in settings.data]
    if missing:
        raise Refused(f"channel {missing[0]} is missing; type --channel {missing[0]}=s3://bucket/prefix")
    for name, place in settings.data.items():
        if name not in channels:
            known = ", ".join(channels)
            raise Refused(f"{settings.algorithm.name} has no channel {name} here; expected {known}")
        suffix = ".lst" if name.endswith("_lst") else ".rec" if settings.input_format == "recordio" else ""
        if not place.startswith("s3://") and not place.endswith(suffix):
            raise Refused(f"{name}: expected a {suffix} file, or its URI; found {shown(place)}")


def _checked_data(settings: TrainingSettings) -> DataCheck | None:
    """Return what the data shows; None where it cannot be read, or need not."""
    files = _files(settings)
    if not files or (not settings.preflight and _all_is_given(settings, files)):
        return None
    return check_data(files, settings.algorithm, settings.label_attribute, settings.classes, settings.jobs)


def _files(settings: TrainingSettings) -> Sequence[str]:
    """Return the files that tell what there is to learn: manifests, .rec or .lst; none for a prefix."""
    names = ("train_lst", "validation_lst") if settings.input_format == "lst" else ("train", "validation")
    suffix = {"augmented-manifest": "", "recordio": ".rec", "lst": ".lst", "image": "\0"}[
        settings.input_format
    ]
    files = [settings.data[name] for name in names]
    return files if all(name.endswith(suffix) for name in files) else ()


def _all_is_given(settings: TrainingSettings, files: Sequence[str]) -> bool:
    """Say whether nothing has to follow from the data, so that nothing in S3 needs to be read."""
    label = settings.label_attribute is not None or settings.input_format != "augmented-manifest"
    return (
        label
        and all(name in settings.hyperparameters for name in _NEEDED)
        and all(name.startswith("s3://") for name in files)
    )


def _check(
    settings: TrainingSettings, found: DataCheck, hyperparameters: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Return the problems of the data; raises Unfit or Refused for those that the job would fail with."""
    values = {**hyperparameters, **settings.varied}
    problems = found.problems(values)
    if settings.preflight:
        check_batches(found, settings.algorithm, values)
        if any(one.severity == "error" for one in problems):
            raise Unfit(_files(settings), problems)
    return tuple(problems)


def _channels(
    settings: TrainingSettings, uris: Mapping[str, str], found: DataCheck | None, values: Mapping[str, str]
) -> tuple[Channel, ...]:
    more = () if settings.warm_start is None else (model_channel(settings.warm_start.uri),)
    if settings.input_format == "recordio":
        return (*recordio_channels(settings.algorithm, uris), *more)
    if settings.input_format != "augmented-manifest":
        return (*image_channels(settings.algorithm, uris), *more)
    if found is None:
        names: tuple[str, ...] = ("source-ref", settings.label_attribute or "")
        lists = values.get("multi_label") == "1"  # as Ground Truth writes them
    else:
        names, lists = found.settings.attribute_names, found.settings.label_format == "class-id"
    data = manifest_channels(settings.algorithm, uris, names, multi_label=lists, shuffle_seed=settings.seed)
    return (*data, *more)


def _class_table(
    settings: TrainingSettings, training: Training, table: ClassTable | None, place: str
) -> tuple[tuple[Upload, ...], dict[str, str]]:
    """Return the upload of the class table, and the tags with its hash; the model itself has no names."""
    tags = dict(settings.tags)
    if table is None:
        return (), tags
    names = next((one.attributes for one in training.channels if one.attributes), ())
    card = {
        **table.to_json(),
        "algorithm": settings.algorithm.name,
        "label-attribute": names[-1] if names else "",
        "multi-label": training.hyperparameters.get("multi_label") == "1",
    }
    tags.setdefault(CLASSES_TAG, table.digest)
    return (Upload(f"{place}/{CLASSES}", content=json.dumps(card, indent=2).encode() + b"\n"),), tags
