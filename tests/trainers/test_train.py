import json
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifest_tools.base.errors import BadData, Exists, MtoolError, Refused
from manifest_tools.base.installation import pip_install
from manifest_tools.groundtruth.classes import ClassTable
from tests.ground_truth import boxes
from trainers import Dataset, TrainConfig, from_arrays, read_model, train
from trainers.config import check_config
from trainers.events import Checkpoint, Epoch, Event, Metric, Note, Step, Stopped
from trainers.registry import TRAINERS

pytestmark = pytest.mark.usefixtures("mxnet")

GLUON = TRAINERS["gluon"]

Run = Callable[..., Any]
Hands = Callable[..., Dataset]
Quick = Callable[..., TrainConfig]


def test_what_a_run_leaves(in_folder: Path, hands: Hands, quick: Quick) -> None:
    result = train(hands(16), hands(8, 1), quick(), "model")
    with tarfile.open("model/model.tar.gz") as archive:
        names = archive.getnames()
    best = result.report["best_epoch"]
    assert names == [
        "classes.json",
        f"image-classification-{best:04d}.params",
        "image-classification-symbol.json",
        "model-shapes.json",
    ]
    report = json.loads(Path("model/metrics.json").read_bytes())
    assert report == result.report
    assert report["pictures"] == {"train": 16, "validation": 8}
    assert report["validation"]["examples"] == 8
    history = [json.loads(line) for line in Path("model/history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in history] == [1, 2]
    assert history[best - 1]["validation_accuracy"] == pytest.approx(result.accuracy)
    with Image.open("model/history.png") as picture:
        assert picture.format == "PNG"


def test_listeners_get_the_events_in_order(in_folder: Path, hands: Hands, quick: Quick) -> None:
    events: list[Event] = []
    train(hands(16), hands(8), quick(epochs=1), "model", [events.append])
    assert [type(event) for event in events] == [Note, Step, Step, Checkpoint, Epoch, Stopped, Metric]
    assert events[0] == Note("training from scratch: neither --pretrained nor --init-from was given")


def test_it_learns_to_tell_right_from_left(in_folder: Path, hands: Hands, quick: Quick) -> None:
    assert train(hands(64), hands(32, 1), quick(epochs=12), "model").accuracy > 0.95


def test_two_runs_leave_the_same_bytes(in_folder: Path, hands: Hands, quick: Quick) -> None:
    for name in ("one", "two"):
        train(hands(16), hands(8), quick(augment=True), name)
    one, two = ({file.name: file.read_bytes() for file in Path(name).iterdir()} for name in ("one", "two"))
    assert len(one) == 4
    assert one == two


def test_two_processes_leave_the_same_bytes(trained: Path, run: Run) -> None:
    words = ["train", "--images", "raw-data", "--epochs", "4", "--image-size", "32", "-o", "other"]
    subprocess.run([sys.executable, "-m", "manifest_tools", *words], check=True, capture_output=True)
    assert Path("other/model.tar.gz").read_bytes() == Path("model/model.tar.gz").read_bytes()


def test_several_labels_a_picture(in_folder: Path, quick: Quick) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (64, 2))
    pictures = random.integers(0, 40, (64, 32, 32, 3), np.uint8)
    pictures[labels[:, 0] == 1, :16] += 180
    pictures[labels[:, 1] == 1, 16:] += 180
    data = from_arrays(pictures, labels, ClassTable(((0, "top"), (1, "bottom"))))
    result = train(data, data, quick(epochs=10), "model")
    assert result.accuracy > 0.95
    assert result.report["validation"]["multi_label"]
    assert read_model("model").multi_label


def interrupt_at(epoch: int) -> Callable[[Event], None]:
    """Return a listener that does what Ctrl-C does, in the middle of an epoch."""

    def listen(event: Event) -> None:
        if isinstance(event, Step) and event.epoch == epoch:
            raise KeyboardInterrupt

    return listen


def test_ctrl_c_keeps_the_best_epoch_so_far(in_folder: Path, hands: Hands, quick: Quick) -> None:
    result = train(hands(16), hands(8), quick(epochs=9), "model", [interrupt_at(3)])
    assert result.interrupted
    assert (result.report["epochs_done"], result.report["best_epoch"] <= 2) == (2, True)
    train(hands(16), hands(8), quick(epochs=2), "whole")
    assert read_model("model").files == read_model("whole").files


def test_ctrl_c_before_the_first_epoch_is_over_leaves_nothing(
    in_folder: Path, hands: Hands, quick: Quick
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(hands(16), hands(8), quick(), "model", [interrupt_at(1)])
    assert not Path("model").exists()


def test_a_run_that_was_interrupted_does_not_pass_for_a_whole_one(
    in_folder: Path, hands: Hands, quick: Quick
) -> None:
    train(hands(16), hands(8), quick(epochs=3), "model", [interrupt_at(2)])
    with pytest.raises(Refused, match=r"training.state: an unfinished run; type --resume to go on with it"):
        train(hands(16), hands(8), quick(epochs=3), "model")
    assert not train(hands(16), hands(8), quick(epochs=3), "model", force=True).interrupted


def test_a_finished_run_is_not_run_again(in_folder: Path, hands: Hands, quick: Quick) -> None:
    first = train(hands(16), hands(8), quick(), "model")
    events: list[Event] = []
    again = train(hands(16), hands(8), quick(), "model", [events.append])
    assert events == []
    assert again.report == first.report
    assert [each.state for each in again.published] == ["unchanged"]


def test_other_initial_weights_make_it_another_run(in_folder: Path, hands: Hands, quick: Quick) -> None:
    data = hands(16), hands(8)
    train(*data, quick(), "first")
    train(*data, quick(init_from="first"), "model")
    train(*data, quick(seed=1), "first", force=True)
    with pytest.raises(Exists):
        train(*data, quick(init_from="first"), "model")


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"epochs": 3}, {"augment": True}],
    ids=["another seed", "more epochs", "augmented"],
)
def test_another_run_does_not_replace_a_model_unasked(
    in_folder: Path, hands: Hands, quick: Quick, changes: dict[str, Any]
) -> None:
    train(hands(16), hands(8), quick(), "model")
    before = Path("model/model.tar.gz").read_bytes()
    with pytest.raises(Exists):
        train(hands(16), hands(8), quick(**changes), "model")
    assert Path("model/model.tar.gz").read_bytes() == before


def test_other_pictures_make_it_another_run(in_folder: Path, hands: Hands, quick: Quick) -> None:
    train(hands(16), hands(8), quick(), "model")
    with pytest.raises(Exists):
        train(hands(16, 5), hands(8), quick(), "model")


def test_a_loss_that_explodes_at_once_leaves_nothing(in_folder: Path, hands: Hands, quick: Quick) -> None:
    with pytest.raises(MtoolError, match="smaller --learning-rate"):
        train(hands(16), hands(8), quick(optimizer="sgd", learning_rate=100), "model")
    assert not Path("model").exists()


def test_data_sets_that_disagree_about_classes_are_refused(hands: Hands, quick: Quick) -> None:
    other = from_arrays(hands(8).read(np.arange(8)), hands(8).labels, ClassTable(((0, "LH"), (1, "RH"))))
    with pytest.raises(BadData, match="different class tables"):
        train(hands(8), other, quick(), "model")


def test_one_class_alone_is_nothing_to_tell_apart(hands: Hands, quick: Quick) -> None:
    one = from_arrays(hands(4).read(np.arange(4)), np.zeros(4, np.int64), ClassTable(((0, "RH"),)))
    with pytest.raises(BadData, match="expected two classes or more, found one"):
        train(one, one, quick(), "model")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": 0}, "--epochs: expected 1 to 100,000, found 0"),
        ({"batch_size": 0}, "--batch-size: expected 1 to 65,536, found 0"),
        ({"image_size": 8}, "--image-size: expected 16 to 4,096, found 8"),
        ({"learning_rate": float("nan")}, "--learning-rate: expected 1e-12 to 100, found nan"),
        ({"learning_rate": 0.0}, "--learning-rate: expected 1e-12 to 100, found 0.0"),
        ({"seed": -1}, "--seed: expected 0 to 2,147,483,647, found -1"),
        ({"optimizer": "magic"}, "--optimizer: expected one of adam, nag, rmsprop, sgd; found 'magic'"),
        ({"pretrained": True, "init_from": "x"}, "type one of them"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_numbers_that_cannot_be_meant_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_config(TrainConfig(**fields), GLUON)
    assert str(refusal.value).endswith(message)


def test_every_optimizer_has_a_rate_of_its_own() -> None:
    for optimizer, rate in GLUON.optimizers.items():
        config = TrainConfig(optimizer=optimizer, learning_rate=rate)
        check_config(config, GLUON)
        assert config.learning_rate == GLUON.learning_rate(optimizer) == rate


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
