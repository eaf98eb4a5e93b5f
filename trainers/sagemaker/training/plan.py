"""From what people set to a training job that is whole: the rest follows from the data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from manifest_tools.algorithms import Algorithm, lint
from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.classes import ClassTable
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
    doubts,
)
from trainers.sagemaker.training.data_check import DataCheck, Unfit, check_batches, check_data, derived
from trainers.sagemaker.training.upload import CLASSES, Upload, folder, placed
from trainers.sagemaker.training.warm_start import Earlier, in_common

# What has to be told where the data is not looked at.
_NEEDED = ("num_classes", "num_training_samples")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What people set of a job. ``data`` has a path or URI for each channel.

    ``varied`` has, for a tuning job, the values of what is varied that ask most of the data. Without
    ``preflight`` problems of the data do not count. Raises Refused for what needs no data to be seen.
    """

    name: str
    algorithm: Algorithm
    data: Mapping[str, str]
    output: str
    region: str
    role: str
    compute: Compute
    input_format: InputFormat = "augmented-manifest"
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    varied: Mapping[str, str] = field(default_factory=dict)
    label_attribute: str | None = None
    classes: ClassTable | None = None
    seed: int = 0
    preflight: bool = True
    earlier: Earlier | None = None
    max_run: int = HOUR
    max_wait: int | None = None
    checkpoints: str | None = None
    output_key: str | None = None
    vpc: Vpc | None = None
    network_isolation: bool = False
    encrypt_traffic: bool = False
    retries: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    jobs: Jobs = None

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
            for one in lint({**self.hyperparameters, **self.varied}, self.algorithm.name)
            if one.severity == "error" and one.kind not in ("missing", "contradiction")
        ]
        if wrong:
            raise Refused("; ".join(wrong))


@dataclass(frozen=True, slots=True)
class Plan:
    """A job that is whole, what has to be uploaded for it, and what is doubtful about it."""

    name: str
    training: Training
    tags: Mapping[str, str]
    uploads: tuple[Upload, ...]
    table: ClassTable | None
    samples: tuple[int, ...]
    """Lines to learn from, and to check with; empty where the data was not looked at."""

    derived: Mapping[str, str]
    """Hyperparameters that nobody set."""

    problems: tuple[Problem, ...]

    @property
    def job(self) -> TrainingJob:
        """The training job."""
        common: dict[str, Any] = {one.name: getattr(self.training, one.name) for one in fields(Training)}
        return TrainingJob(name=self.name, tags=self.tags, **common)

    @property
    def doubts(self) -> list[str]:
        """What is allowed and yet looks like a mistake, without problems of the data."""
        return doubts(self.job)


def plan(wanted: Wanted) -> Plan:
    """Return the job that is wanted. Reads the data, and S3 for that where the data lies there.

    Raises Unfit where the data has errors that the job would fail with, Refused for what cannot be.
    """
    place = folder(wanted.output, wanted.name)
    uris, uploads = placed(wanted.data, place)
    found = _look(wanted)
    told = {**wanted.hyperparameters, **wanted.varied}
    follows = {} if found is None else derived(found, wanted.algorithm, told)
    if wanted.earlier is not None:
        follows |= in_common(wanted.earlier, wanted.algorithm, told, follows)
    hyperparameters = {**wanted.hyperparameters, **follows}
    problems = () if found is None else _check(wanted, found, hyperparameters)
    training = Training(
        algorithm=wanted.algorithm,
        channels=_channels(wanted, uris, found, hyperparameters),
        hyperparameters=hyperparameters,
        **{one: getattr(wanted, one) for one in _SAME},
    )
    table = wanted.classes if found is None else found.table
    classes, tags = _class_table(wanted, training, table, place)
    return Plan(
        name=wanted.name,
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


def _check_channels(wanted: Wanted) -> None:
    """Refuse a form of the data that the algorithm does not take, and channels that it has not."""
    channels = find_input(wanted.algorithm, wanted.input_format).channels
    masks = any(name.endswith("_annotation") for name in channels)
    if wanted.input_format == "lst" and masks:
        raise Refused(f"{wanted.algorithm.name} reads no .lst, but masks or boxes; type --input image")
    if wanted.input_format == "image" and not masks:
        raise Refused(f"{wanted.algorithm.name} reads pictures with their .lst; type --input lst")
    missing = [name for name in channels if name not in wanted.data]
    if missing:
        raise Refused(f"channel {missing[0]} is missing; type --channel {missing[0]}=s3://bucket/prefix")
    for name, place in wanted.data.items():
        if name not in channels:
            known = ", ".join(channels)
            raise Refused(f"{wanted.algorithm.name} has no channel {name} here; expected {known}")
        suffix = ".lst" if name.endswith("_lst") else ".rec" if wanted.input_format == "recordio" else ""
        if not place.startswith("s3://") and not place.endswith(suffix):
            raise Refused(f"{name}: expected a {suffix} file, or its URI; found {shown(place)}")


def _look(wanted: Wanted) -> DataCheck | None:
    """Return what the data shows; None where it cannot be looked into, or need not."""
    files = _files(wanted)
    if not files or (not wanted.preflight and _all_is_told(wanted, files)):
        return None
    return check_data(files, wanted.algorithm, wanted.label_attribute, wanted.classes, wanted.jobs)


def _files(wanted: Wanted) -> Sequence[str]:
    """Return the files that say what there is to learn: manifests, .rec or .lst; none of a prefix."""
    names = ("train_lst", "validation_lst") if wanted.input_format == "lst" else ("train", "validation")
    suffix = {"augmented-manifest": "", "recordio": ".rec", "lst": ".lst", "image": "\0"}[wanted.input_format]
    files = [wanted.data[name] for name in names]
    return files if all(name.endswith(suffix) for name in files) else ()


def _all_is_told(wanted: Wanted, files: Sequence[str]) -> bool:
    """Say whether nothing has to follow from the data, so that nothing in S3 needs to be read."""
    label = wanted.label_attribute is not None or wanted.input_format != "augmented-manifest"
    return (
        label
        and all(name in wanted.hyperparameters for name in _NEEDED)
        and all(name.startswith("s3://") for name in files)
    )


def _check(wanted: Wanted, found: DataCheck, hyperparameters: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return the problems of the data; raises Unfit or Refused for those that the job would fail with."""
    values = {**hyperparameters, **wanted.varied}
    problems = found.problems(values)
    if wanted.preflight:
        check_batches(found, wanted.algorithm, values)
        if any(one.severity == "error" for one in problems):
            raise Unfit(_files(wanted), problems)
    return tuple(problems)


def _channels(
    wanted: Wanted, uris: Mapping[str, str], found: DataCheck | None, values: Mapping[str, str]
) -> tuple[Channel, ...]:
    more = () if wanted.earlier is None else (model_channel(wanted.earlier.uri),)
    if wanted.input_format == "recordio":
        return (*recordio_channels(wanted.algorithm, uris), *more)
    if wanted.input_format != "augmented-manifest":
        return (*image_channels(wanted.algorithm, uris), *more)
    if found is None:
        names: tuple[str, ...] = ("source-ref", wanted.label_attribute or "")
        lists = values.get("multi_label") == "1"  # as Ground Truth writes them
    else:
        names, lists = found.settings.attribute_names, found.settings.label_format == "class-id"
    data = manifest_channels(wanted.algorithm, uris, names, multi_label=lists, shuffle_seed=wanted.seed)
    return (*data, *more)


def _class_table(
    wanted: Wanted, training: Training, table: ClassTable | None, place: str
) -> tuple[tuple[Upload, ...], dict[str, str]]:
    """Return the upload of the class table, and the tags with its hash; the model itself has no names."""
    tags = dict(wanted.tags)
    if table is None:
        return (), tags
    names = next((one.attributes for one in training.channels if one.attributes), ())
    card = {
        **table.to_json(),
        "algorithm": wanted.algorithm.name,
        "label-attribute": names[-1] if names else "",
        "multi-label": training.hyperparameters.get("multi_label") == "1",
    }
    tags.setdefault(CLASSES_TAG, table.digest)
    return (Upload(f"{place}/{CLASSES}", content=json.dumps(card, indent=2).encode() + b"\n"),), tags
