"""Training with MXNet's Gluon; has the functions of ``trainers.frameworks.Framework``."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities, Targets
from trainers.epochs import run_epochs
from trainers.events import Event
from trainers.gluon.export import export, predictor, save_weights
from trainers.gluon.mxnet_import import load_mxnet
from trainers.gluon.networks import build
from trainers.gluon.weights import initial_weights
from trainers.pixels import Pixels

__all__ = ["export", "fit", "predictor"]

# The settings of each optimizer besides the learning rate: the built-in algorithm's defaults.
OPTIMIZERS: dict[str, dict[str, float]] = {
    "adam": {},
    "nag": {"momentum": 0.9, "wd": 1e-4},
    "rmsprop": {"gamma1": 0.9},
    "sgd": {"momentum": 0.9, "wd": 1e-4},
}


def fit(train: Dataset, validation: Dataset, config: TrainConfig) -> Iterator[Event]:
    """Train a network, and yield what happens; every improvement is a Checkpoint.

    On the CPU of one machine a seed decides the weights to the bit. Raises MtoolError where the initial
    weights cannot be had.
    """
    mx = load_mxnet()
    mx.random.seed(config.seed)
    net = build(mx, config.network, train.table.num_classes)
    yield from initial_weights(mx, net, config)
    net.hybridize()
    settings = {"learning_rate": config.learning_rate, **OPTIMIZERS[config.optimizer]}
    optimizer = mx.gluon.Trainer(net.collect_params(), config.optimizer, settings)
    learn = partial(_learn, mx, net, optimizer, _loss(mx, train.multi_label))
    predict = partial(_predict, mx, net, train.multi_label)
    yield from run_epochs(train, validation, config, learn, predict, partial(save_weights, mx, net))


def _loss(mx: Any, multi_label: bool) -> Any:
    losses = mx.gluon.loss
    return losses.SigmoidBCELoss() if multi_label else losses.SoftmaxCrossEntropyLoss()


def _learn(
    mx: Any, net: Any, optimizer: Any, loss_of: Any, pictures: Pixels, labels: Targets
) -> Probabilities:
    with mx.autograd.record():
        scores = net(_input(mx, pictures))
        loss = loss_of(scores, mx.nd.array(labels))
    loss.backward()
    optimizer.step(len(labels))
    return _probabilities(mx, scores, labels.ndim == 2)


def _predict(mx: Any, net: Any, multi_label: bool, pictures: Pixels) -> Probabilities:
    return _probabilities(mx, net(_input(mx, pictures)), multi_label)


def _input(mx: Any, pictures: Pixels) -> Any:
    return mx.nd.array(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)), dtype=np.float32)


def _probabilities(mx: Any, scores: Any, multi_label: bool) -> Probabilities:
    values = mx.nd.sigmoid(scores) if multi_label else mx.nd.softmax(scores)
    probabilities: Probabilities = values.asnumpy()
    return probabilities
