"""What a model predicts for pictures, one by one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.unusable import Unusable
from trainers.frameworks import Predict, load_predictor
from trainers.metrics import THRESHOLD
from trainers.model_archive import Model
from trainers.pixels import Pixels, square, together

ReadPicture = Callable[[str], bytes]
"""Name of a picture -> its bytes; raises Unusable."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model predicts for one picture."""

    picture: str
    """The name of the picture: a path, or a URI in S3."""

    probabilities: tuple[float, ...]
    """One for each class, in order of index."""

    classes: tuple[int, ...]
    """Index of the likeliest class; with several labels a picture, of all from ``THRESHOLD`` on."""

    def to_json(self, table: ClassTable, multi_label: bool) -> dict[str, Any]:
        """Return the line that ``--json`` prints."""
        classes = [
            {"class": table.name(index), "index": index, "probability": self.probabilities[index]}
            for index in self.classes
        ]
        predicted: dict[str, Any] = {"classes": classes} if multi_label else classes[0]
        return {"picture": self.picture, **predicted, "probabilities": list(self.probabilities)}


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture that could not be used."""

    picture: str
    """The name of the picture."""

    reason: str
    """Why, without the name."""


def prediction_of(picture: str, probabilities: Sequence[float], multi_label: bool) -> Prediction:
    """Return the prediction that a model's probabilities are, one a class.

    >>> prediction_of("a.jpg", [0.25, 0.75], False).classes, prediction_of("a.jpg", [0.4, 0.3], True).classes
    ((1,), ())
    """
    if multi_label:
        classes = tuple(index for index, each in enumerate(probabilities) if each >= THRESHOLD)
    else:
        classes = (max(range(len(probabilities)), key=probabilities.__getitem__),)
    return Prediction(picture, tuple(probabilities), classes)


def predict(model: Model, pictures: Iterable[str], read: ReadPicture) -> Iterator[Prediction | Unread]:
    """Yield what ``model`` predicts for each picture, in order.

    A picture that cannot be used is an Unread, and the next one follows. Raises BadModel for a model that
    cannot be used, NotInstalled where its framework is missing.
    """
    predictor = load_predictor(model)
    waiting = iter(pictures)
    while names := list(islice(waiting, together(model.image_size))):
        inputs = [_input(name, read, model.image_size) for name in names]
        rows = _probabilities(predictor, [pixels for pixels in inputs if not isinstance(pixels, Unread)])
        for name, pixels in zip(names, inputs, strict=True):
            yield pixels if isinstance(pixels, Unread) else prediction_of(name, next(rows), model.multi_label)


def _input(name: str, read: ReadPicture, side: int) -> Pixels | Unread:
    try:
        return square(read(name), side)
    except Unusable as why:
        return Unread(name, why.message.removeprefix(f"{name}: "))


def _probabilities(predictor: Predict, pictures: list[Pixels]) -> Iterator[list[float]]:
    if pictures:
        yield from predictor(np.stack(pictures)).tolist()
