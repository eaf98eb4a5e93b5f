from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import MtoolError, Refused
from tests.trainers.sagemaker.resources import THROTTLED, Fault, Step
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.sagemaker.client.client import (
    Denied,
    NotThere,
    Taken,
    Throttled,
    Unreachable,
    call_service,
    pages,
    region,
    role_arn,
    send,
)
from trainers.sagemaker.requests import resources

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ASKED = resources.describe("training", "a-job")


def refused(sagemaker: SageMaker, fault: Fault) -> MtoolError:
    """Return what is raised where the service answers so."""
    sagemaker.answer("DescribeTrainingJob", fault)
    with pytest.raises(MtoolError) as caught:
        send(ASKED)
    return caught.value


DENIED = (
    "User: arn:aws:iam::111122223333:user/me is not authorized to perform: {action} on resource:"
    " arn:aws:sagemaker:us-east-1:111122223333:training-job/a-job because no identity-based policy allows it"
)


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        pytest.param(
            Fault("AccessDeniedException", DENIED.format(action="sagemaker:DescribeTrainingJob")),
            Denied,
            "access denied; the credentials need sagemaker:DescribeTrainingJob; allow it as `mtool policy`",
            id="a permission is missing",
        ),
        pytest.param(
            Fault("AccessDeniedException", DENIED.format(action="iam:PassRole")),
            Denied,
            "handing the role over needs iam:PassRole",
            id="the permission to pass the role is missing",
        ),
        pytest.param(
            Fault("AccessDeniedException", ""),
            Denied,
            "need sagemaker:DescribeTrainingJob",
            id="denied without a word",
        ),
        pytest.param(
            Fault("ExpiredTokenException", "The security token included in the request is expired"),
            MtoolError,
            "the AWS session has expired; log in again (`aws sso login`)",
            id="an expired token",
        ),
        pytest.param(
            Fault("UnrecognizedClientException", "The security token included in the request is invalid."),
            MtoolError,
            "AWS does not know these credentials; check AWS_PROFILE",
            id="credentials that AWS does not know",
        ),
        pytest.param(
            Fault(
                "ResourceLimitExceeded",
                "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances",
            ),
            Refused,
            "'ml.p3.2xlarge for training job usage' is 0 Instances; ask for more in Service Quotas",
            id="a quota",
        ),
        pytest.param(THROTTLED, Throttled, "AWS is too busy", id="throttled"),
        pytest.param(Fault("InternalFailure", "", 500), Throttled, "AWS is too busy", id="out of order"),
        pytest.param(
            Fault("ValidationException", "Requested resource not found."),
            NotThere,
            "there is none of that name in us-east-1",
            id="an unknown name",
        ),
        pytest.param(
            Fault("ResourceInUse", "Training job names must be unique"),
            Taken,
            "must be unique; take another name",
            id="a name that is taken",
        ),
        pytest.param(
            Fault("ValidationException", "Could not assume role arn:aws:iam::1:role/x. Please ensure"),
            Refused,
            "its trust document must be the one that `mtool policy` prints",
            id="a role that trusts somebody else",
        ),
        pytest.param(
            Fault("ValidationException", "The bucket b is in a different region."),
            Refused,
            "set AWS_REGION to that of the bucket",
            id="a bucket elsewhere",
        ),
        pytest.param(
            Fault("ValidationException", "1 validation error\n  detected: x"),
            Refused,
            "sagemaker:DescribeTrainingJob: 1 validation error detected: x",
            id="another refusal, on one line",
        ),
    ],
)
def test_what_aws_answers_in_one_line(
    sagemaker: SageMaker, fault: Fault, kind: type[MtoolError], message: str
) -> None:
    error = refused(sagemaker, fault)
    assert type(error) is kind
    assert message in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("AccessDeniedException", 3), ("ExpiredTokenException", 3), ("ResourceLimitExceeded", 2)],
)
def test_the_exit_code_goes_with_it(sagemaker: SageMaker, code: str, exit_code: int) -> None:
    assert refused(sagemaker, Fault(code, "x")).exit_code == exit_code


def test_there_are_no_credentials(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(MtoolError, match="SageMaker: there are no AWS credentials; set AWS_PROFILE"):
        send(ASKED)


def test_there_is_no_region(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(Refused, match="there is no AWS region; type for example: export AWS_REGION="):
        send(ASKED)


def test_a_region_that_is_no_name(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us east 1")
    with pytest.raises(Refused, match="us east 1.*; set AWS_REGION"):
        send(ASKED)


def test_a_profile_that_there_is_none_of(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(MtoolError, match=r"profile \(nobody\).*; set AWS_PROFILE to one that"):
        send(ASKED)


def test_nobody_listens(account_guard: None) -> None:
    with pytest.raises(Unreachable, match="SageMaker: Could not connect .*; check the network, AWS_REGION"):
        send(ASKED)


def test_an_endpoint_that_is_no_url(account_guard: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "nowhere")
    with pytest.raises(MtoolError, match="nowhere; set AWS_ENDPOINT_URL to http://host:port"):
        send(ASKED)


def test_a_request_that_botocore_would_not_send(sagemaker: SageMaker) -> None:
    with pytest.raises(MtoolError, match="SageMaker takes no such request: .*Surprise"):
        call_service("sagemaker", "describe_training_job", {"TrainingJobName": "a", "Surprise": 1})


def test_the_region_is_that_of_the_variables(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert region() == "eu-west-1"


def test_pages_are_asked_for_when_they_are_wanted(sagemaker: SageMaker) -> None:
    for number in range(250):
        sagemaker.put("TrainingJob", f"job-{number}", Step("Completed"))
    found = pages(resources.list_newest("training"))
    next(found)
    assert len(sagemaker.sent("ListTrainingJobs")) == 1
    assert sum(len(page["TrainingJobSummaries"]) for page in found) == 150


def test_a_role_is_typed_or_set_or_looked_up_by_its_name(
    sagemaker: SageMaker, s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    given = "arn:aws:iam::111122223333:role/x"
    assert role_arn(given) == given
    monkeypatch.setenv("MTOOL_ROLE", "SageMakerRole")
    assert role_arn() == "arn:aws:iam::123456789012:role/SageMakerRole"  # moto's account


def test_no_role_says_what_to_type(sagemaker: SageMaker) -> None:
    with pytest.raises(Refused, match="no role for SageMaker to run as; type --role ARN, or set MTOOL_ROLE"):
        role_arn()
