import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.trainers.sagemaker.resources import Step, Thing
from tests.trainers.sagemaker.served_models import BUCKET, JOB, objects, put, trained
from tests.trainers.sagemaker.service_model import problems
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]

NEW, OUT = f"s3://{BUCKET}/new/", f"s3://{BUCKET}/out/"
FAST = ("--yes", "--every", "0.05", "--name", "batch")


@pytest.fixture
def job(sagemaker: SageMaker, s3: "S3Client", in_folder: Path) -> SageMaker:
    """Return a SageMaker with a trained job, and pictures that a transform job answers when it is over."""
    trained(sagemaker, s3)
    for number in range(4):
        put(s3, f"new/{number}.jpg", b"picture")
    s3.create_bucket(Bucket="bucket")
    sagemaker.script(Step("InProgress"), Step("Completed", does=answering(s3, 4)), kind="TransformJob")
    return sagemaker


def answering(s3: "S3Client", count: int) -> Callable[[Thing], None]:
    def does(thing: Thing) -> None:
        for number in range(count):
            put(
                s3, f"out/{number}.jpg.out", json.dumps({"prediction": [number / 4, 1 - number / 4]}).encode()
            )

    return does


def lines(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_bytes().splitlines()]


def test_every_picture_gets_a_line_with_its_answer(run: "Run", job: SageMaker) -> None:
    result = run("transform", JOB, NEW, "-o", OUT, "--price-per-hour", "0.25", *FAST)
    assert (result.exit_code, result.stdout) == (0, "batch\n")
    found = lines("predicted.manifest")
    assert [row["source-ref"] for row in found] == [f"{NEW}{number}.jpg" for number in range(4)]
    assert [row["predicted"] for row in found] == [1, 1, 0, 0]
    assert {"class-name": "LH", "confidence": 1.0}.items() <= found[0]["predicted-metadata"].items()  # type: ignore[attr-defined]
    assert "4 pictures have their answer" in result.stderr
    assert "on ml.m5.large, 0.25 an hour while it runs" in result.stderr
    assert job.things["Model"] == {}


def test_a_prefix_without_pictures_is_refused_before_the_bill(run: "Run", job: SageMaker) -> None:
    result = run("transform", JOB, NEW.replace("new", "empty"), "-o", OUT, *FAST)
    assert result.exit_code == 2
    assert "there is no picture; check the prefix (known failure 13)" in result.stderr
    assert job.sent("CreateTransformJob") == job.sent("CreateModel") == []


def test_what_it_writes_is_a_manifest(run: "Run", job: SageMaker) -> None:
    run("transform", JOB, NEW, "-o", OUT, *FAST)
    result = run("stats", "predicted.manifest", "--json")
    assert result.exit_code == 0
    assert "predicted" in result.stdout
    assert (
        run("filter", "predicted.manifest", "--min-confidence", "0.6", "-o", "sure.manifest").exit_code == 0
    )
    assert len(lines("sure.manifest")) == 3


def test_the_lines_of_a_manifest_get_their_answers(run: "Run", job: SageMaker, s3: "S3Client") -> None:
    rows = [{"source-ref": f"{NEW}{number}.jpg", "a": number} for number in (2, 0)]
    Path("test.manifest").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = run(
        "transform", JOB, "-o", OUT, "--manifest", "test.manifest", "--joined", "new.manifest", *FAST
    )
    assert result.exit_code == 0
    (sent,) = job.sent("CreateTransformJob")
    source = sent["TransformInput"]["DataSource"]["S3DataSource"]
    assert source == {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/batch.pictures.json"}
    body = s3.get_object(Bucket=BUCKET, Key="batch.pictures.json")["Body"].read()
    assert json.loads(body) == [{"prefix": NEW}, "2.jpg", "0.jpg"]
    assert [(row["a"], row["predicted"]) for row in lines("new.manifest")] == [(2, 0), (0, 1)]
    assert lines("test.manifest") == rows


def test_a_dry_run_prints_what_is_sent(run: "Run", job: SageMaker, s3: "S3Client") -> None:
    before = objects(s3)
    words = ("transform", JOB, NEW, "-o", OUT, "--name", "batch", "--concurrency", "16")
    shown = json.loads(run(*words, "--dry-run").stdout)
    assert [problems(row["operation"], row["request"]) for row in shown] == [[], []]
    assert (objects(s3), job.things["TransformJob"]) == (before, {})
    run(*words, *FAST[:3])
    assert [row["request"] for row in shown] == [*job.sent("CreateModel"), *job.sent("CreateTransformJob")]


def test_nothing_happens_without_agreement(run: "Run", job: SageMaker) -> None:
    result = run("transform", JOB, NEW, "-o", OUT)
    assert result.exit_code == 2
    assert job.things["TransformJob"] == {}


def test_a_picture_without_an_answer(run: "Run", job: SageMaker, s3: "S3Client") -> None:
    put(s3, "new/x.jpg", b"no picture")
    result = run("transform", JOB, NEW, "-o", OUT, *FAST)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == f"1 pictures have no answer: {NEW}x.jpg"
    assert "predicted" not in lines("predicted.manifest")[-1]


def test_a_job_that_fails_leaves_the_answers_that_it_has(run: "Run", job: SageMaker, s3: "S3Client") -> None:
    failed = Step("Failed", reason="Bad HTTP status received from algorithm: 400", does=answering(s3, 2))
    job.script(Step("InProgress"), failed, kind="TransformJob")
    result = run("transform", JOB, NEW, "-o", OUT, *FAST)
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1] == (
        "mtool: batch failed: Bad HTTP status received from algorithm: 400; type: mtool doctor batch"
    )
    assert sum("predicted" in row for row in lines("predicted.manifest")) == 2
    assert job.things["Model"] == {}


def test_nobody_waits_and_it_is_collected_later(run: "Run", job: SageMaker) -> None:
    result = run("transform", JOB, NEW, "-o", OUT, "--no-wait", *FAST)
    assert result.stdout == "batch\n"
    assert "once it is over, type: mtool transform batch --collect; " in result.stderr
    assert "then, to delete its model: mtool delete batch" in result.stderr
    assert run("transform", "batch", "--collect").exit_code == 2  # it runs
    assert run("transform", "batch", "--collect").exit_code == 0
    assert len(lines("predicted.manifest")) == 4


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_leaves_it(run: "Run", job: SageMaker) -> None:
    def interrupt(thing: Thing) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    job.script(
        Step("InProgress"),
        Step("InProgress", does=interrupt),
        *[Step("InProgress")] * 20,
        kind="TransformJob",
    )
    result = run("transform", JOB, NEW, "-o", OUT, *FAST)
    assert result.exit_code == 130
    assert "mtool jobs stop batch" in result.stderr
    assert "once it is over, type: mtool transform batch --collect" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            (JOB, "-o", OUT), "expected pictures: type s3://bucket/prefix/, or --manifest", id="none"
        ),
        pytest.param((JOB, NEW), "where does the job write? type --output", id="nowhere"),
        pytest.param((JOB, "new/", "-o", OUT), "pictures: expected a prefix in S3", id="pictures here"),
        pytest.param((JOB, NEW, "-o", "out"), "output: expected s3://", id="answers here"),
        pytest.param((JOB, NEW, "-o", OUT, "--concurrency", "17"), "expected at most 100 MB", id="too much"),
        pytest.param(
            (JOB, NEW, "-o", OUT, "--instance-type", "ml.t2.medium"), "transforms on", id="no such type"
        ),
        pytest.param((JOB, NEW, "-o", OUT, "--attribute", "x-ref"), "--attribute: expected", id="no label"),
        pytest.param((JOB, "-o", OUT, "--manifest", "-"), "standard input comes once", id="standard input"),
        pytest.param((JOB, NEW, "--collect"), "PICTURES is for a job that is started", id="collect pictures"),
        pytest.param(
            (JOB, "--collect", "--dry-run"), "--dry-run is for a job that is started", id="collect dry"
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything(
    run: "Run", job: SageMaker, words: tuple[str, ...], message: str
) -> None:
    result = run("transform", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not [one for one in job.requests if one.operation.startswith("Create")]


def test_an_output_that_is_there_is_refused_before_the_bill(run: "Run", job: SageMaker) -> None:
    Path("predicted.manifest").write_text("{}\n")
    result = run("transform", JOB, NEW, "-o", OUT, *FAST)
    assert result.exit_code == 2
    assert "predicted.manifest: exists already" in result.stderr
    assert job.requests == []
