"""What serves a model, as frozen values: the model, its endpoint, and a transform job over many pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from manifest_tools.algorithms import Algorithm
from manifest_tools.base.errors import Refused
from manifest_tools.base.text import shown
from trainers.sagemaker.requests.images import image_uri
from trainers.sagemaker.requests.instances import for_endpoint, for_transform
from trainers.sagemaker.requests.limits import (
    check_environment,
    check_key,
    check_role,
    check_s3,
    check_tags,
    check_text,
    check_whole,
)
from trainers.sagemaker.requests.names import check_name
from trainers.sagemaker.requests.training_job import Vpc

# MB that may be under way at once: MaxConcurrentTransforms times MaxPayloadInMB.
MOST_UNDER_WAY = 100

_MEMORY = tuple(range(1024, 6144 + 1, 1024))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model.tar.gz together with the image that serves it."""

    name: str
    """Its name."""

    algorithm: Algorithm
    """The algorithm that made it, and whose image serves it."""

    region: str
    """Where it is."""

    role: str
    """The ARN of the role that it runs as."""

    data: str
    """The URI of the model.tar.gz in S3."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for the container."""

    vpc: Vpc | None = None
    """The private network; None for none."""

    network_isolation: bool = False
    """Whether the container has no network at all."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """Its tags."""

    def __post_init__(self) -> None:
        check_name("model", self.name)
        image_uri(self.algorithm.name, self.region)
        check_role(self.role, self.region)
        check_s3("model", self.data)
        if not self.data.endswith(".tar.gz"):
            raise Refused(f"model: expected s3://.../model.tar.gz, found {shown(self.data)}")
        check_environment(self.environment, 100)
        check_tags(self.tags)

    @property
    def image(self) -> str:
        """The URI of the image."""
        return image_uri(self.algorithm.name, self.region)


@dataclass(frozen=True, slots=True)
class Instances:
    """Machines that an endpoint runs on, and is billed for, until it is deleted."""

    instance_type: str
    count: int = 1

    def __post_init__(self) -> None:
        check_whole("instance count", self.count, 1, 1_000)


@dataclass(frozen=True, slots=True)
class Serverless:
    """An endpoint without a machine of its own, which is billed by use. It has no GPU."""

    memory: int = 2048
    """In MB."""

    concurrency: int = 5
    """Requests at a time."""

    def __post_init__(self) -> None:
        if self.memory not in _MEMORY:
            raise Refused(f"memory: expected {', '.join(map(str, _MEMORY))} MB, found {self.memory:,}")
        check_whole("concurrency", self.concurrency, 1, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """How a model is served."""

    name: str
    """Its name."""

    algorithm: Algorithm
    """The algorithm of the model."""

    model: str
    """The name of the model."""

    serving: Instances | Serverless
    """The machines that answer, or none of its own."""

    volume_key: str | None = None
    """The KMS key of the disks of machines that have none of their own."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """Its tags."""

    def __post_init__(self) -> None:
        check_name("endpoint configuration", self.name)
        check_name("model", self.model)
        check_key("volume key", self.volume_key)
        check_tags(self.tags)
        if isinstance(self.serving, Instances):
            machine = for_endpoint(self.serving.instance_type, self.algorithm)
            if machine.own_disk and self.volume_key is not None:
                raise Refused(f"{machine} has a disk of its own, always encrypted: leave the volume key out")
        elif self.volume_key is not None:
            raise Refused("a serverless endpoint has no volume: leave the volume key out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that answers; it bills until it is deleted."""

    name: str
    """Its name."""

    config: str
    """The name of its configuration."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """Its tags."""

    def __post_init__(self) -> None:
        check_name("endpoint", self.name)
        check_name("endpoint configuration", self.config)
        check_tags(self.tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformJob:
    """A job that writes an answer for every picture. Each picture is a request of its own."""

    name: str
    """Its name."""

    algorithm: Algorithm
    """The algorithm of the model."""

    model: str
    """The name of the model."""

    input: str
    """The prefix of the pictures in S3, or the URI of a list of them."""

    output: str
    """The prefix in S3 that the answers go under."""

    instance_type: str
    """The machine that answers."""

    count: int = 1
    """How many of them."""

    data_type: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"
    """What ``input`` is: a prefix, or a list (a JSON array)."""

    content_type: str = "application/x-image"
    """What each picture is sent as."""

    accept: str | None = None
    """What is answered; None for the algorithm's own form."""

    concurrent: int | None = None
    """Requests at a time on each machine; None for SageMaker's own number."""

    max_payload: int = 6
    """The largest picture, in MB."""

    timeout: int | None = None
    """Seconds that a request may take."""

    retries: int | None = None
    """How often a request is sent again."""

    output_key: str | None = None
    """The KMS key that encrypts the answers."""

    volume_key: str | None = None
    """The KMS key of the machines' disks."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """Its tags."""

    def __post_init__(self) -> None:
        check_name("transform job", self.name)
        check_name("model", self.model)
        check_s3("input", self.input)
        check_s3("output", self.output)
        check_text("content type", self.content_type, 256)
        if self.accept is not None:
            check_text("accept", self.accept, 256)
        _check_machines(self)
        _check_pace(self)
        check_tags(self.tags)


def _check_machines(job: TransformJob) -> None:
    check_whole("instance count", job.count, 1, 1_000)
    check_key("output key", job.output_key)
    check_key("volume key", job.volume_key)
    machine = for_transform(job.instance_type, job.algorithm)
    if machine.own_disk and job.volume_key is not None:
        raise Refused(f"{machine} has a disk of its own, always encrypted: leave the volume key out")


def _check_pace(job: TransformJob) -> None:
    check_whole("max payload (MB)", job.max_payload, 1, MOST_UNDER_WAY)
    concurrent = 1 if job.concurrent is None else job.concurrent
    check_whole("concurrent transforms", concurrent, 1, MOST_UNDER_WAY)
    if concurrent * job.max_payload > MOST_UNDER_WAY:
        found = f"{concurrent} times {job.max_payload} MB"
        raise Refused(
            f"concurrent transforms times max payload: expected at most {MOST_UNDER_WAY} MB, found {found}"
        )
    if job.timeout is not None:
        check_whole("timeout (seconds)", job.timeout, 1, 3600)
    if job.retries is not None:
        check_whole("retries", job.retries, 0, 3)
