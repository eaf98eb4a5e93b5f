"""Every rule has an example that breaks it and one that does not, and `mtool explain` shows both."""

from pathlib import Path

import pytest

from manifest_tools.verbs.validate.preflight.inputs import Preflight
from manifest_tools.verbs.validate.rules import RULES
from manifest_tools.verbs.validate.rules.rule import Example, Rule
from manifest_tools.verbs.validate.validate import validate


def codes(folder: Path, rule: Rule, example: Example) -> set[str]:
    names = []
    for number, text in enumerate(example.files):
        names.append(str(folder / example.names[number]))
        Path(names[-1]).write_bytes(text.encode("utf-8", "surrogateescape"))
    told = (example.hyperparameters, example.request)
    preflight = Preflight(rule.purposes[0], *told) if rule.purposes else None
    found = validate(*names, label_attribute_name=example.label_attribute, preflight=preflight)
    return {problem.code for problem in found}


CHECKED = [rule for rule in RULES if rule.scope != "object"]


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_the_example_that_breaks_a_rule_breaks_it(tmp_path: Path, rule: Rule) -> None:
    assert rule.code in codes(tmp_path, rule, rule.breaks)


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_the_example_that_keeps_a_rule_keeps_it(tmp_path: Path, rule: Rule) -> None:
    assert rule.code not in codes(tmp_path, rule, rule.keeps)
