"""Every rule has an example that breaks it and one that does not, and `mtool explain` shows both."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.verbs.validate.preflight.inputs import Preflight
from manifest_tools.verbs.validate.rules import RULES
from manifest_tools.verbs.validate.rules.rule import Example, Rule
from manifest_tools.verbs.validate.validate import Report, validate

# Rules with a limit take it as an argument, and so do their examples: a real one takes up to 51 s to read.
LIMITS = {"MT106": 100_000, "MT721": 250_000}
SMALL = 3

CHECKED = [rule for rule in RULES if rule.scope != "object" and rule.code not in LIMITS]
LIMITED = [rule for rule in RULES if rule.code in LIMITS]


def write(folder: Path, example: Example) -> list[str]:
    names = []
    for name, text in zip(example.names, example.files, strict=False):
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        names.append(str(folder / name))
    return names


def checked(folder: Path, rule: Rule, example: Example) -> Report:
    settings = (example.hyperparameters, example.request)
    preflight = Preflight(rule.purposes[0], *settings) if rule.purposes else None
    names = write(folder, example)
    return validate(*names, label_attribute=example.label_attribute, preflight=preflight)


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_the_example_that_breaks_a_rule_breaks_it(tmp_path: Path, rule: Rule) -> None:
    assert rule.code in {problem.code for problem in checked(tmp_path, rule, rule.breaks())}


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_the_example_that_keeps_a_rule_keeps_it(tmp_path: Path, rule: Rule) -> None:
    assert rule.code not in {problem.code for problem in checked(tmp_path, rule, rule.keeps())}


def subject(folder: Path, rule: Rule, example: Example) -> Any:
    """Return what a rule with a limit is given of an example: what is known of the file, or of the job."""
    report = validate(*write(folder, example), preflight=Preflight("rekognition"))
    assert list(report) and report.preflight_input is not None
    return report.preflight_input.files[0] if rule.scope == "file" else report.preflight_input


@pytest.mark.parametrize("rule", LIMITED, ids=lambda rule: rule.code)
def test_the_examples_of_a_rule_with_a_limit_break_and_keep_a_small_one(tmp_path: Path, rule: Rule) -> None:
    assert len(list(rule.check(subject(tmp_path, rule, rule.breaks(SMALL)), SMALL))) == 1
    assert list(rule.check(subject(tmp_path, rule, rule.keeps(SMALL)), SMALL)) == []


@pytest.mark.parametrize("rule", LIMITED, ids=lambda rule: rule.code)
def test_without_an_argument_the_limit_and_the_examples_are_the_real_ones(tmp_path: Path, rule: Rule) -> None:
    limit = LIMITS[rule.code]
    assert [len(example().files[0].split("\n")) - 1 for example in (rule.breaks, rule.keeps)] == [
        limit + 1,
        limit,
    ]
    few = subject(tmp_path, rule, rule.breaks(SMALL))
    assert list(rule.check(few)) == []
    assert len(list(rule.check(few, SMALL))) == 1


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.scope != "object"], ids=lambda rule: rule.code
)
def test_a_rule_goes_to_another_process_by_name_and_without_its_examples(rule: Rule) -> None:
    assert pickle.loads(pickle.dumps(rule)) is rule
    assert len(pickle.dumps(rule)) < 300


MEASURE = """
import tracemalloc, json, numpy, msgspec
tracemalloc.start()
import manifest_tools.verbs.validate.rules
only = tracemalloc.Filter(True, "*/verbs/validate/rules/*")
print(sum(one.size for one in tracemalloc.take_snapshot().filter_traces([only]).traces))
"""


def test_importing_the_rules_builds_no_example() -> None:
    """The examples are 6 MB of text, of which `mtool validate` needs nothing."""
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1_000_000
