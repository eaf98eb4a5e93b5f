"""The events of a training run, and the listeners that show or write them.

A trainer yields events and knows nothing of screens, files or services. A listener is any function that
takes one event.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import BinaryIO


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


# What a terminal takes for: go back to the start of the line, and clear it.
_CLEAR_LINE = "\r\x1b[K"

Event = Note | Step | Epoch | Metric | Checkpoint
EventListener = Callable[[Event], None]


def history_row(event: Epoch) -> dict[str, float]:
    """Return the line of history.jsonl for one epoch.

    >>> history_row(Epoch(1, 2, 0.7, 0.5, 0.6, 0.75, seconds=1.5))["validation_accuracy"]
    0.75
    """
    row = asdict(event)
    del row["epochs"], row["seconds"]
    return row


def progress(write: Callable[[str], None], live: bool) -> EventListener:
    """Return a listener that shows progress as text, through ``write``.

    Every epoch is a line. On a ``live`` screen every step replaces the line of the step before.
    """

    def show(event: Event) -> None:
        if isinstance(event, Note):
            write(f"{event.text}\n")
        elif isinstance(event, Step) and live:
            write(f"{_CLEAR_LINE}{_step_line(event)}")
        elif isinstance(event, Epoch):
            write(f"{_CLEAR_LINE if live else ''}{_epoch_line(event)}\n")

    return show


def _step_line(event: Step) -> str:
    return (
        f"epoch {event.epoch}, step {event.step} of {event.steps}:"
        f" loss {event.loss:.3f}, accuracy {event.accuracy:.3f}"
    )


def _epoch_line(event: Epoch) -> str:
    """Return the line of a finished epoch.

    >>> _epoch_line(Epoch(3, 20, 0.25, 0.9, 0.5, 0.75, seconds=1.5))
    'epoch 3 of 20: loss 0.250, accuracy 0.900; validation loss 0.500, accuracy 0.750 (1.5 s)'
    """
    return (
        f"epoch {event.epoch} of {event.epochs}: loss {event.train_loss:.3f}, accuracy"
        f" {event.train_accuracy:.3f}; validation loss {event.validation_loss:.3f}, accuracy"
        f" {event.validation_accuracy:.3f} ({event.seconds:.1f} s)"
    )


def history_writer(stream: BinaryIO) -> EventListener:
    """Return a listener that writes one JSON line an epoch, and flushes each."""
    import jsonlines

    lines = jsonlines.Writer(stream, flush=True)

    def write(event: Event) -> None:
        if isinstance(event, Epoch):
            lines.write(history_row(event))

    return write
