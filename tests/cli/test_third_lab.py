"""The workshop's third lab as five commands: rewrite, split, train, deploy, predict."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from typing import TYPE_CHECKING

import pytest

from tests.trainers.sagemaker.labs import ROLE
from tests.trainers.sagemaker.model_archives import archive, files
from tests.trainers.sagemaker.resources import Step, Thing
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

BUCKET = "lab3-models"
FAST = ("--yes", "--every", "0.05")


def five_commands(run: "Run", sagemaker: SageMaker, s3: "S3Client", pictures: list[str]) -> list[str]:
    """Type them one after the other in a folder with output.manifest; returns the last one's answers."""
    s3.create_bucket(Bucket=BUCKET)
    sagemaker.responder = lambda name, kind, data: json.dumps([0.2, 0.8]).encode()

    def lay(thing: Thing) -> None:
        key = f"hands/{thing.name}/output/model.tar.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=archive(files(side=224)))

    sagemaker.script(
        Step("InProgress", "Training"), Step("Completed", "Completed", does=lay), kind="TrainingJob"
    )
    out = ("-o", f"s3://{BUCKET}/hands", "--job-name", "hands-1", "--role", ROLE)
    assert run("rewrite", "output.manifest", "--lab", "lab3").exit_code == 0
    assert run("split", "output.manifest").exit_code == 0
    trained = run("train", "--trainer", "builtin", *out, *FAST, "-p", "num_layers=18", "-p", "epochs=2")
    assert trained.exit_code == 0, trained.stderr
    deployed = run("deploy", "hands-1", "--name", "hands", *FAST)
    assert deployed.exit_code == 0, deployed.stderr
    predicted = run("predict", "--endpoint", "hands", *pictures)
    assert predicted.exit_code == 0, predicted.stderr
    return list(predicted.stdout.splitlines())


@pytest.mark.usefixtures("mxnet")
def test_from_a_labeling_job_s_output_to_answers(
    run: "Run", sagemaker: SageMaker, s3: "S3Client", sample: Path, in_folder: Path
) -> None:
    copy(sample / "output.manifest", "output.manifest")
    pictures = sorted(str(path) for path in (sample / "images").glob("*.JPG"))[:3]
    answers = five_commands(run, sagemaker, s3, pictures)
    assert [line.rpartition("  ")[2] for line in answers] == ["LH 0.800"] * 3
    (job,) = sagemaker.sent("CreateTrainingJob")
    channels = {one["ChannelName"]: one for one in job["InputDataConfig"]}
    lines = Path("train.manifest").read_bytes().splitlines()
    assert set(channels) == {"train", "validation"}
    for name, channel in channels.items():
        source = channel["DataSource"]["S3DataSource"]
        assert source["AttributeNames"] == ["source-ref", "lab3-labeling-job"]
        key = source["S3Uri"].removeprefix(f"s3://{BUCKET}/")
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == Path(f"{name}.manifest").read_bytes()
    assert job["HyperParameters"]["num_training_samples"] == str(len(lines))
    assert job["HyperParameters"]["num_classes"] == "2"
    assert Path("model/model.tar.gz").exists()


@pytest.mark.usefixtures("mxnet")
def test_with_the_workshop_s_own_labels(
    run: "Run", sagemaker: SageMaker, s3: "S3Client", sample: Path, corpus: Path, in_folder: Path
) -> None:
    text = (corpus / "workshop-output.manifest").read_text().replace("lab1", "lab#")
    Path("output.manifest").write_text(text)
    pictures = sorted(str(path) for path in (sample / "images").glob("*.JPG"))[:2]
    assert len(five_commands(run, sagemaker, s3, pictures)) == 2
    (job,) = sagemaker.sent("CreateTrainingJob")
    assert job["HyperParameters"]["num_training_samples"] == "55"


@pytest.mark.parametrize("name", ["train.manifest", "validation.manifest"])
def test_without_a_part_nothing_is_started(
    run: "Run", sagemaker: SageMaker, sample: Path, in_folder: Path, name: str
) -> None:
    copy(sample / "output.manifest", "output.manifest")
    run("rewrite", "output.manifest", "--lab", "lab3")
    run("split", "output.manifest")
    Path(name).unlink()
    result = run("train", "--trainer", "builtin", "-o", f"s3://{BUCKET}/hands", "--role", ROLE, *FAST)
    assert result.exit_code == 2
    assert name in result.stderr
    assert sagemaker.requests == []
