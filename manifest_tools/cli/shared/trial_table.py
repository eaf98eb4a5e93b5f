"""The trials of a tuning run: on a terminal a table that is kept up to date, elsewhere a line for each."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from manifest_tools.cli.shared.screen import clean, is_quiet, note, table

if TYPE_CHECKING:
    from rich.live import Live

    from trainers.trial import Trial


def trial_table(trials: "Sequence[Trial]", metric: str) -> str:
    """Return the trials as a table, one a row, with their values of a metric.

    >>> from trainers.trial import Trial
    >>> print(trial_table([Trial("1", "Completed", {"learning_rate": 0.01}, 0.75)], "accuracy"))
    trial  state      accuracy  learning_rate
    1      Completed  0.7500    0.01
    """
    names = sorted({name for one in trials for name in one.parameters})
    rows = [
        (one.name, one.status, _value(one), *(_text(one.parameters.get(n, "")) for n in names))
        for one in trials
    ]
    return table(rows, ("trial", "state", metric, *names))


def trial_title(trial: "Trial") -> str:
    """Return what a trial is called in a sentence; those of this machine have a number for a name."""
    return f"trial {trial.name}" if trial.name.isdecimal() else clean(trial.name)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else clean(str(value))


def _value(trial: "Trial") -> str:
    return "" if trial.value is None else f"{trial.value:.4f}"


class TrialTable:
    """Shows the trials so far: on a terminal as one table, elsewhere as a line for each that has ended."""

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self._shown: set[str] = set()
        self._live: Live | None = None

    def show(self, trials: "Sequence[Trial]") -> None:
        """Show the trials as they are now."""
        if sys.stderr.isatty() and not is_quiet():
            self._update(trial_table(trials, self.metric))
            return
        for one in trials:
            if one.ended and one.name not in self._shown:
                self._shown.add(one.name)
                note(_line(one, self.metric))

    def _update(self, text: str) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        if self._live is None:
            self._live = Live(console=Console(stderr=True), auto_refresh=False)
            self._live.start()
        self._live.update(Text(text), refresh=True)

    def close(self) -> None:
        """Leave the table as it is."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _line(trial: "Trial", metric: str) -> str:
    values = ", ".join(f"{clean(name)} {_text(value)}" for name, value in sorted(trial.parameters.items()))
    value = f"{metric} {_value(trial)}" if trial.value is not None else f"no {metric}"
    return f"{trial_title(trial)}: {trial.status}, {value} ({values})"
