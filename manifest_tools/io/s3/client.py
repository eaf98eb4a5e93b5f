"""The client of S3, and what it raises in our words; the only module of manifest_tools that imports boto3.

Credentials, region and endpoint come from AWS's own variables and files (``AWS_PROFILE``, ``AWS_REGION``,
``AWS_ENDPOINT_URL``...). Every error is an MtoolError of one line that says what to set or type: Refused for
a malformed URI, NotThere, Denied, or MtoolError itself.
"""

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.io.aws_details import tell_requests
from manifest_tools.io.s3_errors import answer_error, connection_error
from manifest_tools.io.s3uri import S3Uri, parse

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

CONNECTIONS = 32
"""How many requests go out at a time: convert fetches pictures in as many threads."""

_TRIES = 7  # of a request that S3 is too busy for: half a minute in all, on the average
_BODY_TRIES = 3  # boto3 repeats a request, but not when the connection breaks inside the body
_WAIT = 0.03  # seconds before the second try of a body; twice as long before each further one


class Damaged(Exception):
    """A body that is not what S3 says it sent; the text says what was expected and what came."""


def have_credentials() -> bool:
    """Return whether boto3 finds credentials; sends no request, so they may be wrong."""
    import boto3

    with translated_errors("AWS"):
        return boto3.session.Session().get_credentials() is not None


def credentials() -> tuple[str, str, str | None]:
    """Return key, secret and session token, as boto3 finds them; raises MtoolError where there are none."""
    import boto3
    from botocore.exceptions import NoCredentialsError

    with translated_errors("AWS"):
        found = boto3.session.Session().get_credentials()
        if found is None:
            raise NoCredentialsError
        frozen = found.get_frozen_credentials()
    return str(frozen.access_key), str(frozen.secret_key), frozen.token


def parsed(uri: str) -> S3Uri:
    """Return bucket and key of a URI; raises Refused."""
    try:
        return parse(uri)
    except ValueError as error:
        raise Refused(str(error)) from error


def client() -> "S3Client":
    """Return the client of this process; a new one after a fork, or when AWS's variables have changed."""
    return once(_new_client, os.getpid(), aws_variables())


def once(make: Callable[..., T], *arguments: object) -> T:
    """Return what a cached function makes; threads that ask at a time wait for the first, and share it."""
    with _making:
        return make(*arguments)


_making = threading.RLock()


def _new_lock() -> None:
    global _making
    _making = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)  # a thread that is not there any more may hold the old one

_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_MAX_ATTEMPTS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
)


def aws_variables() -> tuple[str | None, ...]:
    """Return the variables that say which S3, whose, and where; asked for every request."""
    return tuple(map(os.environ.get, _VARIABLES))


@functools.lru_cache(maxsize=1)
def _new_client(pid: int, settings: tuple[str | None, ...]) -> "S3Client":
    import boto3
    from botocore.config import Config
    from botocore.session import get_session

    # boto3 reads AWS_DEFAULT_REGION only; AWS's other tools and its documentation use AWS_REGION.
    region = os.environ.get("AWS_REGION") or None
    config = Config(max_pool_connections=CONNECTIONS)
    try:
        session = get_session()
        with translated_errors("AWS"):
            chosen = session.get_config_variable("max_attempts")
        if chosen is None:
            config = config.merge(Config(retries={"total_max_attempts": _TRIES}))
        client = boto3.session.Session(botocore_session=session).client(
            "s3", region_name=region, config=config
        )
    except ValueError as error:  # the endpoint is not a URL
        raise MtoolError(f"AWS: {error}; set AWS_ENDPOINT_URL to http://host:port") from error
    tell_requests(client)
    return client


def whole(body: Callable[[], T]) -> T:
    """Return what ``body`` makes of an answer; asks again when it breaks off on the way, or is damaged."""
    from botocore.exceptions import (
        FlexibleChecksumError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
    )

    for again in range(_BODY_TRIES - 1):
        with contextlib.suppress(
            IncompleteReadError, ReadTimeoutError, ResponseStreamingError, FlexibleChecksumError, Damaged
        ):
            return body()
        time.sleep(_WAIT * 2**again)
    return body()


def unless_past_the_end(read_body: Callable[[], bytes]) -> bytes:
    """Return the bytes, or none where S3 says that no byte of the object is in the range."""
    return unless(read_body, ("InvalidRange",), b"")


def unless(ask: Callable[[], T], codes: tuple[str, ...], otherwise: T) -> T:
    """Return the answer of S3, or something else where S3 answers one of the error codes."""
    from botocore.exceptions import ClientError

    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return otherwise
        raise


def then_ask(first: Callable[[], T], other: Callable[[], object]) -> T:
    """Return the answer to ``first``; where S3 refuses, ask ``other`` for an answer that says more."""
    from botocore.exceptions import ClientError

    try:
        return first()
    except ClientError:
        other()
        raise


def refused_of(uri: str, error: object) -> MtoolError:
    """Return the error for one object of a request for many, which S3 answered all together."""
    return answer_error(uri, {"Error": error})


@contextlib.contextmanager
def translated_errors(uri: str) -> Iterator[None]:
    """Raise an MtoolError about ``uri`` for what boto3 raises inside the block."""
    from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

    try:
        yield
    except ClientError as error:
        raise answer_error(uri, error.response) from error
    except (FlexibleChecksumError, Damaged) as error:
        why = " ".join(str(error).split()).rstrip(".")
        raise MtoolError(
            f"{uri}: came damaged {_BODY_TRIES} times ({why}); try again, and look at what lies between here"
            " and S3"
        ) from error
    except BotoCoreError as error:
        raise connection_error(uri, error) from error
