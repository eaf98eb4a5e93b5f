import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.installation import pip_install
from tests.ground_truth import boxes
from trainers import read_model

pytestmark = pytest.mark.usefixtures("mxnet")


Run = Callable[..., Any]


WORDS = ("train", "--images", "raw-data", "--epochs", 2, "--image-size", 32)


def test_train_as_one_types_it(workshop: Path, run: Run) -> None:
    result = run(*WORDS)
    assert result.exit_code == 0
    assert result.stdout.startswith("validation accuracy ")
    assert "32 training pictures, 16 validation pictures; 2 classes: RH, LH" in result.stderr
    assert "network small at 32 pixels, 2 epochs, adam 0.001, seed 0" in result.stderr
    assert "training from scratch" in result.stderr
    assert "epoch 2 of 2: loss" in result.stderr
    assert "model/model.tar.gz: written" in result.stderr
    assert read_model("model").table.to_json()["classes"] == {"0": "RH", "1": "LH"}
    assert read_model("model").attribute == "lab3-job"


def test_typed_again_there_is_nothing_to_do(workshop: Path, run: Run) -> None:
    run(*WORDS)
    again = run(*WORDS)
    assert again.exit_code == 0
    assert "model/model.tar.gz: unchanged" in again.stderr
    assert "epoch 1" not in again.stderr


def test_records_are_made_once(workshop: Path, run: Run) -> None:
    run(*WORDS)
    made = {file: file.stat().st_mtime_ns for file in Path("model/data").iterdir()}
    assert run(*WORDS, "--seed", 1, "--force").exit_code == 0
    assert {file: file.stat().st_mtime_ns for file in Path("model/data").iterdir()} == made


def test_records_of_another_size_are_made_anew(workshop: Path, run: Run) -> None:
    run(*WORDS)
    before = Path("model/data/train.rec").read_bytes()
    assert run(*WORDS[:-1], 48, "--force").exit_code == 0
    assert Path("model/data/train.rec").read_bytes() != before
    assert read_model("model").image_size == 48


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(workshop: Path, run: Run) -> None:
    before = sorted(workshop.rglob("*"))
    result = run(*WORDS, "--dry-run")
    assert result.exit_code == 0
    assert "model/data/train.rec: would be made" in result.stderr
    assert sorted(workshop.rglob("*")) == before


def test_json_is_the_report_alone(workshop: Path, run: Run) -> None:
    result = run(*WORDS, "--json")
    report = json.loads(result.stdout)
    assert report["network"] == "small"
    assert report["validation"]["examples"] == 16


def test_quiet_is_quiet(workshop: Path, run: Run) -> None:
    assert run(*WORDS, "--quiet").stderr == ""


def test_a_picture_that_cannot_be_read_is_named_and_the_run_goes_on(workshop: Path, run: Run) -> None:
    Path("raw-data/LH-01.jpg").write_bytes(b"no picture")
    Path("raw-data/RH-02.jpg").unlink()
    result = run(*WORDS)
    assert result.exit_code == 1
    assert "train.manifest:2: error MT402" in result.stderr
    assert "train.manifest:3: error MT401" in result.stderr
    assert json.loads(Path("model/metrics.json").read_bytes())["pictures"]["train"] == 30


def test_pictures_that_are_not_here_are_the_first_thing_it_says(
    workshop: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = run("train")
    assert result.exit_code == 2
    assert "32 of 32 pictures of s3://lab3 are not on this disk" in result.stderr
    assert "type `--images ./raw-data`" in result.stderr


def test_a_folder_without_manifests_is_told_to_split_first(in_folder: Path, run: Run) -> None:
    result = run("train")
    assert result.exit_code == 2
    assert "type `mtool split output.manifest` first" in result.stderr


def rename(manifest: str, old: str, new: str) -> None:
    path = Path(manifest)
    path.write_text(path.read_text().replace(f'"class-name": "{old}"', f'"class-name": "{new}"'))


def test_manifests_that_disagree_about_a_class_are_refused_before_any_work(workshop: Path, run: Run) -> None:
    rename("validation.manifest", "RH", "right-hand")
    result = run(*WORDS)
    assert result.exit_code == 1
    assert "validation.manifest and train.manifest disagree" in result.stderr
    assert not Path("model").exists()


def test_class_names_cannot_steer_the_terminal(workshop: Path, run: Run) -> None:
    for manifest in ("train.manifest", "validation.manifest"):
        rename(manifest, "RH", "RH\\u001b]0;owned\\u0007$x^{")
    result = run(*WORDS)
    assert result.exit_code == 0
    evaluated = run("evaluate", "--images", "raw-data")
    assert evaluated.exit_code == 0
    for shown in (result.output, result.stderr, evaluated.output, evaluated.stderr):
        assert "\x1b" not in shown
        assert "\x07" not in shown
    assert read_model("model").table.name(0) == "RH\x1b]0;owned\x07$x^{"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--network", "resnet19"), "--network: expected one of small, mlp, "),
        (("--trainer", "torch"), "--trainer: expected one of gluon"),
        (("--optimizer", "lbfgs"), "--optimizer: expected one of adam"),
        (("--init-from", "none.params"), "--init-from none.params: no such file or folder; check the name"),
        (
            ("--network", "mlp", "--pretrained"),
            "there are no ImageNet weights of mlp; type --network resnet18_v2",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_before_any_work(
    workshop: Path, run: Run, words: tuple[str, ...], message: str
) -> None:
    result = run(*WORDS, *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("model").exists()


def test_a_manifest_of_boxes_is_refused_with_the_trainer_that_takes_it(workshop: Path, run: Run) -> None:
    Path("boxes.manifest").write_bytes(boxes(1, ("RH", 0.9)))
    result = run("train", "boxes.manifest", "boxes.manifest", "--images", "raw-data")
    assert result.exit_code == 2
    assert "boxes.manifest: kind has boxes, but a classifier on this machine learns classes" in result.stderr
    assert "type `mtool train --trainer builtin --algorithm NAME`" in result.stderr


def test_lines_without_a_label_are_counted(workshop: Path, run: Run) -> None:
    with open("train.manifest", "a") as manifest:
        manifest.write('{"source-ref": "s3://lab3-rawdata/new.jpg"}\n')
    assert "train.manifest: lines without a label, left out: 1 unlabelled\n" in run(*WORDS).stderr


def test_a_model_goes_on_from_another_ones_weights(workshop: Path, run: Run) -> None:
    run(*WORDS, "-o", "first")
    result = run(*WORDS, "--network", "small", "--init-from", "first/model.tar.gz")
    assert result.exit_code == 0
    assert "initial weights from first/model.tar.gz: 10 of 10 fit" in result.stderr


def test_ctrl_c_at_the_keyboard_ends_with_130_and_a_model(workshop: Path) -> None:
    words = ["train", "--images", "raw-data", "--epochs", "100000", "--image-size", "32"]
    command = [sys.executable, "-m", "manifest_tools", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "epoch 2 of" not in (line := process.stderr.readline()):
            assert line, "ended before its second epoch"
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate()
    assert process.returncode == 130
    assert printed.startswith("interrupted; kept: validation accuracy")
    assert printed.endswith(", in model; type the same command with --resume to go on\n")
    assert read_model("model").network == "small"


def test_ctrl_c_before_the_first_epoch_is_over_is_a_sentence(workshop: Path) -> None:
    words = ["train", "--images", "raw-data", "--network", "resnet152_v2", "--image-size", "128"]
    command = [sys.executable, "-m", "manifest_tools", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "training from scratch" not in (line := process.stderr.readline()):
            assert line, "ended before it began"
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate()
    assert (process.returncode, printed) == (130, "")
    assert said.endswith("interrupted; no epoch was over, and nothing is kept\n")
    assert not Path("model/model.tar.gz").exists()


IMPORTS = """
import sys
import trainers, trainers.frameworks, trainers.gluon, manifest_tools.cli.train
import manifest_tools.cli.evaluate, manifest_tools.cli.predict
heavy = {"mxnet", "sklearn", "matplotlib", "PIL", "pandas", "boto3", "torch", "scipy"}
print(sorted(heavy & set(sys.modules)))
"""


WITHOUT = """
import sys
sys.modules["mxnet"] = None  # as if it were not installed
from manifest_tools.cli.app import main
main()
"""


# Says on standard error whenever a manifest is opened.
OPENED = """
import os, sys
def tell(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".manifest"):
        os.write(2, f"opened {arguments[0]}\\n".encode())
sys.addaudithook(tell)
from manifest_tools.cli.app import main
from manifest_tools.formats.open_manifest import read_examples
"""


def python(program: str, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def opened(program: str, *words: str) -> list[str]:
    """Return the manifests that a program opens, as often as it opens them, in order of name."""
    return sorted(line for line in python(OPENED + program, *words).stderr.splitlines() if "opened" in line)


@pytest.mark.parametrize(
    ("manifests", "words"),
    [
        (["train", "validation"], ("train", "--epochs", "1", "--image-size", "32", "-o", "other")),
        (["train", "validation"], ("tune", "--epochs", "1", "--max-jobs", "1", "--choice", "image_size=32")),
        (["validation"], ("evaluate",)),
        (["validation"], ("predict", "--manifest", "validation.manifest")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_each_manifest_is_read_once(trained: Path, manifests: list[str], words: tuple[str, ...]) -> None:
    once = [line for name in manifests for line in opened(f"read_examples('{name}.manifest')")]
    assert len(once) >= len(manifests)
    assert opened("main()", *words, "--images", "raw-data") == once


def test_no_framework_is_loaded_before_it_is_needed() -> None:
    assert python(IMPORTS).stdout == "[]\n"


def test_a_missing_framework_is_one_line_that_says_what_to_type(workshop: Path) -> None:
    ended = python(WITHOUT, "train", "--images", "raw-data")
    assert ended.returncode == 3
    assert ended.stderr == f"mtool: the trainer gluon needs mxnet; type: {pip_install('gluon')}\n"


def test_a_missing_framework_of_a_model_is_one_line_too(trained: Path) -> None:
    ended = python(WITHOUT, "evaluate", "--images", "raw-data")
    assert ended.returncode == 3
    assert ended.stderr == f"mtool: a model of Gluon needs mxnet; type: {pip_install('gluon')}\n"


def test_pictures_on_both_sides_are_noted(trained: Path, run: Run) -> None:
    words = ["train", "train.manifest", "train.manifest", "--images", "raw-data", "--epochs", "1"]
    done = run(*words, "--image-size", "32", "-o", "other")
    assert done.exit_code == 0
    assert "validation pictures are also training pictures: the accuracy will be too high\n" in done.stderr


def test_pictures_with_two_classes_are_left_out_of_the_training_and_told(workshop: Path, run: Run) -> None:
    manifest = Path("train.manifest")
    rows = manifest.read_text().splitlines()
    first = json.loads(rows[0])
    name = next(key for key in first if f"{key}-metadata" in first)
    first[name] = 1 - first[name]
    first[f"{name}-metadata"]["class-name"] = "LH" if first[name] else "RH"
    manifest.write_text("\n".join([*rows, json.dumps(first)]) + "\n")
    words = ["train", "--images", "raw-data", "--dry-run", "-o", "model"]
    done = run(*words)
    assert done.exit_code == 0
    assert done.stderr.startswith("31 training pictures, 16 validation pictures")
    assert (
        "train.manifest: 2 lines of 1 picture contradict one another; the first: line 33 has " in done.stderr
    )
    assert "; all of them are left out\n" in done.stderr
    kept = run(*words, "--conflicts", "keep")
    assert kept.stderr.startswith("33 training pictures")
    assert "learnt from; type --conflicts drop to leave them out\n" in kept.stderr
    stopped = run(*words, "--conflicts", "error")
    assert (stopped.exit_code, stopped.stderr.count("\n")) == (1, 1)
    assert "type --conflicts drop or keep" in stopped.stderr
