"""Training with MXNet's Gluon: the functions that ``trainers.frameworks.Framework`` asks for."""

import math
import time
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from trainers.augment import Variation, augment
from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities, Targets, batches
from trainers.events import Checkpoint, Epoch, Event, Note, Step
from trainers.gluon.export import export, predictor, save_weights
from trainers.gluon.mxnet_import import load_mxnet
from trainers.gluon.networks import build
from trainers.gluon.weights import first_weights
from trainers.metrics import log_losses, predicted_classes
from trainers.pixels import Pixels

__all__ = ["export", "fit", "predictor"]

# What an optimizer is told besides the learning rate; the built-in algorithm's defaults.
OPTIMIZERS: dict[str, dict[str, float]] = {
    "adam": {},
    "nag": {"momentum": 0.9, "wd": 1e-4},
    "rmsprop": {"gamma1": 0.9},
    "sgd": {"momentum": 0.9, "wd": 1e-4},
}

# Sums of loss and of right answers over pictures, and their number.
_Sums = tuple[float, float, int]


def fit(train: Dataset, validation: Dataset, config: TrainConfig) -> Iterator[Event]:
    """Train the network, and yield what happens; every improvement is a Checkpoint.

    On one machine's CPU one seed gives one result, to the bit.
    """
    mx = load_mxnet()
    mx.random.seed(config.seed)
    net = build(mx, config.network, train.table.num_classes)
    yield from first_weights(mx, net, config)
    net.hybridize()
    settings = {"learning_rate": config.learning_rate, **OPTIMIZERS[config.optimizer]}
    optimizer = mx.gluon.Trainer(net.collect_params(), config.optimizer, settings)
    best = (-1.0, -math.inf)
    for epoch in range(1, config.epochs + 1):
        started = time.perf_counter()
        loss, accuracy = yield from _train_once(mx, net, optimizer, train, config, epoch)
        checked_loss, checked_accuracy = _ask_all(mx, net, validation, config)
        if not math.isfinite(loss + checked_loss):
            yield Note(f"epoch {epoch}: the loss is no number any more; try a smaller --learning-rate")
            return
        seconds = time.perf_counter() - started
        yield Epoch(epoch, config.epochs, loss, accuracy, checked_loss, checked_accuracy, seconds)
        if (checked_accuracy, -checked_loss) > best:
            best = (checked_accuracy, -checked_loss)
            yield Checkpoint(epoch, checked_accuracy, save_weights(mx, net))


def _train_once(
    mx: Any, net: Any, optimizer: Any, data: Dataset, config: TrainConfig, epoch: int
) -> Generator[Event, None, tuple[float, float]]:
    """Show every picture once; return the mean loss and accuracy over the epoch."""
    random = np.random.default_rng((config.seed, epoch))
    rounds = list(batches(len(data), config.batch_size, random))
    loss_of = _loss(mx, data.multi_label)
    total: _Sums = (0.0, 0.0, 0)
    for step, rows in enumerate(rounds, 1):
        pictures = augment(data.read(rows), random, Variation() if config.augment else None, config.mirror)
        with mx.autograd.record():
            scores = net(_input(mx, pictures))
            loss = loss_of(scores, mx.nd.array(data.labels[rows]))
        loss.backward()
        optimizer.step(len(rows))
        total = _add(total, data.labels[rows], _probabilities(mx, scores, data.multi_label))
        yield Step(epoch, step, len(rounds), *_means(total))
    return _means(total)


def _ask_all(mx: Any, net: Any, data: Dataset, config: TrainConfig) -> tuple[float, float]:
    """Return mean loss and accuracy on pictures that are only asked about."""
    total: _Sums = (0.0, 0.0, 0)
    for rows in batches(len(data), config.batch_size):
        scores = net(_input(mx, data.read(rows)))
        total = _add(total, data.labels[rows], _probabilities(mx, scores, data.multi_label))
    return _means(total)


def _input(mx: Any, pictures: Pixels) -> Any:
    return mx.nd.array(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)), dtype=np.float32)


def _loss(mx: Any, multi_label: bool) -> Any:
    losses = mx.gluon.loss
    return losses.SigmoidBCELoss() if multi_label else losses.SoftmaxCrossEntropyLoss()


def _probabilities(mx: Any, scores: Any, multi_label: bool) -> Probabilities:
    values = mx.nd.sigmoid(scores) if multi_label else mx.nd.softmax(scores)
    probabilities: Probabilities = values.asnumpy()
    return probabilities


def _add(total: _Sums, labels: Targets, probabilities: Probabilities) -> _Sums:
    loss, right, count = total
    right_classes = predicted_classes(probabilities, labels.ndim == 2) == labels
    accuracy = right_classes.reshape(len(labels), -1).mean(axis=1)
    return (
        loss + float(log_losses(labels, probabilities).sum()),
        right + float(accuracy.sum()),
        count + len(labels),
    )


def _means(total: _Sums) -> tuple[float, float]:
    loss, right, count = total
    return loss / count, right / count
