import pytest

from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.api_gateway import ApiGateway, api_gateway
from tests.trainers.sagemaker.resources import Fault
from tests.trainers.sagemaker.served_models import API_ROLE, in_service
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.sagemaker.client.calls import run_calls
from trainers.sagemaker.client.client import Denied, NotThere
from trainers.sagemaker.client.retry import notify_nobody
from trainers.sagemaker.serving.api_gateway import Api, calls
from trainers.sagemaker.serving.delete import EndpointParts, delete, find_parts

__all__ = ["api_gateway"]  # a fixture


def titles(found: EndpointParts) -> list[str]:
    return [part.title for part in found.parts if not part.kept]


def test_all_that_was_made_for_it_goes_with_it(sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands", mtool__remind_after="2024-03-01T14:30:05Z")
    found = find_parts("hands")
    assert titles(found) == ["endpoint hands", "endpoint configuration hands", "model hands"]
    assert (found.state, found.reminder) == ("InService", "2024-03-01T14:30:05Z")
    assert [call.operation for call in found.calls] == [
        "delete_endpoint",
        "delete_endpoint_config",
        "delete_model",
    ]
    assert all(delete(part) for part in found.parts)
    assert not any(sagemaker.things.values())


def test_what_may_serve_others_is_kept(sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="other")
    assert titles(find_parts("hands")) == ["endpoint hands"]
    assert len(titles(find_parts("hands", everything=True))) == 3


def test_the_api_is_deleted_first(sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands", mtool__api="v1")
    made = run_calls(calls(Api(name="hands", region="us-east-1", role=API_ROLE)), notify_nobody, later="")
    found = find_parts("hands")
    assert titles(found)[0] == f"API {made}"
    assert delete(found.parts[0])
    assert not delete(found.parts[0])


def test_nobody_looks_for_an_api_that_was_never_made(sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    find_parts("hands")
    assert api_gateway.requests == []


def test_what_is_left_of_one_that_is_gone(sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    del sagemaker.endpoints["hands"]
    assert titles(find_parts("hands")) == ["endpoint configuration hands", "model hands"]
    del sagemaker.things["EndpointConfig"]["hands"]
    assert titles(find_parts("hands")) == ["model hands"]


def test_whether_there_is_an_api_cannot_be_seen(sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    in_service(sagemaker, "hands", mtool__api="v1")
    api_gateway.faults["GetRestApis"] = Fault("AccessDeniedException", "", 403)
    found = find_parts("hands")
    assert "whether there is an API in front of it may not be looked at" in found.notes[0]


def test_nothing_of_that_name(sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    with pytest.raises(
        NotThere, match="there is no endpoint of that name in us-east-1, and nothing that one has left"
    ):
        find_parts("hands")


def test_a_name_that_nothing_can_have(sagemaker: SageMaker) -> None:
    with pytest.raises(Refused, match="name of the endpoint"):
        find_parts("a_b")


def test_without_leave_to_look(sagemaker: SageMaker) -> None:
    sagemaker.answer("DescribeEndpoint", Fault("AccessDeniedException", ""))
    with pytest.raises(Denied):
        find_parts("hands")


def test_without_leave_to_read_tags_the_endpoint_can_be_deleted_all_the_same(sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    sagemaker.answer("ListTags", *[Fault("AccessDeniedException", "")] * 3)
    found = find_parts("hands")
    assert titles(found) == ["endpoint hands"]
    assert "what its parts were made for may not be looked at, so they stay: access denied" in found.notes[0]


def test_without_leave_to_see_the_rest_likewise(sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    sagemaker.answer("DescribeEndpointConfig", *[Fault("AccessDeniedException", "")] * 2)
    found = find_parts("hands")
    assert titles(found) == ["endpoint hands", "model hands"]
    assert "endpoint configuration hands: may not be looked at, so it stays" in found.notes[0]
