import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from docs.consoles import learns, replayed
from docs.regenerate import (
    CODES,
    COMMANDS,
    FAILURES,
    README,
    SURVIVES,
    WRITTEN,
    codes,
    commands,
    failures,
    survives,
)
from manifest_tools.cli.app import COMMANDS as TYPED
from manifest_tools.cli.app import WORDS, app
from manifest_tools.known_failures import FAILURES as KNOWN
from manifest_tools.known_failures import KnownFailure
from manifest_tools.verbs.validate.rules import RULES

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_a_page_shows_what_its_commands_print(page: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text("utf-8")
    if learns(text):
        request.getfixturevalue("mxnet")
    assert replayed(text) == text, "type: make docs"


def test_the_list_of_commands_is_what_help_prints() -> None:
    assert COMMANDS.read_text("utf-8") == commands(), "type: make docs"


def test_the_list_of_codes_is_what_the_rules_say() -> None:
    assert CODES.read_text("utf-8") == codes(), "type: make docs"


def test_the_list_of_known_failures_is_what_their_table_says() -> None:
    assert FAILURES.read_text("utf-8") == failures(), "type: make docs"


def test_the_list_of_what_survives_is_what_the_formats_give_back() -> None:
    assert SURVIVES.read_text("utf-8") == survives(), "type: make docs"


def test_the_site_leads_to_every_page() -> None:
    nav = (ROOT / "zensical.toml").read_text("utf-8")
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages if f'"{page}"' not in nav} == set()


@pytest.mark.parametrize("failure", KNOWN, ids=lambda failure: f"row {failure.row}")
def test_every_known_failure_is_found_by_a_rule_or_says_why_it_cannot_be(failure: KnownFailure) -> None:
    assert set(failure.codes) <= {rule.code for rule in RULES}
    assert bool(failure.codes) != bool(failure.why_not)
    assert failure.why_not == "" or failure.why_not.endswith(".")


def advice() -> list[tuple[str, str]]:
    """Return every command that a rule or a known failure tells people to type."""
    told = [(rule.code, text) for rule in RULES for text in (rule.fix,)]
    told += [(f"row {one.row}", text) for one in KNOWN for text in (one.fix, one.cause)]
    return [
        (where, command) for where, text in told for command in re.findall(r"mtool [a-z]+[^;,.:()]*", text)
    ]


@pytest.mark.parametrize(("where", "command"), advice(), ids=lambda value: value[:40])
def test_what_people_are_told_to_type_is_there(where: str, command: str) -> None:
    word, options = command.split()[1], re.findall(r"--[a-z-]+", command)
    assert word in WORDS, where
    shown = CliRunner().invoke(app, [word, "--help"], env={"COLUMNS": "200"}).stdout
    assert [option for option in options if option not in shown] == []


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_in_the_readme_and_has_an_example(word: str) -> None:
    assert f"`mtool {word}`" in README.read_text("utf-8")
    shown = CliRunner().invoke(app, [word, "--help"]).stdout
    assert "For example:\n" in shown
    assert f"mtool {word}" in shown.partition("For example:")[2]


@pytest.mark.parametrize("command", [one for one in TYPED if " " in one])
def test_every_word_behind_a_word_has_an_example(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"]).stdout
    assert f"mtool {command}" in shown.partition("For example:\n")[2]


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("*/*.md")), ids=str)
def test_links_to_files_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_file_that_architecture_names_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    names = {name for name in re.findall(r"`([a-z_]+\.py)`", text) if name != "conftest.py"}
    there = {path.name for path in (ROOT / "manifest_tools").rglob("*.py")}
    there |= {path.name for path in (ROOT / "trainers").rglob("*.py")}
    assert names <= there


def test_no_page_names_a_registry_or_a_machine() -> None:
    for page in ROOT.rglob("*.md"):
        if ".venv" not in page.parts:
            assert not re.search(r"pypi\.|/home/|/root/", page.read_text("utf-8")), page
