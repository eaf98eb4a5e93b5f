"""Multipart uploads that nobody completed: nobody sees them, and S3 charges for their parts."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from manifest_tools.base.errors import Refused
from manifest_tools.io.s3.client import client, parsed, translated_errors, unless
from manifest_tools.io.s3uri import S3Uri


@dataclass(frozen=True, slots=True)
class Leftover:
    """An upload that is neither completed nor aborted: a killed process left it, or one is at work."""

    uri: str
    """The object that it would be."""

    upload: str
    """The ID of the upload."""

    begun: datetime
    size: int | None = None
    """Bytes of its parts; None where it was not asked for."""


def leftovers(prefix: str, *, sizes: bool = False) -> Iterator[Leftover]:
    """Yield the unfinished uploads under ``s3://bucket`` or ``s3://bucket/prefix``, in the order of the keys.

    A request gives a thousand; ``sizes`` asks for the parts of each. Whose they are S3 does not say: one
    under the very name of an output is its own, of others the age may tell. Raises Refused for a
    malformed URI, Denied without s3:ListBucketMultipartUploads.
    """
    place = _place(prefix)
    with translated_errors(prefix):
        pages = client().get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=place.bucket, Prefix=place.key):
            for one in page.get("Uploads", []):
                name = S3Uri(place.bucket, one["Key"])
                size = _size(name, one["UploadId"]) if sizes else None
                yield Leftover(str(name), one["UploadId"], one["Initiated"], size)


def abort(leftover: Leftover) -> None:
    """Remove the parts of an upload; one that is gone by now is no error."""
    name = parsed(leftover.uri)
    with translated_errors(leftover.uri):
        unless(
            lambda: client().abort_multipart_upload(
                Bucket=name.bucket, Key=name.key, UploadId=leftover.upload
            ),
            ("NoSuchUpload",),
            None,
        )


def _place(prefix: str) -> S3Uri:
    with contextlib.suppress(Refused):
        return parsed(prefix)
    bucket = prefix.removeprefix("s3://").rstrip("/")
    if not prefix.startswith("s3://") or not bucket or "/" in bucket:
        raise Refused(f"expected s3://bucket or s3://bucket/prefix, found {prefix[:100]!r}")
    return S3Uri(bucket, "")


def _size(name: S3Uri, upload: str) -> int:
    """Return the bytes of the parts; 0 where the upload has ended meanwhile."""

    def total() -> int:
        pages = (
            client().get_paginator("list_parts").paginate(Bucket=name.bucket, Key=name.key, UploadId=upload)
        )
        return sum(part["Size"] for page in pages for part in page.get("Parts", []))

    return unless(total, ("NoSuchUpload",), 0)
