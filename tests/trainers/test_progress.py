from collections.abc import Iterator

import pytest

from trainers.events import Checkpoint, Epoch, Estimate, Event, Metric, Note, Step, Stopped
from trainers.progress import Progress

EPOCH = Epoch(2, 3, 0.5, 0.75, 0.6, 0.7, seconds=1.25)
EPOCH_LINE = "epoch 2 of 3: loss 0.500, accuracy 0.750; validation loss 0.600, accuracy 0.700 (1.2 s)\n"


def steps(count: int) -> list[Event]:
    return [Step(1, step, count, 0.7, 0.5) for step in range(1, count + 1)]


def screen_text(
    *events: Event, live: bool = False, seconds: float = 0.0, advice: str = "--network small"
) -> str:
    """Return what is shown where every event comes after so many seconds."""
    written: list[str] = []
    now = [0.0]
    tell = Progress(written.append, live, advice, clock=lambda: now[0])
    for event in events:
        now[0] += seconds
        tell(event)
    return "".join(written)


def test_away_from_a_terminal_an_epoch_is_a_line_and_steps_are_silent() -> None:
    assert screen_text(*steps(2), EPOCH) == EPOCH_LINE


def test_on_a_terminal_each_step_writes_over_the_last_one() -> None:
    assert screen_text(*steps(2), live=True) == (
        "\r\x1b[Kepoch 1, step 1 of 2: loss 0.700, accuracy 0.500"
        "\r\x1b[Kepoch 1, step 2 of 2: loss 0.700, accuracy 0.500"
    )


@pytest.mark.parametrize("event", [Metric("validation:accuracy", 1.0), Checkpoint(1, 0.5, b"weights")])
def test_what_is_for_machines_is_not_shown(event: Event) -> None:
    assert screen_text(event) == ""


def test_away_from_a_terminal_a_long_epoch_has_a_line_from_time_to_time() -> None:
    shown = screen_text(*steps(300), seconds=1).splitlines()
    assert [int(line.split()[3]) for line in shown] == [10, 30, 60, 120, 180, 240, 300]


def test_epochs_that_are_shorter_than_that_have_no_line_inside() -> None:
    epochs: Iterator[list[Event]] = ([*steps(8), EPOCH] for _ in range(20))
    shown = screen_text(*(event for epoch in epochs for event in epoch), seconds=1)
    assert shown == EPOCH_LINE * 20


def test_a_note_is_a_line() -> None:
    assert screen_text(Note("training from scratch"), live=True) == "\r\x1b[Ktraining from scratch\n"


def test_a_short_run_needs_no_estimate() -> None:
    assert screen_text(Estimate(0.2, 30)) == ""


def test_an_estimate_says_what_it_is_at_most() -> None:
    assert screen_text(Estimate(0.6, 30)) == (
        "about 0.6 s an epoch, 18 s at most for 30 epochs; Ctrl-C keeps the best epoch that has ended\n"
    )


def test_of_a_run_of_hours_it_is_said_what_is_quicker() -> None:
    text = screen_text(Estimate(600, 30), advice="--network small takes about 1/184 of that")
    assert text == (
        "about 10 min an epoch, 5 h at most for 30 epochs; Ctrl-C keeps the best epoch that has ended\n"
        "that is long: --network small takes about 1/184 of that\n"
    )


def test_why_it_stopped_before_its_last_epoch_is_said() -> None:
    assert screen_text(Stopped("epochs", 30)) == ""
    assert "training stops (--patience 0 goes on)" in screen_text(Stopped("patience", 12))
    assert screen_text(Stopped("loss", 2)).startswith(
        "epoch 2: the loss became infinite; training stops, try"
    )
