"""Trains, evaluates and asks image classifiers, on data sets that ``manifest_tools`` makes.

    from trainers import TrainConfig, from_records, train

    result = train(from_records("train.rec", 64, table), validation, TrainConfig(), "model")

No framework is imported before a trainer is asked to work.
"""

from trainers.config import TrainConfig
from trainers.dataset import Dataset, from_arrays, from_records
from trainers.evaluate import evaluate
from trainers.metrics import Metrics
from trainers.model_archive import Model, read_model
from trainers.predict import Prediction, predict
from trainers.train import Result, train

__all__ = [
    "Dataset",
    "Metrics",
    "Model",
    "Prediction",
    "Result",
    "TrainConfig",
    "evaluate",
    "from_arrays",
    "from_records",
    "predict",
    "read_model",
    "train",
]
