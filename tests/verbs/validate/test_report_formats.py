import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.problem import Problem
from manifest_tools.verbs.validate.choices import FormatName
from manifest_tools.verbs.validate.report_formats import FORMATS, github, json_lines, sarif, text
from manifest_tools.verbs.validate.rules import RULES
from tests.conftest import REPOSITORY

ONE = Problem("MT110", "error", "sub folder/a.manifest", 3, "$", "no source-ref and no source")
TWO = Problem("MT105", "warning", "a.manifest", 0, "", "no newline at the end of the file")

problems = st.lists(
    st.builds(
        Problem,
        st.sampled_from([rule.code for rule in RULES]),
        st.sampled_from(["error", "warning"]),
        st.text(min_size=1),
        st.integers(0, 10**9),
        st.text(),
        st.text(),
    ),
    max_size=4,
)


def document(found: list[Problem]) -> Any:
    return json.loads("\n".join(sarif(found)))


def test_text_is_a_line_a_problem() -> None:
    assert list(text([ONE, TWO])) == [
        "sub folder/a.manifest:3: error MT110 no source-ref and no source",
        "a.manifest: warning MT105 no newline at the end of the file",
    ]


@given(problems)
def test_json_lines_say_all_that_a_problem_says(found: list[Problem]) -> None:
    assert [Problem(**json.loads(line)) for line in json_lines(found)] == found


@given(problems)
def test_an_annotation_is_one_line_whatever_is_in_it(found: list[Problem]) -> None:
    for line, problem in zip(github(found), found, strict=True):
        assert "\n" not in line
        assert "\r" not in line
        command, _, message = line.removeprefix("::").partition("::")
        assert command.startswith(f"{problem.severity} file=")
        assert command.endswith(f",title={problem.code}")
        whole = problem.message + (f" ({problem.path})" if problem.path else "")
        assert message == whole.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def test_what_would_end_an_annotations_property_is_escaped() -> None:
    (line,) = github([Problem("MT110", "error", "a,b:c%.manifest", 0, "", "x")])
    assert line == "::error file=a%2Cb%3Ac%25.manifest,line=1,title=MT110::x"


@given(problems)
def test_sarif_is_one_document_with_every_problem(found: list[Problem]) -> None:
    (run,) = document(found)["runs"]
    told = [(one["ruleId"], one["level"], one["message"]["text"]) for one in run["results"]]
    assert told == [(one.code, one.severity, one.message) for one in found]


def test_sarif_describes_every_rule_that_a_result_may_name() -> None:
    (run,) = document([])["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.code for rule in RULES]
    assert run["results"] == []


def test_sarif_says_where_a_problem_is() -> None:
    first, second = (one["locations"][0] for one in document([ONE, TWO])["runs"][0]["results"])
    assert first["physicalLocation"]["artifactLocation"]["uri"] == "sub%20folder/a.manifest"
    assert first["physicalLocation"]["region"] == {"startLine": 3}
    assert first["logicalLocations"] == [{"fullyQualifiedName": "$"}]
    assert "region" not in second["physicalLocation"]


def test_every_choice_of_format_is_there() -> None:
    assert tuple(FORMATS) == get_args(FormatName)


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_is_printed_as_it_is_found(form: FormatName) -> None:
    def endless() -> Any:
        while True:
            yield ONE

    lines = FORMATS[form](endless())
    assert all(isinstance(next(lines), str) for _ in range(50))


def test_the_hooks_call_commands_that_there_are(run: Any, sample: Path) -> None:
    hooks = (REPOSITORY / ".pre-commit-hooks.yaml").read_text()
    entries = [line.partition("entry: mtool ")[2] for line in hooks.splitlines() if "entry:" in line]
    assert len(entries) == 2
    for entry in entries:
        assert run(
            *entry.split(), "--dry-run" if "--fix" in entry else "-q", sample / "good" / "crlf.manifest"
        )
