"""Tells of every request to AWS, with its time, to whoever listens: ``mtool -v``, or Python's ``logging``.

What is told are operation, address and answer, never headers, credentials or a signature.
"""

import time
from itertools import count
from typing import Any

from manifest_tools.base.details import detail

_NUMBERS = count(1)
_KEY = "mtool"  # in botocore's context of a request


def tell_requests(client: Any) -> None:
    """Let a client of boto3 tell of its requests."""
    client.meta.events.register("before-call", _begin)
    client.meta.events.register("after-call", _end)


def _begin(params: Any, context: Any, **_: Any) -> None:
    context[_KEY] = (time.perf_counter(), params.get("url", "").partition("?")[0])


def _end(http_response: Any, model: Any, context: Any, **_: Any) -> None:
    begun, url = context.get(_KEY, (time.perf_counter(), ""))
    service = model.service_model.service_name
    seconds = time.perf_counter() - begun
    text = "request %d to AWS: %s %s %s: %s in %.3f s"
    detail(__name__, text, next(_NUMBERS), service, model.name, url, http_response.status_code, seconds)
