import io
import json

import pytest

from trainers.events import Checkpoint, Epoch, Event, Metric, Note, Step, history_writer, progress

EPOCH = Epoch(2, 3, 0.5, 0.75, 0.6, 0.7, seconds=1.25)
OTHERS: list[Event] = [
    Note("training from scratch"),
    Step(1, 1, 4, 0.7, 0.5),
    Metric("validation:accuracy", 1.0),
    Checkpoint(1, 0.5, b"weights"),
]


@pytest.mark.parametrize("event", OTHERS, ids=lambda event: type(event).__name__)
def test_the_history_has_nothing_but_epochs(event: Event) -> None:
    out = io.BytesIO()
    history_writer(out)(event)
    assert out.getvalue() == b""


def test_an_epoch_is_one_line_of_the_history_and_its_seconds_are_not_in_it() -> None:
    out = io.BytesIO()
    write = history_writer(out)
    write(EPOCH)
    write(EPOCH)
    first, second = out.getvalue().splitlines()
    assert first == second
    assert json.loads(first) == {
        "epoch": 2,
        "train_loss": 0.5,
        "train_accuracy": 0.75,
        "validation_loss": 0.6,
        "validation_accuracy": 0.7,
    }


def screen_text(*events: Event, live: bool) -> str:
    written: list[str] = []
    tell = progress(written.append, live)
    for event in events:
        tell(event)
    return "".join(written)


def test_away_from_a_terminal_an_epoch_is_a_line_and_steps_are_silent() -> None:
    assert screen_text(Step(1, 1, 4, 0.7, 0.5), EPOCH, live=False) == (
        "epoch 2 of 3: loss 0.500, accuracy 0.750; validation loss 0.600, accuracy 0.700 (1.2 s)\n"
    )


def test_on_a_terminal_each_step_writes_over_the_last_one() -> None:
    shown = screen_text(Step(1, 1, 4, 0.7, 0.5), Step(1, 2, 4, 0.6, 0.6), live=True)
    assert shown == (
        "\r\x1b[Kepoch 1, step 1 of 4: loss 0.700, accuracy 0.500"
        "\r\x1b[Kepoch 1, step 2 of 4: loss 0.600, accuracy 0.600"
    )


def test_a_note_is_a_line() -> None:
    assert screen_text(Note("training from scratch"), live=True) == "training from scratch\n"
