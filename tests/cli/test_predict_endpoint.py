import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.pictures import jpeg, row, write_manifest
from tests.trainers.sagemaker.resources import THROTTLED
from tests.trainers.sagemaker.served_models import bucket, in_service, put
from tests.trainers.sagemaker.stand_in import SageMaker

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from typer.testing import Result

    Run = Callable[..., Result]


@pytest.fixture
def endpoint(sagemaker: SageMaker, s3: "S3Client", in_folder: Path) -> SageMaker:
    """Return a SageMaker with an endpoint that takes dark pictures for RH; three pictures are here."""
    bucket(s3)
    put(s3, "hands/classes.json", b'["RH", "LH"]')
    in_service(sagemaker, "hands")
    answers = {jpeg(shade): [1 - shade / 200, shade / 200] for shade in (20, 100, 160)}
    sagemaker.responder = lambda name, kind, data: json.dumps(answers[data]).encode()
    for at, data in enumerate(answers, 1):
        Path(f"{at}.jpg").write_bytes(data)
    return sagemaker


def test_it_answers_as_a_local_model_does(run: "Run", endpoint: SageMaker) -> None:
    result = run("predict", "--endpoint", "hands", "1.jpg", "2.jpg", "3.jpg")
    assert result.exit_code == 0
    assert result.stdout == "1.jpg  RH 0.900\n2.jpg  RH 0.500\n3.jpg  LH 0.800\n"
    assert result.stderr == "3 pictures: 2 RH, 1 LH\n"


def test_as_json(run: "Run", endpoint: SageMaker) -> None:
    result = run("predict", "--endpoint", "hands", "3.jpg", "--json")
    assert json.loads(result.stdout) == {
        "picture": "3.jpg",
        "class": "LH",
        "index": 1,
        "probability": 0.8,
        "probabilities": [pytest.approx(0.2), 0.8],
    }


def test_against_a_manifest_with_a_contact_sheet(run: "Run", endpoint: SageMaker) -> None:
    manifest = write_manifest(Path("a.manifest"), [row("1.jpg", 0), row("3.jpg", 0)])
    words = ("--manifest", manifest, "--images", ".", "--sheet", "sheet.png")
    result = run("predict", "--endpoint", "hands", *words)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].endswith("LH 0.800 (wrong)  truth: RH")
    with Image.open("sheet.png") as image:
        assert image.format == "PNG"


def test_a_manifest_names_classes_that_nobody_else_does(
    run: "Run", endpoint: SageMaker, s3: "S3Client"
) -> None:
    s3.delete_object(Bucket="lab3-models", Key="hands/classes.json")
    manifest = write_manifest(Path("a.manifest"), [row("1.jpg", 0), row("3.jpg", 1)])
    result = run("predict", "--endpoint", "hands", "--manifest", manifest, "--images", ".")
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["RH", "LH"]
    assert result.stderr == "2 pictures: 2 right, 0 wrong (accuracy 1.000)\n"


def test_without_names_classes_have_numbers(run: "Run", endpoint: SageMaker, s3: "S3Client") -> None:
    s3.delete_object(Bucket="lab3-models", Key="hands/classes.json")
    result = run("predict", "--endpoint", "hands", "3.jpg")
    assert result.stdout == "3.jpg  class 1 0.800\n"
    assert "type --classes FILE" in result.stderr
    Path("names.txt").write_text("right\nleft\n")
    result = run("predict", "--endpoint", "hands", "3.jpg", "--classes", "names.txt")
    assert (result.stdout, result.stderr) == ("3.jpg  left 0.800\n", "")


def test_several_labels(run: "Run", endpoint: SageMaker) -> None:
    result = run("predict", "--endpoint", "hands", "2.jpg", "--multi-label")
    assert result.stdout == "2.jpg  RH 0.500, LH 0.500\n"


def test_a_picture_that_cannot_be_read(run: "Run", endpoint: SageMaker) -> None:
    Path("no.jpg").write_bytes(b"<html>")
    result = run("predict", "--endpoint", "hands", "no.jpg", "1.jpg")
    assert (result.exit_code, result.stdout) == (1, "1.jpg   RH 0.900\n")
    assert result.stderr.startswith("no.jpg: expected a JPEG or PNG picture, found an HTML page")


def test_throttling_is_waited_out_and_said(run: "Run", endpoint: SageMaker) -> None:
    endpoint.answer("InvokeEndpoint", THROTTLED)
    result = run("predict", "--endpoint", "hands", "1.jpg")
    assert (result.exit_code, result.stdout) == (0, "1.jpg  RH 0.900\n")
    assert "asking again in 0.5 s" in result.stderr
    endpoint.answer("InvokeEndpoint", THROTTLED)
    assert run("predict", "--endpoint", "hands", "1.jpg", "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--endpoint", "hands", "--model", "m"), "--model and --endpoint: type one", id="both"),
        pytest.param(("--classes", "f"), "f: no such file or directory", id="names that are not there"),
        pytest.param(("--concurrency", "2"), "--concurrency goes with --endpoint", id="at once"),
        pytest.param(("--multi-label",), "--multi-label goes with --endpoint", id="labels of a model"),
        pytest.param(("--endpoint", "other"), "there is none of that name in us-east-1", id="no endpoint"),
        pytest.param(("--endpoint", "a_b"), "name of the endpoint", id="no name"),
    ],
)
def test_what_cannot_be_is_refused(
    run: "Run", endpoint: SageMaker, words: tuple[str, ...], message: str
) -> None:
    result = run("predict", "1.jpg", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert endpoint.sent("InvokeEndpoint") == []
