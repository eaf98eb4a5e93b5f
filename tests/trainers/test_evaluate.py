import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from manifest_tools.cli.evaluate import report
from manifest_tools.cli.shared.screen import width
from manifest_tools.groundtruth.classes import ClassTable
from trainers.metrics import ClassFigures, Metrics

Run = Callable[..., Any]

WORDS = ("evaluate", "--images", "raw-data")


def test_the_figures_are_those_of_training(trained: Path, run: Run) -> None:
    figures = json.loads(run(*WORDS, "--json").stdout)
    assert figures == json.loads(Path("model/metrics.json").read_bytes())["validation"]


def test_the_figures_are_the_same_without_the_records_beside_the_model(trained: Path, run: Run) -> None:
    before = run(*WORDS, "--json").stdout
    for file in Path("model/data").iterdir():
        file.unlink()
    assert run(*WORDS, "--json").stdout == before
    assert list(Path("model/data").iterdir()) == []


def test_an_archive_alone_is_a_model(trained: Path, run: Run) -> None:
    before = run(*WORDS, "--json").stdout
    Path("model/model.tar.gz").rename("moved.tar.gz")
    after = run(*WORDS, "--model", "moved.tar.gz", "--json", "--picture", "matrix.png")
    assert after.stdout == before
    with Image.open("matrix.png") as picture:
        assert picture.format == "PNG"


def test_evaluate_as_one_types_it(trained: Path, run: Run) -> None:
    result = run(*WORDS)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["index", "class", "precision", "recall", "F1", "support"]
    assert lines[-1].startswith("accuracy ")
    assert lines[-1].endswith("of 16 pictures, loss " + lines[-1].split()[-1])
    assert Path("model/confusion.png").exists()


def test_evaluate_draws_the_same_picture_again(trained: Path, run: Run) -> None:
    run(*WORDS)
    assert "model/confusion.png: unchanged" in run(*WORDS).stderr


def test_another_manifest_is_evaluated_by_its_name(trained: Path, run: Run) -> None:
    before = {file: file.read_bytes() for file in Path("model/data").iterdir()}
    figures = json.loads(run("evaluate", "train.manifest", "--images", "raw-data", "--json").stdout)
    assert figures["examples"] == 32
    assert {file: file.read_bytes() for file in Path("model/data").iterdir()} == before


def edit(old: str, new: str) -> None:
    path = Path("validation.manifest")
    path.write_text(path.read_text().replace(old, new))


def test_a_manifest_that_names_the_models_classes_otherwise_is_refused(trained: Path, run: Run) -> None:
    edit('"class-name": "RH"', '"class-name": "right"')
    result = run(*WORDS)
    assert result.exit_code == 1
    assert result.stderr == (
        "mtool: validation.manifest and the model disagree: class 0 has two names: 'RH' and 'right'\n"
    )


def test_a_class_that_the_model_does_not_know_is_refused(trained: Path, run: Run) -> None:
    edit('"lab3-job": 1', '"lab3-job": 2')
    edit('"class-name": "LH"', '"class-name": "bolt"')
    result = run(*WORDS)
    assert result.exit_code == 1
    assert "classes that the model does not know: bolt; its classes: 'RH', 'LH'" in result.stderr


def test_a_bad_picture_is_named_and_the_others_are_counted(trained: Path, run: Run) -> None:
    Path("raw-data/RH-40.jpg").write_bytes(b"")
    result = run(*WORDS, "--json")
    assert result.exit_code == 1
    assert "validation.manifest:9: error MT402" in result.stderr
    assert json.loads(result.stdout)["examples"] == 15


def test_where_there_is_no_model_the_message_says_so(workshop: Path, run: Run) -> None:
    result = run(*WORDS)
    assert result.exit_code == 3
    assert "model: expected a model, found nothing there; type `mtool train` first" in result.stderr


FIGURES = (
    ClassFigures(0, "RH", 1.0, 2 / 3, 0.8, 3),
    ClassFigures(1, "LH", 0.5, 1.0, 2 / 3, 1),
    ClassFigures(2, "class 2", None, None, None, 0),
)


def test_the_table_of_one_label_a_picture() -> None:
    metrics = Metrics(4, 0.75, 0.75, 0.5, FIGURES, ((2, 1, 0), (0, 1, 0), (0, 0, 0)), False)
    assert report(metrics, ClassTable(((0, "RH"), (1, "LH"), (2, "class 2"))), 80) == (
        "index  class    precision  recall  F1     support\n"
        "    0  RH       1.000      0.667   0.800        3\n"
        "    1  LH       0.500      1.000   0.667        1\n"
        "    2  class 2  -          -       -            0\n"
        "\n"
        "index  label \\ predicted  RH  LH  class 2\n"
        "    0  RH                  2   1        0\n"
        "    1  LH                  0   1        0\n"
        "    2  class 2             0   0        0\n"
        "\n"
        "accuracy 0.750 of 4 pictures, loss 0.500"
    )


def test_the_table_of_several_labels_a_picture() -> None:
    metrics = Metrics(2, 0.5, 0.0, 0.5, FIGURES[:1], ((0, 1, 2, 3),), True)
    lines = report(metrics, ClassTable(((0, "rust"),)), 80).splitlines()
    assert lines[3] == "index  class  true neg.  false pos.  false neg.  true pos."
    assert lines[-1] == "accuracy 0.500 (mean over classes), 0.000 with every class right; 2 pictures"


def of_classes(names: list[str], confusion: dict[tuple[int, int], int]) -> tuple[Metrics, ClassTable]:
    rows = tuple(tuple(confusion.get((row, at), 0) for at in range(len(names))) for row in range(len(names)))
    figures = tuple(ClassFigures(index, name, None, None, None, 0) for index, name in enumerate(names))
    return Metrics(1, 1.0, 1.0, 0.0, figures, rows, False), ClassTable(tuple(enumerate(names)))


def test_a_class_that_is_named_as_its_index_is_written_once_in_the_picture() -> None:
    from trainers.plots import class_names

    assert class_names(ClassTable(((0, "0"), (1, "one")))) == ["0", "1 one"]


def test_the_names_of_a_matrix_that_is_too_wide_are_its_indices() -> None:
    names = [f"a class with a long name {index}" for index in range(6)]
    lines = report(*of_classes(names, {(1, 2): 5}), 80).splitlines()
    assert lines[8].split() == ["index", "label", "\\", "predicted", "0", "1", "2", "3", "4", "5"]
    assert lines[10].split()[-6:] == ["0", "0", "5", "0", "0", "0"]


def test_of_the_matrix_of_many_classes_the_worst_is_told() -> None:
    names = [f"c{index}" for index in range(300)]
    confusion = {(7, 7): 50, (3, 4): 2, (200, 1): 12} | {(index, 0): 1 for index in range(20, 30)}
    told = report(*of_classes(names, confusion), 80)
    assert told.partition("index  label")[2].splitlines()[1:3] == [
        "  200  c200       1  c1               12",
        "    3  c3         4  c4                2",
    ]
    assert "(2 more mistakes in 2 pairs)" in told
    assert "no class was taken for another" in report(*of_classes(names, {(7, 7): 50}), 80)


@given(st.lists(st.text(max_size=60), min_size=1, max_size=30), st.integers(80, 200), st.integers(0, 10**6))
def test_a_report_is_no_wider_than_the_screen(names: list[str], columns: int, count: int) -> None:
    last = len(names) - 1
    metrics, table = of_classes(names, {(0, 0): count, (0, last): count, (last, 0): 1})
    assert all(width(line) <= columns for line in report(metrics, table, columns).splitlines())


@pytest.mark.parametrize("name", ["$x^{", "\x1b[31m", "日本", "x" * 300], ids=ascii)
def test_a_class_name_may_be_anything_in_a_picture(name: str) -> None:
    from trainers import plots

    table = ClassTable(((0, name), (1, "LH")))
    metrics = Metrics(4, 0.75, 0.75, 0.5, FIGURES[:2], ((2, 1), (0, 1)), False)
    assert plots.confusion(metrics, table).startswith(b"\x89PNG")


@pytest.mark.parametrize("classes", [1, 2, 40, 300])
def test_a_mistake_is_red_in_the_picture_and_what_is_right_is_blue(classes: int) -> None:
    pytest.importorskip("matplotlib")
    from trainers import plots

    def colours(confusion: dict[tuple[int, int], int]) -> tuple[bool, bool]:
        content = plots.confusion(*of_classes([f"c{index}" for index in range(classes)], confusion))
        with Image.open(io.BytesIO(content)) as image:
            pixels = np.asarray(image.convert("RGB")).astype(int)
        return bool((pixels[..., 0] > pixels[..., 2] + 60).any()), bool(
            (pixels[..., 2] > pixels[..., 0] + 60).any()
        )

    right = {(0, 0): 50}
    assert colours(right) == (False, True)
    if classes > 1:
        assert colours(right | {(0, classes - 1): 1}) == (True, True)


def test_it_ends_with_how_to_see_the_mistakes(trained: Path, run: Run) -> None:
    """Swap the labels: then every right answer is a mistake."""
    text = Path("validation.manifest").read_text()
    for old, new in (('-job": 0', '-job": 2'), ('-job": 1', '-job": 0'), ('-job": 2', '-job": 1')):
        text = text.replace(old, new)
    Path("two words.manifest").write_text(
        text.replace('"RH"', '"?"').replace('"LH"', '"RH"').replace('"?"', '"LH"')
    )
    said = run("evaluate", "two words.manifest", "--images", "raw-data").stderr.splitlines()[-1]
    count, _, typed = said.removeprefix("to see ").partition(", type: mtool ")
    assert f"written; {count}\n" in run(*shlex.split(typed)).stderr
    assert Path("mistakes.png").exists()


def test_a_picture_by_name_never_takes_the_place_of_another_file(trained: Path, run: Run) -> None:
    pytest.importorskip("matplotlib")
    Path("mine.png").write_text("mine")
    refused = run("evaluate", "--images", "raw-data", "--picture", "mine.png")
    assert refused.exit_code == 2
    assert "type --force" in refused.stderr
    assert Path("mine.png").read_text() == "mine"
    assert run("evaluate", "--images", "raw-data", "--picture", "mine.png", "--force").exit_code == 0
    assert run("evaluate", "--images", "raw-data", "--picture", "mine.txt").exit_code == 2
