"""What went wrong with S3, in one line that says what to set or type; there is no boto3 in here."""

from collections.abc import Mapping
from typing import Any

from manifest_tools.base.errors import MtoolError
from manifest_tools.io.s3uri import bucket_problem


class NotThere(MtoolError):
    """An object, or its whole bucket, that S3 does not have."""

    def __init__(self, uri: str, what: str) -> None:
        super().__init__(f"{uri}: S3 has no such {what}; check the name, and whose account it is in")
        self.uri = uri
        self.what = what


class Denied(MtoolError):
    """An object that these credentials do not open."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            f"{uri}: access denied; it needs s3:GetObject (s3:PutObject to write), and a missing"
            " object looks so without s3:ListBucket; set AWS_PROFILE to other credentials"
        )
        self.uri = uri


# What S3 answers, and what to do about it; {region} is the bucket's, where S3 tells it.
_ANSWERS = {
    ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"): (
        "the AWS session has expired; log in again (`aws sso login`), or renew AWS_SESSION_TOKEN"
    ),
    ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"): (
        "AWS does not know these credentials; check AWS_PROFILE, or AWS_ACCESS_KEY_ID,"
        " AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
    ),
    ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"): (
        "the bucket is in another region; set AWS_REGION={region}"
    ),
    ("RequestTimeTooSkewed",): "this machine's clock is wrong; set it and try again",
    ("SlowDown", "503"): "S3 asks to go slower; try again later, or with a smaller --jobs",
    ("InvalidObjectState",): "the object is archived; restore it from Glacier first",
    ("PreconditionFailed", "412"): "was changed while it was read; type the same once more",
    ("KMS.NotFoundException", "KMS.InvalidArnException"): (
        "there is no such KMS key in this account and region; check --kms-key and AWS_REGION"
    ),
    ("KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.InvalidKeyUsageException"): (
        "its KMS key cannot be used now: disabled, pending deletion, or made for something else;"
        " enable it, or type another --kms-key"
    ),
}


def refusal(uri: str, response: Mapping[str, Any]) -> MtoolError:
    """Return the error for what S3 answered, given as botocore's ClientError carries it."""
    said = response.get("Error", {})
    code = said.get("Code", "")
    if code in ("NoSuchKey", "NoSuchBucket"):
        return NotThere(uri, "object" if code == "NoSuchKey" else "bucket")
    if code in ("AccessDenied", "AllAccessDisabled", "403"):
        return Denied(uri)
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = said.get("Region") or headers.get("x-amz-bucket-region")
    for codes, words in _ANSWERS.items():
        if code in codes:
            return MtoolError(f"{uri}: {words.format(region=region or 'the right one')}")
    return MtoolError(f"{uri}: S3 answers {code}: {said.get('Message', '')}")


# What goes wrong on this side, by the name of botocore's exception or of one above it.
_FAILURES = {
    "NoCredentialsError": (
        "there are no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "PartialCredentialsError": "{error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both",
    "ProfileNotFound": "{error}; set AWS_PROFILE to one that `aws configure list-profiles` shows",
    "SSOError": "{error}; log in again (`aws sso login`)",
    "LoginError": "{error}; log in again (`aws login`)",
    "TokenRetrievalError": "{error}; log in again (`aws sso login`)",
    "ParamValidationError": "S3 takes no such name: {problem}",
    "ConnectionError": "{error}; check the network, AWS_ENDPOINT_URL and AWS_REGION",
    "HTTPClientError": "the connection broke off ({error}); try again",
    "IncompleteReadError": "the connection broke off ({error}); try again",
}


def failure(uri: str, error: Exception) -> MtoolError:
    """Return the error for what botocore itself could not do."""
    text = " ".join(str(error).split()).rstrip(".")
    bucket = uri.removeprefix("s3://").partition("/")[0]
    for kind in type(error).__mro__:
        if words := _FAILURES.get(kind.__name__):
            said = words.format(error=text, problem=bucket_problem(bucket) or text)
            return MtoolError(f"{uri}: {said}")
    return MtoolError(f"{uri}: {text}; check AWS_PROFILE, AWS_CONFIG_FILE and the AWS_ variables")


# What S3 says of one object; it may give all others.
_OF_ONE_OBJECT = (
    "InvalidObjectState",
    "KeyTooLongError",
    "InvalidURI",
    "InvalidBucketName",
    "InvalidArgument",
    "MethodNotAllowed",
)


def is_of_one_object(error: MtoolError) -> bool:
    """Say whether what went wrong is a matter of one object: archived, or of a name that S3 does not take."""
    cause = error.__cause__
    code = str(getattr(cause, "response", {}).get("Error", {}).get("Code", ""))
    return code in _OF_ONE_OBJECT or code.startswith("KMS.") or type(cause).__name__ == "ParamValidationError"
