"""A Gluon network that is being trained."""

from typing import Any

import numpy as np

from trainers.config import TrainConfig
from trainers.dataset import Dataset, Probabilities, Targets
from trainers.gluon.export import save_weights
from trainers.gluon.learner_state import load_state, save_state
from trainers.gluon.networks import build
from trainers.gluon.weights import drawn_weights, initial_weights
from trainers.pixels import Pixels

# The settings of each optimizer besides the learning rate: the built-in algorithm's defaults.
OPTIMIZERS: dict[str, dict[str, float]] = {
    "adam": {},
    "nag": {"momentum": 0.9, "wd": 1e-4},
    "rmsprop": {"gamma1": 0.9},
    "sgd": {"momentum": 0.9, "wd": 1e-4},
}


class GluonLearner:
    """A network, its loss and its optimizer; see ``trainers.frameworks.Learner``."""

    def __init__(self, mx: Any, data: Dataset, config: TrainConfig, state: bytes | None) -> None:
        self._mx, self._multi_label = mx, data.multi_label
        mx.random.seed(config.seed)
        self._net = build(mx, config.network, data.table.num_classes)
        if state is None:
            self.origin = initial_weights(mx, self._net, config)
        else:
            self.origin = "weights and optimizer of the unfinished run"
            drawn_weights(mx, self._net, config.image_size)
        self._net.hybridize()
        losses = mx.gluon.loss
        self._loss = losses.SigmoidBCELoss() if self._multi_label else losses.SoftmaxCrossEntropyLoss()
        settings = {"learning_rate": config.learning_rate, **OPTIMIZERS[config.optimizer]}
        self._optimizer = mx.gluon.Trainer(self._net.collect_params(), config.optimizer, settings)
        if state is not None:
            # The first step makes the optimizer's arrays, and MXNet rounds otherwise in it.
            self.learn(data.read(np.arange(1)), data.labels[:1])
            load_state(mx, self._net, self._optimizer, state)

    def learn(self, pictures: Pixels, labels: Targets) -> Probabilities:
        """Take a step on a batch, and return the probabilities from before the step."""
        with self._mx.autograd.record():
            scores = self._net(self._input(pictures))
            loss = self._loss(scores, self._mx.nd.array(labels))
        loss.backward()
        self._optimizer.step(len(labels))
        return self._probabilities(scores)

    def predict(self, pictures: Pixels) -> Probabilities:
        """Return the probabilities as they are now."""
        return self._probabilities(self._net(self._input(pictures)))

    def weights(self) -> bytes:
        """Return the weights as they are now, in MXNet's file format."""
        return save_weights(self._mx, self._net)

    def state(self) -> bytes:
        """Return weights and the optimizer's numbers; no network here draws random numbers as it learns."""
        return save_state(self._net, self._optimizer)

    def _input(self, pictures: Pixels) -> Any:
        channels_first = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
        return self._mx.nd.array(channels_first, dtype=np.float32)

    def _probabilities(self, scores: Any) -> Probabilities:
        values = self._mx.nd.sigmoid(scores) if self._multi_label else self._mx.nd.softmax(scores)
        probabilities: Probabilities = values.asnumpy()
        return probabilities
