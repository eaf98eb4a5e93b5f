"""Errors of S3 in one line that says what to set or type. Does not import boto3."""

from collections.abc import Mapping
from typing import Any

from manifest_tools.base.errors import MtoolError
from manifest_tools.io.s3uri import bucket_problem


class NotThere(MtoolError):
    """An object or a bucket that does not exist: ``uri`` names it, ``what`` is "object" or "bucket"."""

    def __init__(self, uri: str, what: str) -> None:
        super().__init__(f"{uri}: S3 has no such {what}; check the name and the AWS account")
        self.uri = uri
        self.what = what


class Denied(MtoolError):
    """An object that these credentials may not read or write."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            f"{uri}: access denied; reading needs s3:GetObject, writing s3:PutObject; without s3:ListBucket"
            " S3 also denies access to an object that does not exist; check the name, or set AWS_PROFILE"
        )
        self.uri = uri


# S3's error codes, and the message for each; {region} is the bucket's region if S3 says it.
_MESSAGES = {
    ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"): (
        "the AWS session has expired; log in again (`aws sso login`), or set a new AWS_SESSION_TOKEN"
    ),
    ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"): (
        "AWS does not know these credentials; check AWS_PROFILE, or AWS_ACCESS_KEY_ID,"
        " AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
    ),
    ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"): (
        "the bucket is in another region; set AWS_REGION to {region}"
    ),
    ("RequestTimeTooSkewed",): "the clock of this machine is wrong; set it and try again",
    ("SlowDown", "503"): (
        "S3 got too many requests; try again later, or with a smaller --jobs or --concurrency"
    ),
    ("InvalidObjectState",): "the object is archived; restore it from Glacier first",
    ("PreconditionFailed", "412"): "was changed while it was read; run the same command again",
    ("KMS.NotFoundException", "KMS.InvalidArnException"): (
        "there is no such KMS key in this account and region; check --kms-key and AWS_REGION"
    ),
    ("KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.InvalidKeyUsageException"): (
        "its KMS key cannot be used: it is disabled, pending deletion, or made for another purpose;"
        " enable it, or type another --kms-key"
    ),
}


def answer_error(uri: str, response: Mapping[str, Any]) -> MtoolError:
    """Return the error for an answer of S3, given as the ``response`` of botocore's ClientError."""
    error = response.get("Error", {})
    code = error.get("Code", "")
    if code in ("NoSuchKey", "NoSuchBucket"):
        return NotThere(uri, "object" if code == "NoSuchKey" else "bucket")
    if code in ("AccessDenied", "AllAccessDisabled", "403"):
        return Denied(uri)
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = error.get("Region") or headers.get("x-amz-bucket-region") or "the bucket's own"
    for codes, words in _MESSAGES.items():
        if code in codes:
            return MtoolError(f"{uri}: {words.format(region=region)}")
    return MtoolError(f"{uri}: S3 answers {code}: {error.get('Message', '')}")


# Errors before or instead of an answer, by the name of botocore's exception or of a base class of it.
_CONNECTION_MESSAGES = {
    "NoCredentialsError": (
        "there are no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "PartialCredentialsError": "{error}; set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "ProfileNotFound": "{error}; set AWS_PROFILE to a name that `aws configure list-profiles` prints",
    "SSOError": "{error}; log in again (`aws sso login`)",
    "LoginError": "{error}; log in again (`aws login`)",
    "TokenRetrievalError": "{error}; log in again (`aws sso login`)",
    "ParamValidationError": "S3 does not accept this name: {problem}",
    "ConnectionError": "{error}; check the network, AWS_ENDPOINT_URL and AWS_REGION",
    "HTTPClientError": "the connection broke off ({error}); try again",
    "IncompleteReadError": "the connection broke off ({error}); try again",
}


def connection_error(uri: str, error: Exception) -> MtoolError:
    """Return the error for an exception of botocore that is not an answer of S3."""
    text = " ".join(str(error).split()).rstrip(".")
    bucket = uri.removeprefix("s3://").partition("/")[0]
    for kind in type(error).__mro__:
        if words := _CONNECTION_MESSAGES.get(kind.__name__):
            message = words.format(error=text, problem=bucket_problem(bucket) or text)
            return MtoolError(f"{uri}: {message}")
    return MtoolError(f"{uri}: {text}; check AWS_PROFILE, AWS_CONFIG_FILE and the AWS_ variables")


# Error codes that concern one object; other objects of the bucket may be fine.
_OF_ONE_OBJECT = (
    "InvalidObjectState",
    "KeyTooLongError",
    "InvalidURI",
    "InvalidBucketName",
    "InvalidArgument",
    "MethodNotAllowed",
)


def is_of_one_object(error: MtoolError) -> bool:
    """Return whether an error concerns one object only: it is archived, or S3 does not accept its name."""
    cause = error.__cause__
    code = str(getattr(cause, "response", {}).get("Error", {}).get("Code", ""))
    return code in _OF_ONE_OBJECT or code.startswith("KMS.") or type(cause).__name__ == "ParamValidationError"
