"""Models in S3: trained into, evaluated and used from there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import Exists, MtoolError, Refused
from trainers import Dataset, TrainConfig, read_model, train
from trainers.prepare import read_pair, records_of_pair, records_place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Run = Callable[..., Any]

BUCKET = "lab3-models"
MODEL = f"s3://{BUCKET}/hands"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0d4a1b2c-0000-4000-8000-000000000000"


@pytest.fixture
def bucket(s3: "S3Client") -> "S3Client":
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture
def uploaded(trained: Path, bucket: "S3Client") -> Path:
    """Return the current folder: a workshop whose model is in S3 as well."""
    bucket.upload_file("model/model.tar.gz", BUCKET, "hands/model.tar.gz")
    bucket.upload_file("validation.manifest", BUCKET, "validation.manifest")
    return trained


def names(s3: "S3Client") -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/", f"{MODEL}/model.tar.gz"])
def test_a_model_is_read_from_its_folder_or_by_its_name(uploaded: Path, path: str) -> None:
    assert read_model(path) == read_model("model")


def test_a_model_that_is_not_there_is_one_line(bucket: "S3Client") -> None:
    with pytest.raises(MtoolError, match=rf"^{MODEL}/model.tar.gz: S3 has no such object"):
        read_model(MODEL)


def test_evaluate_says_the_same_of_a_model_and_a_manifest_in_s3(
    uploaded: Path, bucket: "S3Client", run: Run
) -> None:
    words = ("--images", "raw-data", "--json")
    here = run("evaluate", *words)
    there = run("evaluate", f"s3://{BUCKET}/validation.manifest", "--model", MODEL, *words)
    assert there.stdout == here.stdout
    assert there.stderr.splitlines()[-1] == "no confusion.png: the model is in S3; type --picture FILE"
    assert names(bucket) == ["hands/model.tar.gz", "validation.manifest"]


def test_evaluate_draws_into_s3_with_a_key(uploaded: Path, bucket: "S3Client", run: Run) -> None:
    picture = f"{MODEL}/confusion.png"
    words = ("evaluate", "--images", "raw-data", "--model", MODEL, "--picture", picture)
    assert run(*words, "--kms-key", KEY).exit_code == 0
    assert bucket.head_object(Bucket=BUCKET, Key="hands/confusion.png")["SSEKMSKeyId"] == KEY
    refused = run("evaluate", "--images", "raw-data", "--kms-key", KEY)
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_predict_asks_a_model_in_s3_about_pictures_in_s3(
    uploaded: Path, bucket: "S3Client", run: Run
) -> None:
    pictures = sorted(Path("raw-data").iterdir())[:3]
    for picture in pictures:
        bucket.upload_file(str(picture), BUCKET, f"new/{picture.name}")
    here = run("predict", *pictures, "--json")
    uris = [f"s3://{BUCKET}/new/{picture.name}" for picture in pictures]
    there = run("predict", *uris, "--model", MODEL, "--sheet", f"{MODEL}/sheet.png", "--json")
    assert there.exit_code == 0, there.stderr
    answers = [
        [json.loads(line)["probabilities"] for line in out.stdout.splitlines()] for out in (here, there)
    ]
    assert answers[0] == answers[1]
    assert "hands/sheet.png" in names(bucket)


@pytest.mark.usefixtures("mxnet")
def test_a_training_run_leaves_in_s3_what_it_leaves_here(
    in_folder: Path, bucket: "S3Client", hands: Callable[..., Dataset], quick: Callable[..., TrainConfig]
) -> None:
    data = hands(16), hands(8, 1)
    train(*data, quick(), "model")
    result = train(*data, quick(), MODEL, kms_key=KEY)
    assert [one.path for one in result.published][0] == f"{MODEL}/model.tar.gz"
    for file in Path("model").iterdir():
        if file.name not in ("history.jsonl", "history.png"):  # the seconds of every epoch are in these
            body = bucket.get_object(Bucket=BUCKET, Key=f"hands/{file.name}")["Body"].read()
            assert body == file.read_bytes()
        assert bucket.head_object(Bucket=BUCKET, Key=f"hands/{file.name}")["SSEKMSKeyId"] == KEY
    assert not Path("s3:").exists()
    again = train(*data, quick(), MODEL)
    assert [one.state for one in again.published] == ["unchanged"]
    with pytest.raises(Exists, match=rf"{MODEL}/model.tar.gz: exists already"):
        train(*data, quick(epochs=1), MODEL)


def test_a_key_for_a_folder_here_is_refused_before_training(
    in_folder: Path, hands: Callable[..., Dataset], quick: Callable[..., TrainConfig]
) -> None:
    with pytest.raises(Refused, match="--kms-key encrypts objects in S3"):
        train(hands(16), hands(8, 1), quick(), "model", kms_key=KEY)
    assert not Path("model").exists()


def test_records_are_never_planned_in_s3(workshop: Path) -> None:
    pair = read_pair("train.manifest", "validation.manifest", images=["raw-data"])
    with pytest.raises(Refused, match="expected a folder on this disk"):
        records_of_pair(pair, MODEL, 32)
    with records_place(MODEL) as folder:
        assert Path(folder).is_dir()
        assert records_of_pair(pair, folder, 32)[0].output.startswith(folder)
    assert not Path(folder).exists()
    with records_place("model") as folder:
        assert folder == "model"


@pytest.mark.usefixtures("mxnet")
def test_train_as_one_types_it_leaves_a_model_in_s3_and_nothing_here(
    workshop: Path, bucket: "S3Client", run: Run
) -> None:
    before = sorted(Path().rglob("*"))
    words = (
        "train",
        "--images",
        "raw-data",
        "--epochs",
        1,
        "--image-size",
        32,
        "-o",
        MODEL,
        "--kms-key",
        KEY,
    )
    done = run(*words)
    assert done.exit_code == 0, done.stderr
    assert {"hands/model.tar.gz", "hands/metrics.json", "hands/history.jsonl"} <= set(names(bucket))
    assert {bucket.head_object(Bucket=BUCKET, Key=key)["SSEKMSKeyId"] for key in names(bucket)} == {KEY}
    assert sorted(Path().rglob("*")) == before
    assert f"{MODEL}/model.tar.gz: unchanged" in run(*words).stderr
