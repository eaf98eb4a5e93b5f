"""The table of commands, and the one place where a failure becomes an exit code."""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from manifest_tools.base.errors import MtoolError
from manifest_tools.base.version import __version__
from manifest_tools.cli.shared.exit_codes import CALLED_WRONGLY, INTERRUPTED, OUR_MISTAKE
from manifest_tools.cli.shared.make_command import make_command
from manifest_tools.cli.shared.screen import clean, note

# In the order in which one needs them. `mtool WORD` is the function WORD in cli/WORD.py.
WORDS = (
    "validate",
    "explain",
    "stats",
    "rewrite",
    "filter",
    "split",
    "merge",
    "diff",
    "convert",
    "pipe",
    "train",
    "tune",
    "evaluate",
    "predict",
    "deploy",
    "delete",
    "transform",
    "jobs",
    "doctor",
    "policy",
    "demo",
)

# What Typer and pydantic say, and what a person would.
_PLAIN_WORDS = {
    "Value error, ": "",
    "Input should be ": "expected ",
    "a valid integer, unable to parse string as an integer": "a whole number",
    "a valid number, unable to parse string as a number": "a number",
}

_MISNAMED = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)


def command(word: str) -> Any:
    """Return the command ``word``, imported now and not before."""
    return make_command(word, getattr(import_module(f"manifest_tools.cli.{word}"), word))


class PipeClosed(Exception):
    """Whoever read our standard output has seen enough."""


@contextlib.contextmanager
def _past_typer() -> Iterator[None]:
    """Let through what Typer would end by itself: a closed pipe with exit code 1, Ctrl-C without a word."""
    try:
        yield
    except BrokenPipeError as error:
        raise PipeClosed from error
    except KeyboardInterrupt as error:
        raise typer.Abort from error


class Words(TyperGroup):
    """The commands of WORDS, each imported when it is called for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the words in the order of the table."""
        return list(WORDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command, or None for a word that is none of ours."""
        return command(cmd_name) if cmd_name in WORDS else None

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the command line; ``--help`` and ``--version`` print here."""
        with _past_typer():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen word."""
        with _past_typer():
            return super().invoke(ctx)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line and leave with its exit code, in one line where it failed."""
        extra.update(standalone_mode=False, prog_name="mtool")
        sys.exit(ending(lambda: super(Words, self).main(*args, **extra)))


def ending(command_line: Callable[[], Any]) -> int:
    """Return the exit code of a command line, and say what stopped it."""
    try:
        code = command_line()
        sys.stdout.flush()
    except MtoolError as error:
        return _say(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted", INTERRUPTED)
    except (PipeClosed, BrokenPipeError):
        # Keep the interpreter from flushing into the void at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _usage(error) if hasattr(error, "format_message") else _unforeseen(error)
    return code if isinstance(code, int) else 0


def _usage(error: Any) -> int:
    import difflib

    word = getattr(error.ctx, "command_path", "mtool") if error.ctx else "mtool"
    text = error.format_message().rstrip(".")
    for framework, ours in _PLAIN_WORDS.items():
        text = text.replace(framework, ours)
    if near := difflib.get_close_matches(text.partition("No such command '")[2].rstrip("'"), WORDS, 1):
        text += f"; did you mean {near[0]}?"
    return _say(f"{text}; type: {word} --help", CALLED_WRONGLY)


def _unforeseen(error: Exception) -> int:
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        misnamed = isinstance(error, _MISNAMED)
        code = CALLED_WRONGLY if misnamed else MtoolError.exit_code
        return _say(f"{name}{error.strerror.lower()}{'; check the name' if misnamed else ''}", code)
    import traceback

    traceback.print_exc()
    return _say("this is a mistake of ours; please report it with the lines above", OUR_MISTAKE)


def _say(text: str, code: int) -> int:
    note(f"mtool: {clean(text)}")
    return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mtool {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Words,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def mtool(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From SageMaker Ground Truth manifests to clean data sets and trained models.

    \b
    For example, in a folder with a labeling job's output.manifest:
      mtool rewrite --lab lab3
      mtool split output.manifest
      mtool train --images ./raw-data
      mtool evaluate --images ./raw-data
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line that this process was started with, and end the process.

    Ends without taking the interpreter apart module by module, which takes longer than a small split:
    outputs are closed by then, and worker processes are gone.
    """
    _mend_streams()
    # Asked to end, we end as after Ctrl-C: nothing half-written is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except SystemExit as end:
        with contextlib.suppress(OSError):  # a failure to write has its exit code by now
            sys.stdout.flush()
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 0)


def _mend_streams() -> None:
    """Make the standard streams fit for use, however they were handed to us.

    Python has None where one was closed (`>&-`): there is nothing to read then, and what would be printed
    is not wanted. A character that the locale lacks is printed as an escape.
    """
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115 - for as long as we live
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
