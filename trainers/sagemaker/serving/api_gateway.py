"""An API Gateway in front of an endpoint: a REST API that passes a picture on, and the answer back.

An HTTP API has no integration with SageMaker. A REST API has a plain AWS integration, without a function in
between (https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-request-basic-setup.html).
"""

import json
from dataclasses import dataclass
from typing import Any

from trainers.sagemaker.client.calls import Call
from trainers.sagemaker.client.client import pages
from trainers.sagemaker.requests.images import PARTITIONS, partition
from trainers.sagemaker.requests.limits import check_role
from trainers.sagemaker.requests.names import check_name
from trainers.sagemaker.requests.requests import Request

STAGE = "v1"
PATH = "/predict"
CONTENT_TYPES = ("image/jpeg", "image/png", "application/x-image")
LARGEST = 10_000_000  # bytes that a REST API hands on; the endpoint's own limit is below it

_SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A REST API in front of an endpoint.

    Raises Refused for a name or a role that none can have.
    """

    name: str
    """The name of the endpoint, and of the API."""

    region: str
    """Where both are."""

    role: str
    """The ARN of the role with which the API asks the endpoint; it has to trust apigateway.amazonaws.com,
    see ``role_documents``."""

    public: bool = False
    """Whether anybody may ask who knows the address; else requests are signed with AWS credentials."""

    def __post_init__(self) -> None:
        check_name("endpoint", self.name)
        check_role(self.role, self.region)


def description(name: str) -> str:
    """Return the description of the API of an endpoint, by which ``find`` finds it again."""
    return f"mtool deploy: asks the endpoint {name}"


def definition(api: Api) -> dict[str, Any]:
    """Return the API as an OpenAPI document, with API Gateway's extensions."""
    responses = {status: {"description": text} for status, (text, _) in _RESPONSES.items()}
    headers = [{"name": "Content-Type", "in": "header", "required": False, "schema": {"type": "string"}}]
    operation: dict[str, Any] = {
        "summary": "One picture; answers one probability a class, in order of index.",
        "parameters": headers,
        "responses": responses,
        "x-amazon-apigateway-integration": _integration(api),
    }
    document: dict[str, Any] = {
        "openapi": "3.0.1",
        "info": {"title": api.name, "description": description(api.name), "version": STAGE},
        "x-amazon-apigateway-binary-media-types": list(CONTENT_TYPES),
        "paths": {PATH: {"post": operation}},
    }
    if not api.public:
        operation["security"] = [{_SIGNED: []}]
        scheme = {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
        document["components"] = {"securitySchemes": {_SIGNED: scheme}}
    return document


# By status: what it says, and which answers of SageMaker become it.
_RESPONSES = {
    "200": ("The probabilities, as JSON.", "default"),
    "400": ("SageMaker refused the request: its size, or its content type.", r"4\d{2}"),
    "502": ("The model or SageMaker failed.", r"5\d{2}"),
}


def _integration(api: Api) -> dict[str, Any]:
    place = f"arn:{partition(api.region)}:apigateway:{api.region}:runtime.sagemaker"
    return {
        "type": "aws",
        "httpMethod": "POST",
        "uri": f"{place}:path/endpoints/{api.name}/invocations",
        "credentials": api.role,
        "passthroughBehavior": "when_no_match",
        "requestParameters": {
            "integration.request.header.Content-Type": "method.request.header.Content-Type",
            "integration.request.header.Accept": "'application/json'",
        },
        "responses": {pattern: {"statusCode": status} for status, (_, pattern) in _RESPONSES.items()},
    }


def calls(api: Api) -> tuple[Call, Call]:
    """Return the calls that make the API and put it into service; the second takes the ID of the first."""
    made = {
        "failOnWarnings": True,
        "parameters": {"endpointConfigurationTypes": "REGIONAL"},
        "body": json.dumps(definition(api)),
    }
    undo = Call("apigateway", "delete_rest_api", {}, takes="restApiId")
    return (
        Call("apigateway", "import_rest_api", made, answer="id", makes="API", undo=undo),
        Call("apigateway", "create_deployment", {"stageName": STAGE}, takes="restApiId"),
    )


def deletion(api_id: str) -> Call:
    """Return the call that deletes an API with all that belongs to it."""
    return Call("apigateway", "delete_rest_api", {"restApiId": api_id})


def address(api_id: str, region: str) -> str:
    """Return the URL that a picture is posted to.

    >>> address("a1b2", "eu-west-1")
    'https://a1b2.execute-api.eu-west-1.amazonaws.com/v1/predict'
    """
    suffix = next(found for start, (_, found) in PARTITIONS.items() if region.startswith(start))
    return f"https://{api_id}.execute-api.{region}.{suffix}/{STAGE}{PATH}"


def find(name: str) -> list[str]:
    """Return the IDs of the APIs that ``mtool deploy --api`` put in front of the endpoint ``name``."""
    found = []
    for page in pages(Request("get_rest_apis", {}), "apigateway"):
        for one in page.get("items", ()):
            if one.get("name") == name and one.get("description") == description(name):
                found.append(one["id"])
    return found


def role_documents(api: Api) -> dict[str, Any]:
    """Return the trust document and the least policy of the API's role."""
    account = api.role.split(":")[4]
    asked = f"arn:{partition(api.region)}:sagemaker:{api.region}:{account}:endpoint/{api.name.lower()}"
    return {
        "trust": _document(
            {"Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ),
        "policy": _document({"Action": "sagemaker:InvokeEndpoint", "Resource": asked}),
    }


def _document(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
