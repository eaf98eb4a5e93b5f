import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import Exists, MtoolError, Refused
from tests.trainers.sagemaker.resources import THROTTLED, Fault
from tests.trainers.sagemaker.stand_in import SageMaker
from trainers.sagemaker import CLASSES_TAG, create
from trainers.sagemaker.client.client import Denied, Taken

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

from tests.trainers.sagemaker.training.jobs import PLACE, hands, keys, launched, planned, values


def test_manifests_in_s3_are_used_where_they_are(tmp_path: Path, bucket: "S3Client") -> None:
    data = {}
    for name, path in hands(tmp_path).items():
        bucket.upload_file(path, "lab3-models", f"data/{name}.manifest")
        data[name] = f"s3://lab3-models/data/{name}.manifest"
    found = planned(data)
    assert [one.uri for one in found.training.channels] == list(data.values())
    assert [one.target for one in found.uploads] == [f"{PLACE}/classes.json"]


def test_a_compressed_manifest_is_uploaded_plain(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    import gzip

    data = hands(tmp_path)
    plain = Path(data["train"]).read_bytes()
    (tmp_path / "train.manifest.gz").write_bytes(gzip.compress(plain))
    launched(planned({**data, "train": str(tmp_path / "train.manifest.gz")}))
    stored = bucket.get_object(Bucket="lab3-models", Key="hands/hands-1/train.manifest")["Body"].read()
    assert stored == plain


def test_a_rec_file_is_uploaded_and_counted(tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker) -> None:
    from manifest_tools.io.recordio import ImageRecord, frame, pack

    files = {}
    for name in ("train", "validation"):
        pictures = [b"\xff\xd8\xff\xe0" + f"{name} {at}".encode() for at in range(40)]
        records = [frame(pack(ImageRecord(at, (float(at % 3),), data))) for at, data in enumerate(pictures)]
        (tmp_path / f"{name}.rec").write_bytes(b"".join(records))
        files[name] = str(tmp_path / f"{name}.rec")
    found = planned(files, input_format="recordio")
    assert values(found) == {"num_classes": "3", "num_training_samples": "40"}
    assert found.training.mode == "File"
    launched(found)
    assert keys(bucket) == ["hands/hands-1/train.rec", "hands/hands-1/validation.rec"]


def test_a_launch_uploads_and_sends_the_request(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    found = planned(hands(tmp_path))
    published = launched(found)
    assert [one.state for one in published] == ["written"] * 3
    assert sagemaker.sent("CreateTrainingJob") == [create(found.job).body]
    stored = json.loads(
        bucket.get_object(Bucket="lab3-models", Key="hands/hands-1/classes.json")["Body"].read()
    )
    assert stored["classes"] == {"0": "RH", "1": "LH"}
    assert (stored["label-attribute"], stored["multi-label"]) == ("hand", False)
    assert sagemaker.jobs["hands-1"].body["Tags"] == [{"Key": CLASSES_TAG, "Value": stored["sha256"]}]


REFUSALS = [
    pytest.param(Fault("ResourceLimitExceeded", "The account-level service limit is 0"), Refused, id="quota"),
    pytest.param(
        Fault("AccessDeniedException", "is not authorized to perform: iam:PassRole"), Denied, id="no right"
    ),
    pytest.param(Fault("ValidationException", "Could not assume role"), Refused, id="the role"),
]


@pytest.mark.parametrize(("fault", "error"), REFUSALS)
def test_a_job_that_is_refused_leaves_nothing_behind(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker, fault: Fault, error: type[MtoolError]
) -> None:
    sagemaker.answer("CreateTrainingJob", fault)
    with pytest.raises(error):
        launched(planned(hands(tmp_path)))
    assert keys(bucket) == []


def test_where_it_is_not_known_whether_the_job_was_made_its_data_stays(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    sagemaker.answer("CreateTrainingJob", THROTTLED, THROTTLED, THROTTLED, THROTTLED, THROTTLED)
    with pytest.raises(MtoolError, match="too busy"):
        launched(planned(hands(tmp_path)))
    assert len(keys(bucket)) == 3


def test_a_name_that_is_taken_changes_nothing_of_the_other_job(
    tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker
) -> None:
    launched(planned(hands(tmp_path)))
    before = {key: bucket.get_object(Bucket="lab3-models", Key=key)["ETag"] for key in keys(bucket)}
    with pytest.raises(Taken):
        launched(planned(hands(tmp_path)))
    with pytest.raises(Exists):
        launched(planned(hands(tmp_path, 50, 40)))
    assert {key: bucket.get_object(Bucket="lab3-models", Key=key)["ETag"] for key in keys(bucket)} == before
    assert len(sagemaker.jobs) == 1


def test_an_upload_that_fails_is_taken_back(tmp_path: Path, bucket: "S3Client", sagemaker: SageMaker) -> None:
    found = planned(hands(tmp_path))
    Path(tmp_path / "validation.manifest").unlink()
    with pytest.raises(MtoolError):
        launched(found)
    assert keys(bucket) == []
    assert sagemaker.sent("CreateTrainingJob") == []
