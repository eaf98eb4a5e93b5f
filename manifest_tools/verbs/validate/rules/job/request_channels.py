"""Whether the channels of a request are set as the algorithm needs them."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from manifest_tools import algorithms
from manifest_tools.base.problem import Finding
from manifest_tools.base.text import listed, path, shown
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import (
    LABEL_FORMAT,
    data_channels,
    input_channels,
    list_format,
    mapping,
    requested_names,
    s3_source,
    training_job,
)
from manifest_tools.verbs.validate.rules.job_examples import channel as channel_of
from manifest_tools.verbs.validate.rules.job_examples import (
    multi_label_files,
    request,
    with_request,
    with_request_channels,
)
from manifest_tools.verbs.validate.rules.references import (
    AUGMENTED_MANIFEST,
    GUIDE_PULLS,
    IMAGE_CLASSIFICATION,
    SAGEMAKER_ISSUES,
)
from manifest_tools.verbs.validate.rules.rule import Example, rule

_RECORDIO = "application/x-recordio"

# What the rows of this file have in common.
_rule = partial(rule, scope="job", keeps=with_request, purposes=TRAINING)


@_rule(
    "MT650",
    "error",
    breaks=lambda: with_request(image="jumpstart-ic"),
    fix="Use the image of the built-in algorithm, or convert: mtool convert --to folder (known failure 7).",
    source=f"{SAGEMAKER_ISSUES}3895",
)
def the_image_reads_manifests(job: PreflightInput) -> Iterator[Finding]:
    """The image is the one of the algorithm that the manifests are checked for."""
    uri = mapping(training_job(job.preflight), "AlgorithmSpecification").get("TrainingImage")
    if not isinstance(uri, str):
        return
    name, wanted = image_name(uri), ALGORITHM_OF[job.preflight.purpose]
    where = path("AlgorithmSpecification", "TrainingImage")
    if name in algorithms.ALGORITHMS and name != wanted:
        purpose = next(key for key, value in ALGORITHM_OF.items() if value == name)
        yield Finding(
            where, f"TrainingImage: expected {wanted}, found {shown(name)}; or type --for {purpose}"
        )
    elif name not in algorithms.ALGORITHMS:
        message = f"TrainingImage: expected {wanted}, found {shown(name)}, which reads no augmented manifest"
        yield Finding(where, f"{message} (known failure 7)")


@_rule(
    "MT651",
    "error",
    breaks=lambda: with_request_channels(S3DataType="S3Prefix"),
    fix="Set S3DataType to AugmentedManifestFile, and S3Uri to the URI of the manifest itself.",
    source=f"{SAGEMAKER_ISSUES}1283",
)
def data_type_is_augmented(job: PreflightInput) -> Iterator[Finding]:
    """A manifest's channel has the S3DataType AugmentedManifestFile, and its S3Uri is the file itself."""
    for channel in _augmented(job):
        source = s3_source(channel)
        kind, uri = source.get("S3DataType"), source.get("S3Uri")
        if kind != "AugmentedManifestFile":
            wanted = f"expected AugmentedManifestFile, found {shown(kind)} (known failure 1)"
            yield of_channel(channel, "S3DataType", wanted)
        if isinstance(uri, str) and uri.endswith("/"):
            wanted = f"expected the URI of the manifest itself, found the prefix {shown(uri)}"
            yield of_channel(channel, "S3Uri", wanted)


@_rule(
    "MT652",
    "error",
    breaks=lambda: with_request_channels(RecordWrapperType=None),
    fix="Set RecordWrapperType to RecordIO on both channels (known failures 2 and 3).",
    source=f"{SAGEMAKER_ISSUES}562",
)
def records_are_wrapped(job: PreflightInput) -> Iterator[Finding]:
    """A manifest's channel has the RecordWrapperType RecordIO."""
    for channel in _augmented(job):
        if (wrapper := channel.get("RecordWrapperType")) != "RecordIO":
            wanted = f"expected RecordIO, found {shown(wrapper)} (known failures 2, 3 and 9)"
            yield of_channel(channel, "RecordWrapperType", wanted)


@_rule(
    "MT653",
    "error",
    breaks=lambda: _with_lists_of_classes(),
    fix="Set application/x-recordio, for lists of class indices application/x-recordio; label-format=class-id"
    " (known failures 3, 4 and 5).",
    source=f"{GUIDE_PULLS}42",
)
def content_type_is_recordio(job: PreflightInput) -> Iterator[Finding]:
    """A manifest's channel has the ContentType application/x-recordio, with the label-format of its lists."""
    form = list_format(job) if job.preflight.purpose == "builtin" else None
    for channel in _augmented(job):
        content_type = channel.get("ContentType")
        kind, _, parameters = str(content_type).partition(";")
        read_as = parameters.strip().partition(LABEL_FORMAT)[2].strip() or "multi-hot"
        if kind.strip() != _RECORDIO:
            row = 5 if kind.startswith("image/") else 4
            wanted = f"expected {_RECORDIO}, found {shown(content_type)} (known failures 3 and {row})"
            yield of_channel(channel, "ContentType", wanted)
        elif form is not None and read_as != form:
            wanted = f"expected {_RECORDIO}; {LABEL_FORMAT}{form} for these lists of classes"
            yield of_channel(channel, "ContentType", f"{wanted}, found {shown(content_type)}")


def _with_lists_of_classes() -> Example:
    channels = (channel_of(name, AttributeNames=["source-ref", "tags"]) for name in ("train", "validation"))
    return Example(multi_label_files([0, 2], [1]), request=request(*channels))


@_rule(
    "MT654",
    "error",
    breaks=lambda: with_request_channels(InputMode="File"),
    fix="Set InputMode to Pipe on both channels, or TrainingInputMode for all channels.",
    source=f"{SAGEMAKER_ISSUES}4056",
)
def input_mode_is_pipe(job: PreflightInput) -> Iterator[Finding]:
    """A manifest's channel is read in Pipe mode."""
    usual = mapping(training_job(job.preflight), "AlgorithmSpecification").get("TrainingInputMode")
    for channel in _augmented(job):
        if (mode := channel.get("InputMode", usual)) != "Pipe":
            yield of_channel(channel, "InputMode", f"expected Pipe, found {shown(mode)} (known failure 3)")


@_rule(
    "MT655",
    "error",
    breaks=lambda: with_request_channels(AttributeNames=[]),
    fix="Set AttributeNames to the attribute of the picture, then that of the label (known failure 1).",
    source=f"{SAGEMAKER_ISSUES}1283",
)
def attribute_names_are_set(job: PreflightInput) -> Iterator[Finding]:
    """AttributeNames are the attribute of the picture, then that of the label, the same on all channels."""
    channels = _augmented(job)
    for channel in channels:
        names, wanted = requested_names(channel), ""
        found = listed(names) or "none"
        if len(names) != 2:
            two = " and ".join(map(shown, job.names))
            wanted = f"expected two names, such as {two}, found {found} (known failure 1)"
        elif not names[0].endswith("-ref") and names[1].endswith("-ref"):
            wanted = f"expected the picture first, found {found}"
        elif names != requested_names(channels[0]):
            wanted = f"expected {listed(requested_names(channels[0]))} as on the first channel, found {found}"
        elif job.attribute is not None and names[1] != job.attribute:
            wanted = f"expected the label attribute {shown(job.attribute)}, found {shown(names[1])}"
        if wanted:
            yield of_channel(channel, "AttributeNames", wanted)


@_rule(
    "MT656",
    "error",
    breaks=lambda: with_request(InputDataConfig=[channel_of("train")]),
    fix="Name the channels train and validation; with .lst files also train_lst and validation_lst"
    " (known failure 24).",
    source=IMAGE_CLASSIFICATION,
)
def channels_are_named(job: PreflightInput) -> Iterator[Finding]:
    """A request has each channel that the algorithm reads its data from, once."""
    if not training_job(job.preflight):
        return
    names = [str(one.get("ChannelName")) for one in input_channels(job.preflight)]
    wanted = _wanted_channels(job)
    for name in wanted:
        if names.count(name) != 1:
            row = " (known failure 24)" if name.endswith("_lst") else ""
            message = (
                f"InputDataConfig needs one channel {name!r}; its channels are {listed(names) or 'none'}"
            )
            yield Finding(path("InputDataConfig"), f"{message}{row}")


def _wanted_channels(job: PreflightInput) -> tuple[str, ...]:
    inputs = algorithms.algorithm(ALGORITHM_OF[job.preflight.purpose]).inputs
    types = {str(one.get("ContentType")) for one in data_channels(job.preflight)}
    lists = any(channel.record_file and channel.record_file.kind == "lst" for channel in job.channels)
    if (lists or types == {"application/x-image"}) and not _is_manifest(job):
        return next(one.channels for one in inputs if one.name == "image")
    return ("train", "validation")


def _is_manifest(job: PreflightInput) -> bool:
    return any(
        s3_source(one).get("S3DataType") == "AugmentedManifestFile" for one in data_channels(job.preflight)
    )


@_rule(
    "MT657",
    "warning",
    breaks=lambda: with_request_channels(ShuffleConfig=None),
    fix="Add a ShuffleConfig to the channel train.",
    source=AUGMENTED_MANIFEST,
)
def train_is_shuffled(job: PreflightInput) -> Iterator[Finding]:
    """The channel train has a ShuffleConfig: in Pipe mode lines come in the order of the file."""
    for channel in _augmented(job):
        if channel.get("ChannelName") == "train" and "ShuffleConfig" not in channel:
            message = (
                "channel 'train' has no ShuffleConfig, so each epoch takes the lines in the order of the file"
            )
            where = path("InputDataConfig", "train", "ShuffleConfig")
            yield Finding(where, f'{message}; add "ShuffleConfig": {{"Seed": 1234}}')


@_rule(
    "MT658",
    "error",
    breaks=lambda: with_request_channels(S3DataDistributionType="ShardedByS3Key"),
    fix="Set S3DataDistributionType to FullyReplicated.",
    source=IMAGE_CLASSIFICATION,
)
def every_machine_has_all(job: PreflightInput) -> Iterator[Finding]:
    """Every machine gets the whole manifest, which is one object: FullyReplicated."""
    for channel in _augmented(job):
        key = "S3DataDistributionType"
        if (kind := s3_source(channel).get(key, "FullyReplicated")) != "FullyReplicated":
            yield of_channel(channel, key, f"expected FullyReplicated, found {shown(kind)}")


def _augmented(job: PreflightInput) -> list[Mapping[str, Any]]:
    """Return the channels that hold data, if the files are manifests and no .rec or .lst."""
    record_files = any(channel.record_file is not None for channel in job.channels)
    return [] if record_files or not training_job(job.preflight) else data_channels(job.preflight)


def of_channel(channel: Mapping[str, Any], key: str, message: str) -> Finding:
    """Return a finding about a field of a channel; the message names both."""
    name = str(channel.get("ChannelName"))
    return Finding(path("InputDataConfig", name, key), f"{key} of channel {shown(name)}: {message}")


def image_name(uri: str) -> str:
    """Return the repository of an image.

    >>> image_name("811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1")
    'image-classification'
    """
    return uri.partition("/")[2].partition("@")[0].partition(":")[0] or uri


RULES = (
    the_image_reads_manifests,
    data_type_is_augmented,
    records_are_wrapped,
    content_type_is_recordio,
    input_mode_is_pipe,
    attribute_names_are_set,
    channels_are_named,
    train_is_shuffled,
    every_machine_has_all,
)
