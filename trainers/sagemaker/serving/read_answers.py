"""Answers of the built-in image classification: a probability for each class, in order of index."""

import json
import math
from typing import Any

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.classes import ClassTable
from trainers.prediction import Prediction, prediction_of


class NoAnswer(BadData):
    """Bytes that are no answer of the image classification."""


def read_answer(data: bytes) -> tuple[float, ...]:
    """Return the probabilities; raises NoAnswer for anything else.

    >>> read_answer(b"[0.25, 0.75]"), read_answer(b'{"prediction": [0.25, 0.75]}')
    ((0.25, 0.75), (0.25, 0.75))
    """
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(_expected(data)) from error
    if isinstance(value, dict):
        value = value.get("prediction")
    if not isinstance(value, list) or not value or not all(map(_is_probability, value)):
        raise NoAnswer(_expected(data))
    return tuple(map(float, value))


def _is_probability(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and -0.001 <= value <= 1.001


def _expected(data: bytes) -> str:
    form = "expected one probability a class, as image-classification answers"
    return f"{form}; found {shown(data[:200].decode(errors='backslashreplace'))}"


def prediction(
    picture: str, probabilities: tuple[float, ...], table: ClassTable, multi_label: bool
) -> Prediction:
    """Return an answer as a prediction, as a local model gives it; raises NoAnswer.

    A table with more classes than there are probabilities is another model's: its names would be wrong.
    """
    if table.num_classes > len(probabilities):
        raise NoAnswer(
            f"expected {table.num_classes:,} probabilities, one for each class of the table, found"
            f" {len(probabilities):,}; type --classes FILE with the model's own"
        )
    return prediction_of(picture, probabilities, multi_label)
