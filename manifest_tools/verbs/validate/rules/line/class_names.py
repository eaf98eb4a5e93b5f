"""The names of classes, in every task type that has them on the line."""

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
# Control characters, characters that change the direction of a text, and halves of characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@rule(
    "MT223",
    "warning",
    "label",
    breaks=lambda: lines(single(name="R" * 257), several([0], {"0": " "})),
    keeps=lambda: lines(single(name="R" * 256), several([0], {"0": "right hand"})),
    fix="mtool rewrite --rename-class OLD=NEW renames the class.",
    source=LIMITS,
    never_for=("rekognition",),  # which has a code of its own for it
)
def class_names_can_be_read(label: LineLabel) -> Iterator[Finding]:
    """The name of a class has up to 256 characters, no control character, and is not blank."""
    for where, name in class_names(label):
        problem = name_problem(name) if isinstance(name, str) else ""
        if problem:
            yield Finding(path(*where), f"{problem}: {shown(name)}")


def name_problem(name: str) -> str:
    r"""Return what is wrong with the name of a class; empty where nothing is.

    >>> name_problem("RH"), name_problem(" "), name_problem("RH\x1b[31m")
    ('', 'a class name is blank', 'a class name has a control character')
    """
    if len(name) > LONGEST_NAME:
        return f"expected a class name of at most {LONGEST_NAME} characters, found {len(name):,}"
    if not name.strip():
        return "a class name is blank"
    return "a class name has a control character" if _CONTROL.search(name) else ""


def class_names(label: LineLabel) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the names of classes that a label and its metadata have, with the keys that lead to each."""
    metadata, key = label.metadata, label.metadata_key
    for field, inner in NAMES_IN_METADATA.items():
        for keys, name in values_at(metadata.get(field), inner):
            if name != "" or inner == (VALUES,):  # an empty class-name is for another rule
                yield (key, field, *keys), name
    if label.kind.categories is not None:
        yield from (
            ((label.name, *keys), name) for keys, name in values_at(label.value, label.kind.categories)
        )


RULES = (class_names_can_be_read,)
