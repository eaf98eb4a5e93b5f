"""Whether a request gives its channels what the algorithm needs, before it is sent."""

from collections.abc import Iterator, Mapping
from typing import Any

from manifest_tools import algorithms
from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
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
from manifest_tools.verbs.validate.rules.job_examples import asked, asked_of_channels, request, tagged
from manifest_tools.verbs.validate.rules.job_examples import channel as channel_of
from manifest_tools.verbs.validate.rules.rule import Example, Rule, rule

_CLASSIFICATION = "https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html"
_ISSUES = "https://github.com/aws/amazon-sagemaker-examples/issues/"
_RECORDIO = "application/x-recordio"

_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"
_CLASSIFICATION = "https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html"
_ISSUES = "https://github.com/aws/amazon-sagemaker-examples/issues/"
_RECORDIO = "application/x-recordio"


def _augmented(job: PreflightInput) -> list[Mapping[str, Any]]:
    """Return the channels that the manifests are for: all that hold data, where no file is a .rec or .lst."""
    packed = any(channel.record_file is not None for channel in job.channels)
    return [] if packed or not training_job(job.preflight) else data_channels(job.preflight)


def where_in(channel: Mapping[str, Any], *keys: str) -> str:
    """Return the place of a field of a channel."""
    return path("InputDataConfig", str(channel.get("ChannelName")), *keys)


def the_image_reads_manifests(job: PreflightInput) -> Iterator[Finding]:
    """The image is that of the algorithm that the manifests are checked for."""
    told = mapping(training_job(job.preflight), "AlgorithmSpecification").get("TrainingImage")
    if not isinstance(told, str):
        return
    name, wanted = image_name(told), ALGORITHM_OF[job.preflight.purpose]
    where = path("AlgorithmSpecification", "TrainingImage")
    if name in algorithms.ALGORITHMS and name != wanted:
        yield Finding(where, f"expected the image {wanted}, found {shown(name)}; type --for with its name")
    elif name not in algorithms.ALGORITHMS:
        message = f"expected the image {wanted}, found {shown(name)}, which reads no augmented manifest"
        yield Finding(where, f"{message} (known failure 7)")


def image_name(uri: str) -> str:
    """Return the repository of an image.

    >>> image_name("811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1")
    'image-classification'
    """
    return uri.partition("/")[2].partition("@")[0].partition(":")[0] or uri


def channels_are_named(job: PreflightInput) -> Iterator[Finding]:
    """A request has every channel that the algorithm takes its data through, once."""
    if not training_job(job.preflight):
        return
    names = [str(one.get("ChannelName")) for one in input_channels(job.preflight)]
    wanted = _wanted_channels(job)
    for name in wanted:
        if names.count(name) != 1:
            there = ", ".join(map(shown, names)) or "none"
            row = " (known failure 24)" if name.endswith("_lst") else ""
            message = f"expected one channel {name}, found {names.count(name) or 'none'} among {there}"
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


def data_type_is_augmented(job: PreflightInput) -> Iterator[Finding]:
    """A manifest's channel has the S3DataType AugmentedManifestFile, and its S3Uri is the file itself."""
    for channel in _augmented(job):
        source = s3_source(channel)
        kind, uri = source.get("S3DataType"), source.get("S3Uri")
        if kind != "AugmentedManifestFile":
            message = f"expected AugmentedManifestFile, found {shown(kind)} (known failure 1)"
            yield Finding(where_in(channel, "S3DataType"), message)
        if isinstance(uri, str) and uri.endswith("/"):
            yield Finding(
                where_in(channel, "S3Uri"), f"expected the manifest itself, found the prefix {shown(uri)}"
            )


def records_are_wrapped(job: PreflightInput) -> Iterator[Finding]:
    """A manifest's channel has the RecordWrapperType RecordIO."""
    for channel in _augmented(job):
        if (told := channel.get("RecordWrapperType")) != "RecordIO":
            message = f"expected RecordIO, found {shown(told)} (known failures 2, 3 and 9)"
            yield Finding(where_in(channel, "RecordWrapperType"), message)


def content_type_is_recordio(job: PreflightInput) -> Iterator[Finding]:
    """A manifest's channel has the ContentType application/x-recordio, with the label-format of its lists."""
    form = list_format(job) if job.preflight.purpose == "builtin" else None
    for channel in _augmented(job):
        told = channel.get("ContentType")
        kind, _, parameters = str(told).partition(";")
        said = parameters.strip().partition(LABEL_FORMAT)[2].strip() or "multi-hot"
        if kind.strip() != _RECORDIO:
            row = 5 if kind.startswith("image/") else 4
            message = f"expected {_RECORDIO}, found {shown(told)} (known failures 3 and {row})"
            yield Finding(where_in(channel, "ContentType"), message)
        elif form is not None and said != form:
            message = f"the lists of classes are {form}, and {shown(told)} says {said}"
            yield Finding(
                where_in(channel, "ContentType"), f"{message}; type {_RECORDIO}; {LABEL_FORMAT}{form}"
            )


def input_mode_is_pipe(job: PreflightInput) -> Iterator[Finding]:
    """A manifest's channel is read in Pipe mode."""
    usual = mapping(training_job(job.preflight), "AlgorithmSpecification").get("TrainingInputMode")
    for channel in _augmented(job):
        if (told := channel.get("InputMode", usual)) != "Pipe":
            message = f"expected Pipe, found {shown(told)} (known failure 3)"
            yield Finding(where_in(channel, "InputMode"), message)


def attribute_names_are_told(job: PreflightInput) -> Iterator[Finding]:
    """AttributeNames are the picture's attribute and then the label's, the same on all channels."""
    channels = _augmented(job)
    for channel in channels:
        names = requested_names(channel)
        where = where_in(channel, "AttributeNames")
        wanted = f"expected two names, such as {' and '.join(map(shown, job.names))}"
        if len(names) != 2:
            yield Finding(
                where, f"{wanted}, found {', '.join(map(shown, names)) or 'none'} (known failure 1)"
            )
        elif not names[0].endswith("-ref") and names[1].endswith("-ref"):
            yield Finding(
                where, f"expected the picture first, found {shown(names[0])} before {shown(names[1])}"
            )
        elif names != requested_names(channels[0]):
            yield Finding(
                where, f"expected the names of the first channel, found {', '.join(map(shown, names))}"
            )
        elif job.attribute is not None and names[1] != job.attribute:
            yield Finding(where, f"expected the label {shown(job.attribute)}, found {shown(names[1])}")


def every_machine_has_all(job: PreflightInput) -> Iterator[Finding]:
    """A manifest is one object, so every machine is given all of it: FullyReplicated."""
    for channel in _augmented(job):
        if (told := s3_source(channel).get("S3DataDistributionType", "FullyReplicated")) != "FullyReplicated":
            yield Finding(
                where_in(channel, "S3DataDistributionType"), f"expected FullyReplicated, found {shown(told)}"
            )


def train_is_shuffled(job: PreflightInput) -> Iterator[Finding]:
    """The train channel has a ShuffleConfig: in Pipe mode lines come in the order of the file."""
    for channel in _augmented(job):
        if channel.get("ChannelName") == "train" and "ShuffleConfig" not in channel:
            message = "every epoch takes the lines in the order of the file"
            yield Finding(
                where_in(channel, "ShuffleConfig"), f'{message}; add "ShuffleConfig": {{"Seed": 1234}}'
            )


_TAGS = ["source-ref", "tags"]
_ASKED_TAGS = request(*(channel_of(name, AttributeNames=_TAGS) for name in ("train", "validation")))
_ROWS: tuple[tuple[Any, ...], ...] = (
    (
        "MT650",
        "error",
        the_image_reads_manifests,
        asked(image="jumpstart-ic"),
        "Take the image image-classification, or mtool convert --to folder (known failure 7).",
        f"{_ISSUES}3895",
    ),
    (
        "MT651",
        "error",
        data_type_is_augmented,
        asked_of_channels(S3DataType="S3Prefix"),
        "Set S3DataType AugmentedManifestFile, and S3Uri to the manifest's own URI.",
        f"{_ISSUES}1283",
    ),
    (
        "MT652",
        "error",
        records_are_wrapped,
        asked_of_channels(RecordWrapperType=None),
        "Set RecordWrapperType RecordIO on both channels (known failures 2 and 3).",
        f"{_ISSUES}562",
    ),
    (
        "MT653",
        "error",
        content_type_is_recordio,
        Example(tagged([0, 2], [1]), request=_ASKED_TAGS),
        "Set application/x-recordio; for lists with ; label-format=class-id (known failures 3, 4 and 5).",
        "https://github.com/awsdocs/amazon-sagemaker-developer-guide/pull/42",
    ),
    (
        "MT654",
        "error",
        input_mode_is_pipe,
        asked_of_channels(InputMode="File"),
        "Set InputMode Pipe on both channels, or TrainingInputMode for all.",
        f"{_ISSUES}4056",
    ),
    (
        "MT655",
        "error",
        attribute_names_are_told,
        asked_of_channels(AttributeNames=[]),
        "Set AttributeNames to the picture's attribute and the label's, in this order (known failure 1).",
        f"{_ISSUES}1283",
    ),
    (
        "MT656",
        "error",
        channels_are_named,
        asked(InputDataConfig=[channel_of("train")]),
        "Name them train and validation; with .lst also train_lst and validation_lst (known failure 24).",
        _CLASSIFICATION,
    ),
    (
        "MT657",
        "warning",
        train_is_shuffled,
        asked_of_channels(ShuffleConfig=None),
        "Add ShuffleConfig to the train channel.",
        "https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html",
    ),
    (
        "MT658",
        "error",
        every_machine_has_all,
        asked_of_channels(S3DataDistributionType="ShardedByS3Key"),
        "Set S3DataDistributionType FullyReplicated.",
        _CLASSIFICATION,
    ),
)

RULES: tuple[Rule, ...] = (
    *(
        rule(
            code,
            severity,
            "job",
            check,
            breaks=breaks,
            keeps=asked(),
            fix=fix,
            source=source,
            purposes=TRAINING,
        )
        for code, severity, check, breaks, fix, source in _ROWS
    ),
)
