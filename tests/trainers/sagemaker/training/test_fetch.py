from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.classes import ClassTable
from tests.trainers.sagemaker.model_archives import archive, files
from tests.trainers.sagemaker.resources import Step, Thing
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.model_archive import read_model
from trainers.sagemaker.training.fetch import check_outputs_are_free, fetch

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

from tests.trainers.sagemaker.training.jobs import hands, launched, planned


def put_model(s3: "S3Client", members: dict[str, bytes]) -> Any:
    """Return what a step of a script does: lay the artifact where SageMaker would."""

    def does(thing: Thing) -> None:
        key = f"hands/{thing.name}/output/model.tar.gz"
        s3.put_object(Bucket="lab3-models", Key=key, Body=archive(members))

    return does


def finished(
    tmp_path: Path, s3: "S3Client", sagemaker: SageMaker, members: dict[str, bytes], **other: Any
) -> Any:
    """Launch a job that is over at once, and return its description."""
    from trainers.sagemaker.client.client import send
    from trainers.sagemaker.requests import resources

    sagemaker.script(Step("Completed", does=put_model(s3, members)))
    given = {"image_shape": "3,32,32", "num_layers": "20"}
    launched(planned(hands(tmp_path), hyperparameters=given, **other))
    return send(resources.describe("training", "hands-1"))


@pytest.mark.usefixtures("mxnet")
def test_a_model_is_fetched_with_the_classes_that_were_uploaded(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    members = files()
    job = finished(tmp_path, bucket, sagemaker, members)
    fetched = fetch(job, str(tmp_path / "model"))
    assert (fetched.note, [one.state for one in fetched.published]) == ("", ["written"])
    model = read_model(str(tmp_path / "model"))
    assert (model.predictor, model.network, model.image_size) == ("builtin", "resnet20", 32)
    assert (model.table.labels, model.attribute, model.multi_label) == (("RH", "LH"), "hand", False)
    assert model.files == members
    assert [one.state for one in fetch(job, str(tmp_path / "model")).published] == ["unchanged"]


@pytest.mark.usefixtures("mxnet")
def test_a_class_table_that_was_changed_is_not_believed(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    job = finished(tmp_path, bucket, sagemaker, files())
    key = "hands/hands-1/classes.json"
    card = bucket.get_object(Bucket="lab3-models", Key=key)["Body"].read().replace(b'"RH"', b'"XX"')
    bucket.put_object(Bucket="lab3-models", Key=key, Body=card)
    with pytest.raises(BadData, match="somebody has changed the classes in it"):
        fetch(job, str(tmp_path / "model"))
    swapped = ClassTable(((0, "right"), (1, "left")))
    fetch(job, str(tmp_path / "model"), classes=swapped)
    assert read_model(str(tmp_path / "model")).table == swapped


@pytest.mark.usefixtures("mxnet")
def test_without_a_class_table_classes_have_numbers(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    job = finished(tmp_path, bucket, sagemaker, files())
    bucket.delete_object(Bucket="lab3-models", Key="hands/hands-1/classes.json")
    assert "type --classes FILE" in fetch(job, str(tmp_path / "model")).note
    assert read_model(str(tmp_path / "model")).table.labels == ("class 0", "class 1")


def test_what_is_no_classifier_is_fetched_as_it_is(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    import tarfile

    job = finished(tmp_path, bucket, sagemaker, {"model_algo-1": b"weights", "hyperparams.json": b"{}"})
    job["AlgorithmSpecification"]["TrainingImage"] = "1.dkr.ecr.us-east-1.amazonaws.com/object-detection:1"
    assert "not a model of image classification" in fetch(job, str(tmp_path / "model")).note
    with tarfile.open(tmp_path / "model" / "model.tar.gz") as tar:
        assert tar.getnames() == ["model_algo-1", "hyperparams.json"]


@pytest.mark.usefixtures("mxnet")
def test_a_trial_has_the_class_table_of_its_tuning_job(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    job = finished(tmp_path, bucket, sagemaker, files())
    job["TuningJobArn"] = "arn:aws:sagemaker:us-east-1:111122223333:hyper-parameter-tuning-job/hands-1"
    job["TrainingJobName"] = "hands-1-004-abc"
    fetch(job, str(tmp_path / "model"))
    assert read_model(str(tmp_path / "model")).table.labels == ("RH", "LH")


def test_a_folder_with_a_model_is_refused_before_the_bill(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"another")
    with pytest.raises(Refused, match="exists already; type --force to replace it, or --model"):
        check_outputs_are_free(str(tmp_path), force=False)
    check_outputs_are_free(str(tmp_path), force=True)
    check_outputs_are_free(str(tmp_path / "other"), force=False)


def test_a_job_without_a_model_leads_to_the_doctor(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="has left no model; type: mtool doctor hands-1"):
        fetch({"TrainingJobName": "hands-1"}, str(tmp_path))
