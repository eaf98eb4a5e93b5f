"""What classes are called, in every task type that names them on the line."""

import re
from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.label_kinds import NAMES_IN_METADATA
from manifest_tools.io.json_paths import VALUES, values_at
from manifest_tools.verbs.validate.rule_input import LineLabel
from manifest_tools.verbs.validate.rules.examples import lines, several, single
from manifest_tools.verbs.validate.rules.references import LIMITS
from manifest_tools.verbs.validate.rules.rule import rule

LONGEST_NAME = 256

# Control characters, what turns the direction of a text round, and halves of characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def class_names_can_be_read(label: LineLabel) -> Iterator[Finding]:
    """A class is called by up to 256 characters, not all blank, none of them a control character."""
    for where, name in class_names(label):
        problem = name_problem(name) if isinstance(name, str) else ""
        if problem:
            yield Finding(path(*where), f"{problem}: {shown(name)}")


def name_problem(name: str) -> str:
    r"""Return what is wrong with a class's name, empty where nothing is.

    >>> name_problem("RH"), name_problem(" "), name_problem("RH\x1b[31m")
    ('', 'a blank class name', 'a control character in a class name')
    """
    if len(name) > LONGEST_NAME:
        return f"expected a class name of at most {LONGEST_NAME} characters, found {len(name):,}"
    if not name.strip():
        return "a blank class name"
    return "a control character in a class name" if _CONTROL.search(name) else ""


def class_names(label: LineLabel) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the names of classes that a line has for its label, with the keys that lead to each."""
    metadata, key = label.metadata, label.metadata_key
    for field, inner in NAMES_IN_METADATA.items():
        for keys, name in values_at(metadata.get(field), inner):
            if name != "" or inner == (VALUES,):  # an empty class-name is for another rule
                yield (key, field, *keys), name
    if label.kind.categories is not None:
        yield from (
            ((label.name, *keys), name) for keys, name in values_at(label.value, label.kind.categories)
        )


RULES = (
    rule(
        "MT223",
        "warning",
        "label",
        class_names_can_be_read,
        breaks=lines(single(name="R" * 257), several([0], {"0": " "})),
        keeps=lines(single(name="R" * 256), several([0], {"0": "right hand"})),
        fix="mtool rewrite --rename-class gives the class another name.",
        source=LIMITS,
    ),
)
