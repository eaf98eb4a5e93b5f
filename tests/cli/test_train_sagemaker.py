"""``mtool train --trainer builtin`` as people type it, against the stand-in."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.sagemaker_options import pairs, seconds
from tests.trainers.sagemaker.labs import MODEL, ROLE
from tests.trainers.sagemaker.model_archives import archive, files
from tests.trainers.sagemaker.requests.test_requests import golden
from tests.trainers.sagemaker.resources import Fault, Step, Thing
from tests.trainers.sagemaker.stand_in import SageMaker
from tests.trainers.sagemaker.training.jobs import hand, hands, keys, text
from trainers.model_archive import read_model

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")

BUILTIN = ("train", "--trainer", "builtin")
BIRDS = tuple(f"s3://example-bucket/birds/{name}.manifest" for name in ("train", "validation"))
ALL_TYPED = ("--no-preflight", "--label-attribute", "species", "--seed", "1234")


def typed(**values: object) -> list[str]:
    """Return ``-p NAME=VALUE`` words."""
    return [word for name, value in values.items() for word in ("-p", f"{name}={value}")]


SHORT = typed(num_classes=5, num_training_samples=800, num_layers=18, use_pretrained_model=1)
P3 = ("--instance-type", "ml.p3.2xlarge")

LINES: dict[str, list[str]] = {
    "first-lab": [
        *("s3://example-bucket/caltech/train/", "s3://example-bucket/caltech/validation/"),
        *("--input", "recordio", "-o", "s3://example-bucket/caltech/output"),
        *("--job-name", "lab1-20240301-120000", "--instance-type", "ml.p2.xlarge", "--volume", "50"),
        *typed(num_classes=257, num_training_samples=15420, num_layers=18, use_pretrained_model=1),
        *typed(image_shape="3,224,224", mini_batch_size=128, epochs=2, learning_rate=0.01),
    ],
    "second-lab": [
        *("s3://example-bucket/voc/train/", "s3://example-bucket/voc/validation/"),
        *("--channel", "train_annotation=s3://example-bucket/voc/train_annotation/"),
        *("--channel", "validation_annotation=s3://example-bucket/voc/validation_annotation/"),
        *("--algorithm", "semantic-segmentation", "--input", "image", "--early-stopping"),
        *("-o", "s3://example-bucket/voc/output", "--job-name", "lab2-20240301-120000", *P3),
        *typed(backbone="resnet-50", algorithm="fcn", use_pretrained_model=True, crop_size=240),
        *typed(num_classes=21, num_training_samples=1464, epochs=20, learning_rate=0.0001),
        *typed(optimizer="rmsprop", lr_scheduler="poly", mini_batch_size=16),
        *typed(validation_mini_batch_size=16, early_stopping_min_epochs=15, early_stopping_patience=2),
    ],
    "single-label": [
        *(*BIRDS, *ALL_TYPED, *SHORT, *P3, "-o", "s3://example-bucket/birds/output"),
        *("--job-name", "birds-20240301-1"),
    ],
    "lists": [
        *("s3://example-bucket/birds/train/", "s3://example-bucket/birds/validation/", "--input", "lst"),
        *("--channel", "train_lst=s3://example-bucket/birds/train_lst/"),
        *("--channel", "validation_lst=s3://example-bucket/birds/validation_lst/"),
        *(*SHORT, *typed(resize=256), *P3, "-o", "s3://example-bucket/birds/output"),
        *("--job-name", "birds-20240301-1"),
    ],
    "spot": [
        *(*BIRDS, *ALL_TYPED, *SHORT, *P3, "-o", "s3://example-bucket/birds/output"),
        *("--job-name", "birds-20240301-1", "--volume", "50", "--max-run", "2h", "--spot"),
        *("--checkpoints", "s3://example-bucket/birds/ckpt/birds-20240301-1", "--retries", "2"),
        *("--tag", "project=birds"),
        *typed(image_shape="3,224,224", resize=256, mini_batch_size=32, epochs=30),
        *typed(learning_rate=0.01, lr_scheduler_step="10,20"),
    ],
    "incremental": [
        *(*BIRDS, *ALL_TYPED, *P3, "-o", "s3://example-bucket/birds/output"),
        *(*typed(num_classes=5, num_training_samples=800), "--job-name", "birds-20240301-1"),
        *("--init-from", MODEL),
    ],
}


@pytest.mark.parametrize("name", LINES)
def test_the_golden_request_through_the_command_line(run: "Run", name: str) -> None:
    """No service is there in this test: a dry run with role and region asks none."""
    result = run(*BUILTIN, *LINES[name], "--role", ROLE, "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == golden(name)["request"]


@pytest.fixture
def workshop(
    in_folder: Path, s3: "S3Client", sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> SageMaker:
    """Return the stand-in, in a folder with two manifests, and with a bucket and a role."""
    hands(in_folder)
    s3.create_bucket(Bucket="lab3-models")
    monkeypatch.setenv("MTOOL_ROLE", ROLE)
    return sagemaker


OUT = ("-o", "s3://lab3-models/hands", "--job-name", "hands-1")
LOG = [
    "[03/01/2024 12:00:00 INFO 140] Epoch[0] Train-accuracy=0.5",
    "[03/01/2024 12:00:00 INFO 140] Epoch[0] Time cost=2.5",
    "[03/01/2024 12:00:00 INFO 140] Epoch[0] Validation-accuracy=0.75",
]


def learns(s3: "S3Client", members: dict[str, bytes]) -> tuple[Step, ...]:
    """Return the script of a job that comes to a model."""

    def lay(thing: Thing) -> None:
        key = f"hands/{thing.name}/output/model.tar.gz"
        s3.put_object(Bucket="lab3-models", Key=key, Body=archive(members))

    metrics = [{"MetricName": "validation:accuracy", "Value": 0.75, "Timestamp": 1_700_000_000}]
    over = {"BillableTimeInSeconds": 1800, "FinalMetricDataList": metrics}
    return (
        Step("InProgress", "Starting"),
        Step("InProgress", "Training", log=LOG),
        Step("Completed", "Completed", more=over, does=lay),
    )


SMALL = typed(image_shape="3,32,32", num_layers=20, epochs=1)


@pytest.mark.usefixtures("mxnet")
def test_from_manifests_to_a_model_that_answers_here(
    run: "Run", workshop: SageMaker, s3: "S3Client", in_folder: Path
) -> None:
    workshop.script(*learns(s3, files()))
    words = (*BUILTIN, *OUT, *SMALL, "--yes", "--every", "0.05", "--price-per-hour", "2")
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "hands-1: validation:accuracy 0.750; the model is in model\n"
    message = result.stderr
    assert "-p num_classes           2 (from the data)" in message
    assert "time limit               1 h, which cost at most 2.00" in message
    assert "s3://lab3-models/hands/hands-1/train.manifest: written" in message
    assert LOG[0] in message
    assert "epoch 1 of 1: train:accuracy 0.500, validation:accuracy 0.750 (2.5 s)" in message
    assert "hands-1: Completed, 1,800 s billed, 1.00 in all" in message
    assert "model/model.tar.gz: written" in message
    assert read_model("model").table.labels == ("RH", "LH")


@pytest.mark.usefixtures("mxnet")
def test_evaluate_and_predict_run_on_what_was_fetched(
    run: "Run", workshop: SageMaker, s3: "S3Client", in_folder: Path
) -> None:
    import numpy as np
    from PIL import Image

    (in_folder / "raw").mkdir()
    for at in range(4):
        picture = np.full((40, 40, 3), 60 * at, np.uint8)
        Image.fromarray(picture).save(in_folder / "raw" / f"{at}.jpg")
    (in_folder / "test.manifest").write_text(text(*(hand(at) for at in range(4))))
    workshop.script(*learns(s3, files()))
    assert run(*BUILTIN, *OUT, *SMALL, "-y", "-q", "--every", "0.05").exit_code == 0
    evaluated = run("evaluate", "test.manifest", "--images", "raw", "--json")
    assert evaluated.exit_code == 0, evaluated.stderr
    assert json.loads(evaluated.stdout)["examples"] == 4
    predicted = run("predict", "raw/0.jpg", "--json")
    assert predicted.exit_code == 0, predicted.stderr
    assert sum(json.loads(predicted.stdout)["probabilities"]) == pytest.approx(1)


@pytest.mark.usefixtures("mxnet")
def test_a_report_for_machines(run: "Run", workshop: SageMaker, s3: "S3Client") -> None:
    workshop.script(*learns(s3, files()))
    result = run(*BUILTIN, *OUT, *SMALL, "--yes", "--every", "0.05", "--json", "--quiet", "--model", "m")
    assert json.loads(result.stdout) == {
        "job": "hands-1",
        "status": "Completed",
        "artifact": "s3://lab3-models/hands/hands-1/output/model.tar.gz",
        "billed_seconds": 1800,
        "metrics": {"validation:accuracy": 0.75},
        "output": "m",
    }
    assert result.stderr == ""


def test_nobody_at_a_terminal_and_no_yes_starts_nothing(
    run: "Run", workshop: SageMaker, s3: "S3Client"
) -> None:
    result = run(*BUILTIN, *OUT)
    assert result.exit_code == 2
    assert "this is billed, and nobody is at a terminal to ask; type --yes" in result.stderr
    assert (keys(s3), workshop.requests) == ([], [])


@posix
@pytest.mark.parametrize(("answer", "jobs"), [("y\n", 1), ("n\n", 0), ("\n", 0)], ids=["yes", "no", "enter"])
def test_on_a_terminal_it_asks(workshop: SageMaker, answer: str, jobs: int) -> None:
    import pty

    keyboard, terminal = pty.openpty()
    words = [sys.executable, "-m", "manifest_tools", *BUILTIN, *OUT, "--no-wait"]
    with subprocess.Popen(
        words, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, text=True
    ) as started:
        os.close(terminal)
        os.write(keyboard, answer.encode())
        seen = b""
        while b"be billed?" not in seen:
            seen += os.read(keyboard, 4096)
        told_out, _ = started.communicate(timeout=60)
    os.close(keyboard)
    assert len(workshop.jobs) == jobs
    assert (started.returncode, told_out) == ((0, "hands-1\n") if jobs else (1, ""))


def test_no_wait_prints_the_name_and_says_how_to_go_on(run: "Run", workshop: SageMaker) -> None:
    result = run(*BUILTIN, *OUT, "--yes", "--no-wait")
    assert (result.exit_code, result.stdout) == (0, "hands-1\n")
    assert "mtool jobs stop hands-1" in result.stderr
    assert [one.operation for one in workshop.requests] == ["CreateTrainingJob"]


@posix
def test_ctrl_c_leaves_the_job_running(workshop: SageMaker, in_folder: Path) -> None:
    workshop.script(Step("InProgress", "Training", log=["a line"]))
    words = [sys.executable, "-m", "manifest_tools", *BUILTIN, *OUT, "--yes", "--every", "0.1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        while "a line" not in (line := started.stderr.readline()):
            assert line, "ended before its first line"
        started.send_signal(signal.SIGINT)
        _, message = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "hands-1 goes on, and is billed" in message
    assert workshop.sent("StopTrainingJob") == []
    assert not (in_folder / "model").exists()


@pytest.mark.usefixtures("mxnet")
def test_a_job_that_is_running_is_taken_up_again(run: "Run", workshop: SageMaker, s3: "S3Client") -> None:
    workshop.script(*learns(s3, files()))
    run(*BUILTIN, *OUT, *SMALL, "--yes", "--no-wait")
    result = run(*BUILTIN, "--attach", "hands-1", "--every", "0.05", "--model", "m")
    assert result.exit_code == 0, result.stderr
    assert len(workshop.sent("CreateTrainingJob")) == 1
    assert read_model("m").table.labels == ("RH", "LH")


def test_a_job_that_fails_leads_to_the_doctor(run: "Run", workshop: SageMaker, in_folder: Path) -> None:
    workshop.script(Step("InProgress"), Step("Failed", "Failed", reason="ClientError: no\nsuch thing"))
    result = run(*BUILTIN, *OUT, "--yes", "--every", "0.05")
    assert result.exit_code == 3
    assert result.stderr.endswith("hands-1 failed: ClientError: no such thing; type: mtool doctor hands-1\n")
    assert not (in_folder / "model").exists()


@pytest.mark.usefixtures("mxnet")
def test_a_model_that_cannot_be_fetched_says_where_it_is(
    run: "Run", workshop: SageMaker, s3: "S3Client"
) -> None:
    steps = learns(s3, files())
    workshop.script(*steps[:-1], Step("Completed", "Completed"))
    result = run(*BUILTIN, *OUT, *SMALL, "--yes", "--every", "0.05")
    assert result.exit_code != 0
    artifact = "s3://lab3-models/hands/hands-1/output/model.tar.gz"
    assert f"hands-1 has left {artifact}; to fetch it: mtool train --trainer builtin --attach hands-1" in (
        result.stderr
    )


def test_a_model_that_is_there_is_refused_before_the_bill(
    run: "Run", workshop: SageMaker, in_folder: Path
) -> None:
    (in_folder / "model").mkdir()
    (in_folder / "model" / "model.tar.gz").write_bytes(b"another")
    result = run(*BUILTIN, *OUT, "--yes")
    assert result.exit_code == 2
    assert "model/model.tar.gz: exists already; type --force to replace it, or --model" in result.stderr
    assert workshop.requests == []


def test_a_quota_is_said_and_nothing_is_left(run: "Run", workshop: SageMaker, s3: "S3Client") -> None:
    workshop.answer("CreateTrainingJob", Fault("ResourceLimitExceeded", "limit is 0 Instances."))
    result = run(*BUILTIN, *OUT, "--yes")
    assert result.exit_code == 2
    assert "ask for more in Service Quotas" in result.stderr
    assert keys(s3) == []


def test_errors_of_the_data_are_shown_and_refused(run: "Run", workshop: SageMaker, in_folder: Path) -> None:
    with (in_folder / "train.manifest").open("a") as manifest:
        manifest.write('{"source-ref": "s3://lab3-rawdata/x.jpg"}\n')
    result = run(*BUILTIN, *OUT, "--yes", "--no-wait")
    assert result.exit_code == 2
    assert "train.manifest:41: error MT506" in result.stderr
    assert "1 error in the data; fix it, or type --no-preflight" in result.stderr
    assert workshop.requests == []
    assert run(*BUILTIN, *OUT, "--yes", "--no-wait", "--no-preflight").exit_code == 0


def test_a_dry_run_of_local_manifests_asks_no_service(
    run: "Run", in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands(in_folder)
    result = run(*BUILTIN, *OUT, "--role", ROLE, "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["HyperParameters"] == {"num_classes": "2", "num_training_samples": "40"}


def test_a_script_that_sends_it(run: "Run", in_folder: Path) -> None:
    hands(in_folder)
    script = run(*BUILTIN, *OUT, "--role", ROLE, "--emit", "boto3")
    compile(script.stdout, "script", "exec")
    assert 'client = boto3.client("sagemaker", region_name="us-east-1")' in script.stdout.replace("'", '"')
    assert "s3.upload_file('train.manifest', 'lab3-models', 'hands/hands-1/train.manifest')" in script.stdout
    lines = run(*BUILTIN, *OUT, "--role", ROLE, "--emit", "cli").stdout.splitlines()
    assert "aws s3 cp ./train.manifest s3://lab3-models/hands/hands-1/train.manifest" in lines
    assert any(line.endswith("| aws s3 cp - s3://lab3-models/hands/hands-1/classes.json") for line in lines)
    assert "aws sagemaker create-training-job --region us-east-1 --cli-input-json '{" in lines


def test_the_script_leaves_in_s3_what_a_run_does(
    run: "Run", workshop: SageMaker, s3: "S3Client", in_folder: Path
) -> None:
    words = (*BUILTIN, *OUT, "--role", ROLE)
    script = run(*words, "--emit", "boto3").stdout
    done = subprocess.run([sys.executable, "-"], input=script, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    made = keys(s3)
    (sent,) = workshop.sent("CreateTrainingJob")
    for key in made:
        s3.delete_object(Bucket="lab3-models", Key=key)
    workshop.jobs.clear()
    assert run(*words, "--yes", "--no-wait").exit_code == 0
    assert keys(s3) == made
    assert workshop.sent("CreateTrainingJob")[-1] == sent


def test_parameters_of_a_file_and_over_them_those_that_are_typed(run: "Run", in_folder: Path) -> None:
    hands(in_folder)
    (in_folder / "best.json").write_text('{"learning_rate": 0.02, "optimizer": "adam"}')
    words = (*OUT, "--role", ROLE, "--dry-run", "--params", "best.json", *typed(optimizer="sgd"))
    values = json.loads(run(*BUILTIN, *words).stdout)["HyperParameters"]
    assert (values["learning_rate"], values["optimizer"]) == ("0.02", "sgd")


def test_everything_that_people_set(run: "Run", in_folder: Path) -> None:
    hands(in_folder)
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
    words: tuple[str, ...] = ("--instance-type", "ml.p3.8xlarge", "--instance-count", "2", "--volume", "200")
    words += ("--volume-kms-key", "alias/disks", "--kms-key", key, "--max-run", "90m", "--spot")
    words += ("--subnet", "subnet-1", "--subnet", "subnet-2", "--security-group", "sg-1", "--retries", "3")
    words += ("--tag", "project=birds", "--tag", "who=me", "--early-stopping", "--seed", "7")
    body = json.loads(run(*BUILTIN, *OUT, *words, "--role", ROLE, "--dry-run").stdout)
    assert body["ResourceConfig"] == {
        "InstanceType": "ml.p3.8xlarge",
        "InstanceCount": 2,
        "VolumeSizeInGB": 200,
        "VolumeKmsKeyId": "alias/disks",
    }
    assert body["OutputDataConfig"]["KmsKeyId"] == key
    assert body["StoppingCondition"] == {"MaxRuntimeInSeconds": 5400, "MaxWaitTimeInSeconds": 10800}
    assert body["CheckpointConfig"]["S3Uri"] == "s3://lab3-models/hands/hands-1/checkpoints"
    assert body["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    assert body["RetryStrategy"] == {"MaximumRetryAttempts": 3}
    assert body["HyperParameters"]["early_stopping"] == "True"
    assert body["InputDataConfig"][0]["ShuffleConfig"] == {"Seed": 7}
    assert {"Key": "who", "Value": "me"} in body["Tags"]


def test_uploads_are_encrypted_with_the_key(run: "Run", workshop: SageMaker, s3: "S3Client") -> None:
    run(*BUILTIN, *OUT, "--yes", "--no-wait", "--kms-key", "alias/birds")
    for key in keys(s3):
        assert s3.head_object(Bucket="lab3-models", Key=key)["SSEKMSKeyId"] == "alias/birds"


def test_no_role_leads_to_the_policy(run: "Run", in_folder: Path) -> None:
    hands(in_folder)
    result = run(*BUILTIN, *OUT, "--dry-run")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "type --role ARN" in result.stderr and "`mtool policy`" in result.stderr


@pytest.mark.parametrize("name", ["MTOOL_ROLE", "SAGEMAKER_ROLE"])
def test_a_role_from_the_environment(
    run: "Run", in_folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands(in_folder)
    monkeypatch.setenv(name, ROLE)
    assert json.loads(run(*BUILTIN, *OUT, "--dry-run").stdout)["RoleArn"] == ROLE


def test_manifests_in_s3_say_where_the_output_goes(run: "Run") -> None:
    words = (*BIRDS, *ALL_TYPED, *SHORT, "--role", ROLE, "--dry-run")
    body = json.loads(run(*BUILTIN, *words).stdout)
    assert body["OutputDataConfig"] == {"S3OutputPath": "s3://example-bucket/birds"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            (*BUILTIN, "--epochs", "3"),
            "--epochs works with --trainer gluon only; type -p epochs=N",
            id="epochs",
        ),
        pytest.param((*BUILTIN, "--images", "x"), "the pictures must be in S3", id="pictures"),
        pytest.param((*BUILTIN, "--pretrained"), "type -p use_pretrained_model=1", id="pretrained"),
        pytest.param(
            ("train", "--spot"), "--spot works with --trainer builtin only; leave it out", id="spot here"
        ),
        pytest.param(("train", "-p", "a=b"), "-p works with --trainer builtin only", id="-p here"),
        pytest.param(("train", "--yes"), "works with --trainer builtin only", id="yes here"),
        pytest.param(("train", "--model", "m"), "--model works with --trainer builtin only", id="model here"),
        pytest.param(
            ("train", "--trainer", "torch"), "expected one of gluon, builtin; found", id="no trainer"
        ),
        pytest.param(BUILTIN, "where do jobs write? type --output s3://bucket/prefix", id="no output"),
        pytest.param((*BUILTIN, "-o", "model"), "--output model: expected s3://bucket/prefix", id="a folder"),
        pytest.param(
            (*BUILTIN, *OUT, "--max-wait", "2h"), "--max-wait goes with --spot", id="wait for nothing"
        ),
        pytest.param((*BUILTIN, *OUT, "--max-run", "soon"), "--max-run: expected a time", id="no time"),
        pytest.param((*BUILTIN, *OUT, "--tag", "a"), "--tag: expected KEY=VALUE", id="half a tag"),
        pytest.param((*BUILTIN, *OUT, "--tag", "a=1", "--tag", "a=2"), "comes twice", id="a tag twice"),
        pytest.param(
            (*BUILTIN, *OUT, "--channel", "train=s3://b/c"),
            "TRAIN, the argument, says that already",
            id="train twice",
        ),
        pytest.param(
            (*BUILTIN, *OUT, "--subnet", "s-1"), "--subnet and --security-group go together", id="half a VPC"
        ),
        pytest.param((*BUILTIN, *OUT, "--dry-run", "--emit", "cli"), "type one of them", id="two prints"),
        pytest.param((*BUILTIN, *OUT, "--instance-type", "ml.m5.large"), "has no GPU", id="no GPU"),
        pytest.param(
            (*BUILTIN, *OUT, "--input", "recordio", "--seed", "3"),
            "--seed shuffles an augmented",
            id="a seed",
        ),
    ],
)
def test_refusals(
    run: "Run", in_folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    hands(in_folder)
    monkeypatch.setenv("MTOOL_ROLE", ROLE)
    result = run(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_no_manifest_in_this_folder(run: "Run", in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTOOL_ROLE", ROLE)
    result = run(*BUILTIN, *OUT)
    assert "train.manifest: not in this folder; type `mtool split output.manifest`" in result.stderr


def test_no_region(run: "Run", in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands(in_folder)
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "type for example: export AWS_REGION=" in run(*BUILTIN, *OUT, "--role", ROLE).stderr


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("90s", 90), ("2h", 7200), ("1d", 86400)])
def test_times(text: str, expected: int) -> None:
    assert seconds("--max-run", text) == expected


@pytest.mark.parametrize("text", ["", "h", "1.5h", "-1", "1w", "1 h", "９"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(Refused):
        seconds("--max-run", text)


def test_a_value_may_have_an_equals_sign() -> None:
    assert pairs("--tag", ["a=b=c", "d="]) == {"a": "b=c", "d": ""}
