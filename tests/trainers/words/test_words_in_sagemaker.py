"""The words that ask SageMaker, as functions: nothing is billed or deleted that was not agreed to."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import manifest_tools
from manifest_tools.base.errors import Exists, Refused
from tests.ground_truth import line, write
from tests.trainers.sagemaker.resources import Step, Thing
from tests.trainers.sagemaker.served_models import BUCKET, JOB, in_service, put, trained
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NEW, OUT = f"s3://{BUCKET}/new/", f"s3://{BUCKET}/out/"


@pytest.fixture
def job(sagemaker: SageMaker, s3: "S3Client") -> SageMaker:
    trained(sagemaker, s3)
    return sagemaker


def made(service: SageMaker) -> list[str]:
    return [one.operation for one in service.requests if one.operation.startswith(("Create", "Delete"))]


def test_an_endpoint_is_made_once_it_is_agreed_to(job: SageMaker) -> None:
    planned = manifest_tools.deploy(JOB, name="hands", dry_run=True)
    assert (planned.name, made(job)) == ("hands", [])
    with pytest.raises(Refused, match="hands is billed until it is deleted; pass yes=True to do it"):
        manifest_tools.deploy(JOB, name="hands")
    assert made(job) == []
    manifest_tools.deploy(JOB, name="hands", tag={"project": "birds"}, yes=True, every=0.05)
    assert job.endpoints["hands"].step.status == "InService"


def test_an_api_needs_its_role(job: SageMaker) -> None:
    with pytest.raises(Refused, match="--api needs a role"):
        manifest_tools.deploy(JOB, api=True, dry_run=True)


def test_an_endpoint_is_deleted_once_it_is_agreed_to(sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    with pytest.raises(Refused, match="hands: this deletes for good; pass yes=True"):
        manifest_tools.delete("hands")
    assert [part.kind for part in manifest_tools.delete("hands", dry_run=True).parts][0] == "endpoint"
    assert made(sagemaker) == []
    manifest_tools.delete("hands", yes=True)
    assert not any(sagemaker.things.values())


def test_answers_become_labels(job: SageMaker, s3: "S3Client", in_folder: Path) -> None:
    def answers(thing: Thing) -> None:
        put(s3, "out/1.jpg.out", json.dumps({"prediction": [0.25, 0.75]}).encode())

    put(s3, "new/1.jpg", b"picture")
    s3.create_bucket(Bucket="bucket")
    job.script(Step("InProgress"), Step("Completed", does=answers), kind="TransformJob")
    with pytest.raises(Refused, match="billed while it runs; pass yes=True"):
        manifest_tools.transform(JOB, NEW, output=OUT)
    done = manifest_tools.transform(JOB, NEW, output=OUT, name="batch", yes=True, every=0.05)
    assert done.answers is not None
    assert (done.job, done.answers.answered, done.answers.unanswered) == ("batch", 1, 0)
    assert json.loads(Path("predicted.manifest").read_text())["predicted"] == 1
    with pytest.raises(Exists, match="--joined"):
        manifest_tools.transform("batch", collect=True)


def test_jobs_are_listed_and_a_message_is_explained(job: SageMaker) -> None:
    assert [one.name for one in manifest_tools.jobs(kind="training")] == [JOB]
    found = manifest_tools.doctor(text="ClientError: Empty .rec file in train channel")
    assert found.recognised
    with pytest.raises(Refused, match="expected a job, or text"):
        manifest_tools.doctor()


def test_the_least_policies_are_returned(tmp_path: Path) -> None:
    path = write(tmp_path / "a.manifest", line(1))
    found = manifest_tools.policy(path, output="s3://lab3-models/hands", region="us-east-1")
    assert found.trust is not None
    assert found.to_json()["role"]["Statement"]
    with pytest.raises(Refused, match="which buckets"):
        manifest_tools.policy(output="s3://lab3-models/hands", region="us-east-1")
