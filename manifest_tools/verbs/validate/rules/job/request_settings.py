"""Whether machines, spot training, earlier model, tuning and transform of a request can work."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from manifest_tools import algorithms
from manifest_tools.base.problem import Finding
from manifest_tools.base.text import either, path, shown
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import (
    input_channels,
    mapping,
    s3_source,
    training_job,
    training_request,
)
from manifest_tools.verbs.validate.rules.job.request_channels import of_channel
from manifest_tools.verbs.validate.rules.job_examples import GOOD, with_request
from manifest_tools.verbs.validate.rules.job_examples import channel as channel_of
from manifest_tools.verbs.validate.rules.job_examples import request as request_of
from manifest_tools.verbs.validate.rules.references import (
    CREATE_TRAINING_JOB,
    GUIDE_ISSUES,
    IMAGE_CLASSIFICATION,
    INCREMENTAL_TRAINING,
    SAGEMAKER_ISSUES,
    SAGEMAKER_PULLS,
    SEMANTIC_SEGMENTATION,
    SPOT,
    TRANSFORM_SOURCE,
    TUNING,
)
from manifest_tools.verbs.validate.rules.rule import Example, rule

_CONTENT_TYPES = ("image/png", "image/jpeg", "application/x-image")
_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
# Families of machines with a GPU that no page of these algorithms lists. All others have no GPU.
_OTHER_GPUS = ("p4d", "p4de", "p5", "p5e", "p5en", "g6", "g6e", "p3dn", "g7e", "gr6")

# What the rows of this file have in common.
_rule = partial(rule, scope="job", keeps=with_request, purposes=TRAINING)


@_rule(
    "MT659",
    "error",
    breaks=lambda: with_request(
        StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    ),
    fix="Set both fields, or neither (known failure 44).",
    source=SPOT,
)
def spot_fields_go_together(job: PreflightInput) -> Iterator[Finding]:
    """MaxWaitTimeInSeconds is set with EnableManagedSpotTraining, and not below MaxRuntimeInSeconds."""
    request = training_job(job.preflight)
    limits = mapping(request, "StoppingCondition")
    wait, run = limits.get("MaxWaitTimeInSeconds"), limits.get("MaxRuntimeInSeconds")
    spot = request.get("EnableManagedSpotTraining") is True
    where = path("StoppingCondition", "MaxWaitTimeInSeconds")
    if wait is not None and not spot:
        message = "MaxWaitTimeInSeconds is set, but EnableManagedSpotTraining is not true"
        yield Finding(where, f"{message} (known failures 44 and 45)")
    elif spot and wait is None:
        yield Finding(where, "EnableManagedSpotTraining is true, but MaxWaitTimeInSeconds is not set")
    elif spot and isinstance(wait, int) and isinstance(run, int) and wait < run:
        yield Finding(where, f"MaxWaitTimeInSeconds={wait} is below MaxRuntimeInSeconds={run}")


@_rule(
    "MT660",
    "error",
    breaks=lambda: _machine("ml.m5.xlarge"),
    fix="Use a machine of the family p3, g4dn or g5.",
    source=IMAGE_CLASSIFICATION,
)
def the_machine_has_a_gpu(job: PreflightInput) -> Iterator[Finding]:
    """The machine has a GPU: the algorithm trains on no machine without one."""
    for family, name in _machines(job):
        if family not in (*_families(job), *_OTHER_GPUS):
            wanted = f"expected a machine with a GPU ({', '.join(_families(job))})"
            message = f"InstanceType: {wanted}, found {shown(name)}"
            yield Finding(path("ResourceConfig", "InstanceType"), message)


@_rule(
    "MT661",
    "warning",
    breaks=lambda: _machine("ml.g6.xlarge"),
    fix="Use a machine of the family p3, g4dn or g5.",
    source=IMAGE_CLASSIFICATION,
)
def the_machine_is_listed(job: PreflightInput) -> Iterator[Finding]:
    """The page of the algorithm lists the machine's family; others may be too new for its image."""
    for family, name in _machines(job):
        if family in _OTHER_GPUS and family not in _families(job):
            wanted = f"expected a machine that the algorithm's page lists ({', '.join(_families(job))})"
            message = f"InstanceType: {wanted}, found {shown(name)}"
            yield Finding(path("ResourceConfig", "InstanceType"), message)


@rule(
    "MT662",
    "error",
    "job",
    breaks=lambda: _machine("ml.p3.2xlarge", 2),
    keeps=lambda: _machine("ml.p3.2xlarge"),
    fix="Set InstanceCount to 1.",
    source=SEMANTIC_SEGMENTATION,
    purposes=("semantic-segmentation",),
)
def one_machine_is_enough(job: PreflightInput) -> Iterator[Finding]:
    """The job has one machine if the algorithm can use one only."""
    count = mapping(training_job(job.preflight), "ResourceConfig").get("InstanceCount")
    name = ALGORITHM_OF[job.preflight.purpose]
    if isinstance(count, int) and count > 1 and not algorithms.algorithm(name).several_machines:
        message = f"InstanceCount: expected 1, as {name} trains on one machine, found {count}"
        yield Finding(path("ResourceConfig", "InstanceCount"), message)


@_rule(
    "MT663",
    "error",
    breaks=lambda: _model(InputMode="Pipe"),
    fix="Set ContentType to application/x-sagemaker-model and InputMode to File on the channel model.",
    source=INCREMENTAL_TRAINING,
)
def a_model_is_read_as_one(job: PreflightInput) -> Iterator[Finding]:
    """The channel model has the ContentType application/x-sagemaker-model, and File mode."""
    usual = mapping(training_job(job.preflight), "AlgorithmSpecification").get("TrainingInputMode", "File")
    for channel in input_channels(job.preflight):
        if channel.get("ChannelName") != "model":
            continue
        wanted = {"ContentType": "application/x-sagemaker-model", "InputMode": "File"}
        for key, value in wanted.items():
            if (found := channel.get(key, usual if key == "InputMode" else None)) != value:
                yield of_channel(channel, key, f"expected {value}, found {shown(found)}")


@_rule(
    "MT664",
    "warning",
    breaks=lambda: _model(),
    fix="Compare with what DescribeTrainingJob says of the earlier job (known failure 42).",
    source=f"{GUIDE_ISSUES}39",
)
def a_model_is_of_the_same_shape(job: PreflightInput) -> Iterator[Finding]:
    """A job with the channel model has the same network as the job that made the model."""
    for channel in input_channels(job.preflight):
        if channel.get("ChannelName") == "model":
            same = algorithms.algorithm(ALGORITHM_OF[job.preflight.purpose]).same_as_model
            message = f"{', '.join(same[:-1])} and {same[-1]} must be as in the job that made the model"
            where = path("InputDataConfig", "model")
            yield Finding(where, f"{message}; this request cannot show it (known failure 42)")


@_rule(
    "MT665",
    "error",
    breaks=lambda: _transform(S3DataType="AugmentedManifestFile"),
    fix="Name the prefix of the pictures, or a ManifestFile with their keys (known failure 20).",
    source=TRANSFORM_SOURCE,
)
def a_transform_takes_no_manifest(job: PreflightInput) -> Iterator[Finding]:
    """A transform job reads a prefix or a ManifestFile, and no augmented manifest."""
    source = s3_source(mapping(job.preflight.request or {}, "TransformInput"))
    if source.get("S3DataType") == "AugmentedManifestFile":
        message = "expected S3Prefix or ManifestFile, found 'AugmentedManifestFile' (known failure 20)"
        yield Finding(path("TransformInput", "S3DataType"), f"S3DataType of TransformInput: {message}")


@_rule(
    "MT666",
    "error",
    breaks=lambda: _transform(BatchStrategy="MultiRecord"),
    fix="Set BatchStrategy to SingleRecord (known failure 49).",
    source=f"{SAGEMAKER_PULLS}402",
)
def a_transform_sends_one_picture(job: PreflightInput) -> Iterator[Finding]:
    """A transform job sends one picture in each request: its BatchStrategy is SingleRecord."""
    request = job.preflight.request or {}
    strategy = request.get("BatchStrategy", "SingleRecord")
    if "TransformInput" in request and strategy != "SingleRecord":
        message = f"BatchStrategy: expected SingleRecord, found {shown(strategy)} (known failure 49)"
        yield Finding(path("BatchStrategy"), message)


@_rule(
    "MT667",
    "error",
    breaks=lambda: _transform(ContentType="application/json"),
    fix="Set ContentType to application/x-image, image/jpeg or image/png.",
    source=f"{SAGEMAKER_ISSUES}619",
)
def a_transform_sends_pictures(job: PreflightInput) -> Iterator[Finding]:
    """The pictures of a transform job have a ContentType that the algorithm accepts."""
    found = mapping(job.preflight.request or {}, "TransformInput").get("ContentType")
    if found is not None and found not in _CONTENT_TYPES:
        wanted = f"expected {either(_CONTENT_TYPES)}, found {shown(found)}"
        message = f"ContentType of TransformInput: {wanted} (known failure 50)"
        yield Finding(path("TransformInput", "ContentType"), message)


@_rule(
    "MT668",
    "error",
    breaks=lambda: _tuning("num_layers"),
    fix="Remove the hyperparameter from StaticHyperParameters, or from ParameterRanges.",
    source=TUNING,
)
def tuned_values_are_not_fixed(job: PreflightInput) -> Iterator[Finding]:
    """A hyperparameter in ParameterRanges can be tuned, and is not fixed as well."""
    request = job.preflight.request or {}
    ranges = mapping(mapping(request, "HyperParameterTuningJobConfig"), "ParameterRanges")
    fixed = mapping(training_request(job.preflight), "StaticHyperParameters")
    algorithm = algorithms.algorithm(ALGORITHM_OF[job.preflight.purpose])
    for table in ranges.values():
        for one in table if isinstance(table, list) else ():
            name = str(one.get("Name")) if isinstance(one, Mapping) else ""
            known = algorithm.find(name)
            where = path("HyperParameterTuningJobConfig", "ParameterRanges", name)
            if name in fixed:
                yield Finding(
                    where,
                    f"{shown(name)} is in ParameterRanges and in StaticHyperParameters: tuned or fixed?",
                )
            elif known is None or known.tunable is None:
                yield Finding(where, f"ParameterRanges: {shown(name)} of {algorithm.name} cannot be tuned")


@_rule(
    "MT669",
    "error",
    breaks=lambda: with_request(TrainingJobName="hands_1"),
    fix="Use letters and digits, with hyphens between them.",
    source=CREATE_TRAINING_JOB,
)
def a_job_has_a_name(job: PreflightInput) -> Iterator[Finding]:
    """The name of a job has letters and digits, with hyphens between them: up to 63, for tuning 32."""
    request = job.preflight.request or {}
    for key, longest in (
        ("TrainingJobName", 63),
        ("HyperParameterTuningJobName", 32),
        ("TransformJobName", 63),
    ):
        name = request.get(key)
        if isinstance(name, str) and not (_JOB_NAME.fullmatch(name) and len(name) <= longest):
            wanted = f"expected up to {longest} letters and digits, with hyphens between them"
            yield Finding(path(key), f"{key}: {wanted}, found {shown(name)}")


def _families(job: PreflightInput) -> tuple[str, ...]:
    return algorithms.algorithm(ALGORITHM_OF[job.preflight.purpose]).families


def _machines(job: PreflightInput) -> Iterator[tuple[str, str]]:
    name = mapping(training_job(job.preflight), "ResourceConfig").get("InstanceType")
    if isinstance(name, str):
        yield name.removeprefix("ml.").partition(".")[0], name


def _machine(kind: str, count: int = 1) -> Example:
    return with_request(ResourceConfig={"InstanceType": kind, "InstanceCount": count})


def _model(**changes: Any) -> Example:
    usual = {"ChannelName": "model", "ContentType": "application/x-sagemaker-model", "InputMode": "File"}
    channels = [channel_of("train"), channel_of("validation"), usual | changes]
    return with_request(InputDataConfig=channels)


def _transform(**changes: Any) -> Example:
    source = {"S3DataType": changes.pop("S3DataType", "S3Prefix"), "S3Uri": "s3://lab3-rawdata/"}
    data = {"DataSource": {"S3DataSource": source}, "ContentType": changes.pop("ContentType", "image/jpeg")}
    return Example(GOOD.files, request={"TransformJobName": "t", "TransformInput": data} | changes)


def _tuning(name: str) -> Example:
    ranges = {"ContinuousParameterRanges": [{"Name": name, "MinValue": "0.001", "MaxValue": "0.1"}]}
    job = request_of()
    job["StaticHyperParameters"] = job.pop("HyperParameters")
    config = {"ParameterRanges": ranges}
    request = {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": job}
    return Example(GOOD.files, request=request)


RULES = (
    spot_fields_go_together,
    the_machine_has_a_gpu,
    the_machine_is_listed,
    one_machine_is_enough,
    a_model_is_read_as_one,
    a_model_is_of_the_same_shape,
    a_transform_takes_no_manifest,
    a_transform_sends_one_picture,
    a_transform_sends_pictures,
    tuned_values_are_not_fixed,
    a_job_has_a_name,
)
