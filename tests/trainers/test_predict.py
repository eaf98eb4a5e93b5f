import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifest_tools.groundtruth.annotations import Picture
from trainers import predict, read_model
from trainers.prediction import Prediction
from trainers.prediction_inputs import read_picture, truth_of

Run = Callable[..., Any]


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_predict_as_one_types_it(trained: Path, run: Run) -> None:
    result = run("predict", "raw-data/RH-40.jpg", "raw-data/LH-41.jpg")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.split()[0] == "raw-data/RH-40.jpg"
    assert first.split()[1] in ("RH", "LH")
    assert 0.5 <= float(first.split()[2]) <= 1
    assert second.startswith("raw-data/LH-41.jpg")


def test_json_is_a_line_a_picture(trained: Path, run: Run) -> None:
    predictions = rows(run("predict", "--json", "raw-data").stdout)
    assert len(predictions) == 48
    assert [row["picture"] for row in predictions] == sorted(row["picture"] for row in predictions)
    for row in predictions:
        assert set(row) == {"picture", "class", "index", "probability", "probabilities"}
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert row["probability"] == max(row["probabilities"]) == row["probabilities"][row["index"]]


def test_it_says_what_evaluate_counts(trained: Path, run: Run) -> None:
    predictions = rows(
        run("predict", "--json", "--manifest", "validation.manifest", "--images", "raw-data").stdout
    )
    figures = json.loads(run("evaluate", "--images", "raw-data", "--json").stdout)
    assert np.mean([row["right"] for row in predictions]) == figures["accuracy"]
    losses = [-np.log(row["probabilities"][["RH", "LH"].index(row["truth"][0])]) for row in predictions]
    assert np.mean(losses) == pytest.approx(figures["loss"], abs=1e-5)


def test_bad_pictures_are_a_line_each_and_the_run_goes_on(trained: Path, run: Run) -> None:
    Path("note.jpg").write_text("no picture")
    result = run("predict", "note.jpg", "missing.jpg", "raw-data/RH-40.jpg", "raw-data")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 49
    first, second, summary = result.stderr.splitlines()
    assert summary.startswith("49 pictures: ")
    assert summary.endswith("; 2 pictures could not be read")
    assert first == "note.jpg: expected a picture, found a text, 'no picture'"
    assert second == "missing.jpg: no such file or directory"


def test_a_program_is_told_of_every_picture(trained: Path, run: Run) -> None:
    result = run("predict", "missing.jpg", "raw-data/RH-40.jpg", "--json")
    bad, good = rows(result.stdout)
    assert result.exit_code == 1
    assert bad == {"picture": "missing.jpg", "error": "no such file or directory"}
    assert good["class"]


def test_a_name_cannot_steer_the_terminal(trained: Path, run: Run) -> None:
    evil = Path("\x1b[31mred.jpg")
    evil.write_bytes(Path("raw-data/RH-40.jpg").read_bytes())
    Path("\x1b[32mgreen.jpg").write_bytes(b"")
    result = run("predict", str(evil), "\x1b[32mgreen.jpg")
    assert "\x1b" not in result.stdout + result.stderr
    assert "red.jpg" in result.stdout
    assert "green.jpg" in result.stderr


def test_the_truth_stands_beside_a_wrong_answer(trained: Path, run: Run) -> None:
    path = Path("validation.manifest")
    predictions = rows(run("predict", "--json", "raw-data", "--manifest", path).stdout)
    known = [row for row in predictions if "truth" in row]
    assert len(known) == 16
    wrong = [row for row in known if not row["right"]]
    shown = run("predict", "raw-data", "--manifest", path).stdout
    assert shown.count(" (wrong)  truth: ") == len(wrong)
    assert shown.count("  truth: ") == len(known)


@pytest.fixture
def partly(trained: Path) -> list[bytes]:
    """Return the lines of new.manifest: without a label, failed, without a picture, and blank."""
    labelled = Path("validation.manifest").read_bytes().splitlines(keepends=True)
    names = [json.loads(one)["source-ref"].rpartition("/")[2] for one in labelled[:3]]
    lines = [
        b'{"source-ref" : "s3://lab3/%s", "n": 1.10 }\n' % names[0].encode(),
        b'{"source-ref": "s3://lab3/%s", "x-metadata": {"failure-reason": "late"}}\n' % names[1].encode(),
        b'{"source": "a text"}\n',
        b"\n",
    ]
    Path("new.manifest").write_bytes(b"".join(lines))
    return lines


def test_a_manifest_without_labels_is_predicted_for_and_written_with_the_answers(
    partly: list[bytes], run: Run
) -> None:
    words = ["predict", "--manifest", "new.manifest", "--images", "raw-data", "--json", "-o", "out.manifest"]
    done = run(*words)
    assert done.exit_code == 0
    assert done.stderr.splitlines()[1:] == ["out.manifest: written"]
    predictions = rows(done.stdout)
    assert len(predictions) == 2
    written = Path("out.manifest").read_bytes().splitlines(keepends=True)
    assert written[2:] == partly[2:]
    for before, after, predicted in zip(partly, written, predictions, strict=False):
        assert after.startswith(before.rstrip(b"}\n "))
        value = json.loads(after)
        metadata = value["predicted-metadata"]
        assert value["predicted"] == predicted["index"]
        assert (metadata["class-name"], metadata["confidence"]) == (
            predicted["class"],
            predicted["probability"],
        )
        assert (metadata["human-annotated"], metadata["job-name"]) == ("no", "predict/model")
        assert metadata["type"] == "groundtruth/image-classification"
    again = run(*words)
    assert (again.exit_code, "out.manifest: exists already" in again.stderr) == (2, True)


def test_lines_without_label_beside_labelled_ones_are_predicted_for(trained: Path, run: Run) -> None:
    labelled = Path("validation.manifest").read_bytes().splitlines(keepends=True)
    unlabelled = json.dumps({"source-ref": json.loads(labelled[0])["source-ref"]})
    Path("both.manifest").write_bytes(labelled[1] + unlabelled.encode() + b"\n")
    words = ["--manifest", "both.manifest", "--images", "raw-data", "--json", "-o", "out.manifest"]
    done = run("predict", *words)
    assert ["truth" in row for row in rows(done.stdout)] == [True, False]
    assert all("predicted" in json.loads(one) for one in Path("out.manifest").read_text().splitlines())


def test_predictions_for_pictures_are_a_manifest_of_their_own(trained: Path, run: Run) -> None:
    words = ["raw-data/RH-40.jpg", "raw-data/LH-41.jpg", "missing.jpg"]
    done = run("predict", *words, "-o", "out.manifest", "--attribute", "hand", "-q")
    assert done.exit_code == 1
    found = rows(Path("out.manifest").read_text())
    assert [row["source-ref"] for row in found] == words
    assert ["hand" in row for row in found] == [True, True, False]
    stats = json.loads(run("stats", "out.manifest", "--json").stdout)
    assert (stats["attributes"][0]["labelled"], stats["attributes"][0]["machine"]) == (2, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "-"], "-o: expected files for the output and for --manifest, found -; name a file"),
        (["--attribute", "x"], "--attribute has no effect without -o FILE; type both"),
        (["--manifest", "new.manifest", "-o", "./new.manifest"], "would replace its own input"),
        (
            ["--manifest", "done.manifest", "-o", "out"],
            "done.manifest:1: has predicted already; type --attribute",
        ),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    partly: list[bytes], run: Run, words: list[str], message: str
) -> None:
    Path("done.manifest").write_text('{"source-ref": "s3://lab3/x.jpg", "predicted": 1}\n')
    done = run("predict", *words)
    assert (done.exit_code, done.stdout, message in done.stderr) == (2, "", True)


def test_a_sheet_is_drawn_and_not_written_over(trained: Path, run: Run) -> None:
    words = ("predict", "raw-data/RH-40.jpg", "--sheet", "sheet.png")
    assert "sheet.png: written" in run(*words).stderr
    assert "sheet.png: unchanged" in run(*words, "--force").stderr
    other = run("predict", "raw-data/LH-41.jpg", "--sheet", "sheet.png")
    assert other.exit_code == 2
    assert "type --force" in other.stderr
    assert run("predict", "raw-data/LH-41.jpg", "--sheet", "sheet.png", "--force").exit_code == 0


def test_nothing_to_ask_about_is_refused_with_what_to_type(trained: Path, run: Run) -> None:
    result = run("predict")
    assert result.exit_code == 2
    assert "type `mtool predict PICTURES...`" in result.stderr
    manifest = run("predict", "validation.manifest")
    assert manifest.exit_code == 2
    assert "found a manifest; type --manifest validation.manifest" in manifest.stderr
    Path("empty").mkdir()
    assert "expected pictures, found none in this folder (.jpg" in run("predict", "empty").stderr
    Path("empty/ripe").mkdir()
    assert "for a folder a class, type --manifest empty" in run("predict", "empty").stderr


@pytest.mark.parametrize(
    ("picture", "classes"),
    [
        pytest.param("left/1.jpg", (0,), id="folder and name"),
        pytest.param("/somewhere/raw-data/right/1.jpg", (1,), id="a path from the root"),
        pytest.param("1.jpg", None, id="a name that two lines disagree about"),
        pytest.param("2.jpg", (1, 3), id="a name that only one line has"),
        pytest.param("3.jpg", None, id="a name that no line has"),
    ],
)
def test_truth_is_found_by_the_end_of_the_path(picture: str, classes: tuple[int, ...] | None) -> None:
    pictures = [
        Picture(1, "s3://lab3/left/1.jpg", classes=(0,)),
        Picture(2, "s3://lab3/right/1.jpg", classes=(1,)),
        Picture(3, "s3://lab3/right/2.jpg", classes=(3, 1)),
    ]
    assert truth_of(pictures).of(picture) == classes


def test_from_python_it_is_one_function_over_names(trained: Path) -> None:
    names = ["raw-data/RH-40.jpg", "raw-data/none.jpg", "raw-data/LH-41.jpg"]
    first, bad, last = predict(read_model("model"), names, read_picture)
    assert isinstance(first, Prediction)
    assert isinstance(last, Prediction)
    assert not isinstance(bad, Prediction)
    assert bad.reason == "no such file or directory"


@pytest.fixture
def mistaken(trained: Path) -> Path:
    """Return mistaken.manifest: validation.manifest with the labels of its first three lines changed."""
    lines = [json.loads(line) for line in Path("validation.manifest").read_text().splitlines()]
    for line in lines[:3]:
        line["lab3-job"] = 1 - line["lab3-job"]
        line["lab3-job-metadata"]["class-name"] = ("RH", "LH")[line["lab3-job"]]
    Path("mistaken.manifest").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Path("mistaken.manifest")


def size(path: str) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_it_ends_with_how_many_are_right_and_the_surest_mistake(mistaken: Path, run: Run) -> None:
    words = ("--manifest", mistaken, "--images", "raw-data")
    found = rows(run("predict", *words, "--json").stdout)
    surest = max((row for row in found if not row["right"]), key=lambda row: row["probability"])
    right = sum(row["right"] for row in found)
    assert run("predict", *words).stderr == (
        f"16 pictures: {right} right, {16 - right} wrong (accuracy {right / 16:.3f}); surest mistake:"
        f" {surest['picture']}, {surest['class']} {surest['probability']:.3f}, truth: {surest['truth'][0]}\n"
    )
    partly = run("predict", "raw-data", "--manifest", mistaken).stderr
    assert partly.startswith(f"48 pictures, 16 of them with a label: {right} right")
    assert run("predict", *words, "-q").stderr == ""


def test_a_sheet_may_have_the_mistakes_alone(mistaken: Path, run: Run) -> None:
    words = ("predict", "--manifest", mistaken, "--images", "raw-data", "--sheet")
    assert "all.png: written; 16 pictures\n" in run(*words, "all.png").stderr
    few = run(*words, "few.png", "--wrong-only").stderr
    wrong = int(few.partition(" right, ")[2].partition(" wrong")[0])
    assert 0 < wrong < 10
    assert f"few.png: written; {wrong} mistake" in few
    assert size("few.png")[0] < size("all.png")[0]
    none = ("predict", "--manifest", "validation.manifest", "--images", "raw-data", "--wrong-only")
    if "; 0 mistakes" in run(*none, "--sheet", "none.png").stderr:
        assert size("none.png")[0] > 100


def test_what_does_not_fit_on_a_page_is_on_further_ones(trained: Path, run: Run) -> None:
    for name in ("a", "b", "c"):
        Path(name).symlink_to("raw-data")
    result = run("predict", "a", "b", "c", "--sheet", "s.png")
    assert "s.png to s-2.png: written; 144 pictures\n" in result.stderr
    assert size("s.png")[0] == size("s-2.png")[0]
    fewer = run("predict", "a", "--sheet", "s.png", "--force")
    assert "s-2.png: is of an earlier sheet, and no page of this one" in fewer.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--wrong-only"], "--wrong-only needs --sheet FILE"),
        (["--sort", "name"], "--sort needs --sheet FILE"),
        (["--sheet", "s.png", "--wrong-only"], "--wrong-only needs labels to compare with; type --manifest"),
        (["--sheet", "s.png", "--sort", "mistakes"], "--sort mistakes needs labels to compare with"),
    ],
)
def test_an_option_of_the_sheet_that_would_change_nothing_is_refused(
    in_folder: Path, run: Run, words: list[str], message: str
) -> None:
    refused = run("predict", "a.jpg", *words)
    assert (refused.exit_code, message in refused.stderr) == (2, True)


def test_a_reader_that_goes_away_costs_no_sheet_and_no_output(trained: Path) -> None:
    program = [sys.executable, "-m", "manifest_tools", "predict", "raw-data"]
    for words in (["--sheet", "s.png"], ["-o", "out.manifest", "--json"]):
        with subprocess.Popen([*program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
            assert started.stdout is not None
            started.stdout.close()
            _, said = started.communicate()
        assert (started.returncode, b"written" in said, b"Broken" in said) == (0, True, False)
    assert Path("s.png").exists()
    assert len(Path("out.manifest").read_text().splitlines()) == 48
