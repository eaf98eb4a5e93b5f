"""Objects of S3: what there is, and their bytes, compared with what S3 says of them."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from manifest_tools.io.s3 import fast
from manifest_tools.io.s3.checksums import check_of, md5_of
from manifest_tools.io.s3.client import (
    client,
    parsed,
    then_ask,
    translated_errors,
    unless,
    unless_past_the_end,
    whole,
)
from manifest_tools.io.s3_errors import NotThere
from manifest_tools.io.s3uri import S3Uri

_NOT_MODIFIED = ("304", "NotModified")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # where a listing says sizes and ETags alone
_CHUNK = 1 << 20  # bytes of a body at a time

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

    @property
    def md5(self) -> str:
        """The MD5 of the bytes in hexadecimal digits; empty where the ETag is none."""
        return md5_of(self.uri.removeprefix("s3://").partition("/")[0], self.etag, self.settings)

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

    changed: datetime
    """When the bytes were written, by the clock of S3, to the second."""


def size(uri: str) -> int:
    """Return the number of bytes of the object."""
    return head(uri).size


def head(uri: str) -> Object:
    """Return size, version and settings of an object, without its bytes."""
    with translated_errors(uri):
        answer = _head(parsed(uri))
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


def read(uri: str, most: int | None = None) -> bytes:
    """Return all bytes of the object, or of one with more than ``most`` bytes the first ``most`` + 1.

    All bytes are compared with length and checksum; those that differ, or break off, are asked for again,
    and are an error in the end.
    """
    found = read_unless(uri, "", most)
    assert found is not None
    return found.data


def read_unless(uri: str, etag: str, most: int | None = None) -> fast.Content | None:
    """Return the bytes of the object as ``read`` does, with its ETag; None where that is still ``etag``."""
    name = parsed(uri)
    found = fast.get(name, most, etag)
    if found is None:
        with translated_errors(uri):
            return unless(lambda: whole(lambda: _content(name, etag, most)), _NOT_MODIFIED, None)
    return found if isinstance(found, fast.Content) else None


def _content(name: S3Uri, etag: str, most: int | None) -> fast.Content:
    answer = _get(name, **({"IfNoneMatch": etag} if etag else {}))
    found = answer.get("ETag", "")
    if most is not None and answer["ContentLength"] > most:
        with contextlib.closing(answer["Body"]) as stream:
            return fast.Content(stream.read(most + 1), found)
    check = check_of(name.bucket, answer)
    data = check.update(answer["Body"].read())
    check.finish()
    return fast.Content(data, found)


def first_bytes(uri: str, length: int) -> tuple[bytes, int, str]:
    """Return the first ``length`` bytes of the object, the size of the whole, and its ETag; one request.

    Reads no more than ``length`` bytes, even from a server that ignores ranges and sends the whole object.
    """
    name = parsed(uri)
    answers: list[Mapping[str, Any]] = []

    def body() -> bytes:
        answer = client().get_object(Bucket=name.bucket, Key=name.key, Range=f"bytes=0-{length - 1}")
        answers[:] = [answer]
        if answer["ContentLength"] <= length:
            return answer["Body"].read()
        with answer["Body"] as stream:
            return stream.read(length)

    with translated_errors(uri):
        data = unless_past_the_end(lambda: whole(body))
    if not answers:
        return b"", 0, ""
    total = answers[0].get("ContentRange", "").rpartition("/")[2]
    size = int(total) if total.isdecimal() else answers[0]["ContentLength"]
    return data, size, answers[0].get("ETag", "").strip('"')


def read_range(uri: str, start: int, end: int, etag: str = "") -> bytes:
    """Return the bytes from ``start`` up to, not including, ``end``; fewer at the end of the object.

    Raises MtoolError when an ``etag`` is given and the object has another one by now.
    """
    name = parsed(uri)
    if end <= start:
        return b""
    requested = f"bytes={start}-{end - 1}"

    def body() -> bytes:
        answer = client().get_object(Bucket=name.bucket, Key=name.key, Range=requested, **_if_unchanged(etag))
        return answer["Body"].read()

    with translated_errors(uri):
        return unless_past_the_end(lambda: whole(body))


def listed(bucket: str, prefix: str, after: str = "") -> Iterator[list[Listed]]:
    """Yield the objects of a bucket whose keys begin with ``prefix``, in the order of the keys.

    Each request gives a list; keys up to ``after`` are left out. Raises Denied where these credentials may
    not list.
    """
    uri = f"s3://{bucket}"
    with translated_errors(uri):
        pages = client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=after):
            yield [
                Listed(one["Key"], one["Size"], one["ETag"].strip('"'), one.get("LastModified", _LONG_AGO))
                for one in page.get("Contents", [])
            ]


def download(uri: str, path: str) -> int:
    """Write the object into the file ``path``, and return how many bytes it has.

    They are compared as ``read`` does, and asked for again from the beginning; the file is not whole after
    an error.
    """
    name = parsed(uri)

    def body() -> int:
        answer = _get(name)
        check = check_of(name.bucket, answer)
        with contextlib.closing(answer["Body"]) as stream, open(path, "wb") as file:
            while data := stream.read(_CHUNK):
                file.write(check.update(data))
            check.finish()
            return file.tell()

    with translated_errors(uri):
        return whole(body)


@contextlib.contextmanager
def open_stream(uri: str, etag: str = "") -> Iterator[BinaryIO]:
    """Yield the object as a stream that can be read once; ``etag`` as for ``read_range``."""
    name = parsed(uri)
    with translated_errors(uri):
        body = client().get_object(Bucket=name.bucket, Key=name.key, **_if_unchanged(etag))["Body"]
        with contextlib.closing(body):
            yield cast(BinaryIO, body)


def _get(name: S3Uri, **condition: Any) -> Any:
    return client().get_object(Bucket=name.bucket, Key=name.key, ChecksumMode="ENABLED", **condition)


def _if_unchanged(etag: str) -> Any:
    """Return the condition of a GET as keyword arguments; none when any version will do."""
    return {"IfMatch": etag} if etag else {}


def _head(name: S3Uri) -> Mapping[str, Any]:
    # The answer to HEAD has no body; the answer to GET says whether bucket or key is missing.
    return then_ask(
        lambda: client().head_object(Bucket=name.bucket, Key=name.key),
        lambda: client().get_object(Bucket=name.bucket, Key=name.key, Range="bytes=0-0")["Body"].close(),
    )
