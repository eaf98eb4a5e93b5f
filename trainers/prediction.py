"""What a model says about pictures, one by one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.unusable import Unusable
from trainers.frameworks import Predict, load_predictor
from trainers.metrics import THRESHOLD
from trainers.model_archive import Model
from trainers.pixels import Pixels, square

_BATCH = 32

ReadPicture = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says about one picture."""

    picture: str
    probabilities: tuple[float, ...]
    answers: tuple[int, ...]
    """The likeliest class; with several labels a picture, all that are likely enough, maybe none."""

    def to_json(self, table: ClassTable, multi_label: bool) -> dict[str, Any]:
        """Return the line that ``--json`` prints."""
        said = [
            {"class": table.name(index), "index": index, "probability": self.probabilities[index]}
            for index in self.answers
        ]
        answer: dict[str, Any] = {"classes": said} if multi_label else said[0]
        return {"picture": self.picture, **answer, "probabilities": list(self.probabilities)}


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture that could not be looked at, and why."""

    picture: str
    reason: str


def predict(model: Model, pictures: Iterable[str], read: ReadPicture) -> Iterator[Prediction | Unread]:
    """Yield what ``model`` says about each picture, in order; ``read`` returns a picture's bytes.

    A picture that cannot be used is an Unread, and the next one follows.
    """
    ask = load_predictor(model)
    waiting = iter(pictures)
    while names := list(islice(waiting, _BATCH)):
        looked = [_look(name, read, model.image_size) for name in names]
        answers = _ask(ask, [pixels for pixels in looked if not isinstance(pixels, Unread)])
        for name, pixels in zip(names, looked, strict=True):
            yield pixels if isinstance(pixels, Unread) else _prediction(name, next(answers), model)


def _look(name: str, read: ReadPicture, side: int) -> Pixels | Unread:
    try:
        return square(read(name), side)
    except Unusable as why:
        return Unread(name, why.message.removeprefix(f"{name}: "))


def _ask(ask: Predict, pictures: list[Pixels]) -> Iterator[list[float]]:
    if pictures:
        yield from ask(np.stack(pictures)).tolist()


def _prediction(name: str, probabilities: list[float], model: Model) -> Prediction:
    if model.multi_label:
        answers = tuple(index for index, p in enumerate(probabilities) if p >= THRESHOLD)
    else:
        answers = (max(range(len(probabilities)), key=probabilities.__getitem__),)
    return Prediction(name, tuple(probabilities), answers)
