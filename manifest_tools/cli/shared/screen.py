"""Notes, tables and progress bars on standard error; data goes to standard output."""

import contextlib
import os
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from manifest_tools.base.details import detail
from manifest_tools.base.errors import Refused

if TYPE_CHECKING:
    from manifest_tools.cli.shared.log_file import LogFile

T = TypeVar("T")

_WIDEST = 200  # characters of a cell at most
_IN_MEMORY = 1 << 20  # characters of held lines; more than that wait on the disk


@dataclass(slots=True)
class _Talk:
    """How much is said in this run of the command line, and what has been."""

    quiet: bool = False
    log: "LogFile | None" = None
    keeps_stdout: bool = False
    reported: bool = False
    last_warning: str = ""


_talk = _Talk()


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Forget when the block ends how much its command was asked to say, and close its log file."""
    global _talk
    before, _talk = _talk, _Talk()
    begun = time.perf_counter()
    try:
        yield
    finally:
        if _talk.log is not None:
            detail(__name__, "ended after %.2f s", time.perf_counter() - begun)
            _talk.log.close()
        _talk = before


def set_up(quiet: bool, verbose: bool, log_file: str | None) -> None:
    """Be quiet or verbose until ``listening`` ends, and append what is said to ``log_file``.

    Raises Refused for a log file that is none, and where nobody would see what is verbose.
    """
    _talk.quiet |= quiet
    if not verbose and log_file is None:
        return
    if quiet and log_file is None:
        raise Refused("-q and -v: type one of them, or --log-file FILE as well: then the log has it all")
    from manifest_tools.cli.shared.log_file import LogFile

    _talk.log = LogFile(log_file, clean, details=verbose, on_screen=verbose and not quiet)


def is_quiet() -> bool:
    """Return whether remarks and progress are not printed."""
    return _talk.quiet


def note(text: str) -> None:
    """Print a remark on standard error, unless the command is to be quiet."""
    if not _talk.quiet:
        _print(text)
    _write_down("info", text)


def warn(text: str) -> None:
    """Print on standard error what must be seen also where the command is to be quiet."""
    _print(text)
    _talk.last_warning = text
    _write_down("warning", text)


def last_warning() -> str:
    """Return what was printed last by ``warn``."""
    return clean(_talk.last_warning)


def fail(text: str) -> None:
    """Print the error that ends the command on standard error."""
    _print(text)
    _write_down("error", text)


def _print(text: str) -> None:
    """Print text on standard error, without control characters except line ends.

    An error on printing (a full disk, a closed pipe) is ignored: the work matters more than the note.
    """
    with contextlib.suppress(OSError):
        print("\n".join(map(clean, text.split("\n"))), file=sys.stderr, flush=True)


def write_to_log(text: str) -> None:
    """Write to the log file what a terminal showed in a way of its own."""
    _write_down("info", text)


def _write_down(level: str, text: str) -> None:
    if _talk.log is not None:
        _talk.log.write(level, text)


def keep_stdout_for_data() -> None:
    """Let the report of this command go to standard error: its standard output is data."""
    _talk.keeps_stdout = True


def print_json(value: object) -> None:
    """Print the report of a command as one JSON object, on standard output unless that is data."""
    import json

    text = json.dumps(value)
    if _talk.keeps_stdout:
        _print(text)
    else:
        print(text, flush=True)
    _talk.reported = True


def has_reported() -> bool:
    """Return whether a report for a program was printed."""
    return _talk.reported


@contextlib.contextmanager
def printing(*, for_a_program: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that prints a line on standard output.

    What a program reads is whole or absent: its lines are held until the block ends, and dropped when the
    block raises. What a person reads is printed at once.
    """
    if not for_a_program:
        yield print
        return
    import shutil
    from tempfile import SpooledTemporaryFile

    with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="\n", prefix="mtool-") as held:
        yield lambda line: print(line, file=held)
        held.seek(0)
        shutil.copyfileobj(held, sys.stdout)
    _talk.reported = True


@contextlib.contextmanager
def streaming(*, for_a_program: bool, to_the_end: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that prints a line on standard output at once, for people and programs alike.

    Where the reader goes away, as ``head`` does, the block ends; ``to_the_end`` lets it go on unheard, for a
    command that writes files too.
    """

    def print_line(line: str) -> None:
        try:
            print(line, flush=True)
        except BrokenPipeError:
            if not to_the_end:
                raise
            print_nowhere()

    yield print_line
    _talk.reported |= for_a_program


def print_nowhere() -> None:
    """Let what is printed from now on, and what waits to be, go nowhere: nobody reads standard output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def clean(text: str) -> str:
    """Return ``text`` with escapes for control characters and line ends.

    >>> clean("RH\\x1b[31m")
    'RH\\\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def screen_width() -> int:
    """Return the columns of the terminal, or of the variable COLUMNS; 80 where there is neither."""
    import shutil

    return max(40, shutil.get_terminal_size((80, 24)).columns)


def width(text: str) -> int:
    """Return the width of ``text`` in columns: East Asian characters take two, combining accents none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def elided(text: str, columns: int) -> str:
    """Return the beginning and the end of a text that is wider than ``columns``.

    >>> elided("cardboard_box_damaged_2", 12), elided("dent", 12)
    ('cardbo…ged_2', 'dent')
    """
    if width(text) <= columns:
        return text
    begin, end = columns // 2, (columns - 1) // 2
    while width(text[:begin]) > columns // 2:
        begin -= 1
    while width(text[len(text) - end :]) > (columns - 1) // 2:
        end -= 1
    return f"{text[:begin]}…{text[len(text) - end :]}"


def table(rows: Sequence[Sequence[object]], headers: Sequence[str] = ()) -> str:
    """Return rows as aligned text: words to the left, numbers to the right with commas for thousands.

    >>> print(table([("RH", 30), ("LH", 1025)], ("class", "train")))
    class  train
    RH        30
    LH     1,025
    """
    cells = [list(map(clean, headers))] if headers else []
    cells += [[_cell(value) for value in row] for row in rows]
    if not cells:
        return ""
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    numeric = [_is_numeric([row[i] for row in rows]) for i in range(len(widths))]
    return "\n".join(_row(line, widths, numeric) for line in cells)


def _cell(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = clean(str(value))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _is_numeric(column: Sequence[object]) -> bool:
    return bool(column) and all(isinstance(value, int | float) or value is None for value in column)


def _row(line: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (
        " " * (wanted - width(text)) + text if right else text + " " * (wanted - width(text))
        for text, wanted, right in zip(line, widths, numeric, strict=True)
    )
    return "  ".join(padded).rstrip()


def bar(share: float, columns: int = 24) -> str:
    """Return a bar that fills ``share`` (0 to 1) of ``columns``; at least one mark if ``share`` is above 0.

    >>> bar(0.5, 8)
    '####'
    """
    return "#" * max(round(share * columns), 1 if share > 0 else 0)


def progress(items: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield the items, and show a progress bar called ``what`` if standard error is a terminal."""
    if _talk.quiet or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=what, total=total, console=Console(stderr=True), transient=True)


def transfer(items: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield sizes in bytes, and show a bar with bytes, rate and time if standard error is a terminal."""
    if is_quiet() or not sys.stderr.isatty():
        yield from items
        return
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=total)
        for size in items:
            yield size
            shown.advance(task, size if isinstance(size, int) else 0)
