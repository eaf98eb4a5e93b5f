"""Failures of AWS, each in one line that says what to set or type; there is no boto3 in here."""

import re
from collections.abc import Mapping
from typing import Any

from manifest_tools.base.errors import MtoolError, Refused


class NotThere(Refused):
    """A job, model, endpoint or log that this account does not have in this region."""


class Taken(Refused):
    """A name that something has already."""


class Transient(MtoolError):
    """A failure after which it is worth asking again; ``reason`` is the message without its advice."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason}; {advice}" if advice else reason)
        self.reason = reason


class Throttled(Transient):
    """AWS asks to go slower, or is out of order for a while."""


class Unreachable(Transient):
    """No answer came: the network, a wrong region, or a wrong endpoint."""


class Denied(MtoolError):
    """The credentials do not allow the call; ``action`` is what has to be allowed."""

    def __init__(self, action: str, message: str) -> None:
        role = action == "iam:PassRole"
        whose = "handing the role over needs" if role else "access denied; the credentials need"
        super().__init__(f"{whose} {action}; allow it as `mtool policy` prints it ({message})")
        self.action = action


_DENIED = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorized")
_THROTTLED = (
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
)
_NOT_THERE = ("ResourceNotFound", "ResourceNotFoundException", "NotFoundException")

# By the code that AWS answers: what to do about it.
_ANSWERS = {
    ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"): (
        "the AWS session has expired; log in again (`aws sso login`), or renew AWS_SESSION_TOKEN"
    ),
    (
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
    ): (
        "AWS does not know these credentials; check AWS_PROFILE, or AWS_ACCESS_KEY_ID,"
        " AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and that AWS_REGION is one the account has enabled"
    ),
    ("RequestTimeTooSkewed",): "this machine's clock is wrong; set it and try again",
    ("OptInRequired", "SubscriptionRequiredException"): (
        "the account is not signed up for this; enable it in the AWS console, or set another AWS_PROFILE"
    ),
}

# Words of a ValidationException that has no code of its own: SageMaker's ways to say that a name is unknown.
_UNKNOWN = re.compile(
    r"requested resource not found|could not find (?:requested job|model|endpoint)|can't find"
    r"|^endpoint \S+ of account \S+ not found",
    re.IGNORECASE,
)
_TAKEN = re.compile(r"already exist", re.IGNORECASE)
_ROLE = re.compile(r"could not assume role|assume role|not a valid role|trust relationship", re.IGNORECASE)
_REGION = re.compile(r"different region|another region|not in (?:the )?region|expected region", re.IGNORECASE)
_ACTION = re.compile(r"perform: (?P<action>[\w-]+:\w+)")

_HINTS = (
    (
        _ROLE,
        "SageMaker cannot take on the role; its trust document must be the one that `mtool policy` prints",
    ),
    (_REGION, "something is in another region than the job; set AWS_REGION to that of the bucket"),
)


def refusal(action: str, response: Mapping[str, Any], region: str) -> MtoolError:
    """Return the error for an answer of AWS to ``action`` (such as sagemaker:StopTrainingJob).

    ``response`` is that of botocore's ClientError.
    """
    error = response.get("Error", {})
    code, message = str(error.get("Code", "")), _line(error.get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _DENIED:
        found = _ACTION.search(message)
        return Denied(found["action"] if found else action, message or code)
    if code in _THROTTLED or status in (429, 500, 502, 503):
        return Throttled(
            f"{action}: AWS is too busy ({code}: {message})", "wait a minute and type the command again"
        )
    for codes, words in _ANSWERS.items():
        if code in codes:
            return MtoolError(f"{action}: {words}")
    return _of_the_request(action, code, message, region)


def _of_the_request(action: str, code: str, message: str, region: str) -> MtoolError:
    """Return the error for a request that was understood and refused."""
    if code == "ResourceLimitExceeded":
        return Refused(
            f"{action}: {message}; ask for more in Service Quotas (SageMaker), or take another instance type"
        )
    if code in _NOT_THERE or _UNKNOWN.search(message):
        return NotThere(
            f"{action}: there is none of that name in {region} ({message.rstrip('.')}); see mtool jobs, and"
            " check AWS_REGION and AWS_PROFILE"
        )
    if code == "ResourceInUse" or _TAKEN.search(message):
        return Taken(f"{action}: {message.rstrip('.')}; take another name")
    if code in ("413", "RequestEntityTooLargeException") or "content length exceeded" in message:
        return Refused(f"{action}: {message.rstrip('.')}; shrink the picture, or use mtool transform")
    if code == "ModelError":
        return MtoolError(f"{action}: the model refused: {message}")
    hint = next((words for sign, words in _HINTS if sign.search(message)), "")
    return Refused(f"{action}: {message.rstrip('.') or code}{'; ' if hint else ''}{hint}")


# What goes wrong on this side, by the name of botocore's exception or of one above it.
_FAILURES = {
    "NoRegionError": "there is no AWS region; type for example: export AWS_REGION=us-east-1",
    "InvalidRegionError": "{error}; set AWS_REGION to a region's name, such as us-east-1",
    "NoCredentialsError": (
        "there are no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "PartialCredentialsError": "{error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both",
    "ProfileNotFound": "{error}; set AWS_PROFILE to one that `aws configure list-profiles` shows",
    "SSOError": "{error}; log in again (`aws sso login`)",
    "LoginError": "{error}; log in again (`aws login`)",
    "TokenRetrievalError": "{error}; log in again (`aws sso login`)",
    "ParamValidationError": "SageMaker takes no such request: {error}",
}
_BROKEN = ("ConnectionError", "HTTPClientError", "IncompleteReadError", "ResponseStreamingError")


def failure(action: str, error: Exception) -> MtoolError:
    """Return the error for a failure of botocore itself."""
    text = _line(str(error)).rstrip(".")
    kinds = [kind.__name__ for kind in type(error).__mro__]
    for kind in kinds:
        if words := _FAILURES.get(kind):
            wrong = Refused if kind in ("NoRegionError", "InvalidRegionError") else MtoolError
            return wrong(f"{action}: {words.format(error=text)}")
    if any(kind in _BROKEN for kind in kinds):
        return Unreachable(f"{action}: {text}", "check the network, AWS_REGION and AWS_ENDPOINT_URL")
    return MtoolError(f"{action}: {text}; check AWS_PROFILE, AWS_CONFIG_FILE and the AWS_ variables")


def _line(text: str) -> str:
    return " ".join(str(text).split())
