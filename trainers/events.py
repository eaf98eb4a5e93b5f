"""The events of a training run, and its history.

The loop yields events and knows nothing of screens, files or services. A listener is any function that takes
one event; ``trainers.progress`` has one that shows them.
"""

import io
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should know, on one line."""

    text: str
    """Without a line end."""


@dataclass(frozen=True, slots=True)
class Step:
    """The end of one batch."""

    epoch: int
    """From 1."""

    step: int
    """From 1 in every epoch."""

    steps: int
    """Steps in an epoch."""

    loss: float
    """Mean cross-entropy over the epoch so far, in nats."""

    accuracy: float
    """Mean over the epoch so far, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """The end of one epoch: all training pictures were learnt from, and the validation pictures predicted."""

    epoch: int
    """From 1."""

    epochs: int
    """Epochs of the whole run."""

    train_loss: float
    """Mean cross-entropy over the epoch, in nats."""

    train_accuracy: float
    """Mean over the epoch, 0 to 1."""

    validation_loss: float
    """Mean cross-entropy after the epoch, in nats."""

    validation_accuracy: float
    """After the epoch, 0 to 1."""

    seconds: float
    """How long it took; in no file, for the same command writes the same bytes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long the run will take, measured on the first pictures; in no file."""

    epoch_seconds: float
    """Of one epoch, its validation included."""

    epochs: int
    """Epochs that are left at most, this one included."""

    @property
    def seconds(self) -> float:
        """Of all epochs that are left, at most."""
        return self.epoch_seconds * self.epochs


StopReason = Literal["epochs", "patience", "loss", "interrupted"]
"""Why a run was over: after all epochs, without gain on the validation pictures, at an infinite loss, or by
Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The end of the loop, after the last epoch."""

    why: StopReason

    epoch: int
    """The last epoch that was over, from 0; at an infinite loss the one that gave it."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the finished model."""

    name: str
    """As SageMaker's algorithms call it: ``validation:accuracy``."""

    value: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The best weights so far, by validation accuracy, then by validation loss."""

    epoch: int
    """The epoch that they come from, from 1."""

    accuracy: float
    """Validation accuracy, 0 to 1."""

    weights: bytes
    """A weights file in the trainer's own format."""


Event = Note | Step | Epoch | Estimate | Stopped | Metric | Checkpoint
EventListener = Callable[[Event], None]


def merit(epoch: Epoch) -> tuple[float, float]:
    """Return what the best epoch has most of: validation accuracy, then a low validation loss."""
    return epoch.validation_accuracy, -epoch.validation_loss


# A loss that is lower by less than this part is no gain: it would fall a little for ever.
_LOSS_GAIN = 0.1


def last_gain(epochs: Iterable[Epoch]) -> int:
    """Return the last epoch whose validation accuracy was higher, or whose loss was lower by a tenth, than
    ever before; 0 where there was no epoch."""
    accuracy, loss, last = -1.0, math.inf, 0
    for epoch in epochs:
        if epoch.validation_accuracy > accuracy or epoch.validation_loss < loss * (1 - _LOSS_GAIN):
            last = epoch.epoch
            accuracy = max(accuracy, epoch.validation_accuracy)
            loss = min(loss, epoch.validation_loss)
    return last


def history_row(event: Epoch) -> dict[str, float]:
    """Return the line of history.jsonl for one epoch.

    >>> history_row(Epoch(1, 2, 0.7, 0.5, 0.6, 0.75, seconds=1.5))["validation_accuracy"]
    0.75
    """
    row = asdict(event)
    del row["epochs"], row["seconds"]
    return row


def history(epochs: Iterable[Epoch]) -> bytes:
    """Return history.jsonl: one JSON line an epoch."""
    import jsonlines

    stream = io.BytesIO()
    jsonlines.Writer(stream).write_all(map(history_row, epochs))
    return stream.getvalue()
