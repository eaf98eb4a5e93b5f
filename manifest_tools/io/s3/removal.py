"""Removes objects."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from manifest_tools.io.s3.client import client, refused_of, translated_errors

T = TypeVar("T")

_AT_ONCE = 1000  # keys of a request


def remove(bucket: str, keys: Iterable[str]) -> int:
    """Remove objects of a bucket, a request for a thousand, and return how many.

    One that is not there is no error. Raises MtoolError for the first one that S3 keeps.
    """
    source, count = iter(keys), 0
    for some in _batches(source):
        count += len(some)
        with translated_errors(f"s3://{bucket}/{some[0]}"):
            answer = client().delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
            )
        for error in answer.get("Errors", []):
            raise refused_of(f"s3://{bucket}/{error.get('Key', '')}", error)
    return count


def _batches(source: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(source, _AT_ONCE)):
        yield some
