"""Calls as JSON to read, or as a script that makes them: Python with boto3, or ``aws`` command lines.

Names in a request may come from a manifest, or from anybody: they are always quoted, and never code.
"""

import json
import os
import pprint
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from trainers.sagemaker.client.calls import Call
    from trainers.sagemaker.client.upload import Upload

ScriptForm = Literal["boto3", "cli"]

# The field of a body that is a document of its own: JSON inside JSON.
DOCUMENT = "body"

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


_CALLS_SCRIPT = '''\
"""Sends {count} requests to AWS, in order; written by mtool. What they create may be billed."""

import json

import boto3

CALLS = {calls}

found = ""
for service, operation, request, answer, takes in CALLS:
    if takes:
        request[takes] = found
    answered = getattr(boto3.client(service, region_name={region}), operation)(**request)
    found = answered.get(answer, found)
    answered.pop("ResponseMetadata", None)
    print(operation, json.dumps(answered, default=str))
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
            text = shlex.quote(one.content.decode())
            yield f"printf %s {text} | {shlex.join(['aws', 's3', 'cp', '-', one.target, *sealed])}"


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
    """Return a text, number, truth value or None as Python; texts in double quotes, as in JSON."""
    if isinstance(value, str):
        # JSON's escapes are Python's as well, but for a character beyond 16 bits, which JSON halves.
        plain = value.isascii() and value.isprintable()
        return json.dumps(value) if plain else ascii(value)
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    return _scalar(_text(value))


def _text(value: Any) -> str:
    """Return a time as AWS's tools read it; raises TypeError for anything else."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"expected what JSON can hold, found {type(value).__name__}")


def as_json(calls: Sequence["Call"]) -> str:
    """Return the calls as a JSON array; a field that takes an earlier answer has a text that says so."""
    rows = []
    for call in calls:
        body = dict(call.body)
        if isinstance(body.get(DOCUMENT), str):
            body[DOCUMENT] = json.loads(body[DOCUMENT])
        if call.takes:
            body[call.takes] = "(from the answer before)"
        rows.append({"service": call.service, "operation": call.operation, "request": body})
    return json.dumps(rows, indent=2)


def as_script(
    form: ScriptForm,
    calls: Sequence["Call"],
    *,
    region: str,
    uploads: Sequence["Upload"] = (),
    kms_key: str | None = None,
) -> str:
    """Return a script that makes the calls, in order; the first refusal ends it.

    ``uploads`` come before the calls, encrypted with ``kms_key``; in Python there may be one call with them.
    """
    if form == "cli":
        return f"set -e\n{uploads_as_cli(uploads, kms_key)}{''.join(_shell(calls, region))}"
    if len(calls) > 1:
        # Each literal is Python's own repr: nothing in a name is ever more than text.
        rows = [[one.service, one.operation, one.body, one.answer, one.takes] for one in calls]
        text = pprint.pformat(rows, width=100, sort_dicts=False)
        return _CALLS_SCRIPT.format(count=len(calls), calls=text, region=repr(region))
    (call,) = calls
    return as_boto3(
        call.operation, call.body, region=region, service=call.service, uploads=uploads, kms_key=kms_key
    )


def _shell(calls: Sequence["Call"], region: str) -> Iterator[str]:
    """Yield the calls as command lines of ``aws`` for a POSIX shell."""
    for call in calls:
        if DOCUMENT in call.body:
            yield _with_document(call, region)
        elif call.takes:
            yield _with_answer(call, region)
        else:
            yield as_cli(call.operation, call.body, region=region, service=call.service)


def _words(call: "Call", region: str) -> list[str]:
    words = ["aws", call.service, call.operation.replace("_", "-"), "--region", region]
    for name, value in call.body.items():
        if name == DOCUMENT:
            continue
        option = "--" + "".join(f"-{one.lower()}" if one.isupper() else one for one in name)
        if isinstance(value, dict):
            words += [option, ",".join(f"{key}={one}" for key, one in value.items())]
        else:
            words += [option] if value is True else [option, str(value)]
    return words


def _with_document(call: "Call", region: str) -> str:
    """Return the call with its document on standard input, which every version of ``aws`` reads."""
    words = shlex.join([*_words(call, region), "--query", call.answer, "--output", "text"])
    document = json.dumps(json.loads(call.body[DOCUMENT]), indent=2)
    return f"found=$({words} --{DOCUMENT} fileb:///dev/stdin <<'DOCUMENT'\n{document}\nDOCUMENT\n)\n"


def _with_answer(call: "Call", region: str) -> str:
    option = "--" + "".join(f"-{one.lower()}" if one.isupper() else one for one in call.takes)
    return f'{shlex.join(_words(call, region))} {option} "$found"\n'
