import json
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
from manifest_tools.groundtruth.classes import ClassTable
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
