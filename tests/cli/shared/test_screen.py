import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.cli.shared.screen import bar, clean, note, progress, streaming, table, width

if TYPE_CHECKING:
    from typer.testing import Result

anything = st.text(st.characters(), max_size=20)


@given(anything)
def test_nothing_that_is_cleaned_can_steer_a_terminal_or_break_a_line(text: str) -> None:
    assert clean(text).isprintable()


@given(anything)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert not text.isprintable() or clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("RH\x1b[31m", "RH\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\nc\td\0", "a\\rb\\nc\\td\\x00"),
        ("\u202egpj", "\\u202egpj"),
        ("\udcff", "\\udcff"),
        ("é 图 😀", "é 图 😀"),
    ],
)
def test_what_is_shown_of_hostile_text(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.lists(anything, max_size=4))
def test_a_note_goes_to_standard_error_cleaned_line_by_line(lines: list[str]) -> None:
    with pytest.MonkeyPatch.context() as screen:
        written = Written()
        screen.setattr(sys, "stderr", written)
        note("\n".join(lines))
    assert all(line.isprintable() for line in "".join(written.parts).split("\n"))


class Written:
    """What was message, instead of a terminal."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        self.parts.append(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def test_a_note_may_have_several_lines(capsys: pytest.CaptureFixture[str]) -> None:
    note("one\ntwo \x1b[2J")
    assert capsys.readouterr() == ("", "one\ntwo \\x1b[2J\n")


cells = st.one_of(
    st.none(), st.integers(-(10**6), 10**6), st.floats(allow_nan=False), anything, st.booleans()
)
tables = st.integers(1, 4).flatmap(
    lambda columns: st.tuples(
        st.lists(st.lists(cells, min_size=columns, max_size=columns), max_size=5),
        st.lists(anything, min_size=columns, max_size=columns),
    )
)


@given(tables)
def test_a_table_has_a_line_a_row_and_nothing_hostile(made: tuple[list[list[object]], list[str]]) -> None:
    rows, headers = made
    lines = table(rows, headers).split("\n")
    assert len(lines) == len(rows) + 1
    assert all(line.isprintable() for line in lines)
    assert all(line == line.rstrip() for line in lines)


def test_columns_stand_one_under_the_other_whatever_the_letters() -> None:
    rows = [("RH", 8, 10), ("图图图", 1025, 12345), ("cafe\u0301", 1, 1)]
    assert table(rows, ("class", "train", "all")) == "\n".join(
        [
            "class   train     all",
            "RH          8      10",
            "图图图  1,025  12,345",
            "cafe\u0301        1       1",
        ]
    )


def test_a_column_with_words_in_it_stands_to_the_left_and_gaps_stay_empty() -> None:
    assert table([("a", 1, None), ("b", "x", 2.5)]) == "a  1\nb  x  2.5"


def test_no_rows_and_no_headers_are_no_text() -> None:
    assert (table([]), table([], ("a", "b"))) == ("", "a  b")


@given(anything)
def test_width_counts_columns(text: str) -> None:
    expected = sum((not unicodedata.combining(c)) + (unicodedata.east_asian_width(c) in "WF") for c in text)
    assert width(text) == expected


@given(st.floats(0, 1), st.integers(1, 80))
def test_a_bar_fits_and_something_is_always_seen(share: float, columns: int) -> None:
    assert len(bar(share, columns)) <= columns
    assert bool(bar(share, columns)) == (share > 0)
    assert set(bar(share, columns)) <= {"#"}


@given(st.lists(st.integers(), max_size=5))
def test_progress_gives_the_items_and_says_nothing_away_from_a_terminal(items: list[int]) -> None:
    with pytest.MonkeyPatch.context() as screen:
        written = Written()
        screen.setattr(sys, "stderr", written)
        assert list(progress(iter(items), None, "reading")) == items
    assert written.parts == []


def test_hostile_names_reach_no_screen(in_folder: Path, run: "Callable[..., Result]") -> None:
    name = "a\x1b[31m.manifest"
    Path(name).write_text(
        '{"source-ref": "s3://b/1", "k": 0, "k-metadata": {"class-name": "R\\u001b[2JH", "confidence": 1}}\n'
    )
    for words in (
        ("split", name),
        ("filter", name, "-o", "b\x1b.manifest"),
        ("filter", name, "--class", "x\x1b"),
    ):
        result = run(*words)
        assert "\x1b" not in result.stderr
        assert "\\x1b" in result.stderr


def test_what_streams_is_printed_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with streaming(for_a_program=True, to_the_end=False) as print_line:
        for line in ("one", "two"):
            print_line(line)
            assert capsys.readouterr().out == f"{line}\n"
