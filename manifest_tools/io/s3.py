"""Objects in S3, as sizes and bytes; the only boto3 for data.

AWS's own variables and files alone say who asks and where (``AWS_PROFILE``, ``AWS_REGION``,
``AWS_ENDPOINT_URL``...). Every failure is an MtoolError of one line that says what to set or type.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.io.s3_errors import Denied, NotThere, failure, refusal
from manifest_tools.io.s3uri import S3Uri, parse

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = [
    "Denied",
    "NotThere",
    "Object",
    "exists",
    "find",
    "first_bytes",
    "have_credentials",
    "head",
    "open_stream",
    "read",
    "read_range",
    "size",
    "upload",
]

_CONNECTIONS = 32  # as many threads as convert fetches pictures with, and some more
_BODY_TRIES = 3  # boto3 asks again for an answer, never for the body that broke off after it

# What new bytes of an object keep of the old ones: how it is encrypted, and what goes with it.
_KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentLanguage",
    "ContentType",
    "Metadata",
    "SSEKMSKeyId",
    "ServerSideEncryption",
)


@dataclass(frozen=True, slots=True)
class Object:
    """An object as S3 shows it: bytes, and which bytes they are; ``settings`` is what new ones keep."""

    uri: str
    size: int
    etag: str
    settings: Mapping[str, Any]

    def has_key(self, kms_key: str) -> bool:
        """Say whether this KMS key, by ID or ARN, encrypts it; what an alias stands for, S3 does not say."""
        used = str(self.settings.get("SSEKMSKeyId", ""))
        return used == kms_key or used.endswith(f":key/{kms_key}")


def have_credentials() -> bool:
    """Say whether boto3 finds credentials; nothing is asked of S3, so they may still be wrong."""
    import boto3

    with _in_words("AWS"):
        return boto3.session.Session().get_credentials() is not None


def size(uri: str) -> int:
    """Return the number of bytes of the object."""
    return head(uri).size


def head(uri: str) -> Object:
    """Return what S3 tells of the object without its bytes."""
    with _in_words(uri):
        answer = _head(_named(uri))
    settings = {name: answer[name] for name in _KEPT if answer.get(name)}
    # Only what is compressed by its name is written compressed.
    if uri.endswith(".gz") and "gzip" in answer.get("ContentEncoding", ""):
        settings["ContentEncoding"] = "gzip"
    return Object(uri, answer["ContentLength"], answer.get("ETag", ""), settings)


def find(uri: str) -> Object | None:
    """Return the object, or None where there is none; a bucket that is not there raises NotThere."""
    try:
        return head(uri)
    except NotThere as error:
        if error.what == "bucket":
            raise
        return None


def exists(uri: str) -> bool:
    """Say whether the object is there; a bucket that is not there is a mistake and raises NotThere."""
    return find(uri) is not None


def read(uri: str) -> bytes:
    """Return the whole object."""
    name = _named(uri)
    with _in_words(uri):
        return _whole(lambda: _client().get_object(Bucket=name.bucket, Key=name.key)["Body"].read())


def first_bytes(uri: str, length: int) -> tuple[bytes, int, str]:
    """Return the first ``length`` bytes of an object, the size of all of it, and its ETag.

    One request. A server that knows no ranges answers with all of it, of which no more is read. Raises
    what ``s3`` raises.
    """
    name = _named(uri)
    answers: list[Mapping[str, Any]] = []

    def body() -> bytes:
        answer = _client().get_object(Bucket=name.bucket, Key=name.key, Range=f"bytes=0-{length - 1}")
        answers[:] = [answer]
        if answer["ContentLength"] <= length:
            return answer["Body"].read()
        with answer["Body"] as stream:
            return stream.read(length)

    with _in_words(uri):
        data = _unless_past_the_end(lambda: _whole(body))
    if not answers:
        return b"", 0, ""
    total = answers[0].get("ContentRange", "").rpartition("/")[2]
    size = int(total) if total.isdecimal() else answers[0]["ContentLength"]
    return data, size, answers[0].get("ETag", "").strip('"')


def read_range(uri: str, start: int, end: int, etag: str = "") -> bytes:
    """Return the bytes from ``start`` up to ``end``; past the end of the object there are fewer.

    Raises MtoolError where the object is not the one of this ``etag`` any more.
    """
    name = _named(uri)
    if end <= start:
        return b""
    wanted = f"bytes={start}-{end - 1}"

    def body() -> bytes:
        answer = _client().get_object(Bucket=name.bucket, Key=name.key, Range=wanted, **_if_unchanged(etag))
        return answer["Body"].read()

    with _in_words(uri):
        return _unless_past_the_end(lambda: _whole(body))


@contextlib.contextmanager
def open_stream(uri: str, etag: str = "") -> Iterator[BinaryIO]:
    """Yield the object as a stream that is read once, from its beginning; ``etag`` as for ``read_range``."""
    name = _named(uri)
    with _in_words(uri):
        body = _client().get_object(Bucket=name.bucket, Key=name.key, **_if_unchanged(etag))["Body"]
        with contextlib.closing(body):
            yield cast(BinaryIO, body)


def upload(path: str, uri: str, *, over: Object | None = None, kms_key: str | None = None) -> None:
    """Make the file the object ``uri``, which appears whole or, after a failure, not at all.

    Below 8 MiB it is one request; above, a multipart upload that is aborted when a part fails. It keeps
    the settings of the object ``over`` that it replaces. ``kms_key`` (ID, ARN or alias) encrypts it; without
    either, the bucket's own encryption does.
    """
    name = _named(uri)
    extra = dict(over.settings) if over is not None else {}
    if kms_key is not None:
        extra |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
    with open(path, "rb") as file, _in_words(uri):
        _client().upload_fileobj(file, name.bucket, name.key, ExtraArgs=extra)


def _named(uri: str) -> S3Uri:
    try:
        return parse(uri)
    except ValueError as error:
        raise Refused(str(error)) from error


def _client() -> "S3Client":
    """Return this process's client; after a fork, or once AWS's variables change, a new one."""
    settings = tuple(item for item in os.environ.items() if item[0].startswith("AWS_"))
    return _new_client(os.getpid(), settings)


@functools.lru_cache(maxsize=1)
def _new_client(pid: int, settings: tuple[tuple[str, str], ...]) -> "S3Client":
    import boto3
    from botocore.config import Config

    # boto3 itself reads AWS_DEFAULT_REGION only; AWS's other tools, and its own docs, read this one.
    region = os.environ.get("AWS_REGION") or None
    config = Config(max_pool_connections=_CONNECTIONS)
    try:
        return boto3.session.Session().client("s3", region_name=region, config=config)
    except ValueError as error:  # an endpoint that is no URL
        raise MtoolError(f"AWS: {error}; set AWS_ENDPOINT_URL to http://host:port") from error


def _if_unchanged(etag: str) -> Any:
    """Return the condition of a GET as keywords; none where it does not matter which bytes come."""
    return {"IfMatch": etag} if etag else {}


def _head(name: S3Uri) -> Mapping[str, Any]:
    from botocore.exceptions import ClientError

    try:
        return _client().head_object(Bucket=name.bucket, Key=name.key)
    except ClientError:
        # The answer to HEAD has no body and so no reason; GET says whether it was bucket or key.
        _client().get_object(Bucket=name.bucket, Key=name.key, Range="bytes=0-0")["Body"].close()
        raise


def _whole(body: Callable[[], bytes]) -> bytes:
    from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

    for _ in range(_BODY_TRIES - 1):
        with contextlib.suppress(IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
            return body()
    return body()


def _unless_past_the_end(read_it: Callable[[], bytes]) -> bytes:
    from botocore.exceptions import ClientError

    try:
        return read_it()
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidRange":
            return b""
        raise


@contextlib.contextmanager
def _in_words(uri: str) -> Iterator[None]:
    """Turn what boto3 raises inside the block into an MtoolError about ``uri``."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise refusal(uri, error.response) from error
    except BotoCoreError as error:
        raise failure(uri, error) from error
