"""The training loop, the same for every framework, which brings only how to learn, to predict and to save."""

import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np

from trainers.augment import Variation, augment
from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities, Targets, batches
from trainers.events import Checkpoint, Epoch, Event, Note, Step
from trainers.frameworks import Predict
from trainers.metrics import log_losses, predicted_classes
from trainers.pixels import Pixels

Learn = Callable[[Pixels, Targets], Probabilities]
"""Takes a step on the pictures and labels of a batch, and returns the probabilities from before the step."""

Save = Callable[[], bytes]
"""Returns the weights as they are now, in the format of the framework."""


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
    train: Dataset, validation: Dataset, config: TrainConfig, learn: Learn, predict: Predict, save: Save
) -> Iterator[Event]:
    """Yield what happens in all epochs; every improvement is a Checkpoint.

    Ends early, after a note, where the loss is no finite number any more.
    """
    best = (-1.0, -math.inf)
    for epoch in range(1, config.epochs + 1):
        started = time.perf_counter()
        train_loss, train_accuracy = yield from _learn_all(train, config, learn, epoch)
        loss, accuracy = _validate(validation, config, predict)
        if not math.isfinite(train_loss + loss):
            yield Note(
                f"epoch {epoch}: the loss became infinite; training stops, try a smaller --learning-rate"
            )
            return
        seconds = time.perf_counter() - started
        yield Epoch(epoch, config.epochs, train_loss, train_accuracy, loss, accuracy, seconds)
        if (accuracy, -loss) > best:
            best = (accuracy, -loss)
            yield Checkpoint(epoch, accuracy, save())


def _learn_all(
    data: Dataset, config: TrainConfig, learn: Learn, epoch: int
) -> Generator[Event, None, tuple[float, float]]:
    """Learn from every picture once; return the mean loss and accuracy over the epoch."""
    random = np.random.default_rng((config.seed, epoch))
    steps = list(batches(len(data), config.batch_size, random))
    variation = Variation() if config.augment else None
    running = RunningMeans()
    for step, rows in enumerate(steps, 1):
        pictures = augment(data.read(rows), random, variation, config.mirror)
        running.add(data.labels[rows], learn(pictures, data.labels[rows]))
        yield Step(epoch, step, len(steps), *running.means())
    return running.means()


def _validate(data: Dataset, config: TrainConfig, predict: Predict) -> tuple[float, float]:
    """Return the mean loss and accuracy on pictures that nothing is learnt from."""
    running = RunningMeans()
    for rows in batches(len(data), config.batch_size):
        running.add(data.labels[rows], predict(data.read(rows)))
    return running.means()
