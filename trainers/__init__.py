"""Trains, evaluates and runs image classifiers, on data sets that ``manifest_tools`` makes.

    from trainers import TrainConfig, from_records, train

    result = train(from_records("train.rec", 64, table), validation, TrainConfig(), "model")

Nothing is imported before it is asked for, and no framework before a trainer gets to work.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainers.config import TrainConfig as TrainConfig
    from trainers.dataset import Dataset as Dataset
    from trainers.dataset import from_arrays as from_arrays
    from trainers.dataset import from_records as from_records
    from trainers.evaluation import evaluate as evaluate
    from trainers.metrics import Metrics as Metrics
    from trainers.model_archive import Model as Model
    from trainers.model_archive import read_model as read_model
    from trainers.prediction import Prediction as Prediction
    from trainers.prediction import predict as predict
    from trainers.training import Result as Result
    from trainers.training import train as train

# Every public name, by the module that it lives in.
_HOMES = {
    "config": ("TrainConfig",),
    "dataset": ("Dataset", "from_arrays", "from_records"),
    "evaluation": ("evaluate",),
    "metrics": ("Metrics",),
    "model_archive": ("Model", "read_model"),
    "prediction": ("Prediction", "predict"),
    "training": ("Result", "train"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME_OF)
