import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.trainers.sagemaker.api_gateway import ApiGateway, api_gateway
from tests.trainers.sagemaker.resources import Fault, Step
from tests.trainers.sagemaker.served_models import API_ROLE, JOB, in_service, trained
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

__all__ = ["api_gateway"]  # a fixture


def test_each_part_is_said(run: "Run", sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands", mtool__remind_after="2024-03-01T14:30:05Z")
    result = run("delete", "hands", "--yes")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "endpoint hands (InService): to be deleted",
        "endpoint configuration hands: to be deleted",
        "model hands: to be deleted",
        "endpoint hands: deleted",
        "endpoint configuration hands: deleted",
        "model hands: deleted",
        "reminder of 2024-03-01T14:30:05Z: gone with the endpoint",
    ]
    assert not any(sagemaker.things.values())


def test_what_deploy_made_is_gone_again(
    run: "Run", sagemaker: SageMaker, s3: "S3Client", api_gateway: ApiGateway
) -> None:
    trained(sagemaker, s3)
    words = ("--api", "--api-role", API_ROLE, "--name", "hands", "--yes", "--every", "0.05")
    assert run("deploy", JOB, *words).exit_code == 0
    assert run("delete", "hands", "--yes", "--quiet").stderr == ""
    assert api_gateway.apis == {}
    assert {kind for kind, things in sagemaker.things.items() if things} == {"TrainingJob"}


def test_nothing_happens_without_agreement(run: "Run", sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands")
    result = run("delete", "hands")
    assert result.exit_code == 2
    assert "type --yes" in result.stderr
    assert "hands" in sagemaker.endpoints


def test_a_dry_run_prints_the_requests(run: "Run", sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    rows = json.loads(run("delete", "hands", "--dry-run").stdout)
    assert [row["request"] for row in rows] == [
        {"EndpointName": "hands"},
        {"EndpointConfigName": "hands"},
        {"ModelName": "hands"},
    ]
    assert "hands" in sagemaker.endpoints


def test_what_is_kept_is_said_with_why(run: "Run", sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    in_service(sagemaker, "hands")
    result = run("delete", "hands", "--yes")
    why = "kept: not made by mtool deploy for this endpoint; --all deletes it"
    assert f"model hands: {why}" in result.stderr.splitlines()
    assert list(sagemaker.things["Model"]) == ["hands"]
    assert run("delete", "hands").stderr.endswith("nothing to delete\n")
    assert run("delete", "hands", "--yes", "--all").exit_code == 0
    assert sagemaker.things["Model"] == {}


def test_one_on_its_way_is_waited_for(run: "Run", sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    sagemaker.script(Step("Creating"), Step("Creating"), Step("InService"), name="hands", kind="Endpoint")
    result = run("delete", "hands", "--yes", "--every", "0.05")
    assert result.exit_code == 0
    assert "hands is Creating and cannot be deleted yet; waiting until it can" in result.stderr
    assert sagemaker.endpoints == {}


def test_one_that_fails_meanwhile_is_deleted_too(run: "Run", sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    sagemaker.script(Step("Creating"), Step("Failed", reason="no"), name="hands", kind="Endpoint")
    assert run("delete", "hands", "--yes", "--every", "0.05").exit_code == 0
    assert sagemaker.endpoints == {}


def test_a_part_that_stays_does_not_keep_the_others(run: "Run", sagemaker: SageMaker) -> None:
    in_service(sagemaker, "hands", mtool__made_for="hands")
    sagemaker.answer("DeleteEndpointConfig", Fault("AccessDeniedException", ""))
    result = run("delete", "hands", "--yes")
    assert result.exit_code == 3
    message = result.stderr.splitlines()[-1]
    assert message.startswith(
        "mtool: hands: could not be deleted: endpoint configuration hands (access denied;"
    )
    assert sagemaker.endpoints == sagemaker.things["Model"] == {}


def test_nothing_of_that_name(run: "Run", sagemaker: SageMaker, api_gateway: ApiGateway) -> None:
    result = run("delete", "hands", "--yes")
    assert result.exit_code == 2
    assert "mtool: hands: there is no endpoint of that name in us-east-1" in result.stderr
