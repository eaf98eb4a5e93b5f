"""Several calls in a row, as JSON to read, or as one script that makes them; the first refusal ends it."""

import json
import pprint
import shlex
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from trainers.sagemaker.client.emit import as_cli
from trainers.sagemaker.requests.requests import Request

ScriptForm = Literal["boto3", "cli"]

# The field of a body that is a document of its own: JSON inside JSON.
DOCUMENT = "body"


class Call(NamedTuple):
    """A call of a service: boto3's name of the service and of the operation, and what it takes.

    ``answer`` is the field of the answer that a later call needs, ``takes`` the one that it goes into there.
    """

    service: str
    operation: str
    body: dict[str, Any]
    answer: str = ""
    takes: str = ""


def of_sagemaker(request: Request) -> Call:
    """Return the call that sends a request to SageMaker."""
    return Call("sagemaker", request.operation, request.body)


def as_json(calls: Sequence[Call]) -> str:
    """Return the calls as a JSON array; a field that an earlier answer fills is said so."""
    rows = []
    for call in calls:
        body = dict(call.body)
        if isinstance(body.get(DOCUMENT), str):
            body[DOCUMENT] = json.loads(body[DOCUMENT])
        if call.takes:
            body[call.takes] = "(from the answer before)"
        rows.append({"service": call.service, "operation": call.operation, "request": body})
    return json.dumps(rows, indent=2)


_SCRIPT = '''\
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


def script(calls: Sequence[Call], region: str) -> str:
    """Return a Python script that makes the calls with boto3."""
    # Each literal is Python's own repr: nothing in a name is ever more than text.
    text = pprint.pformat([list(call) for call in calls], width=100, sort_dicts=False)
    return _SCRIPT.format(count=len(calls), calls=text, region=repr(region))


def shell(calls: Sequence[Call], region: str) -> str:
    """Return a script for a POSIX shell that makes the calls with the ``aws`` command."""
    parts = ["set -e\n"]
    for call in calls:
        if DOCUMENT in call.body:
            parts.append(_with_document(call, region))
        elif call.takes:
            parts.append(_with_answer(call, region))
        else:
            parts.append(as_cli(call.operation, call.body, region=region, service=call.service))
    return "".join(parts)


def _words(call: Call, region: str) -> list[str]:
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


def _with_document(call: Call, region: str) -> str:
    """Return the call with its document on standard input, which every version of ``aws`` reads alike."""
    words = shlex.join([*_words(call, region), "--query", call.answer, "--output", "text"])
    document = json.dumps(json.loads(call.body[DOCUMENT]), indent=2)
    return f"found=$({words} --{DOCUMENT} fileb:///dev/stdin <<'DOCUMENT'\n{document}\nDOCUMENT\n)\n"


def _with_answer(call: Call, region: str) -> str:
    option = "--" + "".join(f"-{one.lower()}" if one.isupper() else one for one in call.takes)
    return f'{shlex.join(_words(call, region))} {option} "$found"\n'
