import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.trainers.sagemaker.api_gateway import ApiGateway, api_gateway
from tests.trainers.sagemaker.resources import Fault, Step, Thing
from tests.trainers.sagemaker.served_models import (
    API_ROLE,
    BUCKET,
    JOB,
    ROLE,
    archive,
    bucket,
    objects,
    trained,
)
from tests.trainers.sagemaker.service_model import problems
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

__all__ = ["api_gateway"]  # a fixture

FAST = ("--yes", "--every", "0.05")


@pytest.fixture
def job(sagemaker: SageMaker, s3: "S3Client") -> SageMaker:
    trained(sagemaker, s3)
    return sagemaker


def test_a_job_goes_into_service(run: "Run", job: SageMaker) -> None:
    result = run("deploy", JOB, "--name", "hands", "--price-per-hour", "0.115", *FAST)
    assert (result.exit_code, result.stdout) == (0, "hands\n")
    assert job.endpoints["hands"].step.status == "InService"
    lines = result.stderr.splitlines()
    assert lines[0] == f"the model of {JOB} as the endpoint hands in us-east-1"
    assert "on ml.m5.large, 0.115 an hour" in lines
    assert f"classes: s3://{BUCKET}/{JOB}/classes.json" in lines
    assert [line for line in lines if line.startswith("hands: ")] == [
        "hands: Creating (0 min)",
        "hands: InService (0 min)",
    ]
    assert lines[-1] == "hands bills until you type: mtool delete hands"


def test_without_a_price_it_says_what_to_type(run: "Run", job: SageMaker) -> None:
    assert "price not known; type --price-per-hour" in run("deploy", JOB, "--dry-run").stderr


def test_a_dry_run_of_a_local_model_needs_no_account(
    run: "Run", in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    Path("model.tar.gz").write_bytes(archive())
    words = ("deploy", "model.tar.gz", "--role", ROLE, "-o", f"s3://{BUCKET}/models", "--name", "hands")
    done = run(*words, "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    assert [one["operation"] for one in json.loads(done.stdout)["requests"]][0] == "create_model"


def test_a_program_reads_of_an_endpoint_and_of_its_end(run: "Run", job: SageMaker) -> None:
    made = run("deploy", JOB, "--name", "hands", "--json", "-q", *FAST)
    assert json.loads(made.stdout) == {"endpoint": "hands", "status": "InService", "url": None}
    assert made.stderr == "hands bills until you type: mtool delete hands\n"
    gone = run("delete", "hands", "--json", "-q", *FAST)
    assert json.loads(gone.stdout)["endpoint"] == "hands"
    assert len(json.loads(gone.stdout)["deleted"]) == 3


def test_nothing_happens_without_agreement(run: "Run", job: SageMaker) -> None:
    result = run("deploy", JOB)
    assert result.exit_code == 2
    assert "type --yes, or first --dry-run" in result.stderr
    assert not [one for one in job.requests if one.operation.startswith("Create")]


def test_a_dry_run_prints_the_requests_that_are_sent(run: "Run", job: SageMaker) -> None:
    words = ("deploy", JOB, "--name", "hands", "--serverless", "--memory", "4096", "--tag", "project=birds")
    shown = json.loads(run(*words, "--dry-run").stdout)
    assert not [one for one in job.requests if one.operation.startswith("Create")]
    for row in shown:
        assert problems(row["operation"], row["request"]) == []
    assert run(*words, *FAST).exit_code == 0
    sent = [one.body for one in job.requests if one.operation.startswith("Create")]
    assert [row["request"] for row in shown] == sent
    config = sent[1]["ProductionVariants"][0]["ServerlessConfig"]
    assert config == {"MemorySizeInMB": 4096, "MaxConcurrency": 5}


@pytest.mark.parametrize("form", ["boto3", "cli"])
def test_a_script_in_place_of_the_calls(run: "Run", job: SageMaker, form: str) -> None:
    result = run("deploy", JOB, "--name", "hands", "--emit", form)
    assert result.exit_code == 0
    assert "create_endpoint_config" in result.stdout.replace("-", "_")
    if form == "boto3":
        compile(result.stdout, "script", "exec")
    assert not job.endpoints


def test_a_local_model_is_uploaded_with_its_classes(
    run: "Run", job: SageMaker, s3: "S3Client", tmp_path: Path
) -> None:
    file = tmp_path / "model.tar.gz"
    file.write_bytes(archive())
    result = run("deploy", file, "-o", f"s3://{BUCKET}/up/", "--name", "hands", "--role", ROLE, *FAST)
    assert result.exit_code == 0
    assert {"up/hands/model.tar.gz", "up/hands/classes.json"} <= objects(s3)
    assert "it is untried there" in result.stderr
    (model,) = job.sent("CreateModel")
    assert model["PrimaryContainer"]["ModelDataUrl"] == f"s3://{BUCKET}/up/hands/model.tar.gz"
    tags = {one["Key"]: one["Value"] for one in job.sent("CreateEndpoint")[0]["Tags"]}
    assert tags["mtool:classes"] == f"s3://{BUCKET}/up/hands/classes.json"


def test_a_failure_takes_the_upload_back_as_well(
    run: "Run", sagemaker: SageMaker, s3: "S3Client", tmp_path: Path
) -> None:
    bucket(s3)
    file = tmp_path / "model.tar.gz"
    file.write_bytes(archive())
    sagemaker.answer("CreateEndpoint", Fault("ResourceLimitExceeded", "is 0 Instances"))
    result = run("deploy", file, "-o", f"s3://{BUCKET}/up", "--name", "hands", "--role", ROLE, *FAST)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(
        "mtool: sagemaker:CreateEndpoint: is 0 Instances; ask for"
    )
    assert objects(s3) == set()
    assert not sagemaker.things["Model"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--memory", "1024"), "--memory is for --serverless", id="memory of a machine"),
        pytest.param(
            ("--serverless", "--instance-type", "ml.m5.large"), "has none; leave it out", id="no machine"
        ),
        pytest.param(("--serverless", "--memory", "3000"), "memory: expected 1024", id="memory between"),
        pytest.param(("--serverless", "--memory", "7168"), "found 7,168", id="too much memory"),
        pytest.param(
            ("--serverless", "--subnet", "subnet-0a", "--security-group", "sg-0a"),
            "no private network",
            id="a VPC",
        ),
        pytest.param(("--instance-type", "ml.c6g.large"), "whose processor is an ARM", id="an ARM"),
        pytest.param(("--instance-type", "ml.p4d.24xlarge"), "is served on", id="a GPU it cannot use"),
        pytest.param(("--api",), "--api needs a role that trusts apigateway.amazonaws.com", id="no role"),
        pytest.param(("--public",), "--public is for --api", id="public without an API"),
        pytest.param(("--remind-after", "soon"), "expected a time such as 30m, 2h or 1d", id="no time"),
        pytest.param(("--output", "s3://b/p"), "nothing is uploaded; leave --output out", id="an upload"),
        pytest.param(("--kms-key", "k"), "--kms-key is for a local model.tar.gz", id="a key for nothing"),
        pytest.param(("--name", "a_b"), "name of the", id="no name"),
        pytest.param(("--tag", "a"), "--tag: expected KEY=VALUE", id="no tag"),
    ],
)
def test_what_cannot_be_is_refused_before_anything(
    run: "Run", job: SageMaker, words: tuple[str, ...], message: str
) -> None:
    result = run("deploy", JOB, *words, *FAST)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not [one for one in job.requests if one.operation.startswith("Create")]


def test_a_name_that_is_taken(run: "Run", job: SageMaker) -> None:
    job.put("Endpoint", "hands")
    result = run("deploy", JOB, "--name", "hands", *FAST)
    assert result.exit_code == 2
    assert (
        "there is an endpoint of that name already; take another --name, or type: mtool delete hands"
        in result.stderr
    )


def test_an_endpoint_that_fails(run: "Run", job: SageMaker) -> None:
    reason = "The primary container for production variant AllTraffic did not pass the ping health check."
    job.script(Step("Creating"), Step("Failed", reason=reason), kind="Endpoint")
    result = run("deploy", JOB, "--name", "hands", *FAST)
    assert (result.exit_code, result.stdout) == (3, "hands\n")
    assert result.stderr.splitlines()[-1] == (
        f"mtool: hands failed: {reason}; type: mtool doctor hands; then: mtool delete hands"
    )


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_leaves_it_and_says_how_to_delete_it(run: "Run", job: SageMaker) -> None:
    def interrupt(thing: Thing) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    job.script(Step("Creating"), Step("Creating", does=interrupt), *[Step("Creating")] * 20, kind="Endpoint")
    result = run("deploy", JOB, "--name", "hands", *FAST)
    assert (result.exit_code, result.stdout) == (130, "hands\n")
    assert result.stderr.endswith(
        "hands is still being made, and bills; to delete it once it is in service: mtool delete hands\n"
    )
    assert "hands" in job.endpoints


def test_nobody_waits(run: "Run", job: SageMaker) -> None:
    result = run("deploy", JOB, "--name", "hands", "--no-wait", "--yes", "--quiet")
    assert result.exit_code == 0
    assert result.stderr == "hands bills until you type: mtool delete hands\n"


def test_a_reminder_is_a_tag_that_is_said(run: "Run", job: SageMaker) -> None:
    result = run("deploy", JOB, "--remind-after", "2h", "--dry-run")
    tags = {one["Key"]: one["Value"] for one in json.loads(result.stdout)[2]["request"]["Tags"]}
    assert f"mtool jobs --idle reminds of it from {tags['mtool:remind-after']} on" in result.stderr


def test_an_api_in_front_of_it(run: "Run", job: SageMaker, api_gateway: ApiGateway) -> None:
    words = ("deploy", JOB, "--name", "hands", "--api", "--api-role", API_ROLE)
    shown = json.loads(run(*words, "--dry-run").stdout)
    assert [row["operation"] for row in shown] == [
        "create_model",
        "create_endpoint_config",
        "import_rest_api",
        "create_deployment",
        "create_endpoint",
    ]
    result = run(*words, *FAST)
    assert result.exit_code == 0
    (made,) = api_gateway.apis.values()
    assert made["document"] == shown[2]["request"]["body"]
    address = f"https://{made['id']}.execute-api.us-east-1.amazonaws.com/v1/predict"
    assert f"POST a picture to {address}\n" in result.stderr
    assert "an API Gateway in front of it; requests are signed (SigV4)\n" in result.stderr
    assert '"Service": "apigateway.amazonaws.com"' in result.stderr


def test_a_public_api_says_who_pays(run: "Run", job: SageMaker) -> None:
    result = run("deploy", JOB, "--api", "--api-role", API_ROLE, "--public", "--dry-run")
    assert "whoever knows its address may ask, at your cost" in result.stderr


def test_a_script_of_a_local_model_says_that_it_does_not_upload(
    run: "Run", sagemaker: SageMaker, s3: "S3Client", tmp_path: Path
) -> None:
    bucket(s3)
    file = tmp_path / "model.tar.gz"
    file.write_bytes(archive())
    result = run(
        "deploy", file, "-o", f"s3://{BUCKET}/up", "--name", "hands", "--role", ROLE, "--emit", "cli"
    )
    assert result.exit_code == 0
    assert result.stderr.endswith(f"aws s3 cp {file} s3://{BUCKET}/up/hands/model.tar.gz\n")
    assert objects(s3) == set()
