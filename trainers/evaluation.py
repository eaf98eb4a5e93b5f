"""How good a model is on pictures whose classes are known."""

import numpy as np

from trainers.dataset import Dataset, batches
from trainers.frameworks import load_predictor
from trainers.metrics import Metrics, measure
from trainers.model_archive import Model

_BATCH = 32


def evaluate(model: Model, data: Dataset) -> Metrics:
    """Return the figures of ``model`` on ``data``, which has the model's class table."""
    predict = load_predictor(model)
    answers = [predict(data.read(rows)) for rows in batches(len(data), _BATCH)]
    return measure(data.labels, np.concatenate(answers), data.table)
