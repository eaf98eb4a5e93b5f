import json

import pytest

from trainers.events import Epoch, history, last_gain

EPOCH = Epoch(2, 3, 0.5, 0.75, 0.6, 0.7, seconds=1.25)


def test_an_epoch_is_one_line_of_the_history_and_its_seconds_are_not_in_it() -> None:
    first, second = history([EPOCH, EPOCH]).splitlines()
    assert first == second
    assert json.loads(first) == {
        "epoch": 2,
        "train_loss": 0.5,
        "train_accuracy": 0.75,
        "validation_loss": 0.6,
        "validation_accuracy": 0.7,
    }


def epochs(*figures: tuple[float, float]) -> list[Epoch]:
    """Return epochs of these validation accuracies and losses."""
    return [Epoch(at, 9, 0.5, 0.5, loss, accuracy, 1.0) for at, (accuracy, loss) in enumerate(figures, 1)]


@pytest.mark.parametrize(
    ("figures", "last"),
    [
        ((), 0),
        (((0.5, 1.0),), 1),
        (((0.5, 1.0), (0.6, 1.2)), 2),
        (((0.5, 1.0), (0.5, 0.8), (0.5, 0.79)), 2),
        (((0.9, 0.5), (0.8, 0.44), (0.9, 0.43), (0.9, 0.40)), 2),
        (((0.9, 0.5), (0.9, 0.46), (0.9, 0.44)), 3),
    ],
    ids=["none", "the first", "accuracy", "a little loss", "loss alone", "loss in two steps"],
)
def test_a_gain_is_a_higher_accuracy_or_a_loss_that_is_lower_by_a_tenth(
    figures: tuple[tuple[float, float], ...], last: int
) -> None:
    assert last_gain(epochs(*figures)) == last
