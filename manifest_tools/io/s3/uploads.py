"""Files that become objects of S3, whole or not at all."""

from typing import Any

from manifest_tools.io.s3 import fast
from manifest_tools.io.s3.client import client, parsed, translated_errors
from manifest_tools.io.s3.objects import Object


def upload(path: str, uri: str, *, over: Object | None = None, kms_key: str | None = None) -> None:
    """Upload a file as the object ``uri``, which appears whole or, after an error, not at all.

    A file below 8 MiB is one request; a larger one is a multipart upload, aborted when a part fails. The
    object keeps the settings of ``over``, the object that it replaces. ``kms_key``, an ID, ARN or alias,
    encrypts it; without a key and without ``over``, the bucket's default encryption does.
    """
    name = parsed(uri)
    extra = settings_for(over, kms_key)
    with open(path, "rb") as file, translated_errors(uri):
        client().upload_fileobj(file, name.bucket, name.key, ExtraArgs=extra)


def put(uri: str, data: bytes, *, kms_key: str | None = None) -> None:
    """Write bytes as the object ``uri``, in one request; S3 refuses what was damaged on the way."""
    name = parsed(uri)
    if kms_key is None and fast.put(name, data):
        return
    with translated_errors(uri):
        client().put_object(Bucket=name.bucket, Key=name.key, Body=data, **settings_for(None, kms_key))


def settings_for(over: Object | None, kms_key: str | None) -> dict[str, Any]:
    """Return encryption, metadata and headers of an object to be, as arguments of an upload."""
    settings = dict(over.settings) if over is not None else {}
    if kms_key is not None:
        settings |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
    return settings
