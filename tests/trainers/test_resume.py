"""A run that was interrupted, or killed, goes on where it was, and comes to the same bytes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import BadData, Refused
from tests.trainers.test_training import interrupt_at
from trainers import Dataset, TrainConfig, train
from trainers.events import Event, Note
from trainers.unfinished import STATE, read_unfinished, write_unfinished

pytestmark = pytest.mark.usefixtures("mxnet")

Run = Callable[..., Any]
Hands = Callable[..., Dataset]
Quick = Callable[..., TrainConfig]

PLACE = Path("model") / STATE


def outputs(folder: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(folder).iterdir() if file.is_file()}


def test_a_run_that_goes_on_leaves_the_bytes_of_one_without_a_break(
    in_folder: Path, hands: Hands, quick: Quick
) -> None:
    config = quick(epochs=4, augment=True)
    train(hands(16), hands(8), config, "whole")
    assert train(hands(16), hands(8), config, "model", [interrupt_at(3)]).report["stopped"] == "interrupted"
    events: list[Event] = []
    result = train(hands(16), hands(8), config, "model", [events.append], resume=True)
    assert isinstance(events[0], Note)
    assert events[0].text.startswith("going on after epoch 2; the best so far is epoch ")
    assert result.report["stopped"] == "epochs"
    assert outputs("model") == outputs("whole")


def test_a_break_after_every_epoch_changes_nothing(in_folder: Path, hands: Hands, quick: Quick) -> None:
    config = quick(epochs=9, patience=2, batch_size=4)
    whole = train(hands(16), hands(8), config, "whole")
    train(hands(16), hands(8), config, "model", [interrupt_at(2)])
    for epoch in range(3, whole.report["epochs_done"] + 1):
        train(hands(16), hands(8), config, "model", [interrupt_at(epoch)], resume=True)
    assert not train(hands(16), hands(8), config, "model", resume=True).interrupted
    assert outputs("model") == outputs("whole")


def test_a_run_that_is_over_has_nothing_to_go_on_with(in_folder: Path, hands: Hands, quick: Quick) -> None:
    train(hands(16), hands(8), quick(), "model")
    assert not PLACE.exists()
    again = train(hands(16), hands(8), quick(), "model", resume=True)
    assert [each.state for each in again.published] == ["unchanged"]
    with pytest.raises(Refused, match="no unfinished run is in other; leave --resume out to begin one"):
        train(hands(16), hands(8), quick(), "other", resume=True)


@pytest.fixture
def unfinished(in_folder: Path, hands: Hands, quick: Quick) -> Path:
    """Return the file of a run of three epochs that was interrupted in its second."""
    train(hands(16), hands(8), quick(epochs=3), "model", [interrupt_at(2)])
    return PLACE


def test_an_unfinished_run_is_not_replaced_unasked(unfinished: Path, hands: Hands, quick: Quick) -> None:
    before = outputs("model")
    with pytest.raises(Refused, match="an unfinished run; type --resume"):
        train(hands(16), hands(8), quick(), "model")
    assert outputs("model") == before
    train(hands(16), hands(8), quick(), "model", force=True)
    assert not unfinished.exists()


def test_a_run_of_something_else_is_refused_with_what_differs(
    unfinished: Path, hands: Hands, quick: Quick
) -> None:
    with pytest.raises(Refused) as refused:
        train(hands(20), hands(8), quick(epochs=5, seed=3), "model", resume=True)
    assert "epochs 3, now 5; seed 0, now 3; other training pictures. Type what" in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "damaged"),
        (lambda data: data[:50], "damaged"),
        (lambda data: data[:-1], "damaged: other bytes than were written"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "damaged: other bytes than were written"),
        (lambda data: b"[" * 100_000 + b"\n", "damaged"),
        (lambda data: data.replace(b'"epoch": 1', b'"epoch": 7'), "damaged: epochs that do not count from 1"),
        (lambda data: data.replace(b'"weights": ', b'"weights": -'), "damaged"),
        (
            lambda data: data.replace(b'"made_from": {', b'"made_from": {}, "b": {'),
            "the run there differs",
        ),
        (lambda data: b"\x80\x04cos\nsystem\n" + data, "damaged"),
    ],
    ids=["empty", "cut off", "short", "a bit", "deep", "epochs", "length", "origin", "a pickle"],
)
def test_a_file_that_is_damaged_or_hostile_is_refused(
    unfinished: Path, hands: Hands, quick: Quick, change: Callable[[bytes], bytes], message: str
) -> None:
    unfinished.write_bytes(change(unfinished.read_bytes()))
    with pytest.raises((BadData, Refused), match=message):
        train(hands(16), hands(8), quick(epochs=3), "model", resume=True)


def test_what_is_written_is_what_is_read(unfinished: Path) -> None:
    made_from = json.loads(unfinished.read_bytes().partition(b"\n")[0])["made_from"]
    run = read_unfinished("model", made_from)
    write_unfinished("copy", run)
    assert (Path("copy") / STATE).read_bytes() == unfinished.read_bytes()


WORDS = ("train", "--images", "raw-data", "--epochs", "12", "--image-size", "64", "--batch-size", "2")


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_command_that_was_ended_goes_on_by_resume(
    workshop: Path, run: Run, signalled: signal.Signals
) -> None:
    assert run(*WORDS, "-o", "whole").exit_code == 0
    command = [sys.executable, "-m", "manifest_tools", *WORDS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "epoch 3 of" not in (line := process.stderr.readline()):
            assert line, "ended before its third epoch"
        process.send_signal(signalled)
        process.wait()
    refused = run(*WORDS)
    assert refused.exit_code == 2
    assert "model/training.state: an unfinished run; type --resume to go on with it" in refused.stderr
    done = run(*WORDS, "--resume")
    assert done.exit_code == 0, done.stderr
    assert "going on after epoch" in done.stderr
    assert outputs("model") == outputs("whole")


def test_there_is_nothing_to_go_on_with_in_an_empty_folder(workshop: Path, run: Run) -> None:
    done = run("train", "--images", "raw-data", "--resume")
    assert done.exit_code == 2
    assert done.stderr == "mtool: --resume: no unfinished run is in model; leave --resume out to begin one\n"
    assert not Path("model").exists()


def test_to_go_on_and_to_begin_anew_is_a_contradiction(workshop: Path, run: Run) -> None:
    done = run("train", "--images", "raw-data", "--resume", "--force")
    assert done.exit_code == 2
    assert "--resume goes on and --force begins anew; type one of them" in done.stderr
