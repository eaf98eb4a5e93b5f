"""The table of commands, and the one place that turns an error into a message and an exit code."""

import contextlib
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from manifest_tools.base.errors import MtoolError, Refused
from manifest_tools.base.remarks import heard_by
from manifest_tools.base.version import __version__
from manifest_tools.cli.shared import screen
from manifest_tools.cli.shared.exit_codes import CALLED_WRONGLY, INTERRUPTED, OUR_MISTAKE
from manifest_tools.cli.shared.make_command import make_command
from manifest_tools.cli.shared.screen import clean
from manifest_tools.cli.shared.subwords import make_group

# In the order in which one needs them, as `mtool --help` shows them. `mtool split` is the function split in
# cli/split.py.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Begin": ("demo",),
    "Look": ("validate", "explain", "stats", "look", "diff"),
    "Change": ("rewrite", "filter", "split", "merge"),
    "Data sets": ("convert", "rec", "fetch", "pipe"),
    "Learn": ("train", "tune", "evaluate", "predict"),
    "SageMaker": ("deploy", "delete", "transform", "jobs", "doctor", "policy"),
}
WORDS = tuple(word for words in GROUPS.values() for word in words)
# Words that have words of their own behind them: `mtool rec list` is the function rec_list in cli/rec.py.
SUBWORDS: Mapping[str, tuple[str, ...]] = {
    "rec": ("list", "verify", "extract", "merge", "shard", "reindex", "repair"),
}
COMMANDS = tuple(f"{word} {behind}".rstrip() for word in WORDS for behind in SUBWORDS.get(word, ("",)))
"""What can be typed behind ``mtool`` and does something."""

# Phrases of Typer and pydantic, and what we print instead.
_PHRASES = {
    "Value error, ": "",
    "Input should be ": "expected ",
    "a valid integer, unable to parse string as an integer": "a whole number",
    "a valid number, unable to parse string as a number": "a number",
}

# Click lists them as patterns of strptime.
_DATE_FORMATS = re.compile(r" does not match the formats? .*%Y.*")

# Errors that a wrong name on the command line causes.
_WRONG_NAME = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)


def command(word: str) -> Any:
    """Import and return the command ``word``, such as ``split`` or ``rec list``."""
    first, _, behind = word.partition(" ")
    module = import_module(f"manifest_tools.cli.{first}")
    if behind:
        return make_command(behind, getattr(module, word.replace(" ", "_")))
    function = getattr(module, word)
    if word in SUBWORDS:
        return make_group(word, function, SUBWORDS[word], command)
    return make_command(word, function)


class PipeClosed(Exception):
    """The reader of standard output, such as ``head``, has closed it."""


@contextlib.contextmanager
def _not_handled_by_typer() -> Iterator[None]:
    """Hide a closed pipe and Ctrl-C from Typer, which would end with exit code 1, or without a message."""
    try:
        yield
    except BrokenPipeError as error:
        raise PipeClosed from error
    except KeyboardInterrupt as error:
        raise typer.Abort from error


class Words(TyperGroup):
    """The commands of WORDS, each imported when it is needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the words in the order of the table."""
        return list(WORDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command, or None for an unknown word."""
        return command(cmd_name) if cmd_name in WORDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the words by group."""
        longest = max(map(len, WORDS))
        room = formatter.width - 6 - longest
        for title, words in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{word:{longest}}", _about(word, room)) for word in words])

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Parse the command line; ``--help`` and ``--version`` print here."""
        with _not_handled_by_typer():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what the library remarks is printed."""
        with _not_handled_by_typer(), heard_by(screen.note):
            return super().invoke(ctx)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line and exit with its code; an error is one line on standard error."""
        typed = args[0] if args else extra.get("args")
        wants_json = _wants_json(sys.argv[1:] if typed is None else typed)
        extra.update(standalone_mode=False, prog_name="mtool")
        with screen.listening():
            code = exit_code_of(lambda: super(Words, self).main(*args, **extra), wants_json)
        sys.exit(code)


def _about(word: str, room: int) -> str:
    """Return what a word does, in as many letters."""
    text: str = command(word).get_short_help_str(room)
    return text


def _wants_json(words: Sequence[str]) -> bool:
    """Say whether ``--json`` stands on a command line, which may be wrong otherwise."""
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended a command: one line of text, the exit code, and what a program may want to know."""

    text: str
    code: int
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return {"error": {"message": self.text, "code": self.code, **self.fields}}


def exit_code_of(command_line: Callable[[], Any], as_json: bool = False) -> int:
    """Run a command line and return its exit code; print the error that ended it."""
    try:
        code = command_line()
        sys.stdout.flush()
    except (PipeClosed, BrokenPipeError):
        # The interpreter would fail when it flushes standard output at its end.
        screen.print_nowhere()
        return 0
    except BaseException as error:
        failure = _failure(error)
        screen.fail(f"mtool: {failure.text}")
    else:
        if not isinstance(code, int) or code == 0:
            return 0
        failure = Failure(screen.last_warning(), code)
        as_json = as_json and not screen.has_reported()
    if as_json:
        with contextlib.suppress(OSError):  # the exit code says already that it failed
            screen.print_json(failure.to_json())
    return failure.code


def _failure(error: BaseException) -> Failure:
    """Return what is said of an error; raises it again where it is none, such as the end of the process."""
    if isinstance(error, MtoolError):
        return Failure(clean(str(error)), error.exit_code, _fields(error))
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return Failure("interrupted", INTERRUPTED)
    if not isinstance(error, Exception):
        raise error
    return _usage_error(error) if hasattr(error, "format_message") else _other_error(error)


# What an error's fields are called in JSON, where `validate --json` calls the same otherwise.
_NAMES = {"source": "file", "number": "line", "uri": "file"}


_MOST = 100  # problems in the JSON of an error


def _fields(error: MtoolError) -> dict[str, Any]:
    """Return the fields of an error as JSON can hold them: of many problems the first."""
    kinds = (str, int, float, tuple, list, type(None))
    return {
        _NAMES.get(name, name): [_plain(one) for one in value[:_MOST]]
        if isinstance(value, tuple | list)
        else value
        for name, value in vars(error).items()
        if isinstance(value, kinds) and not name.startswith("_")
    }


def _plain(value: Any) -> Any:
    """Return a value for JSON: the fields of a problem, or anything else as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value if isinstance(value, str | int | float | None) else str(value)


def _usage_error(error: Any) -> Failure:
    import difflib

    word = getattr(error.ctx, "command_path", "mtool") if error.ctx else "mtool"
    text = _DATE_FORMATS.sub(" is no date, such as 2024-03-04", error.format_message().rstrip("."))
    for phrase, ours in _PHRASES.items():
        text = text.replace(phrase, ours)
    known = getattr(error.ctx and error.ctx.command, "words", WORDS)
    if near := difflib.get_close_matches(text.partition("No such command '")[2].rstrip("'"), known, 1):
        text += f" (did you mean {near[0]}?)"
    return Failure(clean(f"{text}; type: {_of_all_words(error) or f'{word} --help'}"), CALLED_WRONGLY)


def _of_all_words(error: Any) -> str:
    """Return what to type where an option of mtool itself stands after the word."""
    typed = getattr(error, "option_name", None)
    if error.ctx is None or error.ctx.parent is None or typed is None:
        return ""
    word = error.ctx.command_path.partition(" ")[2]
    ours = (one for one in error.ctx.find_root().command.params if typed in one.opts and one.metavar)
    return next((f"mtool {typed} {one.metavar} {word} ..., before the word" for one in ours), "")


def _other_error(error: Exception) -> Failure:
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        wrong_name = isinstance(error, _WRONG_NAME)
        text = f"{name}{error.strerror.lower()}{'; check the name' if wrong_name else ''}"
        return Failure(clean(text), CALLED_WRONGLY if wrong_name else MtoolError.exit_code)
    import traceback

    traceback.print_exception(error)
    return Failure("this is a mistake in mtool; please report it with the lines above", OUR_MISTAKE)


def _print_version(requested: bool) -> None:
    if requested:
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
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    max_line: Annotated[
        str | None,
        typer.Option("--max-line", metavar="SIZE", help="Longest line of a manifest, such as 500M. [1G]"),
    ] = None,
    picture_column: Annotated[
        str | None,
        typer.Option("--picture-column", metavar="NAME", help="The column of a CSV table with the pictures."),
    ] = None,
    class_column: Annotated[
        str | None,
        typer.Option("--class-column", metavar="NAME", help="The column of a CSV table with their classes."),
    ] = None,
) -> None:
    """From SageMaker Ground Truth manifests to clean data sets and trained models.

    \b
    For example, in a folder with a labeling job's output.manifest:
      mtool rewrite --lab lab3
      mtool split output.manifest
      mtool train --images ./raw-data
      mtool evaluate --images ./raw-data
    """
    if max_line is not None:
        _limit_lines(context, max_line)
    if picture_column or class_column:
        _tell_columns(context, picture_column, class_column)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _limit_lines(context: typer.Context, size: str) -> None:
    """Set the longest line that this command takes; raises Refused for what is no size."""
    from manifest_tools.io.sources import LIMITS

    digits, unit = size[:-1], size[-1:].upper()
    if unit not in _UNITS or not (digits.isascii() and digits.isdecimal() and 0 < len(digits) < 10):
        raise Refused(f"--max-line {size}: expected a number with K, M or G, such as 500M")
    before = LIMITS.line
    context.call_on_close(lambda: setattr(LIMITS, "line", before))
    LIMITS.line = int(digits) << _UNITS[unit]


def _tell_columns(context: typer.Context, picture: str | None, classes: str | None) -> None:
    """Tell this command which columns of a CSV table count; says so at its end where it read none."""
    from manifest_tools.formats.csv_table import COLUMNS

    def forget() -> None:
        if not COLUMNS.used:
            screen.note("--picture-column and --class-column had no effect: no CSV table was read")
        COLUMNS.tell(None, None)

    context.call_on_close(forget)
    COLUMNS.tell(picture, classes)


# What the letters after a number of bytes shift it by.
_UNITS = {"K": 10, "M": 20, "G": 30}


def main() -> None:
    """Run the command line that this process was started with, and end the process.

    The process ends without Python's own clean-up, which takes longer than a small split. Outputs are closed
    and worker processes have ended by then.
    """
    _repair_streams()
    # SIGTERM ends the command as Ctrl-C does, so that nothing half-written is left.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.unraisablehook = _deliver_interrupt
    try:
        app()
    except SystemExit as end:
        # All is done: an interrupt would only spoil what is said of it.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # the exit code says already that it failed
            sys.stdout.flush()
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 0)


def _deliver_interrupt(unraisable: Any) -> None:
    """Deliver again an interrupt that came while an object was destroyed, where Python can only print it."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        # Later, because one that came now would be raised here, where it is ignored again.
        again = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(unraisable)


def _repair_streams() -> None:
    """Replace closed standard streams, and print escapes for characters that the locale lacks.

    Python has None for a stream that was closed (`>&-`). Then there is nothing to read, and nobody wants what
    would be printed.
    """
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115 - open until the process ends
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
