"""A model in service: model, endpoint configuration, endpoint, and an API in front of it where one is asked
for.

They are made in this order, the endpoint last, and taken back when a later one cannot be made. An endpoint
bills from then on, and cannot be deleted while it is being created.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.known_failures import recognise
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.calls import Call, Undo, of_sagemaker, run_calls
from trainers.sagemaker.client.client import send
from trainers.sagemaker.client.existing import check_name_is_free, was_made
from trainers.sagemaker.client.retry import Notify, Sleep, notify_nobody, retry
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.endpoint import Endpoint, EndpointConfig, Instances, Model, Serverless
from trainers.sagemaker.requests.names import job_name
from trainers.sagemaker.requests.requests import create
from trainers.sagemaker.requests.training_job import Vpc
from trainers.sagemaker.serving import api_gateway
from trainers.sagemaker.serving.api_gateway import Api
from trainers.sagemaker.serving.model_source import ModelSource, class_tags

INSTANCE_TYPE = "ml.m5.large"
EVERY = 10.0  # seconds between two requests for the state

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPlan:
    """All that is to be made; the endpoint, its configuration and its model have one name."""

    model: Model
    """The model."""

    config: EndpointConfig
    """The endpoint configuration."""

    endpoint: Endpoint
    """The endpoint."""

    api: Api | None = None
    """The API in front of it; None for none."""

    @property
    def name(self) -> str:
        """The name of the endpoint."""
        return self.endpoint.name

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that make it, in order; each says how it is undone but the last, which bills."""
        model, config = (
            of_sagemaker(
                create(value), f"{resources.KINDS[kind].title} {self.name}", resources.delete(kind, self.name)
            )
            for kind, value in (("model", self.model), ("endpoint-config", self.config))
        )
        api = api_gateway.calls(self.api) if self.api else ()
        return (model, config, *api, of_sagemaker(create(self.endpoint), f"endpoint {self.name}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSettings:
    """What people can set of a deployment."""

    serving: Instances | Serverless = Instances(INSTANCE_TYPE)
    """The machines that answer, or none of its own."""

    name: str | None = None
    """The name of the endpoint; None for one from the model and the time."""

    vpc: Vpc | None = None
    """The private network; None for none."""

    volume_key: str | None = None
    """The KMS key that encrypts the machines' disks."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """The tags of all that is made."""

    remind_after: timedelta | None = None
    """How long after the deployment ``mtool jobs --idle`` reminds of it."""

    api_role: str | None = None
    """The ARN of the role of an API; None for no API."""

    public: bool = False
    """Whether anybody may ask the API."""


def plan_deployment(
    source: ModelSource, data: str, classes: str, region: str, settings: DeploymentSettings, now: datetime
) -> DeploymentPlan:
    """Return what is to be made of a model at ``data`` in S3; ``classes`` is its classes.json in S3, or
    empty.

    Raises Refused for what the service would not take. No call is made.
    """
    name = settings.name or job_name(source.stem, now)
    if isinstance(settings.serving, Serverless) and settings.vpc is not None:
        raise Refused("a serverless endpoint has no private network: leave --subnet and --security-group out")
    given = {**settings.tags, tags.MADE_FOR: name}
    api = settings.api_role and Api(name=name, region=region, role=settings.api_role, public=settings.public)
    return DeploymentPlan(
        model=Model(
            name=name,
            algorithm=source.algorithm,
            region=region,
            role=source.role,
            data=data,
            vpc=settings.vpc,
            tags=given,
        ),
        config=EndpointConfig(
            name=name,
            algorithm=source.algorithm,
            model=name,
            serving=settings.serving,
            volume_key=settings.volume_key,
            tags=given,
        ),
        endpoint=Endpoint(
            name=name, config=name, tags={**given, **_endpoint_tags(source, classes, settings, now)}
        ),
        api=api or None,
    )


def _endpoint_tags(
    source: ModelSource, classes: str, settings: DeploymentSettings, now: datetime
) -> dict[str, str]:
    """Return the tags that ``predict``, ``delete`` and ``jobs --idle`` read of the endpoint."""
    found = class_tags(source, classes)
    found |= {tags.API: api_gateway.STAGE} if settings.api_role else {}
    if settings.remind_after is not None:
        found[tags.REMIND_AFTER] = tags.time_text(now + settings.remind_after)
    return found


def check_names_are_free(deployment: DeploymentPlan) -> None:
    """Raise Refused where one of the names is taken, before anything is made."""
    name = deployment.name
    check_name_is_free(
        name, ("endpoint", "endpoint-config", "model"), f"take another --name, or type: mtool delete {name}"
    )


def make_endpoint(
    deployment: DeploymentPlan, notify: Notify, made_before: Sequence[tuple[str, Undo]] = ()
) -> str:
    """Make all of it, and return the API's ID, or an empty text; see ``run_calls``."""
    return run_calls(
        deployment.calls,
        notify,
        later=f"mtool delete {deployment.name}",
        made_before=made_before,
        was_made=lambda: was_made(
            "endpoint", deployment.name, "EndpointConfigName", notify, still_bills(deployment.name)
        ),
    )


def still_bills(name: str) -> str:
    """Return what to tell of an endpoint that is left as it is."""
    return f"{name} bills until you type: mtool delete {name}"


class EndpointFailed(MtoolError):
    """An endpoint that did not come into service; ``reason`` is SageMaker's text."""

    def __init__(self, name: str, reason: str) -> None:
        plain = " ".join(reason.split()) or "no reason was given"
        known = "".join(f"; known failure {one.row}: {one.fix}" for one in recognise(plain)[:1])
        super().__init__(
            f"{name} failed: {plain}{known}; type: mtool doctor {name}; then: mtool delete {name}"
        )
        self.name = name
        self.reason = reason


# On the way to something else; billed or not, it cannot be deleted meanwhile.
CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True, slots=True)
class EndpointState:
    """A state that an endpoint has come to."""

    status: str
    """The state, in SageMaker's words."""

    after: timedelta
    """How long after the first time that it was asked for."""


def endpoint_states(
    name: str,
    *,
    every: float = EVERY,
    clock: Clock = lambda: datetime.now(UTC),
    sleep: Sleep = time.sleep,
    notify: Notify = notify_nobody,
) -> Iterator[EndpointState]:
    """Yield the endpoint's states as they change, until it is in one that stays.

    While AWS is busy or the network is gone, ``notify`` is given each wait. Raises NotThere once it is gone,
    and EndpointFailed where it failed. ``clock`` and ``sleep`` stand for time itself.
    """
    seen, started = "", clock()
    request = resources.describe("endpoint", name)
    while True:
        description = retry(lambda: send(request), notify=notify, sleep=sleep)
        status = description["EndpointStatus"]
        if status != seen:
            yield EndpointState(status, clock() - started)
        if status == "Failed":
            raise EndpointFailed(name, description.get("FailureReason", ""))
        if status not in CHANGING:
            return
        seen = status
        sleep(every)
