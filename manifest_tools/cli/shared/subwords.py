"""A word with other words behind it, as ``mtool rec list``: each is a command with options of its own."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup


class Subwords(TyperGroup):
    """The commands behind a word, each made when it is needed."""

    words: Sequence[str] = ()
    make: Callable[[str], Any]

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the words in the order of the table."""
        return list(self.words)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command, or None for an unknown word."""
        return self.make(f"{self.name} {cmd_name}") if cmd_name in self.words else None


def make_group(
    word: str, function: Callable[[], None], words: Sequence[str], make: Callable[[str], Any]
) -> Subwords:
    """Return the command ``word``, whose help is that of ``function``; ``make`` makes those behind."""
    settings = {"help_option_names": ["-h", "--help"]}
    one = typer.Typer(rich_markup_mode=None, context_settings=settings, add_completion=False)
    one.callback(cls=Subwords, invoke_without_command=True, help=inspect.getdoc(function))(_print_help)
    group: Any = typer.main.get_group(one)
    group.name, group.words, group.make = word, words, make
    found: Subwords = group
    return found


def _print_help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
