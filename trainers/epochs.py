"""The training loop, the same for every framework, which brings only a learner."""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trainers.augment import Variation, augment
from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities, Targets, batches
from trainers.events import Checkpoint, Epoch, Estimate, Event, Step, Stopped, last_gain, merit
from trainers.frameworks import Learner, Predict
from trainers.metrics import log_losses, predicted_classes
from trainers.pace import Pace


@dataclass(slots=True)
class RunningMeans:
    """Sums over the pictures that were added so far."""

    loss: float = 0.0
    accuracy: float = 0.0
    count: int = 0
    """Pictures."""

    def add(self, labels: Targets, probabilities: Probabilities) -> None:
        """Add the pictures of a batch."""
        right = predicted_classes(probabilities, labels.ndim == 2) == labels
        self.loss += float(log_losses(labels, probabilities).sum())
        self.accuracy += float(right.reshape(len(labels), -1).mean(axis=1).sum())
        self.count += len(labels)

    def means(self) -> tuple[float, float]:
        """Return the mean loss in nats, and the mean accuracy, 0 to 1."""
        return self.loss / self.count, self.accuracy / self.count


def run_epochs(
    train: Dataset, validation: Dataset, config: TrainConfig, learner: Learner, done: Sequence[Epoch] = ()
) -> Iterator[Event]:
    """Yield what happens in all epochs; every improvement is a Checkpoint, before its epoch is over.

    ``done`` are the epochs that the learner has behind it. Ends early without gain for ``config.patience``
    epochs, and where the loss is no finite number any more.
    """
    over = list(done)
    best = max(over, key=merit, default=None)  # of equal ones the first
    pace = Pace(train, validation, config, learner.predict)
    for number in range(len(done) + 1, config.epochs + 1):
        if 0 < config.patience <= len(over) - last_gain(over):
            yield Stopped("patience", number - 1)
            return
        epoch = yield from _epoch(train, validation, config, learner, number, pace)
        if not math.isfinite(epoch.train_loss + epoch.validation_loss):
            yield Stopped("loss", number)
            return
        if best is None or merit(epoch) > merit(best):
            best = epoch
            yield Checkpoint(number, epoch.validation_accuracy, learner.weights())
        over.append(epoch)
        yield epoch
        yield from _measured(pace.after_epoch(epoch))
    yield Stopped("epochs", config.epochs)


def _epoch(
    train: Dataset, validation: Dataset, config: TrainConfig, learner: Learner, number: int, pace: Pace
) -> Generator[Event, None, Epoch]:
    started = time.perf_counter()
    learnt = yield from _learn_all(train, config, learner, number, pace)
    validated = _validate(validation, config, learner.predict)
    return Epoch(number, config.epochs, *learnt, *validated, seconds=time.perf_counter() - started)


def _learn_all(
    data: Dataset, config: TrainConfig, learner: Learner, epoch: int, pace: Pace
) -> Generator[Event, None, tuple[float, float]]:
    """Learn from every picture once; return the mean loss and accuracy over the epoch."""
    random = np.random.default_rng((config.seed, epoch))
    steps = list(batches(len(data), config.batch_size, random))
    variation = Variation() if config.augment else None
    running = RunningMeans()
    for step, rows in enumerate(steps, 1):
        pictures = augment(data.read(rows), random, variation, config.mirror)
        running.add(data.labels[rows], learner.learn(pictures, data.labels[rows]))
        yield Step(epoch, step, len(steps), *running.means())
        yield from _measured(pace.after_step(epoch, len(rows)))
    return running.means()


def _measured(estimate: Estimate | None) -> Iterator[Event]:
    if estimate is not None:
        yield estimate


def _validate(data: Dataset, config: TrainConfig, predict: Predict) -> tuple[float, float]:
    """Return the mean loss and accuracy on pictures that nothing is learnt from."""
    running = RunningMeans()
    for rows in batches(len(data), config.batch_size):
        running.add(data.labels[rows], predict(data.read(rows)))
    return running.means()
