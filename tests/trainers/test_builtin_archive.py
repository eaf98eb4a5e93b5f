"""A model.tar.gz of the built-in algorithm alone: every word takes it, and numbers or names its classes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import BadData
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from tests.trainers.sagemaker.model_archives import archive, files
from trainers import read_model
from trainers.bad_model import BadModel
from trainers.mxnet_files.network import SHAPES

pytestmark = pytest.mark.usefixtures("mxnet")

Run = Callable[..., Any]

TRAIN = ("train", "--images", "raw-data", "--epochs", 1)


@pytest.fixture
def downloaded(workshop: Path) -> Path:
    """Return the current folder: a workshop, and a model of the built-in algorithm without its job."""
    Path("builtin.tar.gz").write_bytes(archive(files()))
    return workshop


def test_graph_and_weights_say_what_there_is_to_know(downloaded: Path) -> None:
    model = read_model("builtin.tar.gz")
    assert (model.predictor, model.network, model.image_size) == ("builtin", "resnet2", 32)
    assert model.table.labels == ("class 0", "class 1")
    assert not model.multi_label
    Path("several.tar.gz").write_bytes(archive(files(3, several=True)))
    several = read_model("several.tar.gz")
    assert several.multi_label and several.table.num_classes == 3


def test_a_whole_network_is_called_by_its_layers(in_folder: Path) -> None:
    Path("builtin.tar.gz").write_bytes(archive(files(layers=18)))
    assert read_model("builtin.tar.gz").network == "resnet18"


def test_classes_are_named_where_names_are_given(downloaded: Path) -> None:
    named = read_model("builtin.tar.gz", ClassTable(((0, "RH"), (1, "LH"))))
    assert named.table.labels == ("RH", "LH")
    with pytest.raises(BadData, match="has 3 classes, but the model has 2"):
        read_model("builtin.tar.gz", ClassTable(((2, "bolt"),)))


def test_a_model_that_names_its_classes_keeps_its_names(trained: Path) -> None:
    assert read_model("model", ClassTable(((0, "RH"),))).table.labels == ("RH", "LH")
    with pytest.raises(ClassConflict, match="class 0 has two names: 'RH' and 'LH'"):
        read_model("model", ClassTable(((0, "LH"), (1, "RH"))))


SPOILT = [
    pytest.param({SHAPES: None}, "expected model-shapes.json in it", id="no shapes"),
    pytest.param({SHAPES: b"[]"}, "expected model-shapes.json in it", id="shapes of nothing"),
    pytest.param({SHAPES: b"[" * 10**5}, "expected model-shapes.json in it", id="nested without end"),
    pytest.param(
        {SHAPES: json.dumps([{"name": "data", "shape": [1, 1, 28, 28]}]).encode()},
        "square pictures with 3 colours, .* found 1 colours, 28 x 28",
        id="grey pictures",
    ),
    pytest.param(
        {SHAPES: json.dumps([{"name": "data", "shape": [1, 3, 10**9, 10**9]}]).encode()},
        "4,096 pixels at most",
        id="pictures larger than memory",
    ),
    pytest.param({"image-classification-0002.params": None}, "and a .params file in it", id="no weights"),
]


@pytest.mark.parametrize(("change", "reason"), SPOILT)
def test_an_archive_with_a_part_missing_is_refused(
    in_folder: Path, change: dict[str, bytes | None], reason: str
) -> None:
    members = {name: data for name, data in {**files(), **change}.items() if data is not None}
    Path("builtin.tar.gz").write_bytes(archive(members))
    with pytest.raises(BadModel, match=reason):
        read_model("builtin.tar.gz")


def test_predict_takes_it_with_numbers_and_says_how_to_name_them(downloaded: Path, run: Run) -> None:
    result = run("predict", "--model", "builtin.tar.gz", "raw-data/RH-00.jpg")
    assert result.exit_code == 0
    assert result.stdout.split()[1] == "class"
    assert result.stderr == ("its classes have no names: no classes.json is in it; type --classes FILE\n")


def test_predict_takes_it_with_names(downloaded: Path, run: Run) -> None:
    Path("names.txt").write_text("RH\nLH\n")
    result = run("predict", "--model", "builtin.tar.gz", "--classes", "names.txt", "raw-data/RH-00.jpg")
    assert result.stdout.split()[1] in ("RH", "LH")
    assert result.stderr == ""


def test_predict_and_evaluate_take_the_names_of_the_manifest(downloaded: Path, run: Run) -> None:
    words = ("--model", "builtin.tar.gz", "--images", "raw-data", "--json")
    lines = run("predict", "--manifest", "validation.manifest", *words).stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert {row["class"] for row in rows} <= {"RH", "LH"}
    result = run("evaluate", *words)
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert figures["accuracy"] == sum(row["right"] for row in rows) / len(rows)


def test_evaluate_says_where_the_manifest_has_more_classes(downloaded: Path, run: Run) -> None:
    path = Path("validation.manifest")
    other = path.read_text().replace('"lab3-job": 1', '"lab3-job": 2').replace('"LH"', '"bolt"')
    path.write_text(other)
    result = run("evaluate", "--model", "builtin.tar.gz", "--images", "raw-data")
    assert result.exit_code == 1
    assert "has classes that the model does not know: bolt" in result.stderr


def test_evaluate_refuses_names_that_the_manifest_has_otherwise(downloaded: Path, run: Run) -> None:
    Path("names.txt").write_text("LH\nRH\n")
    words = ("--model", "builtin.tar.gz", "--images", "raw-data", "--classes", "names.txt")
    result = run("evaluate", *words)
    assert result.exit_code == 1
    assert "validation.manifest and the model disagree" in result.stderr


def test_training_goes_on_from_it(workshop: Path, run: Run) -> None:
    Path("builtin.tar.gz").write_bytes(archive(files(layers=18)))
    result = run(*TRAIN, "--init-from", "builtin.tar.gz")
    assert result.exit_code == 0
    assert (
        "initial weights from builtin.tar.gz: 98 of 98 fit; no place for: stage1_unit1_sc_weight\n"
        in result.stderr
    )
    model = read_model("model")
    assert (model.network, model.image_size) == ("resnet18_v2", 32)


def test_a_model_goes_on_with_its_own_network_and_pictures_of_its_own_size(trained: Path, run: Run) -> None:
    result = run(*TRAIN, "--init-from", "model", "-o", "second")
    assert result.exit_code == 0
    assert "initial weights from model: 10 of 10 fit" in result.stderr
    assert (read_model("second").network, read_model("second").image_size) == ("small", 32)


def test_what_is_typed_goes_before_what_the_model_says(trained: Path, run: Run) -> None:
    result = run(*TRAIN, "--init-from", "model", "-o", "second", "--network", "mlp")
    assert result.exit_code == 3
    assert "model: none of its weights fits mlp" in result.stderr


def test_weights_that_a_model_lacks_are_said(in_folder: Path, trained: Path, run: Run) -> None:
    Path("model/model.tar.gz").write_bytes(archive({"classes.json": card()}))
    result = run(*TRAIN, "--init-from", "model", "-o", "second")
    assert result.exit_code == 1
    assert "expected image-classification-symbol.json and a .params file in it" in result.stderr


def card() -> bytes:
    return json.dumps(read_model("model").card()).encode()
