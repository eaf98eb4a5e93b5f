from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

import pytest
import typer

from manifest_tools.cli.app import WORDS
from manifest_tools.cli.shared.choices import choice
from manifest_tools.cli.shared.make_command import Options, make_command

if TYPE_CHECKING:
    from typer.testing import Result


@dataclass(frozen=True, kw_only=True)
class Data(Options):
    SECTION = "Data"

    manifest: Annotated[str, typer.Argument(metavar="MANIFEST", help="What to read.")] = "a.manifest"
    part: Annotated[list[str], typer.Option("--part", help="May be repeated.")] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Learning(Data):
    SECTION = "Learning"

    rate: Annotated[float | None, typer.Option("--rate", help="A step.")] = None
    form: Annotated[Literal["text", "json"], typer.Option("--form", help="How.")] = "text"
    network: Annotated[str, choice("--network", ("small", "large"), "Which.")] = "small"
    lines: Annotated[int, typer.Option("--lines", rich_help_panel="Data", help="How many.")] = 3
    quiet: Annotated[bool, typer.Option("-q", rich_help_panel="", help="No notes.")] = False


@dataclass
class Ended:
    """How a command line ended, and the options that the function was called with."""

    code: int
    stdout: str
    stderr: str
    called: list[Learning]


@pytest.fixture
def read(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Return a function that types words after ``learn``."""

    def type_words(*words: str) -> Ended:
        called: list[Learning] = []

        def learn(given: Learning) -> None:
            """Learn."""
            called.append(given)

        with pytest.raises(SystemExit) as end:
            make_command("learn", learn).main(list(words), prog_name="learn")
        return Ended(int(end.value.code or 0), *capsys.readouterr(), called)

    return type_words


def test_what_is_not_typed_has_its_default(read: Callable[..., Ended]) -> None:
    assert read().called == [Learning()]


def test_what_is_typed_is_in_its_field_and_among_the_typed_names(read: Callable[..., Ended]) -> None:
    words = ("b.manifest", "--part", "x", "--part", "y", "--rate", "0.5", "--form", "json")
    (given,) = read(*words).called
    assert (given.manifest, given.part, given.rate, given.form) == ("b.manifest", ["x", "y"], 0.5, "json")
    assert given.typed == {"manifest", "part", "rate", "form"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--form", "xml"), "'xml' is not one of 'text', 'json'", id="a Literal"),
        pytest.param(
            ("--network", "huge"), "expected one of small, large; found 'huge'", id="a table of the library"
        ),
    ],
)
def test_a_choice_that_there_is_not_is_refused(
    read: Callable[..., Ended], words: tuple[str, ...], message: str
) -> None:
    ended = read(*words)
    assert (ended.code, ended.called) == (2, [])
    assert message in ended.stderr


def test_the_help_lists_options_in_the_section_of_their_class(read: Callable[..., Ended]) -> None:
    shown = read("--help").stdout
    sections = [line for line in shown.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert sections == ["Arguments:", "Data:", "Learning:", "Options:"]
    data, _, rest = shown.partition("Data:\n")[2].partition("Learning:\n")
    assert [line.split()[0] for line in data.splitlines() if line] == ["--part", "--lines"]
    assert rest.partition("Options:\n")[2].split()[0] == "-q"


def test_a_function_gets_the_context_where_it_asks_for_it() -> None:
    names: list[str | None] = []

    def learn(context: typer.Context, given: Data) -> None:
        names.append(context.info_name)

    make_command("learn", learn).main([], prog_name="learn", standalone_mode=False)
    assert names == ["learn"]


@pytest.mark.parametrize("word", WORDS)
def test_how_to_install_completion_is_said_once_and_not_in_every_word(
    run: "Callable[..., Result]", word: str
) -> None:
    assert "completion" not in run(word, "--help").stdout
    assert "--install-completion" in run("--help").stdout
