"""The first kilobytes of an object in S3, by ranged GET: its size and ETag come with the answer."""

from collections.abc import Mapping
from typing import Any

from manifest_tools import s3
from manifest_tools.errors import MtoolError

# What S3 says of one object; it may give all others.
_OF_ONE_OBJECT = (
    "InvalidObjectState",
    "KeyTooLongError",
    "InvalidURI",
    "InvalidBucketName",
    "InvalidArgument",
    "MethodNotAllowed",
)


def first_bytes(uri: str, length: int) -> tuple[bytes, int, str]:
    """Return the first ``length`` bytes of an object, the size of all of it, and its ETag.

    One request. A server that knows no ranges answers with all of it, of which no more is read. Raises
    what ``s3`` raises.
    """
    name = s3._named(uri)
    answers: list[Mapping[str, Any]] = []

    def body() -> bytes:
        answer = s3._client().get_object(Bucket=name.bucket, Key=name.key, Range=f"bytes=0-{length - 1}")
        answers[:] = [answer]
        if answer["ContentLength"] <= length:
            return answer["Body"].read()
        with answer["Body"] as stream:
            return stream.read(length)

    with s3._in_words(uri):
        data = s3._unless_past_the_end(lambda: s3._whole(body))
    if not answers:
        return b"", 0, ""
    total = answers[0].get("ContentRange", "").rpartition("/")[2]
    size = int(total) if total.isdecimal() else answers[0]["ContentLength"]
    return data, size, answers[0].get("ETag", "").strip('"')


def is_of_one_object(error: MtoolError) -> bool:
    """Say whether what went wrong is a matter of one object: archived, or of a name that S3 does not take."""
    cause = error.__cause__
    code = str(getattr(cause, "response", {}).get("Error", {}).get("Code", ""))
    return code in _OF_ONE_OBJECT or code.startswith("KMS.") or type(cause).__name__ == "ParamValidationError"
