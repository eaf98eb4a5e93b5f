"""Before what is billed: the person agrees, or nothing happens."""

import sys

import typer

from manifest_tools.base.errors import Refused
from manifest_tools.cli.shared.screen import warn


def confirm(yes: bool, what: str = "start it, and be billed?", why: str = "this is billed") -> None:
    """Return once the person has agreed: with --yes, or on a terminal when asked.

    Elsewhere, where nobody can be asked, raises Refused; a no ends the command with exit code 1.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(f"{why}, and nobody is at a terminal to ask; type --yes, or first --dry-run")
    sys.stderr.write(f"{what} [y/N] ")  # and nothing on standard output, which is for data
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        warn("nothing was done")
        raise typer.Exit(1)
