"""The kinds of things in an account, as one table, and requests that describe, list, stop and delete."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from manifest_tools.base.errors import Refused
from trainers.sagemaker.requests.names import LONGEST, LONGEST_TUNING_JOB, check_name
from trainers.sagemaker.requests.requests import Body, Request


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """One kind of thing in an account: what its operations are called, and the fields of their answers."""

    title: str
    """What people call it."""

    name: str
    """The field of its name."""

    arn: str
    """The field of its ARN."""

    state: str
    """The field of its state; empty where it has none."""

    describe: str
    """The operation that describes one."""

    list_operation: str
    """The operation that lists them."""

    listed: str
    """The field of the list in the answer of ``list_operation``."""

    stop: str = ""
    """The operation that stops one; empty where there is none."""

    delete: str = ""
    """The operation that deletes one; empty where there is none."""

    live: tuple[str, ...] = ()
    """The states in which it may cost money."""

    longest: int = LONGEST
    """The longest name, in characters."""


KINDS: dict[str, ResourceKind] = {
    "training": ResourceKind(
        title="training job",
        name="TrainingJobName",
        arn="TrainingJobArn",
        state="TrainingJobStatus",
        describe="describe_training_job",
        list_operation="list_training_jobs",
        listed="TrainingJobSummaries",
        stop="stop_training_job",
        live=("InProgress", "Stopping"),
    ),
    "tuning": ResourceKind(
        title="tuning job",
        name="HyperParameterTuningJobName",
        arn="HyperParameterTuningJobArn",
        state="HyperParameterTuningJobStatus",
        describe="describe_hyper_parameter_tuning_job",
        list_operation="list_hyper_parameter_tuning_jobs",
        listed="HyperParameterTuningJobSummaries",
        stop="stop_hyper_parameter_tuning_job",
        live=("InProgress", "Stopping"),
        longest=LONGEST_TUNING_JOB,
    ),
    "transform": ResourceKind(
        title="transform job",
        name="TransformJobName",
        arn="TransformJobArn",
        state="TransformJobStatus",
        describe="describe_transform_job",
        list_operation="list_transform_jobs",
        listed="TransformJobSummaries",
        stop="stop_transform_job",
        live=("InProgress", "Stopping"),
    ),
    "endpoint": ResourceKind(
        title="endpoint",
        name="EndpointName",
        arn="EndpointArn",
        state="EndpointStatus",
        describe="describe_endpoint",
        list_operation="list_endpoints",
        listed="Endpoints",
        delete="delete_endpoint",
        live=("Creating", "Updating", "SystemUpdating", "RollingBack", "InService", "UpdateRollbackFailed"),
    ),
    "endpoint-config": ResourceKind(
        title="endpoint configuration",
        name="EndpointConfigName",
        arn="EndpointConfigArn",
        state="",
        describe="describe_endpoint_config",
        list_operation="list_endpoint_configs",
        listed="EndpointConfigs",
        delete="delete_endpoint_config",
    ),
    "model": ResourceKind(
        title="model",
        name="ModelName",
        arn="ModelArn",
        state="",
        describe="describe_model",
        list_operation="list_models",
        listed="Models",
        delete="delete_model",
    ),
}


def describe(kind: str, name: str) -> Request:
    """Return the request for everything about one of them; raises Refused for a name that none can have."""
    return _named(KINDS[kind].describe, kind, name)


def stop(kind: str, name: str) -> Request:
    """Return the request that stops a job; raises Refused for a kind that is deleted instead."""
    found = KINDS[kind]
    if not found.stop:
        raise Refused(f"{name}: {found.title}s are not stopped but deleted; type mtool delete {name}")
    return _named(found.stop, kind, name)


def delete(kind: str, name: str) -> Request:
    """Return the request that deletes; raises Refused for a job, which cannot be deleted."""
    found = KINDS[kind]
    if not found.delete:
        raise Refused(f"{name}: a {found.title} cannot be deleted, only stopped; type mtool jobs stop {name}")
    return _named(found.delete, kind, name)


def list_newest(
    kind: str,
    *,
    contains: str = "",
    state: str = "",
    created_after: datetime | None = None,
    most: int = 100,
    token: str = "",
) -> Request:
    """Return the request for a page of them, newest first: at most 100. ``token`` is of the page before."""
    found = KINDS[kind]
    if state and not found.state:
        raise Refused(f"a {found.title} has no state to be listed by")
    body: Body = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": min(most, 100)}
    options: Mapping[str, object] = {
        "NameContains": contains,
        "StatusEquals": state,
        "CreationTimeAfter": created_after,
        "NextToken": token,
    }
    return Request(found.list_operation, body | {key: value for key, value in options.items() if value})


def trials(name: str, *, best_first: bool = False, token: str = "") -> Request:
    """Return the request for a page of a tuning job's trials, newest first or best first."""
    check_name("tuning job", name, LONGEST_TUNING_JOB)
    body: Body = {
        "HyperParameterTuningJobName": name,
        "SortBy": "FinalObjectiveMetricValue" if best_first else "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": 100,
    }
    return Request(
        "list_training_jobs_for_hyper_parameter_tuning_job", body | ({"NextToken": token} if token else {})
    )


def tags_of(arn: str, *, token: str = "") -> Request:
    """Return the request for the tags of anything, by its ARN."""
    return Request("list_tags", {"ResourceArn": arn} | ({"NextToken": token} if token else {}))


def _named(operation: str, kind: str, name: str) -> Request:
    found = KINDS[kind]
    check_name(found.title, name, found.longest)
    return Request(operation, {found.name: name})
