"""Evaluation: the figures of a model on labelled pictures."""

import numpy as np

from trainers.dataset import Dataset, batches
from trainers.frameworks import load_predictor
from trainers.metrics import Metrics, measure
from trainers.model_archive import Model
from trainers.pixels import together


def evaluate(model: Model, data: Dataset) -> Metrics:
    """Return the figures of ``model`` on ``data``, which must have the model's class table.

    Raises BadModel for a model that cannot be used, NotInstalled where its framework is missing.
    """
    predict = load_predictor(model)
    probabilities = [predict(data.read(rows)) for rows in batches(len(data), together(model.image_size))]
    return measure(data.labels, np.concatenate(probabilities), data.table)
