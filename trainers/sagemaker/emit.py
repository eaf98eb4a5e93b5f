"""A request as a script that sends it: Python with boto3, or one ``aws`` command line.

Names in a request may come from a manifest, or from anybody. Nothing in them is ever more than text here.
"""

import json
import re
import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_OPERATION = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_SERVICE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)

_SCRIPT = '''\
"""Sends one request to AWS; written by mtool. What it creates may be billed."""

import json

import boto3

REQUEST = {request}

client = boto3.client({service}{region})
answer = client.{operation}(**REQUEST)
answer.pop("ResponseMetadata", None)
print(json.dumps(answer, indent=2, default=str))
'''


def as_boto3(
    operation: str, request: Mapping[str, Any], *, region: str | None = None, service: str = "sagemaker"
) -> str:
    """Return a Python script that makes the call; ``operation`` is the name of boto3's method.

    Without ``region`` AWS's own variables and profile say where.
    """
    _check(operation, service)
    return _SCRIPT.format(
        request=_literal(request),
        operation=operation,
        service=ascii(service),
        region="" if region is None else f", region_name={region!a}",
    )


def as_cli(
    operation: str, request: Mapping[str, Any], *, region: str | None = None, service: str = "sagemaker"
) -> str:
    """Return an ``aws`` command line that makes the call, quoted for a POSIX shell.

    >>> print(as_cli("stop_training_job", {"TrainingJobName": "birds-1"}), end="")
    aws sagemaker stop-training-job --cli-input-json '{
      "TrainingJobName": "birds-1"
    }'
    """
    _check(operation, service)
    words = ["aws", service, operation.replace("_", "-")]
    if region is not None:
        words += ["--region", region]
    words += ["--cli-input-json", json.dumps(request, indent=2, default=_text)]
    return shlex.join(words) + "\n"


def _check(operation: str, service: str) -> None:
    if not _OPERATION.fullmatch(operation):
        raise ValueError(f"expected the name of a method of boto3, found {operation!r}")
    if not _SERVICE.fullmatch(service):
        raise ValueError(f"expected the name of a service of boto3, found {service!r}")


def _literal(value: Any, indent: str = "") -> str:
    """Return Python that makes the value, laid out as JSON would be; texts in ASCII, so that none is odd."""
    inner = f"{indent}    "
    if isinstance(value, Mapping) and value:
        rows = [f"{inner}{_scalar(key)}: {_literal(one, inner)},\n" for key, one in value.items()]
        return "{\n" + "".join(rows) + indent + "}"
    if isinstance(value, list | tuple) and value:
        rows = [f"{inner}{_literal(one, inner)},\n" for one in value]
        return "[\n" + "".join(rows) + indent + "]"
    return "{}" if isinstance(value, Mapping) else "[]" if isinstance(value, list | tuple) else _scalar(value)


def _scalar(value: Any) -> str:
    """Return a text, number, truth or nothing as Python; texts in double quotes, as in JSON."""
    if isinstance(value, str):
        # JSON's escapes are Python's as well, but for a character beyond 16 bits, which JSON halves.
        plain = value.isascii() and value.isprintable()
        return json.dumps(value) if plain else ascii(value)
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    return _scalar(_text(value))


def _text(value: Any) -> str:
    """Return a time as AWS's tools read it; anything else is in no request of ours."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"expected what JSON can hold, found {type(value).__name__}")
