"""The trials of a tuning run as a table that changes while one looks, or as lines where nobody does."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from manifest_tools.cli.shared.screen import clean, note, table

if TYPE_CHECKING:
    from rich.live import Live

    from trainers.trial import Trial


def trial_table(trials: "Sequence[Trial]") -> str:
    """Return the trials as a table, one a row.

    >>> from trainers.trial import Trial
    >>> print(trial_table([Trial("1", "Completed", {"learning_rate": 0.01}, 0.75)]))
    trial  state      figure  learning_rate
    1      Completed  0.7500  0.01
    """
    names = sorted({name for one in trials for name in one.parameters})
    rows = [
        (one.name, one.status, _figure(one), *(str(one.parameters.get(n, "")) for n in names))
        for one in trials
    ]
    return table(rows, ("trial", "state", "figure", *names))


def _figure(trial: "Trial") -> str:
    return "" if trial.value is None else f"{trial.value:.4f}"


class TrialTable:
    """Shows the trials as they come: on a terminal one table, elsewhere a line for each that has ended."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self._told: set[str] = set()
        self._live: Live | None = None

    def show(self, trials: "Sequence[Trial]") -> None:
        """Show the trials as they are now."""
        if self.quiet:
            return
        if sys.stderr.isatty():
            self._update(trial_table(trials))
            return
        for one in trials:
            if one.ended and one.name not in self._told:
                self._told.add(one.name)
                note(_line(one))

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


def _line(trial: "Trial") -> str:
    values = ", ".join(f"{clean(name)} {value}" for name, value in sorted(trial.parameters.items()))
    return f"{trial.name}: {trial.status}, {_figure(trial) or 'no figure'} ({values})"
