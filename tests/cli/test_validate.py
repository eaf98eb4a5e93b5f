import json
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from typing import TYPE_CHECKING

import pytest

from manifest_tools.verbs.validate.next_step import COMMANDS
from manifest_tools.verbs.validate.rules import RULES
from manifest_tools.verbs.validate.rules.rule import Rule

if TYPE_CHECKING:
    from typer.testing import Result

    Run = Callable[..., Result]

BAD = '{"source-ref":"s3://bucket/1","hand":-1,"hand-metadata":{"type":"groundtruth/image-classification"}}\n'


def test_a_clean_manifest_prints_nothing_and_ends_in_0(run: "Run", sample: Path) -> None:
    result = run("validate", sample / "good" / "crlf.manifest")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("crlf.manifest: 3 lines, no problem\n")


def test_problems_go_to_standard_output_and_the_summary_to_the_other(
    run: "Run", sample: Path, in_folder: Path
) -> None:
    copy(sample / "bad" / "no-source.manifest", "a.manifest")
    result = run("validate", "a.manifest")
    assert result.exit_code == 1
    assert result.stdout == "a.manifest:2: error MT110 no source-ref and no source\n"
    assert result.stderr == (
        "a.manifest: 3 lines, 1 error\ncommonest error: MT110; type: mtool explain MT110\n"
    )


def test_problems_come_by_file_and_line_whichever_rule_finds_them(run: "Run", in_folder: Path) -> None:
    good = BAD.replace("-1", "1")
    Path("b.manifest").write_text(good + BAD + "\n" + good)
    Path("a.manifest").write_text(BAD)
    for options in ((), ("--json",), ("--max-problems", "4")):
        lines = run("validate", "b.manifest", "a.manifest", *options).stdout.splitlines()
        if options == ("--json",):
            lines = [f"{one['file']}:{one['line']}: {one['code']}" for one in map(json.loads, lines)]
        places = [(line.split(":")[0], int(line.split(":")[1])) for line in lines if line[10] == ":"]
        assert places == sorted(places, key=lambda place: (place[0] == "a.manifest", place[1]))
        assert len(places) >= 4
    assert {"MT302", "MT104", "MT211"} <= set(run("validate", "b.manifest").stdout.split())


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.code in COMMANDS], ids=lambda rule: rule.code
)
def test_what_it_ends_with_ends_the_problem(run: "Run", in_folder: Path, rule: Rule) -> None:
    example = rule.breaks()
    Path("a.manifest").write_text(example.files[0], "utf-8", "surrogateescape")
    words = ["--for", rule.purposes[0]] if rule.purposes else []
    said = run("validate", "a.manifest", "--select", rule.code, *words)
    assert f": {rule.code}" in said.stderr
    command = said.stderr.rpartition("; type: mtool ")[2].replace("LAB", "lab3").split()
    assert run(*command).exit_code in (0, 1)
    output = command[command.index("-o") + 1] if "-o" in command else "a.manifest"
    assert run("validate", output, "--select", rule.code, *words).stdout == ""


def test_it_ends_with_the_commonest_error_and_else_with_the_commonest_warning(
    run: "Run", in_folder: Path
) -> None:
    Path("two words.manifest").write_text(BAD.replace("-1", "1") * 3 + "\n\n" + BAD)
    found = run("validate", "two words.manifest").stderr
    assert "\ncommonest error: MT211; type: mtool explain MT211\n" in found
    found = run("validate", "two words.manifest", "--ignore", "MT2").stderr
    assert "\ncommonest warning: MT302 (3); type: mtool merge 'two words.manifest' -o" in found
    assert "commonest" not in run("validate", "two words.manifest", "-q").stderr
    assert "--fix" in run("validate", "two words.manifest", "--select", "MT104").stderr
    left = run("validate", "two words.manifest", "--select", "MT104", "--fix").stderr
    assert "commonest" not in left


def test_a_warning_alone_ends_in_0_and_with_strict_in_1(run: "Run", sample: Path) -> None:
    manifest = sample / "bad" / "class-name-missing.manifest"
    assert "1 warning" in run("validate", manifest).stderr
    assert run("validate", manifest).exit_code == 0
    assert run("validate", manifest, "--strict").exit_code == 1


def test_codes_are_selected_and_ignored(run: "Run", in_folder: Path) -> None:
    Path("a.manifest").write_text(BAD)
    assert run("validate", "a.manifest", "--select", "MT211").stdout.count("MT211") == 1
    ignored = run("validate", "a.manifest", "--ignore", "MT2")
    assert (ignored.exit_code, ignored.stdout) == (0, "")
    assert run("validate", "a.manifest", "--select", "MT9x").exit_code == 2


def test_as_many_problems_are_printed_as_asked_for_and_all_count(run: "Run", in_folder: Path) -> None:
    Path("a.manifest").write_text(BAD.replace("-1", "1") + BAD * 50)
    result = run("validate", "a.manifest", "--max-problems", "1", "--ignore", "MT3")
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 1)
    assert "a.manifest: 51 lines, 50 errors and 51 warnings" in result.stderr
    assert "100 more problems; to print all, leave --max-problems out" in result.stderr
    assert run("validate", "a.manifest", "--max-problems", str(10**20)).exit_code == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a.manifest", "./a.manifest"), "a.manifest and ./a.manifest are one file"),
        (("-", "-"), "- and - are one file"),
        (("--list", "a.manifest"), "--list reads no manifest"),
        (("--json", "--format", "sarif"), "are two formats"),
        (("--select", ""), "no code begins with"),
    ],
    ids=[
        "one file under two names",
        "standard input twice",
        "a list of a file",
        "two formats",
        "nothing selected",
    ],
)
def test_what_contradicts_itself_is_refused(
    run: "Run", in_folder: Path, words: tuple[str, ...], message: str
) -> None:
    Path("a.manifest").write_text(BAD)
    result = run("validate", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not result.stdout or "error" in json.loads(result.stdout)


def test_the_list_has_what_is_selected(run: "Run") -> None:
    listed = run("validate", "--list", "--select", "MT24").stdout.splitlines()
    assert listed
    assert all(line.startswith("MT24") for line in listed)


def test_files_named_together_are_compared(run: "Run", in_folder: Path, sample: Path) -> None:
    line = (sample / "good" / "crlf.manifest").read_text()
    Path("a.manifest").write_text(line)
    Path("b.manifest").write_text(line)
    compared = run("validate", "a.manifest", "b.manifest").stdout
    assert "MT313 3 pictures of this file are in a.manifest too" in compared
    alone = run("validate")
    assert alone.stdout == ""
    assert "not compared with one another; for that, type: mtool validate FILE FILE" in alone.stderr


def test_what_can_be_fixed_is_and_the_rest_is_reported(run: "Run", in_folder: Path) -> None:
    Path("a.manifest").write_text(BAD + "\n")
    result = run("validate", "a.manifest", "--fix")
    assert "a.manifest: MT104 fixed: blank lines removed (1)" in result.stderr
    assert "MT211" in result.stdout
    assert Path("a.manifest").read_text() == BAD


def test_a_dry_run_without_fix_is_refused(run: "Run", in_folder: Path) -> None:
    assert run("validate", "--dry-run").exit_code == 2


def test_without_arguments_every_manifest_of_the_folder_is_checked(
    run: "Run", sample: Path, in_folder: Path
) -> None:
    copy(sample / "good" / "crlf.manifest", "b.manifest")
    copy(sample / "bad" / "s3prefix.manifest", "a.manifest")
    result = run("validate")
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "a.manifest",
        "b.manifest",
        "the files were not compared with one another; for that, type",
        "commonest error",
    ]


def test_a_folder_without_manifests_is_refused(run: "Run", in_folder: Path) -> None:
    result = run("validate")
    assert result.exit_code == 2
    assert "mtool validate FILE" in result.stderr


def test_json_is_an_object_a_problem(run: "Run", in_folder: Path) -> None:
    Path("a.manifest").write_text(BAD)
    result = run("validate", "a.manifest", "--json", "-q")
    assert result.exit_code == 1
    assert result.stderr == ""
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {
            "code": "MT211",
            "severity": "error",
            "file": "a.manifest",
            "line": 1,
            "path": "$.hand",
            "message": "class of 'hand': expected a class index from 0, found -1",
        },
        {
            "code": "MT220",
            "severity": "warning",
            "file": "a.manifest",
            "line": 1,
            "path": "$.hand-metadata",
            "message": "the metadata of 'hand' has no class-name, so the name of class -1 is unknown",
        },
    ]


def test_standard_input_is_checked(run: "Run") -> None:
    result = run("validate", "-", input=BAD)
    assert result.exit_code == 1
    assert result.stdout.startswith("standard input:1: error MT211 ")
    assert result.stderr == (
        "standard input: 1 line, 1 error and 1 warning\ncommonest error: MT211; type: mtool explain MT211\n"
    )


def test_list_names_every_code_with_severity_and_reason(run: "Run") -> None:
    result = run("validate", "--list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    for rule, line in zip(RULES, lines, strict=True):
        assert line.split(maxsplit=2) == [rule.code, rule.severity, rule.reason]
    listed = [json.loads(line) for line in run("validate", "--list", "--json").stdout.splitlines()]
    assert [one["code"] for one in listed] == [rule.code for rule in RULES]


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["as text", "as JSON"])
def test_no_escape_of_a_manifest_reaches_the_terminal(
    run: "Run", in_folder: Path, words: tuple[str, ...]
) -> None:
    hostile = "\x1b[31m\u202e" + "x" * 10_000
    line = {
        "source-ref": hostile,
        hostile: hostile,
        f"{hostile}-metadata": {"type": hostile, "confidence": hostile, "class-name": hostile},
    }
    Path("a.manifest").write_text(json.dumps(line) + "\n")
    result = run("validate", "a.manifest", *words)
    assert result.exit_code == 1
    assert all(text.isprintable() for text in result.stdout.splitlines())
    if not words:
        assert all(len(text) < 300 for text in result.stdout.splitlines())
