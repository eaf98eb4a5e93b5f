from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import Refused
from tests.trainers.sagemaker.resources import RESOURCES, Fault, Step
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.sagemaker.account.idle import idle_endpoints
from trainers.sagemaker.account.jobs import NEWEST, find_job, list_jobs, read_prices, stop_job, with_machines
from trainers.sagemaker.client.client import Denied, NotThere

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ENDED = Step("Completed", "Completed")
RUNS = Step("InProgress", "Training")


def endpoint(sagemaker: SageMaker, name: str, state: str = "InService", created: float | None = None) -> None:
    """Have an endpoint with its configuration."""
    sagemaker.put("EndpointConfig", f"{name}-config")
    body = {"EndpointConfigName": f"{name}-config"}
    sagemaker.put("Endpoint", name, Step(state), body=body, created=created)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1000])
def test_all_of_them_whatever_the_pages(sagemaker: SageMaker, count: int) -> None:
    for number in range(count):
        sagemaker.put("TrainingJob", f"job-{number}", ENDED, created=1_700_000_000 + number)
    found = list(list_jobs(newest=None))
    assert [job.name for job in found] == [f"job-{number}" for number in reversed(range(count))]
    assert len(sagemaker.sent("ListTrainingJobs")) == max(1, -(-count // 100))
    assert sagemaker.sent("DescribeTrainingJob") == []


def test_of_those_that_ended_the_newest_and_of_those_that_run_all(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "old-and-running", RUNS, created=1_600_000_000)
    for number in range(500):
        sagemaker.put("TrainingJob", f"job-{number}", ENDED, created=1_700_000_000 + number)
    names = [job.name for job in list_jobs()]
    assert names == [f"job-{number}" for number in range(499, 499 - NEWEST, -1)] + ["old-and-running"]


def test_every_endpoint_is_listed(sagemaker: SageMaker) -> None:
    for number in range(NEWEST + 10):
        endpoint(sagemaker, f"e-{number}")
    assert len(list(list_jobs())) == NEWEST + 10


def test_what_runs_has_machines_and_a_price(sagemaker: SageMaker) -> None:
    sagemaker.put(
        "TrainingJob",
        "training",
        RUNS,
        body={"ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}},
    )
    sagemaker.put("HyperParameterTuningJob", "tuning", Step("InProgress"))
    sagemaker.put("TransformJob", "transform", Step("InProgress"))
    endpoint(sagemaker, "endpoint")
    sagemaker.put("TrainingJob", "ended", ENDED)
    prices = {"ml.p3.2xlarge": 4.0, "ml.m5.large": 0.125}
    found = {job.name: job for job in list_jobs(prices=prices)}
    assert {name: job.machines for name, job in found.items()} == {
        "training": (("ml.p3.2xlarge", 2),),
        "ended": (),
        "tuning": (),
        "transform": (("ml.c5.xlarge", 1),),
        "endpoint": (("ml.m5.large", 1),),
    }
    assert {name: job.per_hour for name, job in found.items()} == {
        "training": 8.0,
        "ended": 0.0,
        "tuning": None,
        "transform": None,
        "endpoint": 0.125,
    }


def test_a_serverless_endpoint_costs_nothing_while_it_waits(sagemaker: SageMaker) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "ServerlessConfig": serverless}
    sagemaker.put("EndpointConfig", "a-config", body={"ProductionVariants": [variant]})
    sagemaker.put("Endpoint", "e", Step("InService"))
    (job,) = list_jobs()
    assert (job.machines, job.per_hour) == ((("serverless", 0),), 0.0)


def test_a_job_that_goes_between_list_and_look_is_no_failure(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", RUNS)
    sagemaker.answer("DescribeTrainingJob", Fault("ValidationException", "Requested resource not found."))
    assert [(job.name, job.machines) for job in list_jobs()] == [("a-job", ())]


@pytest.mark.parametrize("text", ["", "x", "ml.m5.large=", "ml.m5.large=-1", "nan", "inf", "a=b=c"])
def test_a_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="--price-per-hour: expected TYPE=PRICE or PRICE"):
        read_prices([text])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("TrainingJob", "training"),
        ("HyperParameterTuningJob", "tuning"),
        ("TransformJob", "transform"),
        ("Endpoint", "endpoint"),
    ],
)
def test_a_name_is_found_whatever_it_is_of(sagemaker: SageMaker, kind: str, name: str) -> None:
    sagemaker.put("EndpointConfig", "a-config")
    sagemaker.put(kind, "the-one", Step("InService" if kind == "Endpoint" else "InProgress"))
    job, description = find_job("the-one")
    assert (job.kind, description[RESOURCES[kind].name]) == (name, "the-one")
    assert with_machines(job, description, {"": 1.0}).per_hour == (
        None if kind == "HyperParameterTuningJob" else 1.0
    )


def test_a_name_too_long_for_a_tuning_job_is_found_among_the_others(sagemaker: SageMaker) -> None:
    endpoint(sagemaker, "e" * 60)
    assert find_job("e" * 60)[0].kind == "endpoint"


def test_a_name_that_there_is_none_of_is_refused_with_the_region(sagemaker: SageMaker) -> None:
    with pytest.raises(NotThere, match="none: there is no job and no endpoint of that name in us-east-1"):
        find_job("none")


@pytest.mark.parametrize("name", ["a_b", "", "-a", "a\x1b[2J", "x" * 64])
def test_a_name_that_none_can_have_is_refused_before_a_call(sagemaker: SageMaker, name: str) -> None:
    with pytest.raises(Refused):
        find_job(name)
    assert sagemaker.requests == []


def test_where_one_kind_is_not_allowed_the_others_are_looked_through(sagemaker: SageMaker) -> None:
    endpoint(sagemaker, "e")
    sagemaker.answer("DescribeTrainingJob", *[Fault("AccessDeniedException", "no")] * 2)
    assert find_job("e")[0].kind == "endpoint"
    with pytest.raises(Denied, match="sagemaker:DescribeTrainingJob"):
        find_job("none")


@pytest.mark.parametrize("kind", ["TrainingJob", "HyperParameterTuningJob", "TransformJob"])
def test_a_job_that_runs_is_stopped(sagemaker: SageMaker, kind: str) -> None:
    sagemaker.put(kind, "a-job", Step("InProgress"), Step("InProgress"))
    assert stop_job("a-job", dry_run=True)[1] is not None
    assert sagemaker.sent(f"Stop{kind}") == []
    stop_job("a-job")
    assert sagemaker.sent(f"Stop{kind}") == [{RESOURCES[kind].name: "a-job"}]
    assert sagemaker.things[kind]["a-job"].step.status == "Stopping"


def test_what_has_ended_is_not_stopped_again(sagemaker: SageMaker) -> None:
    sagemaker.put("TrainingJob", "a-job", ENDED)
    job, request = stop_job("a-job")
    assert (job.state, request) == ("Completed", None)
    assert sagemaker.sent("StopTrainingJob") == []


def test_an_endpoint_is_deleted_and_not_stopped(sagemaker: SageMaker) -> None:
    endpoint(sagemaker, "e")
    with pytest.raises(Refused, match="mtool delete e"):
        stop_job("e")


def asked(name: str, when: datetime, count: float = 1) -> None:
    """Let CloudWatch have counted requests."""
    import boto3

    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}]
    metric = {"MetricName": "Invocations", "Dimensions": dimensions, "Timestamp": when, "Value": count}
    session: Any = boto3.session.Session()
    session.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=[metric])


def test_endpoints_that_nobody_asks_are_idle_the_longest_first(sagemaker: SageMaker, s3: "S3Client") -> None:
    now = datetime.now(UTC)
    days = (now - timedelta(days=5)).timestamp()
    endpoint(sagemaker, "busy", created=days)
    endpoint(sagemaker, "asked-yesterday", created=days)
    endpoint(sagemaker, "never-asked", created=days)
    endpoint(sagemaker, "new", created=(now - timedelta(minutes=10)).timestamp())
    endpoint(sagemaker, "failed", "Failed", created=days)
    asked("busy", now - timedelta(minutes=20))
    asked("asked-yesterday", now - timedelta(hours=24))
    asked("never-asked", now - timedelta(hours=1), count=0)
    found = idle_endpoints(now=now, prices={"ml.m5.large": 0.5})
    assert [(one.job.name, one.asked, one.job.per_hour) for one in found] == [
        ("never-asked", False, 0.5),
        ("asked-yesterday", True, 0.5),
    ]


def test_no_endpoint_is_idle_where_there_is_none(sagemaker: SageMaker) -> None:
    assert idle_endpoints() == []
