import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pictures import jpeg

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]

QUICK = ("--network", "small", "--image-size", "32", "--epochs", "1")


@pytest.fixture
def pictures(in_folder: Path) -> Path:
    """Two folders of ten pictures each, of a dark and of a light class."""
    for shade, name in ((40, "dark"), (200, "light")):
        (in_folder / "data" / "pictures" / name).mkdir(parents=True)
        for number in range(10):
            path = in_folder / "data" / "pictures" / name / f"{number}.jpg"
            path.write_bytes(jpeg(shade + number))
    return in_folder / "data"


@pytest.mark.usefixtures("mxnet")
def test_a_folder_is_divided_and_learnt_from_and_evaluate_knows_the_parts(
    pictures: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pictures)
    trained = run("train", "./pictures", *QUICK)
    assert trained.exit_code == 0, trained.stderr
    assert "16 training pictures, 4 validation pictures; 2 classes: dark, light" in trained.stderr
    first = Path("train.manifest").read_bytes()
    assert run("split", "pictures").exit_code == 0
    assert Path("train.manifest").read_bytes() == first
    assert run("evaluate").exit_code == 0
    assert run("train", "train.manifest", *QUICK, "-o", "again").exit_code == 0
    assert json.loads(run("evaluate", "pictures", "--json").stdout)["examples"] == 20


@pytest.mark.usefixtures("mxnet")
def test_class_folders_are_the_model_s_classes_by_name(pictures: Path, run: Run) -> None:
    assert run("train", "data/pictures", *QUICK).exit_code == 0
    Path("some").mkdir()
    Path("data/pictures/light").rename("some/light")
    found = json.loads(run("evaluate", "some", "--json").stdout)
    assert [one["support"] for one in found["classes"]] == [0, 10]
    Path("some/light").rename("some/pale")
    refused = run("evaluate", "some")
    assert (refused.exit_code, "classes that the model does not know: pale" in refused.stderr) == (1, True)


@pytest.mark.usefixtures("mxnet")
def test_two_folders_with_other_classes_are_one_table_by_name(pictures: Path, run: Run) -> None:
    Path("val").mkdir()
    Path("data/pictures/light").rename("val/light")
    Path("data/pictures/more").mkdir()
    for number in range(3):
        Path(f"data/pictures/dark/{number}.jpg").rename(f"data/pictures/more/{number}.jpg")
    said = run("train", "data/pictures", "val", "--dry-run", *QUICK).stderr
    assert "10 training pictures, 10 validation pictures; 3 classes: dark, more, light" in said


@pytest.mark.parametrize("words", [("train",), ("tune", "--choice", "batch_size=8,16")])
def test_a_folder_a_class_that_was_typed_as_images_is_told_where_to_stand(
    pictures: Path, run: Run, words: tuple[str, ...]
) -> None:
    Path("output.manifest").touch()
    told = "type data/pictures in place of --images data/pictures"
    assert told in run(*words, "--images", "data/pictures").stderr
    assert told not in run(*words, "--images", "data/pictures/dark").stderr


@pytest.mark.usefixtures("mxnet")
def test_in_a_folder_without_a_manifest_pictures_alone_are_what_is_meant(pictures: Path, run: Run) -> None:
    trained = run("train", "--images", "data/pictures", *QUICK)
    assert trained.exit_code == 0, trained.stderr
    assert "16 training pictures, 4 validation pictures; 2 classes: dark, light" in trained.stderr


def test_a_dry_run_divides_nothing(pictures: Path, run: Run) -> None:
    said = run("train", "data/pictures", "--dry-run")
    assert (said.exit_code, said.stderr.splitlines()[-1]) == (
        0,
        "dry run, nothing written; would write data/train.manifest, data/validation.manifest",
    )
    assert sorted(path.name for path in pictures.iterdir()) == ["pictures"]


@pytest.mark.parametrize(
    "words", [("train",), ("tune", "--choice", "batch_size=8,16")], ids=["train", "tune"]
)
def test_other_parts_are_not_replaced(pictures: Path, run: Run, words: tuple[str, ...]) -> None:
    (pictures / "train.manifest").write_text("{}\n")
    refused = run(*words, "data/pictures")
    assert refused.exit_code == 2
    assert "name the two to learn from: data/train.manifest data/validation.manifest" in refused.stderr
    assert (pictures / "train.manifest").read_text() == "{}\n"


@pytest.mark.parametrize("name", ["-", "s3://bucket/output.manifest"])
def test_what_has_no_place_for_parts_is_refused(in_folder: Path, run: Run, name: str) -> None:
    refused = run("train", name)
    assert refused.exit_code == 2
    assert f"type first: mtool split {name} -o FOLDER" in refused.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("train", "data/pictures", "data/pictures", "--trainer", "builtin", "-o", "s3://b/models"),
        ("transform", "s3://b/model.tar.gz", "--manifest", "data/pictures", "-o", "s3://b/answers/"),
    ],
    ids=["train", "transform"],
)
def test_sagemaker_is_not_asked_about_pictures_on_this_disk(
    pictures: Path, run: Run, words: tuple[str, ...]
) -> None:
    """The account guard fails the test where a call is made."""
    refused = run(*words, "--role", "arn:aws:iam::111122223333:role/r")
    assert refused.exit_code == 2
    assert "data/pictures: names its pictures by paths on this disk" in refused.stderr
    assert (
        "aws s3 sync data/pictures s3://BUCKET/pictures, then mtool rewrite data/pictures" in refused.stderr
    )
    rewritten = run("rewrite", "data/pictures", "--prefix", "s3://raw", "-o", "in-s3.manifest")
    assert rewritten.exit_code == 0
    assert "s3://raw/pictures/dark/0.jpg" in Path("in-s3.manifest").read_text()


def test_a_policy_needs_uris_too(pictures: Path, run: Run) -> None:
    refused = run("policy", "data/pictures", "-o", "s3://b/models")
    assert (refused.exit_code, "mtool rewrite --prefix s3://BUCKET" in refused.stderr) == (1, True)
