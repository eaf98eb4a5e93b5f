"""The training loop, with a learner that learns nothing and predicts what it is given."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.groundtruth.classes import ClassTable
from trainers import Dataset, TrainConfig, from_arrays
from trainers.dataset import Probabilities, Targets
from trainers.epochs import RunningMeans, run_epochs
from trainers.events import Checkpoint, Epoch, Estimate, Event, Step, Stopped
from trainers.metrics import measure
from trainers.pixels import Pixels

TABLE = ClassTable(((0, "RH"), (1, "LH"), (2, "none")))


def data(count: int) -> Dataset:
    """Return pictures of one pixel, each of its own shade."""
    shades = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)
    return from_arrays(np.broadcast_to(shades, (count, 1, 1, 3)), np.arange(count) % 3, TABLE)


def sure(labels: Targets, right: float) -> Probabilities:
    """Return probabilities with ``right`` for the label."""
    found = np.full((len(labels), 3), (1 - right) / 2, np.float32)
    found[np.arange(len(labels)), labels] = right
    return found


@dataclass
class Actor:
    """A learner whose answers are given."""

    predict: Callable[[Pixels], Probabilities]
    learn: Callable[[Pixels, Targets], Probabilities] = lambda pictures, labels: sure(labels, 0.5)
    origin: str = "nothing"

    def weights(self) -> bytes:
        return b"weights"

    def state(self) -> bytes:
        return b"state"


def epochs(validation: list[float], patience: int = 0, done: Sequence[Epoch] = ()) -> Iterator[Event]:
    """Yield the events of epochs whose validation pictures get their label with these probabilities."""
    coming = iter(validation[len(done) :])
    config = TrainConfig(epochs=len(validation), batch_size=4, patience=patience)

    def predict(pictures: Pixels) -> Probabilities:
        return sure(pictures[:, 0, 0, 0].astype(np.int64) % 3, next(coming))

    return run_epochs(data(10), data(3), config, Actor(predict), done)


def test_only_an_improvement_is_a_checkpoint() -> None:
    events = list(epochs([0.4, 0.9, 0.3, 0.9, 0.95]))
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [1, 2, 3, 4, 5]
    assert [event.epoch for event in events if isinstance(event, Checkpoint)] == [1, 2, 5]


def test_a_lower_loss_decides_between_equal_accuracies() -> None:
    assert [event.epoch for event in epochs([0.6, 0.7, 0.65]) if isinstance(event, Checkpoint)] == [1, 2]


def test_every_batch_is_a_step() -> None:
    steps = [event for event in epochs([0.5]) if isinstance(event, Step)]
    assert [(each.epoch, each.step, each.steps) for each in steps] == [(1, 1, 3), (1, 2, 3), (1, 3, 3)]


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    events = list(epochs([0.5, math.nan, 0.9]))
    assert events[-1] == Stopped("loss", 2)
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [1]


def test_without_a_gain_for_as_long_as_patience_lasts_training_stops() -> None:
    events = list(epochs([0.4, 0.9, 0.3, 0.9, 0.9, 0.95], patience=3))
    assert events[-1] == Stopped("patience", 5)
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [1, 2, 3, 4, 5]
    assert list(epochs([0.4, 0.9, 0.3, 0.9], patience=3))[-1] == Stopped("epochs", 4)


LIKELY = st.lists(st.sampled_from([0.2, 0.4, 0.6, 0.8, 0.9]), min_size=2, max_size=12)


@given(LIKELY, st.integers(0, 4), st.data())
def test_a_run_that_goes_on_does_what_one_without_a_break_does(
    validation: list[float], patience: int, drawn: st.DataObject
) -> None:
    whole = [event for event in epochs(validation, patience) if not isinstance(event, Estimate)]
    over = [event for event in whole if isinstance(event, Epoch)]
    done = over[: drawn.draw(st.integers(0, len(over)))]
    rest = [event for event in epochs(validation, patience, done) if not isinstance(event, Estimate)]
    assert figures(rest) == figures(whole[whole.index(done[-1]) + 1 :] if done else whole)


def figures(events: Sequence[Event]) -> list[Event]:
    """Return events without the time that they took."""
    return [replace(event, seconds=0.0) if isinstance(event, Epoch) else event for event in events]


def test_there_is_one_estimate_of_all_epochs_that_are_left() -> None:
    (estimate,) = [event for event in epochs([0.5] * 4) if isinstance(event, Estimate)]
    assert estimate.epochs == 3
    assert estimate.seconds == pytest.approx(3 * estimate.epoch_seconds)
    assert not [event for event in epochs([0.5]) if isinstance(event, Estimate)]


def test_every_picture_is_learnt_from_once_an_epoch_and_in_another_order_in_the_next() -> None:
    seen: list[list[int]] = []

    def learn(pictures: Pixels, labels: Targets) -> Probabilities:
        seen.append(pictures[:, 0, 0, 0].tolist())
        return sure(labels, 0.5)

    def predict(pictures: Pixels) -> Probabilities:
        return sure(np.zeros(len(pictures), np.int64), 0.5)

    list(run_epochs(data(10), data(3), TrainConfig(epochs=2, batch_size=10), Actor(predict, learn)))
    first, second = seen
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


@settings(deadline=None)  # the first example imports scikit-learn
@given(st.integers(1, 30), st.integers(1, 10), st.booleans(), st.integers(0, 2**32 - 1))
def test_means_over_batches_are_the_figures_over_all(
    pictures: int, size: int, multi_label: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, (pictures, 3)) if multi_label else random.integers(0, 3, pictures)
    probabilities = random.random((pictures, 3), np.float32)
    running = RunningMeans()
    for first in range(0, pictures, size):
        running.add(labels[first : first + size], probabilities[first : first + size])
    figures = measure(labels, probabilities, TABLE)
    assert running.means() == pytest.approx((figures.loss, figures.accuracy), rel=1e-5)
