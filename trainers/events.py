"""What happens during training, as values, and those who listen.

A trainer yields events and knows nothing of screens, files or services; a listener is any function
that takes one event.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know before the first epoch, in one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One batch done; loss and accuracy are means over the epoch so far."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """Every training picture seen once more, and the validation pictures asked.

    Epochs count from 1. ``seconds`` is for the screen and in no file: the same command writes the
    same bytes.
    """

    epoch: int
    epochs: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the finished model, such as validation accuracy."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The best weights so far, by validation accuracy, then validation loss.

    ``weights`` is the file's content in the trainer's own format.
    """

    epoch: int
    accuracy: float
    weights: bytes


# Back to the start of a terminal's line, and clear it.
_OVER = "\r\x1b[K"

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
    """Return a listener that tells a person how it goes, through ``write``.

    A line for every epoch; when ``live``, the line of the current one is written over at each step.
    """

    def tell(event: Event) -> None:
        if isinstance(event, Note):
            write(f"{event.text}\n")
        elif isinstance(event, Step) and live:
            write(f"{_OVER}{_step_line(event)}")
        elif isinstance(event, Epoch):
            write(f"{_OVER if live else ''}{_epoch_line(event)}\n")

    return tell


def _step_line(event: Step) -> str:
    return (
        f"epoch {event.epoch}, step {event.step} of {event.steps}:"
        f" loss {event.loss:.3f}, accuracy {event.accuracy:.3f}"
    )


def _epoch_line(event: Epoch) -> str:
    """Return what is said of a finished epoch.

    >>> _epoch_line(Epoch(3, 20, 0.25, 0.9, 0.5, 0.75, seconds=1.5))
    'epoch 3 of 20: loss 0.250, accuracy 0.900; validation loss 0.500, accuracy 0.750 (1.5 s)'
    """
    return (
        f"epoch {event.epoch} of {event.epochs}: loss {event.train_loss:.3f}, accuracy"
        f" {event.train_accuracy:.3f}; validation loss {event.validation_loss:.3f}, accuracy"
        f" {event.validation_accuracy:.3f} ({event.seconds:.1f} s)"
    )


def history_writer(stream: BinaryIO) -> EventListener:
    """Return a listener that writes one JSON line an epoch, and lets each be read at once."""
    import jsonlines

    lines = jsonlines.Writer(stream, flush=True)

    def write(event: Event) -> None:
        if isinstance(event, Epoch):
            lines.write(history_row(event))

    return write
