"""``mtool validate --for``: what is typed, and what is printed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from manifest_tools.verbs.validate.rules.job_examples import TRAIN, VALIDATION, request
from tests.pictures import jpeg

if TYPE_CHECKING:
    from typer.testing import Result

    Run = Callable[..., Result]

RIGHT = ("-p", "num_classes=2", "-p", "num_training_samples=2", "-p", "mini_batch_size=2")
PARTS = ("train.manifest", "validation.manifest")


@pytest.fixture
def folder(in_folder: Path) -> Path:
    """The current folder, with a part for training and one for validation."""
    for name, text in zip(PARTS, (TRAIN, VALIDATION), strict=True):
        (in_folder / name).write_text(text)
    return in_folder


def test_a_job_that_would_be_taken(folder: Path, run: "Run") -> None:
    result = run("validate", "--for", "builtin", *PARTS, *RIGHT)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "num_classes=2 num_training_samples=2 multi_label=0" in result.stderr
    assert "AttributeNames 'source-ref' 'hand'" in result.stderr


def test_a_job_that_would_not(folder: Path, run: "Run") -> None:
    result = run("validate", "--for", "builtin", *PARTS, *RIGHT, "-p", "num_classes=1")
    assert result.exit_code == 1
    assert "MT610 num_classes=1, but a label has class 1; type -p num_classes=2" in result.stdout


def test_a_request_is_looked_at_whole(folder: Path, run: "Run") -> None:
    asked = request(ResourceConfig={"InstanceType": "ml.m5.large"}, HyperParameters={"num_classes": "1"})
    (folder / "request.json").write_text(json.dumps(asked))
    words = ("validate", "--for", "builtin", *PARTS, "--hyperparameters", "request.json")
    codes = {line.split()[2] for line in run(*words).stdout.splitlines()}
    assert {"MT601", "MT610", "MT660"} <= codes
    codes = {line.split()[2] for line in run(*words, *RIGHT).stdout.splitlines()}
    assert codes == {"MT660"}


def test_pictures_at_hand_are_part_of_the_stream(folder: Path, run: "Run") -> None:
    (folder / "pictures").mkdir()
    for at in range(1, 5):
        (folder / "pictures" / f"IMG_{at:04}.JPG").write_bytes(jpeg(at) if at < 4 else b"<html>")
    result = run("validate", "--for", "builtin", *PARTS, *RIGHT, "--images", "pictures")
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "validation.manifest:2: error MT530 expected source-ref to be a JPEG or PNG"
    )


@pytest.mark.parametrize("words", [("-p", "num_classes=2"), ("--hyperparameters", "a.json")])
def test_hyperparameters_go_with_for(folder: Path, run: "Run", words: tuple[str, ...]) -> None:
    result = run("validate", *PARTS, *words)
    assert result.exit_code == 2
    assert "type --for builtin" in result.stderr


def test_a_rec_can_be_checked_without_for(folder: Path, run: "Run") -> None:
    (folder / "train.rec").write_bytes(b"")
    result = run("validate", "train.rec")
    assert result.exit_code == 1
    assert "MT801 expected records with a picture, found none in 0 bytes (known failure 28)" in result.stdout
