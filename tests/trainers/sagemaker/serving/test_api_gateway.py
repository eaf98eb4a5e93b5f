import json

import pytest

from manifest_tools.base.errors import MtoolError, Refused
from tests.trainers.sagemaker.api_gateway import ApiGateway, api_gateway
from tests.trainers.sagemaker.resources import Fault
from tests.trainers.sagemaker.served_models import API_ROLE
from trainers.sagemaker.client.calls import run_calls
from trainers.sagemaker.client.client import Throttled
from trainers.sagemaker.client.retry import notify_nobody
from trainers.sagemaker.serving.api_gateway import (
    Api,
    address,
    calls,
    definition,
    deletion,
    description,
    find,
    role_documents,
)

__all__ = ["api_gateway"]  # a fixture

API = Api(name="hands-1", region="us-east-1", role=API_ROLE)


def test_the_definition_hands_pictures_on_as_they_are() -> None:
    document = definition(API)
    assert document["x-amazon-apigateway-binary-media-types"] == [
        "image/jpeg",
        "image/png",
        "application/x-image",
    ]
    integration = document["paths"]["/predict"]["post"]["x-amazon-apigateway-integration"]
    assert integration["uri"] == (
        "arn:aws:apigateway:us-east-1:runtime.sagemaker:path/endpoints/hands-1/invocations"
    )
    assert (integration["type"], integration["httpMethod"]) == ("aws", "POST")
    assert integration["credentials"] == API_ROLE
    header = integration["requestParameters"]["integration.request.header.Content-Type"]
    assert header == "method.request.header.Content-Type"


def test_who_asks_signs_the_request_unless_it_is_public() -> None:
    signed = definition(API)
    scheme = signed["components"]["securitySchemes"]["signed"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert signed["paths"]["/predict"]["post"]["security"] == [{"signed": []}]
    public = definition(Api(name="hands-1", region="us-east-1", role=API_ROLE, public=True))
    assert "components" not in public
    assert "security" not in public["paths"]["/predict"]["post"]


def test_every_response_of_the_integration_is_one_of_the_method() -> None:
    operation = definition(API)["paths"]["/predict"]["post"]
    responses = operation["x-amazon-apigateway-integration"]["responses"]
    answered = {one["statusCode"] for one in responses.values()}
    assert answered == set(operation["responses"])


def test_in_china_everything_is_of_another_partition() -> None:
    role = API_ROLE.replace("arn:aws:", "arn:aws-cn:")
    api = Api(name="hands-1", region="cn-north-1", role=role)
    uri = definition(api)["paths"]["/predict"]["post"]["x-amazon-apigateway-integration"]["uri"]
    assert uri.startswith("arn:aws-cn:apigateway:cn-north-1:")
    assert address("a1", "cn-north-1") == "https://a1.execute-api.cn-north-1.amazonaws.com.cn/v1/predict"


def test_the_role_may_ask_this_endpoint_and_nothing_else() -> None:
    documents = role_documents(API)
    assert documents["trust"]["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}
    statement = documents["policy"]["Statement"][0]
    assert statement["Action"] == "sagemaker:InvokeEndpoint"
    assert statement["Resource"] == "arn:aws:sagemaker:us-east-1:111122223333:endpoint/hands-1"


CHINA = API_ROLE.replace("aws:", "aws-cn:")


@pytest.mark.parametrize(("name", "role"), [("hands_1", API_ROLE), ("hands-1", "ask"), ("hands-1", CHINA)])
def test_an_api_that_would_fail_is_refused(name: str, role: str) -> None:
    with pytest.raises(Refused):
        Api(name=name, region="us-east-1", role=role)


def test_it_is_made_found_and_deleted(api_gateway: ApiGateway) -> None:
    for number in range(5):
        other = {"id": f"other{number}", "name": "hands-1", "description": "mine"}
        api_gateway.apis[other["id"]] = other
    made = run_calls(calls(API), notify_nobody, later="")
    assert api_gateway.apis[made]["stages"] == ["v1"]
    assert api_gateway.apis[made]["document"] == definition(API)
    assert api_gateway.sent("ImportRestApi")[0]["parameters"] == {"endpointConfigurationTypes": "REGIONAL"}
    assert find("hands-1") == [made]
    assert find("hands-2") == []
    deletion(made).send()
    assert find("hands-1") == []
    assert len(api_gateway.apis) == 5


def test_one_that_cannot_be_put_into_service_is_taken_back(api_gateway: ApiGateway) -> None:
    api_gateway.faults["CreateDeployment"] = Fault("TooManyRequestsException", "Too Many Requests", 429)
    with pytest.raises(Throttled):
        run_calls(calls(API), notify_nobody, later="")
    assert api_gateway.apis == {}


def test_a_refusal_is_one_line(api_gateway: ApiGateway) -> None:
    api_gateway.faults["ImportRestApi"] = Fault("BadRequestException", "Errors found during import:\n\tx")
    with pytest.raises(MtoolError, match=r"^apigateway:ImportRestApi: Errors found during import: x$"):
        run_calls(calls(API), notify_nobody, later="")


def test_the_calls_say_which_answer_goes_where() -> None:
    first, second = calls(API)
    assert (first.answer, second.takes) == ("id", "restApiId")
    assert json.loads(first.body["body"])["info"]["description"] == description("hands-1")
