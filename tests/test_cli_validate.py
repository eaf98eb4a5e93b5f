import json
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from typing import TYPE_CHECKING

import pytest

from manifest_tools.images import CODES
from manifest_tools.rules import RULES

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
    assert result.stdout == "a.manifest:2: MT110 no source-ref and no source\n"
    assert result.stderr == "a.manifest: 3 lines, 1 error\n"


def test_a_warning_alone_ends_in_1_too(run: "Run", sample: Path) -> None:
    result = run("validate", sample / "bad" / "class-name-missing.manifest")
    assert result.exit_code == 1
    assert "1 warning" in result.stderr


def test_without_arguments_every_manifest_of_the_folder_is_checked(
    run: "Run", sample: Path, in_folder: Path
) -> None:
    copy(sample / "good" / "crlf.manifest", "b.manifest")
    copy(sample / "bad" / "s3prefix.manifest", "a.manifest")
    result = run("validate")
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["a.manifest", "b.manifest"]


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
            "message": "expected a class index from 0, found -1",
        },
        {
            "code": "MT220",
            "severity": "warning",
            "file": "a.manifest",
            "line": 1,
            "path": "$.hand-metadata",
            "message": "no class-name, so nothing says what the index means",
        },
    ]


def test_standard_input_is_checked(run: "Run") -> None:
    result = run("validate", "-", input=BAD)
    assert result.exit_code == 1
    assert result.stdout.startswith("standard input:1: MT211 ")
    assert result.stderr == "standard input: 1 line, 1 error and 1 warning\n"


def test_list_names_every_code_with_severity_and_reason(run: "Run") -> None:
    result = run("validate", "--list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    for rule, line in zip(RULES, lines[: len(RULES)], strict=True):
        assert line.split(maxsplit=2) == [rule.code, rule.severity, rule.reason]
    assert [line.split()[0] for line in lines[len(RULES) :]] == list(CODES)
    listed = [json.loads(line) for line in run("validate", "--list", "--json").stdout.splitlines()]
    assert [one["code"] for one in listed] == [*(rule.code for rule in RULES), *CODES]


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
