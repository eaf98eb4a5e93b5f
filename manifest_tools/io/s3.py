"""Reads and writes S3 objects; the only module of manifest_tools that imports boto3.

Credentials, region and endpoint come from AWS's own variables and files (``AWS_PROFILE``, ``AWS_REGION``,
``AWS_ENDPOINT_URL``...). Every error is an MtoolError of one line that says what to set or type: Refused for
a malformed URI, NotThere, Denied, or MtoolError itself.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.io.aws_details import tell_requests
from manifest_tools.io.s3_errors import Denied, NotThere, answer_error, connection_error
from manifest_tools.io.s3uri import S3Uri, parse

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

__all__ = [
    "Denied",
    "Listed",
    "NotThere",
    "Object",
    "download",
    "exists",
    "find",
    "first_bytes",
    "have_credentials",
    "head",
    "listed",
    "open_stream",
    "read",
    "read_range",
    "size",
    "upload",
]

_CONNECTIONS = 32  # convert fetches pictures in as many threads
_CHUNK = 1 << 20  # bytes of a body at a time
_BODY_TRIES = 3  # boto3 repeats a request, but not when the connection breaks inside the body

# What an object keeps when its bytes are replaced: encryption, metadata and the headers for browsers.
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
    """What S3 says of an object."""

    uri: str

    size: int
    """Bytes."""

    etag: str
    """The version of the bytes; another upload has another one."""

    settings: Mapping[str, Any]
    """Encryption, metadata and headers, as arguments of an upload; an upload in its place keeps them."""

    def has_key(self, kms_key: str) -> bool:
        """Return whether the KMS key, an ID or ARN, encrypts the object; of an alias S3 does not tell."""
        used = str(self.settings.get("SSEKMSKeyId", ""))
        return used == kms_key or used.endswith(f":key/{kms_key}")


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing of a bucket says of an object."""

    key: str
    size: int
    etag: str
    """Without quotes: the MD5 of the bytes as digits, unless they came in parts or KMS encrypts them."""


def have_credentials() -> bool:
    """Return whether boto3 finds credentials; sends no request, so they may be wrong."""
    import boto3

    with _translated_errors("AWS"):
        return boto3.session.Session().get_credentials() is not None


def size(uri: str) -> int:
    """Return the number of bytes of the object."""
    return head(uri).size


def head(uri: str) -> Object:
    """Return size, version and settings of an object, without its bytes."""
    with _translated_errors(uri):
        answer = _head(_parsed(uri))
    settings = {name: answer[name] for name in _KEPT if answer.get(name)}
    # Only a name that ends in .gz is written compressed.
    if uri.endswith(".gz") and "gzip" in answer.get("ContentEncoding", ""):
        settings["ContentEncoding"] = "gzip"
    return Object(uri, answer["ContentLength"], answer.get("ETag", ""), settings)


def find(uri: str) -> Object | None:
    """Return the object, or None when it does not exist; raises NotThere when the bucket does not exist."""
    try:
        return head(uri)
    except NotThere as error:
        if error.what == "bucket":
            raise
        return None


def exists(uri: str) -> bool:
    """Return whether the object exists; raises NotThere when the bucket does not exist."""
    return find(uri) is not None


def read(uri: str) -> bytes:
    """Return all bytes of the object."""
    name = _parsed(uri)
    with _translated_errors(uri):
        return _whole(lambda: _client().get_object(Bucket=name.bucket, Key=name.key)["Body"].read())


def first_bytes(uri: str, length: int) -> tuple[bytes, int, str]:
    """Return the first ``length`` bytes of the object, the size of the whole, and its ETag; one request.

    Reads no more than ``length`` bytes, even from a server that ignores ranges and sends the whole object.
    """
    name = _parsed(uri)
    answers: list[Mapping[str, Any]] = []

    def body() -> bytes:
        answer = _client().get_object(Bucket=name.bucket, Key=name.key, Range=f"bytes=0-{length - 1}")
        answers[:] = [answer]
        if answer["ContentLength"] <= length:
            return answer["Body"].read()
        with answer["Body"] as stream:
            return stream.read(length)

    with _translated_errors(uri):
        data = _unless_past_the_end(lambda: _whole(body))
    if not answers:
        return b"", 0, ""
    total = answers[0].get("ContentRange", "").rpartition("/")[2]
    size = int(total) if total.isdecimal() else answers[0]["ContentLength"]
    return data, size, answers[0].get("ETag", "").strip('"')


def read_range(uri: str, start: int, end: int, etag: str = "") -> bytes:
    """Return the bytes from ``start`` up to, not including, ``end``; fewer at the end of the object.

    Raises MtoolError when an ``etag`` is given and the object has another one by now.
    """
    name = _parsed(uri)
    if end <= start:
        return b""
    requested = f"bytes={start}-{end - 1}"

    def body() -> bytes:
        answer = _client().get_object(
            Bucket=name.bucket, Key=name.key, Range=requested, **_if_unchanged(etag)
        )
        return answer["Body"].read()

    with _translated_errors(uri):
        return _unless_past_the_end(lambda: _whole(body))


def listed(bucket: str, prefix: str, after: str = "") -> Iterator[list[Listed]]:
    """Yield the objects of a bucket whose keys begin with ``prefix``, in the order of the keys.

    Each request gives a list; keys up to ``after`` are left out. Raises Denied where these credentials may
    not list.
    """
    uri = f"s3://{bucket}"
    with _translated_errors(uri):
        pages = _client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=after):
            yield [
                Listed(one["Key"], one["Size"], one["ETag"].strip('"')) for one in page.get("Contents", [])
            ]


def download(uri: str, path: str) -> int:
    """Write the object into the file ``path``, and return how many bytes it has.

    A body that breaks off is asked for again, from its beginning; the file is not whole after an error.
    """
    name = _parsed(uri)

    def body() -> int:
        stream = _client().get_object(Bucket=name.bucket, Key=name.key)["Body"]
        with contextlib.closing(stream), open(path, "wb") as file:
            while data := stream.read(_CHUNK):
                file.write(data)
            return file.tell()

    with _translated_errors(uri):
        return _whole(body)


@contextlib.contextmanager
def open_stream(uri: str, etag: str = "") -> Iterator[BinaryIO]:
    """Yield the object as a stream that can be read once; ``etag`` as for ``read_range``."""
    name = _parsed(uri)
    with _translated_errors(uri):
        body = _client().get_object(Bucket=name.bucket, Key=name.key, **_if_unchanged(etag))["Body"]
        with contextlib.closing(body):
            yield cast(BinaryIO, body)


def upload(path: str, uri: str, *, over: Object | None = None, kms_key: str | None = None) -> None:
    """Upload a file as the object ``uri``, which appears whole or, after an error, not at all.

    A file below 8 MiB is one request; a larger one is a multipart upload, aborted when a part fails. The
    object keeps the settings of ``over``, the object that it replaces. ``kms_key``, an ID, ARN or alias,
    encrypts it; without a key and without ``over``, the bucket's default encryption does.
    """
    name = _parsed(uri)
    extra = dict(over.settings) if over is not None else {}
    if kms_key is not None:
        extra |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
    with open(path, "rb") as file, _translated_errors(uri):
        _client().upload_fileobj(file, name.bucket, name.key, ExtraArgs=extra)


def _parsed(uri: str) -> S3Uri:
    try:
        return parse(uri)
    except ValueError as error:
        raise Refused(str(error)) from error


def _client() -> "S3Client":
    """Return the client of this process; a new one after a fork, or when AWS's variables have changed."""
    settings = tuple(item for item in os.environ.items() if item[0].startswith("AWS_"))
    return _new_client(os.getpid(), settings)


@functools.lru_cache(maxsize=1)
def _new_client(pid: int, settings: tuple[tuple[str, str], ...]) -> "S3Client":
    import boto3
    from botocore.config import Config

    # boto3 reads AWS_DEFAULT_REGION only; AWS's other tools and its documentation use AWS_REGION.
    region = os.environ.get("AWS_REGION") or None
    config = Config(max_pool_connections=_CONNECTIONS)
    try:
        client = boto3.session.Session().client("s3", region_name=region, config=config)
    except ValueError as error:  # the endpoint is not a URL
        raise MtoolError(f"AWS: {error}; set AWS_ENDPOINT_URL to http://host:port") from error
    tell_requests(client)
    return client


def _if_unchanged(etag: str) -> Any:
    """Return the condition of a GET as keyword arguments; none when any version will do."""
    return {"IfMatch": etag} if etag else {}


def _head(name: S3Uri) -> Mapping[str, Any]:
    from botocore.exceptions import ClientError

    try:
        return _client().head_object(Bucket=name.bucket, Key=name.key)
    except ClientError:
        # The answer to HEAD has no body; the answer to GET says whether bucket or key is missing.
        _client().get_object(Bucket=name.bucket, Key=name.key, Range="bytes=0-0")["Body"].close()
        raise


def _whole(body: Callable[[], T]) -> T:
    from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

    for _ in range(_BODY_TRIES - 1):
        with contextlib.suppress(IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
            return body()
    return body()


def _unless_past_the_end(read_body: Callable[[], bytes]) -> bytes:
    from botocore.exceptions import ClientError

    try:
        return read_body()
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidRange":
            return b""
        raise


@contextlib.contextmanager
def _translated_errors(uri: str) -> Iterator[None]:
    """Raise an MtoolError about ``uri`` for what boto3 raises inside the block."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise answer_error(uri, error.response) from error
    except BotoCoreError as error:
        raise connection_error(uri, error) from error
