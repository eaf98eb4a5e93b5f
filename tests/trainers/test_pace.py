import numpy as np
import pytest

from manifest_tools.groundtruth.classes import ClassTable
from trainers import Dataset, TrainConfig, from_arrays
from trainers.dataset import Probabilities
from trainers.events import Epoch, Estimate
from trainers.pace import Pace
from trainers.pixels import Pixels


def data(count: int) -> Dataset:
    table = ClassTable(((0, "RH"), (1, "LH")))
    return from_arrays(np.zeros((count, 1, 1, 3), np.uint8), np.arange(count) % 2, table)


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def predict(self, pictures: Pixels) -> Probabilities:
        """Take a tenth of a second a picture."""
        self.now += 0.1 * len(pictures)
        return np.zeros((len(pictures), 2), np.float32)


def test_an_epoch_is_its_steps_after_the_first_and_its_validation() -> None:
    watch = Watch()
    pace = Pace(data(100), data(20), TrainConfig(epochs=3, batch_size=10), watch.predict, watch)
    watch.now = 50.0  # the first step, which prepares much
    assert pace.after_step(1, 10) is None
    watch.now = 51.5
    assert pace.after_step(1, 10) is None
    watch.now = 53.0
    estimate = pace.after_step(1, 10)
    assert estimate is not None
    assert estimate.epoch_seconds == pytest.approx(100 * 0.15 + 20 * 0.1)
    assert estimate.epochs == 3
    assert estimate.seconds == pytest.approx(51)
    watch.now = 99.0
    assert pace.after_step(1, 10) is None
    assert pace.after_epoch(Epoch(1, 3, 0, 0, 0, 0, 17)) is None


def test_of_short_epochs_the_first_is_the_measure() -> None:
    pace = Pace(data(4), data(4), TrainConfig(epochs=3), Watch().predict, Watch())
    assert pace.after_epoch(Epoch(1, 3, 0, 0, 0, 0, 0.5)) == Estimate(0.5, 2)
    assert pace.after_epoch(Epoch(2, 3, 0, 0, 0, 0, 0.5)) is None


def test_a_single_epoch_that_is_over_needs_none() -> None:
    pace = Pace(data(4), data(4), TrainConfig(epochs=1), Watch().predict, Watch())
    assert pace.after_epoch(Epoch(1, 1, 0, 0, 0, 0, 0.5)) is None
