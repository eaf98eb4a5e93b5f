import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from manifest_tools.base.errors import MtoolError, Refused
from tests.trainers.sagemaker.api_gateway import ApiGateway, api_gateway
from tests.trainers.sagemaker.labs import IC, MODEL, ROLE
from tests.trainers.sagemaker.resources import THROTTLED, Fault, Step
from tests.trainers.sagemaker.served_models import API_ROLE, TABLE
from tests.trainers.sagemaker.service_model import problems
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.sagemaker import Instances, Serverless, Vpc
from trainers.sagemaker.client.client import NotThere, Throttled, Unreachable
from trainers.sagemaker.client.scripts import as_json
from trainers.sagemaker.serving.deploy import (
    DeploymentPlan,
    DeploymentSettings,
    EndpointFailed,
    EndpointState,
    check_names_are_free,
    endpoint_states,
    make_endpoint,
    plan_deployment,
)
from trainers.sagemaker.serving.model_source import ModelSource

__all__ = ["api_gateway"]  # a fixture

NOW = datetime(2024, 3, 1, 12, 30, 5, tzinfo=UTC)
SOURCE = ModelSource(title="a model", stem="hands", algorithm=IC, role=ROLE, data=MODEL, table=TABLE)
CLASSES = "s3://lab3-models/hands/classes.json"


def planned(**settings: Any) -> DeploymentPlan:
    return plan_deployment(SOURCE, MODEL, CLASSES, "us-east-1", DeploymentSettings(**settings), NOW)


def operations(deployment: DeploymentPlan) -> list[str]:
    return [call.operation for call in deployment.calls]


def test_all_three_have_one_name_with_the_time_in_it() -> None:
    deployment = planned()
    assert deployment.name == "hands-20240301-123005"
    assert operations(deployment) == ["create_model", "create_endpoint_config", "create_endpoint"]
    config, endpoint = deployment.calls[1].body, deployment.calls[2].body
    assert config["EndpointConfigName"] == endpoint["EndpointConfigName"] == deployment.name
    assert config["ProductionVariants"][0]["ModelName"] == deployment.calls[0].body["ModelName"]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="nothing set"),
        pytest.param({"serving": Serverless(1024, 200)}, id="serverless"),
        pytest.param({"serving": Instances("ml.g4dn.xlarge", 2), "tags": {"a": "b"}}, id="a GPU, and tags"),
        pytest.param({"vpc": Vpc(("subnet-0abc",), ("sg-0abc",)), "volume_key": "alias/k"}, id="a network"),
        pytest.param({"remind_after": timedelta(hours=2)}, id="a reminder"),
    ],
)
def test_every_request_is_one_that_the_service_takes(settings: dict[str, Any]) -> None:
    for call in planned(**settings).calls:
        assert problems(call.operation, call.body) == []


def test_the_endpoint_carries_what_others_read_of_it() -> None:
    several = replace(SOURCE, multi_label=True)
    settings = DeploymentSettings(remind_after=timedelta(hours=2), api_role=API_ROLE)
    tags = plan_deployment(several, MODEL, CLASSES, "us-east-1", settings, NOW).endpoint.tags
    assert tags == {
        "mtool:made-for": "hands-20240301-123005",
        "mtool:classes": CLASSES,
        "mtool:classes-sha256": TABLE.digest,
        "mtool:multi-label": "1",
        "mtool:api": "v1",
        "mtool:remind-after": "2024-03-01T14:30:05Z",
    }


def test_a_place_that_no_tag_can_hold_is_left_out() -> None:
    deployment = plan_deployment(
        SOURCE, MODEL, "s3://b/a,b/classes.json", "us-east-1", DeploymentSettings(), NOW
    )
    assert "mtool:classes" not in deployment.endpoint.tags


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"name": "a_b"}, "name of the", id="a name with an underscore"),
        pytest.param({"serving": Instances("ml.c6g.large")}, "an ARM", id="an ARM"),
        pytest.param(
            {"serving": Serverless(), "vpc": Vpc(("subnet-0abc",), ("sg-0abc",))},
            "a serverless endpoint has no private network",
            id="serverless in a network",
        ),
        pytest.param({"serving": Serverless(), "volume_key": "k"}, "has no volume", id="a key for no disk"),
        pytest.param({"tags": {"a": "b,c"}}, "no commas", id="a tag with a comma"),
        pytest.param({"api_role": "me"}, "role: expected arn", id="an API without a role's ARN"),
    ],
)
def test_what_would_fail_is_refused_before_a_call(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refused:
        planned(**settings)
    assert message in str(refused.value)


def test_everything_is_made_in_order(sagemaker: SageMaker) -> None:
    messages: list[str] = []
    make_endpoint(planned(), messages.append)
    name = "hands-20240301-123005"
    assert [one.operation for one in sagemaker.requests] == [
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
    ]
    assert messages == [
        f"model {name}: made",
        f"endpoint configuration {name}: made",
        f"endpoint {name}: asked for",
    ]


def test_what_is_printed_is_what_runs(sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    deployment = planned(api_role=API_ROLE)
    rows = json.loads(as_json(deployment.calls))
    make_endpoint(deployment, lambda text: None)
    sent = [one.operation for one in sagemaker.requests] + [name for name, _ in api_gateway.requests]
    assert sorted(row["operation"].replace("_", "") for row in rows) == sorted(map(str.lower, sent))
    for row in rows:
        if row["service"] == "sagemaker":
            (body,) = sagemaker.sent("".join(map(str.capitalize, row["operation"].split("_"))))
            assert body == row["request"]


def test_every_call_but_the_last_and_the_stage_of_an_api_says_how_it_is_undone() -> None:
    undone = [call.operation for call in planned(api_role=API_ROLE).calls if call.undo is not None]
    assert undone == ["create_model", "create_endpoint_config", "import_rest_api"]


LIMIT = Fault(
    "ResourceLimitExceeded", "The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances"
)


@pytest.mark.parametrize(
    ("operation", "fault", "kind"),
    [
        pytest.param(
            "CreateModel", Fault("ValidationException", "Could not access"), Refused, id="the model"
        ),
        pytest.param(
            "CreateEndpointConfig", Fault("AccessDeniedException", ""), MtoolError, id="its settings"
        ),
        pytest.param("CreateEndpoint", LIMIT, Refused, id="a quota"),
        pytest.param("CreateEndpoint", THROTTLED, Throttled, id="throttled"),
    ],
)
def test_what_was_made_is_taken_back(
    sagemaker: SageMaker, operation: str, fault: Fault, kind: type[MtoolError]
) -> None:
    sagemaker.answer(operation, fault)
    with pytest.raises(kind):
        make_endpoint(planned(), lambda text: None)
    assert {kind: list(things) for kind, things in sagemaker.things.items() if things} == {}


def test_what_the_caller_made_is_taken_back_last(sagemaker: SageMaker) -> None:
    sagemaker.answer("CreateEndpoint", LIMIT)
    messages: list[str] = []
    with pytest.raises(Refused):
        make_endpoint(planned(), messages.append, [("upload", lambda: None)])
    assert messages[-1] == "upload: taken back"


def test_an_api_is_taken_back_as_well(sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    sagemaker.answer("CreateEndpoint", LIMIT)
    messages: list[str] = []
    with pytest.raises(Refused, match="ml.m5.large for endpoint usage"):
        make_endpoint(planned(api_role=API_ROLE), messages.append)
    assert api_gateway.apis == {}
    assert sum("taken back" in line for line in messages) == 3


def test_the_api_is_made_before_the_endpoint(
    sagemaker: SageMaker,
    api_gateway: ApiGateway,
) -> None:
    api_gateway.faults["ImportRestApi"] = Fault("BadRequestException", "no")
    with pytest.raises(Refused):
        make_endpoint(planned(api_role=API_ROLE), lambda text: None)
    assert sagemaker.sent("CreateEndpoint") == []
    assert sagemaker.things["Model"] == {}


def test_what_cannot_be_taken_back_is_said(sagemaker: SageMaker) -> None:
    sagemaker.answer("CreateEndpoint", LIMIT)
    sagemaker.answer("DeleteModel", Fault("AccessDeniedException", ""))
    messages: list[str] = []
    with pytest.raises(Refused):
        make_endpoint(planned(), messages.append)
    assert "model hands-20240301-123005: cannot be taken back: access denied" in messages[-1]


def interrupt_at(word: str) -> Callable[[str], None]:
    def notify(text: str) -> None:
        if text.endswith(word):
            raise KeyboardInterrupt

    return notify


def test_ctrl_c_before_the_endpoint_takes_all_back(sagemaker: SageMaker) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_endpoint(planned(), interrupt_at(": made"))
    assert sagemaker.things["Model"] == sagemaker.things["EndpointConfig"] == {}


def test_an_endpoint_that_was_made_though_no_answer_came_is_left_and_said(sagemaker: SageMaker) -> None:
    deployment = planned()
    sagemaker.put("Endpoint", deployment.name, body={"EndpointConfigName": deployment.name})
    messages: list[str] = []
    undone: list[str] = []
    with pytest.raises(MtoolError, match="already existing"):  # botocore asks again by itself
        make_endpoint(deployment, messages.append, [("upload", lambda: undone.append("upload"))])
    assert undone == []
    assert messages[-1] == f"{deployment.name} bills until you type: mtool delete {deployment.name}"
    assert list(sagemaker.things["Model"]) == [deployment.name]


def test_somebody_else_s_endpoint_of_the_name_is_left_alone(sagemaker: SageMaker) -> None:
    deployment = planned()
    sagemaker.put("Endpoint", deployment.name)
    with pytest.raises(MtoolError):
        make_endpoint(deployment, lambda text: None)
    assert list(sagemaker.endpoints) == [deployment.name]
    assert sagemaker.things["Model"] == {}


@pytest.mark.parametrize(
    ("kind", "title"),
    [("Model", "a model"), ("EndpointConfig", "an endpoint configuration"), ("Endpoint", "an endpoint")],
)
def test_a_name_that_is_taken_is_refused_before_anything(sagemaker: SageMaker, kind: str, title: str) -> None:
    sagemaker.put(kind, "hands-20240301-123005")
    with pytest.raises(Refused, match=f"there is {title} of that name already; take another --name"):
        check_names_are_free(planned())


class Nights:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=sum(self.slept))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert len(self.slept) < 100, "it would never end"


@pytest.fixture
def nights() -> Nights:
    return Nights()


def test_states_are_told_as_they_change(sagemaker: SageMaker, nights: Nights) -> None:
    sagemaker.put("Endpoint", "a", Step("Creating"), Step("Creating"), Step("InService"))
    seen = list(endpoint_states("a", clock=nights.now, sleep=nights.sleep, every=7))
    assert seen == [EndpointState("Creating", timedelta()), EndpointState("InService", timedelta(seconds=14))]
    assert nights.slept == [7, 7]


def test_what_passes_is_waited_out(sagemaker: SageMaker, nights: Nights) -> None:
    sagemaker.put("Endpoint", "a", Step("InService"))
    sagemaker.answer("DescribeEndpoint", *[THROTTLED] * 3)
    messages: list[str] = []
    (seen,) = endpoint_states("a", sleep=nights.sleep, notify=messages.append)
    assert seen.status == "InService"
    assert nights.slept == [1, 2, 4]
    assert "AWS is too busy" in messages[0]


def test_what_does_not_pass_is_raised(account_guard: None, nights: Nights) -> None:
    with pytest.raises(Unreachable):
        list(endpoint_states("a", sleep=nights.sleep))
    assert len(nights.slept) == 11


def test_a_failed_endpoint_says_why_and_what_to_type(sagemaker: SageMaker, nights: Nights) -> None:
    reason = "The primary container did not pass the ping health check.\nSee CloudWatch logs."
    sagemaker.put("Endpoint", "a", Step("Creating"), Step("Failed", reason=reason))
    seen = endpoint_states("a", sleep=nights.sleep)
    with pytest.raises(EndpointFailed) as failed:
        list(seen)
    assert str(failed.value).endswith("type: mtool doctor a; then: mtool delete a")
    assert "\n" not in str(failed.value)
    assert failed.value.reason == reason


def test_a_known_failure_is_named_with_its_fix(sagemaker: SageMaker, nights: Nights) -> None:
    reason = "The account-level service limit 'ml.p2.xlarge for endpoint usage' is 0 Instances"
    sagemaker.put("Endpoint", "a", Step("Failed", reason=reason))
    with pytest.raises(EndpointFailed, match="known failure 43: "):
        list(endpoint_states("a", sleep=nights.sleep))


def test_one_that_is_gone_is_no_endless_wait(sagemaker: SageMaker, nights: Nights) -> None:
    with pytest.raises(NotThere):
        list(endpoint_states("a", sleep=nights.sleep))
