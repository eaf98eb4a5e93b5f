"""The stand-in is held against what is known of the service, through boto3 as everybody uses it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.trainers.sagemaker.resources import RESOURCES, THROTTLED, Fault, Step
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def client(service: str = "sagemaker") -> Any:
    import boto3

    session: Any = boto3.session.Session()
    return session.client(service)


def request(name: str = "a-job") -> dict[str, Any]:
    return {"TrainingJobName": name, **RESOURCES["TrainingJob"].body}


def refusal(ask: Callable[[], Any]) -> tuple[str, str]:
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        ask()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_job_goes_through_its_states_and_stays_at_the_last(sagemaker: SageMaker) -> None:
    service = client()
    service.create_training_job(**request())
    seen = [service.describe_training_job(TrainingJobName="a-job")["SecondaryStatus"] for _ in range(6)]
    assert seen == ["Starting", "Downloading", "Training", "Uploading", "Completed", "Completed"]
    assert sagemaker.sent("CreateTrainingJob") == [request()]
    artifact = service.describe_training_job(TrainingJobName="a-job")["ModelArtifacts"]
    assert artifact == {"S3ModelArtifacts": "s3://bucket/output/a-job/output/model.tar.gz"}


def test_a_script_says_states_log_and_reason(sagemaker: SageMaker) -> None:
    sagemaker.script(
        Step("InProgress", "Training", log=["one", "two"]), Step("Failed", "Failed", reason="ClientError: x")
    )
    service = client()
    service.create_training_job(**request())
    service.describe_training_job(TrainingJobName="a-job")
    assert service.describe_training_job(TrainingJobName="a-job")["FailureReason"] == "ClientError: x"
    events = client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="a-job/"
    )["events"]
    assert [event["message"] for event in events] == ["one", "two"]


def test_answers_come_before_its_own(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job")
    sagemaker.answer("DescribeTrainingJob", THROTTLED)
    service = client()
    answer = refusal(lambda: service.describe_training_job(TrainingJobName="a-job"))
    assert answer == ("ThrottlingException", "Rate exceeded")
    assert service.describe_training_job(TrainingJobName="a-job")["TrainingJobStatus"] == "InProgress"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        pytest.param({"RoleArn": "no"}, "RoleArn", id="a role that is too short"),
        pytest.param({"TrainingJobName": "a_job"}, "does not match", id="a name outside the pattern"),
        pytest.param(
            {"ResourceConfig": {"InstanceType": "ml.none", "InstanceCount": 1}},
            "InstanceType: 'ml.none' is none of the",
            id="an instance type that there is none of",
        ),
        pytest.param({"OutputDataConfig": {}}, "S3OutputPath", id="a part that is missing"),
        pytest.param({"Surprise": 1}, "Surprise", id="a part that there is none of"),
        pytest.param(
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "MaxRuntimeInSeconds", id="too small a number"
        ),
        pytest.param(
            {"HyperParameters": {"x": "y" * 2501}}, "2501 is above 2500", id="too long a hyperparameter"
        ),
    ],
)
def test_what_breaks_the_service_s_model_is_refused_and_remembered(
    sagemaker: SageMaker, change: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(Fault) as caught:
        sagemaker.receive("sagemaker", "CreateTrainingJob", request() | change)
    assert caught.value.code == "ValidationException"
    assert wrong in sagemaker.invalid.pop()


@pytest.mark.parametrize(
    ("operation", "words", "said"),
    [
        pytest.param(
            "describe_training_job",
            {"TrainingJobName": "none"},
            ("ValidationException", "Requested resource not found."),
            id="a training job",
        ),
        pytest.param(
            "stop_training_job",
            {"TrainingJobName": "none"},
            ("ValidationException", "Requested resource not found."),
            id="a training job to stop",
        ),
        pytest.param(
            "describe_transform_job",
            {"TransformJobName": "none"},
            ("ValidationException", "Could not find requested job with name: none"),
            id="a transform job",
        ),
        pytest.param(
            "describe_endpoint",
            {"EndpointName": "none"},
            (
                "ValidationException",
                'Could not find endpoint "arn:aws:sagemaker:us-east-1:111122223333:endpoint/none".',
            ),
            id="an endpoint",
        ),
        pytest.param(
            "create_endpoint",
            {"EndpointName": "e", "EndpointConfigName": "none"},
            (
                "ValidationException",
                "Could not find endpoint configuration"
                ' "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/none".',
            ),
            id="an endpoint of no configuration",
        ),
    ],
)
def test_a_name_that_there_is_none_of(
    sagemaker: SageMaker, operation: str, words: dict[str, str], said: tuple[str, str]
) -> None:
    assert refusal(lambda: getattr(client(), operation)(**words)) == said


def test_a_name_is_there_only_once(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job")
    assert refusal(lambda: client().create_training_job(**request()))[0] == "ResourceInUse"


def test_a_job_that_has_ended_cannot_be_stopped(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", Step("Completed", "Completed"))
    code, message = refusal(lambda: client().stop_training_job(TrainingJobName="a-job"))
    assert code == "ValidationException"
    assert message.endswith("because the training job is in status Completed.")


def test_lists_have_pages_newest_first(sagemaker: SageMaker) -> None:
    for number in range(25):
        sagemaker.put("TrainingJob", f"job-{number:02}", created=1_700_000_000 + number)
    pages = list(client().get_paginator("list_training_jobs").paginate(MaxResults=10))
    assert [len(page["TrainingJobSummaries"]) for page in pages] == [10, 10, 5]
    assert pages[0]["TrainingJobSummaries"][0]["TrainingJobName"] == "job-24"


def test_an_endpoint_from_model_to_answer_and_away_again(sagemaker: SageMaker) -> None:
    service = client()
    service.create_model(ModelName="m", **RESOURCES["Model"].body)
    variant = RESOURCES["EndpointConfig"].body["ProductionVariants"][0] | {"ModelName": "m"}
    service.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    service.create_endpoint(EndpointName="e", EndpointConfigName="c")
    seen = [service.describe_endpoint(EndpointName="e")["EndpointStatus"] for _ in range(3)]
    assert seen == ["Creating", "InService", "InService"]
    sagemaker.responder = lambda name, content_type, body: f"{name} {content_type} {body!r}".encode()
    answer = client("sagemaker-runtime").invoke_endpoint(
        EndpointName="e", ContentType="application/x-image", Body=b"\xff\xd8"
    )
    assert answer["Body"].read() == b"e application/x-image b'\\xff\\xd8'"
    service.delete_endpoint(EndpointName="e")
    assert sagemaker.endpoints == {}


def test_an_endpoint_takes_only_so_much(sagemaker: SageMaker) -> None:
    sagemaker.put("Endpoint", "e", Step("InService"))
    ask = client("sagemaker-runtime").invoke_endpoint
    assert "content length exceeded" in refusal(lambda: ask(EndpointName="e", Body=b"x" * 7_000_000))[1]
    assert refusal(lambda: ask(EndpointName="none", Body=b"x"))[1].endswith("not found.")


def test_log_events_have_tokens_of_which_the_forward_one_repeats_at_the_end(sagemaker: SageMaker) -> None:
    sagemaker.logs.page = 2
    for number in range(3):
        sagemaker.logs.write("g", "s", f"line {number}")
    get = client("logs").get_log_events
    first = get(logGroupName="g", logStreamName="s", startFromHead=True)
    second = get(logGroupName="g", logStreamName="s", nextToken=first["nextForwardToken"])
    third = get(logGroupName="g", logStreamName="s", nextToken=second["nextForwardToken"])
    said = [[event["message"] for event in one["events"]] for one in (first, second, third)]
    assert said == [["line 0", "line 1"], ["line 2"], []]
    assert third["nextForwardToken"] == second["nextForwardToken"]
    newest = get(logGroupName="g", logStreamName="s", limit=1)
    assert [event["message"] for event in newest["events"]] == ["line 2"]


def test_s3_stays_with_moto(sagemaker: SageMaker, s3: "S3Client") -> None:
    s3.create_bucket(Bucket="bucket")
    assert client("s3").list_buckets()["Buckets"][0]["Name"] == "bucket"
    assert client().list_training_jobs()["TrainingJobSummaries"] == []
    assert [one.operation for one in sagemaker.requests] == ["ListTrainingJobs"]
