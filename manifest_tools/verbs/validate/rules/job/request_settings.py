"""Whether a request is one for machines, spot training, an earlier model, tuning or transform that can be."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from manifest_tools import algorithms
from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import (
    input_channels,
    mapping,
    s3_source,
    training_job,
    training_request,
)
from manifest_tools.verbs.validate.rules.job.request_channels import where_in
from manifest_tools.verbs.validate.rules.job_examples import GOOD, asked
from manifest_tools.verbs.validate.rules.job_examples import channel as channel_of
from manifest_tools.verbs.validate.rules.job_examples import request as request_of
from manifest_tools.verbs.validate.rules.rule import Example, Rule, rule

_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"
_CLASSIFICATION = "https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html"
_ISSUES = "https://github.com/aws/amazon-sagemaker-examples/issues/"

_TRAINING = f"{_API}API_CreateTrainingJob.html"


_SPOT = "https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html"


_PICTURES_IN = ("image/png", "image/jpeg", "application/x-image")


_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


# Families of machines with a GPU that no page of these algorithms lists; the others have none.
_OTHER_GPUS = ("p4d", "p4de", "p5", "p5e", "p5en", "g6", "g6e", "p3dn", "g7e", "gr6")


def spot_fields_go_together(job: PreflightInput) -> Iterator[Finding]:
    """MaxWaitTimeInSeconds goes with EnableManagedSpotTraining, and is not shorter than the run."""
    request = training_job(job.preflight)
    limits = mapping(request, "StoppingCondition")
    wait, run = limits.get("MaxWaitTimeInSeconds"), limits.get("MaxRuntimeInSeconds")
    spot = request.get("EnableManagedSpotTraining") is True
    where = path("StoppingCondition", "MaxWaitTimeInSeconds")
    if wait is not None and not spot:
        message = "MaxWaitTimeInSeconds is there, and EnableManagedSpotTraining is not true"
        yield Finding(where, f"{message} (known failures 44 and 45)")
    elif spot and wait is None:
        yield Finding(where, "EnableManagedSpotTraining is true, and there is no MaxWaitTimeInSeconds")
    elif spot and isinstance(wait, int) and isinstance(run, int) and wait < run:
        yield Finding(where, f"expected at least MaxRuntimeInSeconds={run}, found {wait}")


def the_machine_has_a_gpu(job: PreflightInput) -> Iterator[Finding]:
    """The machine has a GPU: the algorithm trains on no other."""
    for family, told in _machines(job):
        if family not in (*_families(job), *_OTHER_GPUS):
            listed = ", ".join(_families(job))
            message = f"expected a machine with a GPU, of the families {listed}; found {shown(told)}"
            yield Finding(path("ResourceConfig", "InstanceType"), message)


def the_machine_is_listed(job: PreflightInput) -> Iterator[Finding]:
    """The machine is of a family that the algorithm's page lists; newer ones may be too new for its image."""
    for family, told in _machines(job):
        if family in _OTHER_GPUS and family not in _families(job):
            listed = ", ".join(_families(job))
            message = f"{shown(told)} is on no page of the algorithm, whose machines are {listed}"
            yield Finding(path("ResourceConfig", "InstanceType"), message)


def _families(job: PreflightInput) -> tuple[str, ...]:
    return algorithms.algorithm(ALGORITHM_OF[job.preflight.purpose]).families


def _machines(job: PreflightInput) -> Iterator[tuple[str, str]]:
    told = mapping(training_job(job.preflight), "ResourceConfig").get("InstanceType")
    if isinstance(told, str):
        yield told.removeprefix("ml.").partition(".")[0], told


def the_machines_are_as_many(job: PreflightInput) -> Iterator[Finding]:
    """There is one machine where the algorithm trains on one only."""
    count = mapping(training_job(job.preflight), "ResourceConfig").get("InstanceCount")
    name = ALGORITHM_OF[job.preflight.purpose]
    if isinstance(count, int) and count > 1 and not algorithms.algorithm(name).several_machines:
        yield Finding(path("ResourceConfig", "InstanceCount"), f"{name} trains on one machine, found {count}")


def a_model_is_read_as_one(job: PreflightInput) -> Iterator[Finding]:
    """The channel of an earlier model has the type application/x-sagemaker-model, and File mode."""
    usual = mapping(training_job(job.preflight), "AlgorithmSpecification").get("TrainingInputMode", "File")
    for channel in input_channels(job.preflight):
        if channel.get("ChannelName") != "model":
            continue
        wanted = {"ContentType": "application/x-sagemaker-model", "InputMode": "File"}
        for key, value in wanted.items():
            if (told := channel.get(key, usual if key == "InputMode" else None)) != value:
                yield Finding(where_in(channel, key), f"expected {value}, found {shown(told)}")


def a_model_is_of_the_same_shape(job: PreflightInput) -> Iterator[Finding]:
    """A job that goes on from an earlier model has the hyperparameters that decide its shape."""
    for channel in input_channels(job.preflight):
        if channel.get("ChannelName") == "model":
            same = algorithms.algorithm(ALGORITHM_OF[job.preflight.purpose]).same_as_model
            message = f"{', '.join(same[:-1])} and {same[-1]} must be those of the earlier job"
            yield Finding(
                where_in(channel), f"{message}, which this request does not show (known failure 42)"
            )


def a_transform_takes_no_manifest(job: PreflightInput) -> Iterator[Finding]:
    """A transform job takes a prefix or a ManifestFile, no augmented manifest."""
    source = s3_source(mapping(job.preflight.request or {}, "TransformInput"))
    if source.get("S3DataType") == "AugmentedManifestFile":
        message = "expected S3Prefix or ManifestFile, found 'AugmentedManifestFile' (known failure 20)"
        yield Finding(path("TransformInput", "S3DataType"), message)


def a_transform_sends_one_picture(job: PreflightInput) -> Iterator[Finding]:
    """A transform job sends one picture a request: BatchStrategy SingleRecord, nothing split or joined."""
    request = job.preflight.request or {}
    strategy = request.get("BatchStrategy", "SingleRecord")
    if "TransformInput" in request and strategy != "SingleRecord":
        yield Finding(
            path("BatchStrategy"), f"expected SingleRecord, found {shown(strategy)} (known failure 49)"
        )


def a_transform_sends_pictures(job: PreflightInput) -> Iterator[Finding]:
    """A transform job sends its pictures under a content type that the algorithm's endpoint takes."""
    told = mapping(job.preflight.request or {}, "TransformInput").get("ContentType")
    if told is not None and told not in _PICTURES_IN:
        message = f"expected {', '.join(_PICTURES_IN[:-1])} or {_PICTURES_IN[-1]}, found {shown(told)}"
        yield Finding(path("TransformInput", "ContentType"), f"{message} (known failure 50)")


def tuned_values_are_not_fixed(job: PreflightInput) -> Iterator[Finding]:
    """A hyperparameter that is tuned can be tuned, and is not fixed as well."""
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
                yield Finding(where, f"{shown(name)} is tuned, and in StaticHyperParameters too")
            elif known is None or known.tunable is None:
                yield Finding(where, f"{algorithm.name} has no {shown(name)} that can be tuned")


def a_job_has_a_name(job: PreflightInput) -> Iterator[Finding]:
    """A training job is called by up to 63 letters, digits and inner hyphens, a tuning job by up to 32."""
    request = job.preflight.request or {}
    for key, longest in (
        ("TrainingJobName", 63),
        ("HyperParameterTuningJobName", 32),
        ("TransformJobName", 63),
    ):
        name = request.get(key)
        if isinstance(name, str) and not (_NAME.fullmatch(name) and len(name) <= longest):
            message = f"expected up to {longest} letters, digits and inner hyphens, found {shown(name)}"
            yield Finding(path(key), message)


def _machine(kind: str, count: int = 1) -> Example:
    return asked(ResourceConfig={"InstanceType": kind, "InstanceCount": count})


def _model(**changes: Any) -> Example:
    usual = {"ChannelName": "model", "ContentType": "application/x-sagemaker-model", "InputMode": "File"}
    channels = [channel_of("train"), channel_of("validation"), usual | changes]
    return asked(InputDataConfig=channels)


def _transform(**changes: Any) -> Example:
    told = {"S3DataType": changes.pop("S3DataType", "S3Prefix"), "S3Uri": "s3://lab3-rawdata/"}
    data = {"DataSource": {"S3DataSource": told}, "ContentType": changes.pop("ContentType", "image/jpeg")}
    return Example(GOOD.files, request={"TransformJobName": "t", "TransformInput": data} | changes)


def _tuning(name: str) -> Example:
    ranges = {"ContinuousParameterRanges": [{"Name": name, "MinValue": "0.001", "MaxValue": "0.1"}]}
    job = request_of()
    job["StaticHyperParameters"] = job.pop("HyperParameters")
    config = {"ParameterRanges": ranges}
    request = {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": job}
    return Example(GOOD.files, request=request)


_ROWS: tuple[tuple[Any, ...], ...] = (
    (
        "MT659",
        "error",
        spot_fields_go_together,
        asked(StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}),
        "Set both, or neither (known failure 44).",
        _SPOT,
    ),
    (
        "MT660",
        "error",
        the_machine_has_a_gpu,
        _machine("ml.m5.xlarge"),
        "Take one of the families p3, g4dn or g5.",
        _CLASSIFICATION,
    ),
    (
        "MT661",
        "warning",
        the_machine_is_listed,
        _machine("ml.g6.xlarge"),
        "Take one of the families p3, g4dn or g5.",
        _CLASSIFICATION,
    ),
    (
        "MT663",
        "error",
        a_model_is_read_as_one,
        _model(InputMode="Pipe"),
        "Set ContentType application/x-sagemaker-model and InputMode File on the channel model.",
        "https://docs.aws.amazon.com/sagemaker/latest/dg/incremental-training.html",
    ),
    (
        "MT664",
        "warning",
        a_model_is_of_the_same_shape,
        _model(),
        "Compare with DescribeTrainingJob of the earlier job (known failure 42).",
        "https://github.com/awsdocs/amazon-sagemaker-developer-guide/issues/39",
    ),
    (
        "MT665",
        "error",
        a_transform_takes_no_manifest,
        _transform(S3DataType="AugmentedManifestFile"),
        "Give it the prefix of the pictures, or a ManifestFile of their keys (known failure 20).",
        f"{_API}API_TransformS3DataSource.html",
    ),
    (
        "MT666",
        "error",
        a_transform_sends_one_picture,
        _transform(BatchStrategy="MultiRecord"),
        "Set BatchStrategy SingleRecord (known failure 49).",
        "https://github.com/aws/amazon-sagemaker-examples/pull/402",
    ),
    (
        "MT667",
        "error",
        a_transform_sends_pictures,
        _transform(ContentType="application/json"),
        "Set ContentType application/x-image, image/jpeg or image/png.",
        f"{_ISSUES}619",
    ),
    (
        "MT668",
        "error",
        tuned_values_are_not_fixed,
        _tuning("num_layers"),
        "Leave it out of StaticHyperParameters, or out of ParameterRanges.",
        "https://docs.aws.amazon.com/sagemaker/latest/dg/IC-tuning.html",
    ),
    (
        "MT669",
        "error",
        a_job_has_a_name,
        asked(TrainingJobName="hands_1"),
        "Call it by letters, digits and inner hyphens.",
        _TRAINING,
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
    rule(
        "MT662",
        "error",
        "job",
        the_machines_are_as_many,
        breaks=_machine("ml.p3.2xlarge", 2),
        keeps=_machine("ml.p3.2xlarge"),
        fix="Set InstanceCount to 1.",
        source="https://docs.aws.amazon.com/sagemaker/latest/dg/semantic-segmentation.html",
        purposes=("semantic-segmentation",),
    ),
)
