"""Every request that people make is written down, in golden/, and the service's own model takes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.sagemaker.labs import GOLDEN, training, training_job
from tests.trainers.sagemaker.service_model import problems
from trainers.sagemaker import Compute, create

FOLDER = Path(__file__).parents[1] / "golden"


def golden(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def test_each_golden_file_has_its_value() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_request_is_the_golden_one(name: str) -> None:
    operation, body = create(GOLDEN[name])
    assert {"operation": operation, "request": body} == golden(name)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_golden_request_is_one_that_the_service_takes(name: str) -> None:
    assert problems(golden(name)["operation"], golden(name)["request"]) == []


@pytest.mark.parametrize("name", GOLDEN)
def test_botocore_s_stubber_takes_it_as_well(name: str) -> None:
    import boto3
    from botocore.stub import Stubber

    client = boto3.session.Session().client("sagemaker", region_name="us-east-1")
    operation, body = golden(name)["operation"], golden(name)["request"]
    arn = operation.removeprefix("create_").title().replace("_", "") + "Arn"
    with Stubber(client) as stubber:
        stubber.add_response(operation, {arn: "arn:aws:sagemaker:us-east-1:111122223333:x/y"}, body)
        getattr(client, operation)(**body)


# What the workshop's notebooks set; the golden files are held against it.
LABS = {
    "first-lab": {
        "num_classes": "257",
        "num_training_samples": "15420",
        "num_layers": "18",
        "use_pretrained_model": "1",
        "image_shape": "3,224,224",
        "mini_batch_size": "128",
        "epochs": "2",
        "learning_rate": "0.01",
    },
    "second-lab": {
        "algorithm": "fcn",
        "backbone": "resnet-50",
        "use_pretrained_model": "True",
        "crop_size": "240",
        "num_classes": "21",
        "num_training_samples": "1464",
        "epochs": "20",
        "learning_rate": "0.0001",
        "optimizer": "rmsprop",
        "lr_scheduler": "poly",
        "mini_batch_size": "16",
        "validation_mini_batch_size": "16",
        "early_stopping": "True",
        "early_stopping_min_epochs": "15",
        "early_stopping_patience": "2",
    },
}


@pytest.mark.parametrize("name", LABS)
def test_a_lab_has_every_hyperparameter_of_its_notebook_and_no_other(name: str) -> None:
    assert golden(name)["request"]["HyperParameters"] == LABS[name]


def test_the_first_lab_reads_recordio_as_files_on_one_p2() -> None:
    body = golden("first-lab")["request"]
    assert body["AlgorithmSpecification"]["TrainingInputMode"] == "File"
    assert body["ResourceConfig"] == {
        "InstanceType": "ml.p2.xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 50,
    }
    channels = {one["ChannelName"]: one["ContentType"] for one in body["InputDataConfig"]}
    assert channels == {"train": "application/x-recordio", "validation": "application/x-recordio"}


def test_the_second_lab_has_four_channels() -> None:
    body = golden("second-lab")["request"]
    assert body["AlgorithmSpecification"]["TrainingImage"].endswith("/semantic-segmentation:1")
    names = [one["ChannelName"] for one in body["InputDataConfig"]]
    assert names == ["train", "validation", "train_annotation", "validation_annotation"]


def test_an_earlier_model_comes_as_files_though_the_data_is_streamed() -> None:
    body = golden("incremental")["request"]
    assert body["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe"
    (model,) = [one for one in body["InputDataConfig"] if one["ChannelName"] == "model"]
    assert (model["InputMode"], model["ContentType"]) == ("File", "application/x-sagemaker-model")
    assert model["DataSource"]["S3DataSource"]["S3DataType"] == "S3Prefix"


def test_spot_is_the_flag_and_the_time_together() -> None:
    """Known failure 44: the one without the other is refused by the service."""
    for name in GOLDEN:
        body = golden(name)["request"]
        body = body.get("TrainingJobDefinition", body)
        limits = body.get("StoppingCondition", {})
        assert ("MaxWaitTimeInSeconds" in limits) is ("EnableManagedSpotTraining" in body)


def test_a_machine_with_its_own_disk_is_asked_for_without_a_volume() -> None:
    body = create(training_job(compute=Compute("ml.g4dn.xlarge"))).body
    assert body["ResourceConfig"] == {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1}


def test_what_is_not_set_is_left_to_the_service() -> None:
    assert set(create(training_job()).body) == {
        "TrainingJobName",
        "HyperParameters",
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
    }


def test_a_run_is_stopped_after_an_hour_unless_said_otherwise() -> None:
    assert training().max_run == 3600


def test_a_request_shares_nothing_with_its_value() -> None:
    job = training_job(tags={"a": "b"}, environment={"A": "b"})
    before = create(job).body
    body = create(job).body
    body["HyperParameters"]["epochs"] = "0"
    body["Environment"].clear()
    body["InputDataConfig"][0]["DataSource"]["S3DataSource"]["AttributeNames"].clear()
    assert create(job).body == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"TrainingJobName": "a" * 64}, "64 is above 63", id="a limit above"),
        pytest.param({"TrainingJobName": "a_b"}, "does not match", id="a pattern"),
        pytest.param({"ResourceConfig": {"InstanceType": "ml.x1.large"}}, "is none of the", id="a list"),
        pytest.param({"Tags": [{"Key": "a", "Value": "b,c"}]}, "does not match", id="a pattern of Java's"),
        pytest.param({"RoleArn": "x"}, "Invalid length", id="a limit below"),
        pytest.param({"Unknown": 1}, "Unknown parameter", id="a field"),
        pytest.param({"HyperParameters": {"epochs": 2}}, "Invalid type", id="a number for a text"),
    ],
)
def test_the_judge_of_these_tests_sees_what_is_wrong(change: dict[str, Any], message: str) -> None:
    (found, *_) = problems("create_training_job", create(training_job()).body | change)
    assert message in found
