"""What a run says while it goes on, as text."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from manifest_tools.base.text import counted
from trainers.events import Epoch, Estimate, Event, Note, Step, Stopped

# What a terminal takes for: go back to the start of the line, and clear it.
_CLEAR_LINE = "\r\x1b[K"

# Seconds without a line after which there is one of a step, where no terminal shows every step: the first is
# soon, and then they grow rarer.
_SILENCE = (10, 20, 30, 60)

_SOON = 10  # seconds; a run that is over by then needs no estimate
_LONG = 600  # seconds; of a longer run it is said how to shorten it


@dataclass(slots=True)
class Progress:
    """A listener that shows progress as text, through ``write``: every epoch is a line.

    On a ``live`` screen every step replaces the line of the step before; elsewhere a long epoch has a line
    from time to time.
    """

    write: Callable[[str], None]
    live: bool
    advice: str = ""
    """What to type for a shorter run."""

    clock: Callable[[], float] = time.monotonic
    """Returns the time in seconds."""

    _last: float = field(init=False)
    _steps: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._last = self.clock()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Step):
            self._step(event)
        elif isinstance(event, Note):
            self._line(event.text)
        elif isinstance(event, Epoch):
            self._line(_epoch_line(event))
        elif isinstance(event, Estimate) and event.seconds > _SOON:
            self._line(_estimate_line(event, self.advice))
        elif isinstance(event, Stopped) and (text := _stopped_line(event)):
            self._line(text)

    def _step(self, event: Step) -> None:
        if self.live:
            self.write(f"{_CLEAR_LINE}{_step_line(event)}")
        elif self.clock() - self._last >= _SILENCE[min(self._steps, len(_SILENCE) - 1)]:
            self._steps += 1
            self._line(_step_line(event))

    def _line(self, text: str) -> None:
        self.write(f"{_CLEAR_LINE if self.live else ''}{text}\n")
        self._last = self.clock()


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


def _estimate_line(event: Estimate, advice: str) -> str:
    """Return how long it will take, and what to type where that is long.

    >>> _estimate_line(Estimate(12, 30), "--network small")
    'about 12 s an epoch, 6 min at most for 30 epochs; Ctrl-C keeps the best epoch that has ended'
    """
    text = (
        f"about {lasting(event.epoch_seconds)} an epoch, {lasting(event.seconds)} at most for"
        f" {counted(event.epochs, 'epoch')};"
        " Ctrl-C keeps the best epoch that has ended"
    )
    return f"{text}\nthat is long: {advice}" if advice and event.seconds > _LONG else text


def lasting(seconds: float) -> str:
    """Return a length of time in words, in the largest unit of which there are at least two.

    >>> [lasting(seconds) for seconds in (0.25, 12.3, 119, 360, 18000, 400000)]
    ['0.2 s', '12 s', '119 s', '6 min', '5 h', '5 days']
    """
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 2 else f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.0f} days"


def _stopped_line(event: Stopped) -> str:
    """Return why training ended before its last epoch, or nothing."""
    if event.why == "loss":
        return f"epoch {event.epoch}: the loss became infinite; training stops, try a smaller --learning-rate"
    if event.why == "patience":
        return "no gain on the validation pictures any more: training stops (--patience 0 goes on)"
    return ""
