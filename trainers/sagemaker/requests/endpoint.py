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
    algorithm: Algorithm
    region: str
    role: str
    data: str
    environment: Mapping[str, str] = field(default_factory=dict)
    vpc: Vpc | None = None
    network_isolation: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

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
    """An endpoint that is billed by use: MB of memory, and requests at a time. It has no GPU."""

    memory: int = 2048
    concurrency: int = 5

    def __post_init__(self) -> None:
        if self.memory not in _MEMORY:
            raise Refused(f"memory: expected {', '.join(map(str, _MEMORY))} MB, found {self.memory:,}")
        check_whole("concurrency", self.concurrency, 1, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """How a model is endpoint. ``volume_key`` is for machines without a disk of their own."""

    name: str
    algorithm: Algorithm
    model: str
    serving: Instances | Serverless
    volume_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

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
    """An address that answers, by the configuration ``config``; it bills until it is deleted."""

    name: str
    config: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("endpoint", self.name)
        check_name("endpoint configuration", self.config)
        check_tags(self.tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformJob:
    """Answers for every picture under a prefix, or in a list of them (``ManifestFile``, a JSON array).

    Every object is a request of its own, of at most ``max_payload`` MB; ``concurrent`` of them are under
    way on each machine.
    """

    name: str
    algorithm: Algorithm
    model: str
    input: str
    output: str
    instance_type: str
    count: int = 1
    data_type: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"
    content_type: str = "application/x-image"
    accept: str | None = None
    concurrent: int | None = None
    max_payload: int = 6
    timeout: int | None = None
    retries: int | None = None
    output_key: str | None = None
    volume_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

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
