"""A model in service: model, endpoint configuration, endpoint, and an API in front of it if one is wanted.

They are made in this order, the endpoint last, and taken back when a later one cannot be made. An endpoint
bills from then on, and cannot be deleted while it is being created.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.known_failures import recognise
from trainers.sagemaker.client import tags
from trainers.sagemaker.client.calls import Call, of_sagemaker
from trainers.sagemaker.client.client import NotThere, send
from trainers.sagemaker.client.retry import Notify, Sleep, ignore, retry
from trainers.sagemaker.requests import resources
from trainers.sagemaker.requests.endpoint import Endpoint, EndpointConfig, Instances, Model, Serverless
from trainers.sagemaker.requests.names import job_name
from trainers.sagemaker.requests.requests import create
from trainers.sagemaker.requests.training_job import CLASSES_TAG, Vpc
from trainers.sagemaker.serving import api_gateway
from trainers.sagemaker.serving.api_gateway import Api
from trainers.sagemaker.serving.model_source import ModelSource

INSTANCE_TYPE = "ml.m5.large"
EVERY = 10.0  # seconds from one look to the next

Undo = Callable[[], object]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPlan:
    """All that is to be made; the endpoint, its configuration and its model have one name."""

    model: Model
    config: EndpointConfig
    endpoint: Endpoint
    api: Api | None = None

    @property
    def name(self) -> str:
        """The name of the endpoint."""
        return self.endpoint.name

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that make it, in order."""
        model, config, endpoint = (
            of_sagemaker(create(one)) for one in (self.model, self.config, self.endpoint)
        )
        return (model, config, *(api_gateway.calls(self.api) if self.api else ()), endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSettings:
    """What a person may set; ``remind_after`` from the time of the deployment."""

    serving: Instances | Serverless = Instances(INSTANCE_TYPE)
    name: str | None = None
    vpc: Vpc | None = None
    volume_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    remind_after: timedelta | None = None
    api_role: str | None = None
    public: bool = False


def plan_deployment(
    source: ModelSource, data: str, classes: str, region: str, settings: DeploymentSettings, now: datetime
) -> DeploymentPlan:
    """Return what is to be made of a model at ``data`` in S3, whose classes.json is at ``classes`` if at all.

    Raises Refused for what the service would not take. Nothing is asked of it.
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
        endpoint=Endpoint(name=name, config=name, tags={**given, **_told(source, classes, settings, now)}),
        api=api or None,
    )


def _told(source: ModelSource, classes: str, settings: DeploymentSettings, now: datetime) -> dict[str, str]:
    """Return the tags that tell ``predict``, ``delete`` and ``jobs --idle`` what they want to know."""
    found = {tags.CLASSES: classes} if classes and tags.fits(classes) else {}
    found |= {CLASSES_TAG: source.table.digest} if source.table else {}
    found |= {tags.MULTI_LABEL: "1"} if source.multi_label else {}
    found |= {tags.API: api_gateway.STAGE} if settings.api_role else {}
    if settings.remind_after is not None:
        found[tags.REMIND_AFTER] = tags.time_text(now + settings.remind_after)
    return found


def check_free(deployment: DeploymentPlan) -> None:
    """Raise Refused where something of the name is there already, before anything is made."""
    for kind in ("endpoint", "endpoint-config", "model"):
        try:
            send(resources.describe(kind, deployment.name))
        except NotThere:
            continue
        title = ("an " if kind.startswith("e") else "a ") + resources.KINDS[kind].title
        raise Refused(
            f"{deployment.name}: there is {title} of that name already; take another --name, or type:"
            f" mtool delete {deployment.name}"
        )


def make(deployment: DeploymentPlan, notify: Notify, before: Sequence[tuple[str, Undo]] = ()) -> str:
    """Make all of it, and return the API's ID, or an empty text; each step is told.

    When a step fails, or is interrupted, what was made before it is taken back, also what the caller made
    (``before``: what it is called, and what undoes it), and what had to stay is told.
    """
    made: list[tuple[str, Undo]] = [*before]
    asked, api_id = False, ""
    try:
        for kind, value in (("model", deployment.model), ("endpoint-config", deployment.config)):
            send(create(value))
            made.append(
                (f"{resources.KINDS[kind].title} {deployment.name}", _deletion(kind, deployment.name))
            )
            notify(f"{made[-1][0]}: made")
        if deployment.api is not None:
            api_id = api_gateway.make(deployment.api)
            made.append((f"API {api_id}", lambda: api_gateway.delete(api_id)))
            notify(f"{made[-1][0]}: made")
        asked = True
        send(create(deployment.endpoint))
    except BaseException:
        if not (asked and _is_there_all_the_same(deployment.name, notify)):
            _take_back(made, notify)
        raise
    notify(f"endpoint {deployment.name}: asked for")
    return api_id


def _deletion(kind: str, name: str) -> Undo:
    return lambda: send(resources.delete(kind, name))


def _is_there_all_the_same(name: str, notify: Notify) -> bool:
    """Say whether the endpoint was made although no answer came; or may have been, if nobody can say."""
    try:
        if send(resources.describe("endpoint", name))["EndpointConfigName"] != name:
            return False
    except NotThere:
        return False
    except MtoolError as error:
        notify(f"endpoint {name}: may have been made ({error})")
    notify(still_bills(name))
    return True


def _take_back(made: list[tuple[str, Undo]], notify: Notify) -> None:
    for title, undo in reversed(made):
        try:
            undo()
        except NotThere:
            continue
        except MtoolError as error:
            notify(f"{title}: cannot be taken back: {error}")
        else:
            notify(f"{title}: taken back")


def still_bills(name: str) -> str:
    """Return what to say of an endpoint that is left as it is."""
    return f"{name} bills until you type: mtool delete {name}"


class EndpointFailed(MtoolError):
    """An endpoint that did not come into service; ``reason`` is SageMaker's."""

    def __init__(self, name: str, reason: str) -> None:
        plain = " ".join(reason.split()) or "no reason was given"
        known = "".join(f"; known failure {one.row}: {one.fix}" for one in recognise(plain)[:1])
        super().__init__(
            f"{name} failed: {plain}{known}; type: mtool doctor {name}; then: mtool delete {name}"
        )
        self.name = name
        self.reason = reason


# On the way to something else; billed or not, it cannot be deleted meanwhile.
PASSING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True, slots=True)
class EndpointState:
    """A state that an endpoint has come to, so long after the first look."""

    status: str
    after: timedelta


def endpoint_states(
    name: str,
    *,
    every: float = EVERY,
    clock: Clock = lambda: datetime.now(UTC),
    sleep: Sleep = time.sleep,
    notify: Notify = ignore,
) -> Iterator[EndpointState]:
    """Yield the endpoint's states as they change, until it is in one that stays.

    What passes (AWS is busy, the network is gone) is told and waited out. Raises NotThere once it is gone,
    and EndpointFailed where it failed. ``clock`` and ``sleep`` stand for time itself.
    """
    seen, started = "", clock()
    request = resources.describe("endpoint", name)
    while True:
        told: dict[str, Any] = retry(lambda: send(request), tries=12, notify=notify, sleep=sleep)
        status = told["EndpointStatus"]
        if status != seen:
            yield EndpointState(status, clock() - started)
        if status == "Failed":
            raise EndpointFailed(name, told.get("FailureReason", ""))
        if status not in PASSING:
            return
        seen = status
        sleep(every)
