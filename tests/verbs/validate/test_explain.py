import json
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.base.errors import Refused
from manifest_tools.verbs.validate.explain import chosen, explain
from manifest_tools.verbs.validate.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    Run = Callable[..., Result]

CODES = [rule.code for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_code_is_explained(rule: Any, run: "Run") -> None:
    result = run("explain", rule.code)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{rule.code} {rule.severity}")
    for told in (rule.reason, f"what to do: {rule.fix}", f"source: {rule.source}"):
        assert told in result.stdout
    assert result.stdout.replace("\n", "").isprintable()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_code_takes_a_screen_and_what_breaks_it_is_to_be_seen(rule: Any, run: "Run") -> None:
    lines = run("explain", rule.code).stdout.splitlines()
    assert sum(max(1, -(-len(line) // 80)) for line in lines) <= 27
    assert all(len(line) <= 80 for line in lines[2:] if line.startswith("  "))
    if rule.breaks().files:
        parts = [lines.index(heading) for heading in ("with this problem:", "without it:")]
        breaks, keeps = lines[parts[0] + 1 : parts[1]], lines[parts[1] + 1 : -2]
        assert breaks != keeps or rule.code == "MT105"  # the newline at the end


def test_an_example_is_as_wide_as_the_terminal_and_whole_on_request(
    run: "Run", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert max(len(line) for line in run("explain", "MT303").stdout.splitlines() if "{" in line) <= 60
    full = run("explain", "MT303", "--full").stdout
    assert f"\n  {explain('MT303').breaks().files[0].splitlines()[1]}\n" in full
    assert "…" not in full


def test_several_codes_and_small_letters(run: "Run") -> None:
    result = run("explain", "mt110", "MT301")
    assert [line.split()[0] for line in result.stdout.splitlines() if line.startswith("MT")] == [
        "MT110",
        "MT301",
    ]


def test_json_has_the_examples_whole(run: "Run") -> None:
    told = json.loads(run("explain", "MT110", "--json").stdout)
    rule = explain("MT110")
    assert list(told["breaks"]["files"].values()) == list(rule.breaks().files)
    assert told["source"] == rule.source


def test_an_unknown_code_is_refused_with_those_that_are_near(run: "Run") -> None:
    result = run("explain", "MT11O")
    assert result.exit_code == 2
    assert "did you mean MT11" in result.stderr


def test_nothing_chosen_is_everything() -> None:
    assert chosen((), ()) == frozenset(CODES)


def test_what_is_ignored_goes_from_what_is_selected() -> None:
    found = chosen(("MT2", "MT110"), ("mt21",))
    assert "MT110" in found
    assert "MT201" in found
    assert not any(code.startswith("MT21") or code.startswith("MT3") for code in found)


@pytest.mark.parametrize("prefix", ["X", "MT9999", "110", "\x1b[31m"])
def test_a_beginning_that_no_code_has_is_refused(prefix: str) -> None:
    with pytest.raises(Refused, match="no code begins with"):
        chosen((prefix,), ())
    with pytest.raises(Refused, match="no code begins with"):
        chosen((), (prefix,))
