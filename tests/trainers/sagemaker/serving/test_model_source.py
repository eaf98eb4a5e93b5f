import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import MtoolError, Refused
from tests.trainers.sagemaker.resources import Fault, Step
from tests.trainers.sagemaker.served_models import (
    BUCKET,
    FOLDER,
    JOB,
    ROLE,
    TABLE,
    archive,
    bucket,
    put,
    trained,
)
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.bad_model import BadModel
from trainers.sagemaker.client.client import NotThere
from trainers.sagemaker.serving.class_names import first_of
from trainers.sagemaker.serving.model_source import UNTRIED, find_model_source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def test_a_job_gives_model_role_algorithm_and_classes(sagemaker: SageMaker, s3: "S3Client") -> None:
    trained(sagemaker, s3)
    source = find_model_source(JOB)
    assert source.data == f"s3://{BUCKET}/{JOB}/output/model.tar.gz"
    assert source.role == ROLE
    assert (source.algorithm.name, source.stem) == ("image-classification", "hands")
    assert (source.table, source.classes) == (TABLE, f"s3://{BUCKET}/{FOLDER}/classes.json")
    assert source.notes == ()


def test_another_role_takes_the_place_of_the_job_s(sagemaker: SageMaker, s3: "S3Client") -> None:
    trained(sagemaker, s3)
    other = "arn:aws:iam::111122223333:role/other"
    assert find_model_source(JOB, other).role == other


def test_several_labels_are_known_from_the_hyperparameters(sagemaker: SageMaker, s3: "S3Client") -> None:
    trained(sagemaker, s3, HyperParameters={"multi_label": "1"})
    assert find_model_source(JOB).multi_label


def test_a_class_table_of_another_model_is_left_aside(sagemaker: SageMaker, s3: "S3Client") -> None:
    trained(sagemaker, s3, Tags=[{"Key": "mtool:classes-sha256", "Value": "0" * 64}])
    source = find_model_source(JOB)
    assert (source.table, source.classes) == (None, "")
    assert "is not the class table that the model was trained with" in source.notes[0]


def test_the_right_hash_needs_no_note(sagemaker: SageMaker, s3: "S3Client") -> None:
    trained(sagemaker, s3, Tags=[{"Key": "mtool:classes-sha256", "Value": TABLE.digest}])
    assert find_model_source(JOB).notes == ()


def test_without_leave_to_read_tags_the_table_is_taken_and_it_is_said(
    sagemaker: SageMaker, s3: "S3Client"
) -> None:
    trained(sagemaker, s3)
    sagemaker.answer("ListTags", Fault("AccessDeniedException", ""))
    source = find_model_source(JOB)
    assert source.table == TABLE
    assert "its class table is not checked" in source.notes[0]


def test_no_class_table_says_what_to_type(sagemaker: SageMaker, s3: "S3Client") -> None:
    bucket(s3)
    s3.create_bucket(Bucket="bucket")
    trained(sagemaker)
    assert "predict --classes FILE" in find_model_source(JOB).notes[0]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        pytest.param(Step("InProgress", "Training"), "is InProgress and has no model", id="it runs"),
        pytest.param(Step("Failed", reason="x"), f"type: mtool doctor {JOB}", id="it failed"),
        pytest.param(Step("Stopped"), "is Stopped and has no model", id="stopped without a model"),
    ],
)
def test_a_job_without_a_model_is_refused(sagemaker: SageMaker, step: Step, message: str) -> None:
    sagemaker.put("TrainingJob", JOB, step)
    with pytest.raises(Refused) as refused:
        find_model_source(JOB)
    assert message in str(refused.value)


def test_a_job_of_another_image_is_refused(sagemaker: SageMaker) -> None:
    image = {"TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1"}
    trained(sagemaker, AlgorithmSpecification={**image, "TrainingInputMode": "File"}, InputDataConfig=[])
    with pytest.raises(Refused, match="found one of the image '763104351884"):
        find_model_source(JOB)


def test_a_job_that_there_is_none_of(sagemaker: SageMaker) -> None:
    with pytest.raises(NotThere):
        find_model_source("nothing")


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTOOL_ROLE", ROLE)


def test_a_local_archive_of_ours(tmp_path: Path, role: None) -> None:
    file = tmp_path / "model.tar.gz"
    file.write_bytes(archive())
    source = find_model_source(str(file))
    assert (source.local, source.data, source.stem) == (str(file), "", tmp_path.name)
    assert source.table == TABLE
    assert source.notes == (UNTRIED,)


def test_an_archive_in_s3_with_its_classes_beside_it(s3: "S3Client", role: None) -> None:
    bucket(s3)
    uri = put(s3, "one/model.tar.gz", archive(card=False))
    put(s3, "one/classes.json", json.dumps(TABLE.to_json()).encode())
    source = find_model_source(uri)
    assert (source.local, source.data, source.stem) == ("", uri, "one")
    assert (source.table, source.classes) == (TABLE, f"s3://{BUCKET}/one/classes.json")
    assert source.notes == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "expected", id="an empty file"),
        pytest.param(b"\x1f\x8b no", "expected a gzipped tar file", id="no archive"),
        pytest.param(archive(names=("model_algo_1-0000.params",)), "deploy JOB", id="another algorithm's"),
        pytest.param(archive(names=("image-classification-symbol.json",)), "NNNN.params", id="no weights"),
    ],
)
def test_an_archive_that_the_image_could_not_read(
    tmp_path: Path, role: None, data: bytes, message: str
) -> None:
    file = tmp_path / "model.tar.gz"
    file.write_bytes(data)
    with pytest.raises(BadModel) as bad:
        find_model_source(str(file))
    assert message in str(bad.value)


def test_a_file_that_is_not_there(role: None) -> None:
    with pytest.raises(Refused, match="there is no such file"):
        find_model_source("nowhere/model.tar.gz")


def test_no_role_says_what_to_type(tmp_path: Path) -> None:
    file = tmp_path / "model.tar.gz"
    file.write_bytes(archive())
    with pytest.raises(MtoolError, match="type --role ARN, or set MTOOL_ROLE"):
        find_model_source(str(file))


@pytest.mark.parametrize("data", [b"{", b"[1]", b'{"classes": {"a": 1}}', b"[" * 100_000])
def test_a_class_table_that_is_none_is_a_note(s3: "S3Client", data: bytes) -> None:
    bucket(s3)
    found = first_of([put(s3, "classes.json", data)])
    assert found.table is None
    assert "no class table" in found.note


def test_the_first_class_table_that_is_there_is_taken(s3: "S3Client") -> None:
    bucket(s3)
    places: list[Any] = [f"s3://{BUCKET}/no.json", put(s3, "a/classes.json", b'["RH", "LH"]')]
    assert first_of(places).table == TABLE
