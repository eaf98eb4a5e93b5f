"""What a job should be started with, as its manifests show it, and what the request says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from manifest_tools.base.text import shown
from manifest_tools.groundtruth.label_kinds import label_kind, task_type
from manifest_tools.verbs.validate.engine.file_facts import Facts
from manifest_tools.verbs.validate.preflight.channel import Channel
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, Preflight, PreflightInput
from manifest_tools.verbs.validate.preflight.record_file import RecordFileKind

LABEL_FORMAT = "label-format="
ListFormat = Literal["class-id", "multi-hot"]

# The label kinds that each purpose learns.
_KINDS = {
    "builtin": ("single_label", "multi_label"),
    "semantic-segmentation": ("segmentation",),
    "object-detection": ("boxes",),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training job with these manifests should have; None where the data does not tell."""

    algorithm: str
    """The built-in algorithm, by the name of its image."""

    attribute_names: tuple[str, ...]
    """The AttributeNames of both channels: picture and label; empty for a .rec or .lst."""

    num_classes: int | None
    """The highest class index + 1."""

    num_training_samples: int
    """The samples in the channel for training."""

    mini_batch_size: int
    """The largest that every channel can fill."""

    multi_label: bool | None = None
    """Image classification only: whether a picture may have several classes."""

    label_format: ListFormat | None = None
    """Image classification only: how lists of classes are meant; None where there are none."""

    label_width: int | None = None
    """Object detection only: room for the label of the picture with the most boxes."""

    record_file: RecordFileKind | None = None
    """Set where the files are .rec or .lst, and no manifests."""

    @property
    def record_wrapper_type(self) -> str:
        """The RecordWrapperType of both channels: a .rec is RecordIO already."""
        return "RecordIO" if self.record_file is None else "None"

    @property
    def input_mode(self) -> str:
        """The InputMode of both channels; a .rec may come in Pipe mode too."""
        return "Pipe" if self.record_file is None else "File"

    @property
    def s3_data_type(self) -> str:
        """The S3DataType of both channels."""
        return "AugmentedManifestFile" if self.record_file is None else "S3Prefix"

    @property
    def content_type(self) -> str:
        """The ContentType of all channels."""
        if self.record_file == "lst":
            return "application/x-image"
        parameter = "" if self.label_format is None else f"; {LABEL_FORMAT}{self.label_format}"
        return f"application/x-recordio{parameter}"

    @property
    def hyperparameters(self) -> dict[str, str]:
        """The hyperparameters that follow from the data, as a request takes them."""
        found = {"num_classes": self.num_classes, "num_training_samples": self.num_training_samples}
        found |= {"label_width": self.label_width}
        if self.multi_label is not None:
            found["multi_label"] = int(self.multi_label)
        return {name: str(value) for name, value in found.items() if value is not None}

    def __str__(self) -> str:
        values = " ".join(f"{name}={value}" for name, value in self.hyperparameters.items())
        listed = " ".join(map(shown, self.attribute_names))
        names = f"AttributeNames {listed}; " if listed else ""
        batch = f"mini_batch_size at most {self.mini_batch_size}"
        return f"{self.algorithm}: {names}{values}; {batch}; ContentType {self.content_type}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields of CreateTrainingJob that follow from the data, by their names there."""
        return {
            "Algorithm": self.algorithm,
            "HyperParameters": self.hyperparameters,
            "AttributeNames": list(self.attribute_names),
            "S3DataType": self.s3_data_type,
            "RecordWrapperType": self.record_wrapper_type,
            "ContentType": self.content_type,
            "InputMode": self.input_mode,
            "LargestMiniBatchSize": self.mini_batch_size,
        }


def settings(job: PreflightInput) -> Settings | None:
    """Return what the job should have; None where the purpose is no training job of SageMaker's."""
    if job.preflight.purpose not in ALGORITHM_OF or not job.channels:
        return None
    packed = job.channels[0].record_file
    lists = any(channel.lists is not None for channel in job.channels)
    several = lists or (packed is not None and max(packed.widths, default=1) > 1)
    classifies = job.preflight.purpose == "builtin"
    boxes = max((int(channel.most.number) for channel in job.channels), default=0)
    return Settings(
        algorithm=ALGORITHM_OF[job.preflight.purpose],
        attribute_names=() if packed is not None else job.names,
        num_classes=num_classes(job),
        num_training_samples=job.channels[0].samples,
        mini_batch_size=min(channel.samples for channel in job.channels[:2]),
        multi_label=several if classifies else None,
        label_format=list_format(job) if classifies and lists else None,
        label_width=5 * boxes + 2 if boxes else None,
        record_file=None if packed is None else packed.kind,
    )


def num_classes(job: PreflightInput) -> int | None:
    """Return the highest class index + 1 of all channels, or the length of multi-hot lists."""
    if list_format(job) == "multi-hot":
        return max(width for channel in job.channels for width in channel.widths)
    vectors = {
        width for channel in job.channels if channel.record_file for width in channel.record_file.widths
    }
    if job.preflight.purpose == "builtin" and max(vectors, default=1) > 1:
        return max(vectors)
    highest = max(max(channel.highest, *channel.ids, -1) for channel in job.channels)
    return highest + 1 if highest >= 0 else None


def list_format(job: PreflightInput) -> ListFormat | None:
    """Return how lists of classes are read: as Ground Truth writes them, or multi-hot; None without any.

    Multi-hot only where not all can be read as indices, all as zeros and ones, and all are of one length.
    """
    lists = sum(channel.lists.lines for channel in job.channels if channel.lists is not None)
    if not lists:
        return None
    hot = sum(channel.as_hot for channel in job.channels) == lists
    widths = {width for channel in job.channels for width in channel.widths}
    ids = sum(channel.as_ids for channel in job.channels) == lists
    return "multi-hot" if hot and len(widths) == 1 and not ids else "class-id"


def observed_classes(channel: Channel, form: ListFormat | None) -> Mapping[int, Any]:
    """Return the class indices that a channel shows, with the lines."""
    return channel.ones if form == "multi-hot" else channel.ids


def training_request(preflight: Preflight) -> Mapping[str, Any]:
    """Return the request of the training job, which a tuning job's request has inside; empty without one."""
    request = preflight.request or {}
    inside = request.get("TrainingJobDefinition")
    return inside if isinstance(inside, Mapping) else request


def training_job(preflight: Preflight) -> Mapping[str, Any]:
    """Return the request where it is one for a training job; else empty."""
    request = training_request(preflight)
    return request if "InputDataConfig" in request or "AlgorithmSpecification" in request else {}


def mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under a key, empty where there is none."""
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def hyperparameters(preflight: Preflight) -> dict[str, str]:
    """Return the hyperparameters of the request; those given beside it count for more."""
    request = training_request(preflight)
    found: dict[str, str] = {}
    for field in ("HyperParameters", "StaticHyperParameters"):
        table = request.get(field)
        found |= {str(key): str(value) for key, value in table.items()} if isinstance(table, Mapping) else {}
    return found | dict(preflight.hyperparameters)


def data_channels(preflight: Preflight) -> list[Mapping[str, Any]]:
    """Return the channels of the request that hold data, and no model to start from."""
    return [one for one in input_channels(preflight) if one.get("ChannelName") not in ("model", "label_map")]


def input_channels(preflight: Preflight) -> list[Mapping[str, Any]]:
    """Return every channel of the request."""
    channels = training_request(preflight).get("InputDataConfig")
    return [one for one in channels if isinstance(one, Mapping)] if isinstance(channels, list) else []


def s3_source(channel: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the S3DataSource of a channel; empty where there is none."""
    return mapping(mapping(channel, "DataSource"), "S3DataSource")


def requested_names(channel: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the AttributeNames of a channel."""
    names = s3_source(channel).get("AttributeNames")
    return tuple(map(str, names)) if isinstance(names, list) else ()


def attribute_names(files: Sequence[Facts], preflight: Preflight, requested: str | None) -> tuple[str, ...]:
    """Return the AttributeNames: with the label requested, or the only one that the job can learn.

    Without a label where none fits, or several do.
    """
    if requested is not None:
        return "source-ref", requested
    for channel in data_channels(preflight):
        if len(names := requested_names(channel)) > 1:
            return names[:2]
    fitting = fitting_attributes(files, preflight.purpose)
    return ("source-ref", fitting[0]) if len(fitting) == 1 else ("source-ref",)


def fitting_attributes(files: Sequence[Facts], purpose: str) -> list[str]:
    """Return the label attributes of a type that a purpose trains from; all of them where no type says so.

    The built-in algorithm needs no metadata: class indices that are alone beside the source are labels too.
    """
    if not files:
        return []
    every = list(files[0].attributes)
    if not every and purpose == "builtin" and (bare := files[0].only_label) is not None:
        return [bare]
    mine = [name for name in every if any(fits(one, purpose) for one in files[0].types(name))]
    unknown = [name for name in every if not any(label_kind(one).has_classes for one in files[0].types(name))]
    return mine or unknown or every


def fits(type_name: str, purpose: str) -> bool:
    """Say whether a type is one that the algorithm of a purpose learns from.

    >>> fits("groundtruth/object-detection", "builtin"), fits("groundtruth/text-classification", "builtin")
    (False, False)
    """
    known = task_type(type_name)
    return known is not None and known.source == "picture" and known.kind in _KINDS.get(purpose, ())
