"""Events in the logs of the built-in algorithms: figures, epochs, the best model, errors.

Image classification writes ``Epoch[3] Validation-accuracy=0.73``; the other two write ``#quality_metric:
host=algo-1, epoch=3, validation mIOU <score>=(0.5)``. Both count epochs from 0; here they count from 1, as
``trainers.events`` and the names of the saved files do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one epoch."""

    epoch: int
    """The epoch, from 1."""

    name: str
    """The name that the service's metrics have: ``validation:accuracy``."""

    value: float
    """The figure."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch that is over."""

    epoch: int
    """The epoch, from 1."""

    figures: tuple[tuple[str, float], ...]
    """The figures, each with its name."""

    seconds: float | None = None
    """How long it took; None where the log does not say."""

    def figure(self, name: str) -> float | None:
        """Return a figure by its name, or None.

        >>> Epoch(1, (("train:accuracy", 0.5),)).figure("train:accuracy")
        0.5
        """
        return dict(self.figures).get(name)

    @property
    def train_accuracy(self) -> float | None:
        """Accuracy on the training part; None where it is not known."""
        return self.figure("train:accuracy")

    @property
    def validation_accuracy(self) -> float | None:
        """Accuracy on the validation part; None where that fills no mini batch."""
        return self.figure("validation:accuracy")


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed inside an epoch."""

    epoch: int
    """The epoch, from 1."""

    batch: int
    """The batch at which it was measured."""

    samples_per_second: float
    """Pictures a second."""


@dataclass(frozen=True, slots=True)
class BestSoFar:
    """The algorithm keeps this epoch, the best so far."""

    accuracy: float
    """Accuracy on the validation part."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error in the log."""

    text: str


LogEvent = Figure | Speed | BestSoFar | Fault

_STAMP = re.compile(r"^\[\d\d/\d\d/\d{4} [\d:]+ (?P<level>[A-Z]+) \d+\] ")
_EPOCH = re.compile(r"\bEpoch\[(?P<epoch>\d+)\] (?P<rest>.+)")
_OF_AN_EPOCH = re.compile(r"(?P<part>Train|Validation)-(?P<name>[\w-]+)=(?P<value>\S+)$")
_TIME = re.compile(r"Time cost=(?P<value>\S+)$")
_SPEED = re.compile(r"Batch ?\[(?P<batch>\d+)\]\s+Speed: (?P<speed>\S+) samples/sec")
_QUALITY = re.compile(r"#quality_metric: host=\S+, epoch=(?P<epoch>\d+), (?P<rest>.+)")
_SCORE = re.compile(r"(?P<part>train|validation) (?P<name>\S+) <(?:score|loss)>=\((?P<value>[^)\s]+)\)")
_BEST = re.compile(r"Storing the best model with validation accuracy: (?P<value>\S+)")
_FAULT = re.compile(r"(?:Customer|Client|Algorithm|Platform|InternalServer) ?Error\b|MXNetError|Traceback \(")

_SECONDS = "time"  # the figure that is an epoch's seconds


def read_line(line: str) -> list[LogEvent]:
    """Return the events in one line of a log; most lines have none.

    >>> read_line("[03/01/2024 12:00:00 INFO 140] Epoch[3] Train-accuracy=0.964844")
    [Figure(epoch=4, name='train:accuracy', value=0.964844)]
    >>> read_line("#quality_metric: host=algo-1, epoch=0, validation mIOU <score>=(0.25)")
    [Figure(epoch=1, name='validation:mIOU', value=0.25)]
    """
    if match := _EPOCH.search(line):
        return list(_of_an_epoch(int(match["epoch"]) + 1, match["rest"].strip()))
    if match := _QUALITY.search(line):
        return list(_quality(int(match["epoch"]) + 1, match["rest"]))
    if (match := _BEST.search(line)) and (value := _number(match["value"])) is not None:
        return [BestSoFar(value)]
    stamp = _STAMP.match(line)
    if _FAULT.search(line) or (stamp and stamp["level"] in ("ERROR", "CRITICAL")):
        return [Fault(_STAMP.sub("", line).strip())]
    return []


def _of_an_epoch(epoch: int, rest: str) -> Iterator[LogEvent]:
    match = _OF_AN_EPOCH.match(rest)
    if match and (value := _number(match["value"])) is not None:
        yield Figure(epoch, f"{match['part'].lower()}:{match['name']}", value)
    elif (match := _TIME.match(rest)) and (value := _number(match["value"])) is not None:
        yield Figure(epoch, _SECONDS, value)
    elif (match := _SPEED.match(rest)) and (value := _number(match["speed"])) is not None:
        yield Speed(epoch, int(match["batch"]), value)


def _quality(epoch: int, rest: str) -> Iterator[LogEvent]:
    for match in _SCORE.finditer(rest):
        if (value := _number(match["value"])) is not None:
            yield Figure(epoch, f"{match['part']}:{match['name']}", value)


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip(",.;"))
    except ValueError:
        return None


class Epochs:
    """Makes epochs of figures as they come; each epoch comes once.

    An epoch is over when its accuracies in training and validation and its time are known, or when a later
    one begins, or at the end of the log (``end``).
    """

    def __init__(self) -> None:
        self._figures: dict[str, float] = {}
        self._epoch = 0

    def add(self, figure: Figure) -> list[Epoch]:
        """Return the epochs that are over now."""
        if figure.epoch < self._epoch or (figure.epoch == self._epoch and not self._figures):
            return []  # of an epoch that was given out; several machines write one log each
        done = self.end() if figure.epoch > self._epoch else []
        self._epoch = figure.epoch
        self._figures.setdefault(figure.name, figure.value)
        whole = {"train:accuracy", "validation:accuracy", _SECONDS} <= self._figures.keys()
        return [*done, *self.end()] if whole else done

    def end(self) -> list[Epoch]:
        """Return the epoch that was under way, if there was one."""
        if not self._figures:
            return []
        seconds = self._figures.pop(_SECONDS, None)
        done = Epoch(self._epoch, tuple(self._figures.items()), seconds)
        self._figures = {}
        return [done]
