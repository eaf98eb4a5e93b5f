"""A request as a script that sends it: Python with boto3, or one ``aws`` command line.

Names in a request may come from a manifest, or from anybody. Nothing in them is ever more than text here.
"""

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainers.sagemaker.training.upload import Upload

_OPERATION = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_SERVICE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)

_SCRIPT = '''\
"""Sends one request to AWS; written by mtool. What it creates may be billed."""

import json

import boto3

REQUEST = {request}

{uploads}client = boto3.client({service}{region})
answer = client.{operation}(**REQUEST)
answer.pop("ResponseMetadata", None)
print(json.dumps(answer, indent=2, default=str))
'''


def as_boto3(
    operation: str,
    request: Mapping[str, Any],
    *,
    region: str | None = None,
    service: str = "sagemaker",
    uploads: Sequence["Upload"] = (),
    kms_key: str | None = None,
) -> str:
    """Return a Python script that makes the call; ``operation`` is the name of boto3's method.

    Without ``region`` AWS's own variables and profile say where. ``uploads`` come before the call, encrypted
    with ``kms_key``.
    """
    _check(operation, service)
    return _SCRIPT.format(
        request=_literal(request),
        operation=operation,
        service=ascii(service),
        region="" if region is None else f", region_name={region!a}",
        uploads="".join(_python_uploads(uploads, kms_key)),
    )


def _python_uploads(uploads: Sequence["Upload"], kms_key: str | None) -> Iterator[str]:
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    if uploads:
        yield 's3 = boto3.client("s3")\n'
    for one in uploads:
        bucket, _, key = one.target.removeprefix("s3://").partition("/")
        if one.source:
            extra = f", ExtraArgs={sealed!a}" if sealed else ""
            yield f"s3.upload_file({one.source!a}, {bucket!a}, {key!a}{extra})\n"
        else:
            body = {"Bucket": bucket, "Key": key, "Body": one.content, **sealed}
            yield f"s3.put_object(**{body!a})\n"


def uploads_as_cli(uploads: Sequence["Upload"], kms_key: str | None = None) -> str:
    """Return the ``aws`` command lines that make the objects, quoted for a POSIX shell."""
    return "".join(f"{line}\n" for line in _cli_uploads(uploads, kms_key))


def _cli_uploads(uploads: Sequence["Upload"], kms_key: str | None) -> Iterator[str]:
    sealed = ["--sse", "aws:kms", "--sse-kms-key-id", kms_key] if kms_key else []
    for one in uploads:
        if one.source:
            # A name that begins with a hyphen is no option.
            yield shlex.join(["aws", "s3", "cp", os.path.join(".", one.source), one.target, *sealed])
        else:
            said = shlex.quote(one.content.decode())
            yield f"printf %s {said} | {shlex.join(['aws', 's3', 'cp', '-', one.target, *sealed])}"


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
