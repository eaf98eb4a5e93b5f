"""The one client of SageMaker and of the services beside it; no other module of the trainers uses boto3.

AWS's own variables and files alone configure it (``AWS_PROFILE``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``,
``AWS_ENDPOINT_URL_SAGEMAKER``...). Every failure is an MtoolError of one line that says what to set or
type, see ``errors``.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import Any

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.io.aws_details import tell_requests
from trainers.sagemaker.client.errors import Denied, NotThere, Taken, Throttled, Unreachable, failure, refusal
from trainers.sagemaker.requests.requests import Request

__all__ = [
    "Denied",
    "NotThere",
    "Taken",
    "Throttled",
    "Unreachable",
    "call_service",
    "pages",
    "region",
    "role_arn",
    "send",
]

Answer = dict[str, Any]

_CONNECTIONS = 32  # as many as predict --endpoint asks at once, and some more


def send(request: Request) -> Answer:
    """Send a request to SageMaker, as ``requests`` and ``resources`` make it, and return the answer."""
    return call_service("sagemaker", request.operation, request.body)


def call_service(service: str, operation: str, body: Answer | None = None) -> Answer:
    """Call boto3's method ``operation`` of a service ("logs", "sts"...) and return the answer.

    Raises NotThere, Taken, Denied, Throttled or Unreachable, which are all MtoolErrors, or another
    MtoolError.
    """
    with _in_words(service, operation):
        answer: Answer = getattr(_client(service), operation)(**(body or {}))
    return answer


def pages(request: Request, service: str = "sagemaker") -> Iterator[Answer]:
    """Yield the answers of a list page by page, as they are asked for; raises what ``ask`` does."""
    with _in_words(service, request.operation):
        paginator = _client(service).get_paginator(request.operation)
        answers = iter(paginator.paginate(**request.body))
    while True:
        with _in_words(service, request.operation):
            answer = next(answers, None)
        if answer is None:
            return
        yield answer


def region() -> str:
    """Return the region in use; raises Refused where none is set."""
    with _in_words("sagemaker", "region"):
        found: str = _client("sagemaker").meta.region_name
    return found


def role_arn(given: str | None = None) -> str:
    """Return the ARN of the role that a job runs as: ``given``, or else MTOOL_ROLE.

    A role's name becomes an ARN in the account of the credentials. Raises Refused where there is no role.
    """
    role = given or os.environ.get("MTOOL_ROLE", "")
    if not role:
        raise Refused(
            "there is no role for SageMaker to run as; type --role ARN, or set MTOOL_ROLE; `mtool policy`"
            " prints what the role must allow"
        )
    if role.startswith("arn:"):
        return role
    caller = call_service("sts", "get_caller_identity")["Arn"].split(":")
    return f"arn:{caller[1]}:iam::{caller[4]}:role/{role}"


def _client(service: str) -> Any:
    """Return this process's client; a new one after a fork, or when AWS's variables have changed."""
    settings = tuple(item for item in os.environ.items() if item[0].startswith("AWS_"))
    return _new_client(service, os.getpid(), settings)


@functools.lru_cache(maxsize=8)
def _new_client(service: str, pid: int, settings: tuple[tuple[str, str], ...]) -> Any:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    # boto3 itself reads AWS_DEFAULT_REGION only; AWS's other tools, and its own docs, read this one.
    place = os.environ.get("AWS_REGION") or None
    config = Config(max_pool_connections=_CONNECTIONS)
    session: Any = boto3.session.Session()
    try:
        client = session.client(service, region_name=place, config=config)
    except BotoCoreError:  # of which one, a region that is no name, is a ValueError too
        raise
    except ValueError as error:  # an endpoint that is no URL
        raise MtoolError(f"AWS: {error}; set AWS_ENDPOINT_URL to http://host:port") from error
    tell_requests(client)
    return client


@contextlib.contextmanager
def _in_words(service: str, operation: str) -> Iterator[None]:
    """Turn errors of boto3 inside the block into an MtoolError about the action."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        action = f"{_PREFIXES.get(service, service)}:{error.operation_name}"
        raise refusal(action, error.response, _client(service).meta.region_name) from error
    except BotoCoreError as error:
        raise failure(_TITLES.get(service, service), error) from error


# What an action of IAM begins with, where it is not boto3's name of the service; and what people call it.
_PREFIXES = {"sagemaker-runtime": "sagemaker"}
_TITLES = {
    "sagemaker": "SageMaker",
    "sagemaker-runtime": "SageMaker",
    "logs": "CloudWatch Logs",
    "cloudwatch": "CloudWatch",
    "sts": "AWS STS",
    "apigateway": "API Gateway",
    "s3": "S3",
    "events": "EventBridge",
}
