"""A job that is followed on the screen, until it ends or the person stops looking; for several words."""

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import typer

from manifest_tools.cli.shared.exit_codes import INTERRUPTED
from manifest_tools.cli.shared.screen import clean, is_quiet, note, warn

if TYPE_CHECKING:
    from rich.progress import Progress

    from trainers.sagemaker.training.follow import Cost, JobEnd, JobEvent
    from trainers.sagemaker.training.log_lines import Epoch


def watch(
    name: str,
    events: "Iterator[JobEvent]",
    *,
    epochs: int | None = None,
    line: Callable[[str], None] = note,
) -> "JobEnd":
    """Say what happens to a job, and return its end.

    ``line`` is given each line of the log, cleaned. ``epochs`` is how many there will be, for a bar where
    standard error is a terminal. After Ctrl-C the job goes on, and the exit code is 130.
    """
    from trainers.sagemaker.training.follow import how_to_go_on

    screen = _JobScreen(name, epochs, line)
    try:
        return screen.listen(events)
    except KeyboardInterrupt:
        screen.close()
        warn(how_to_go_on(name))
        raise typer.Exit(INTERRUPTED) from None
    finally:
        screen.close()


class _JobScreen:
    """Shows one event after the other."""

    def __init__(self, name: str, epochs: int | None, line: Callable[[str], None]) -> None:
        self.name, self.epochs, self.line = name, epochs, line
        self._cost: Cost | None = None
        self._bar = _bar(epochs) if epochs else None

    def listen(self, events: "Iterator[JobEvent]") -> "JobEnd":
        from trainers.sagemaker.training.follow import JobEnd

        for one in events:
            if isinstance(one, JobEnd):
                self.close()
                note(self._over(one))
                return one
            self._show(one)
        raise AssertionError("a job that is followed comes to its end")

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self, one: "JobEvent") -> None:
        from trainers.events import Note
        from trainers.sagemaker.client.retry import Waiting
        from trainers.sagemaker.training import follow, log_lines, log_streams

        match one:
            case log_streams.LogLine():
                self.line(clean(one.text))
            case follow.Status() if one.status not in follow.ENDED:  # its End says so
                note(f"{self.name}: {_state(one.status, one.secondary)}")
            case log_lines.Epoch():
                self._epoch(one)
            case follow.Cost():
                self._cost = one
            case Waiting():
                note(str(one))
            case Note():
                note(one.text)

    def _epoch(self, epoch: "Epoch") -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=epoch.epoch)
        note(f"{epoch_line(epoch, self.epochs)}{self._so_far()}")

    def _so_far(self) -> str:
        return "" if self._cost is None else f"; {self._cost.amount:.2f} so far"

    def _over(self, end: "JobEnd") -> str:
        billed = "" if end.billed is None else f", {end.billed:,.0f} s billed"
        cost = "" if self._cost is None else f", {self._cost.amount:.2f} in all"
        return f"{self.name}: {_state(end.status, end.secondary)}{billed}{cost}"


def _state(status: str, secondary: str) -> str:
    return status if secondary in ("", status) else f"{status}, {secondary}"


def epoch_line(epoch: "Epoch", epochs: int | None) -> str:
    """Return the line about an epoch.

    >>> from trainers.sagemaker.training.log_lines import Epoch
    >>> epoch_line(Epoch(3, (("train:accuracy", 0.9), ("validation:accuracy", 0.75)), 2.5), 10)
    'epoch 3 of 10: train:accuracy 0.900, validation:accuracy 0.750 (2.5 s)'
    """
    of = f" of {epochs}" if epochs else ""
    figures = ", ".join(f"{clean(name)} {value:.3f}" for name, value in epoch.figures)
    seconds = "" if epoch.seconds is None else f" ({epoch.seconds:.1f} s)"
    return f"epoch {epoch.epoch}{of}: {figures or 'no figures'}{seconds}"


def _bar(epochs: int) -> "Progress | None":
    """Return a bar over the epochs, where standard error is a terminal."""
    if is_quiet() or not sys.stderr.isatty():
        return None
    from rich.console import Console
    from rich.progress import Progress

    # What is printed goes above the bar on a terminal; into a file, or a pipe, it goes as it is.
    above = sys.stdout.isatty()
    bar = Progress(console=Console(stderr=True), transient=True, redirect_stdout=above)
    bar.add_task("epochs", total=epochs)
    bar.start()
    return bar


def epochs_of(description: dict[str, Any]) -> int | None:
    """Return how many epochs a described job is to have, or None where it does not say.

    >>> epochs_of({"HyperParameters": {"epochs": "30"}})
    30
    """
    epochs = description.get("HyperParameters", {}).get("epochs", "")
    return int(epochs) if epochs.isdecimal() else None
