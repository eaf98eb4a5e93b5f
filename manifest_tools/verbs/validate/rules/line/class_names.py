"""What classes are called, in every task type that names them on the line."""

import re
from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
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
    if metadata.get("class-name") not in (None, ""):  # without a name is for another rule
        yield (key, "class-name"), metadata["class-name"]
    for field in ("class-map", "class_map"):
        table = metadata.get(field)
        yield from (((key, field, at), name) for at, name in _items(table))
    for field in ("internal-color-map", "color-map"):
        for at, entry in _items(metadata.get(field)):
            if isinstance(entry, dict) and entry.get("class-name") not in (None, ""):
                yield (key, field, at, "class-name"), entry["class-name"]
    if label.kind == "entities":
        yield from _categories(label)


def _items(table: Any) -> Iterator[tuple[str, Any]]:
    yield from table.items() if isinstance(table, dict) else ()


def _categories(label: LineLabel) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    spans = label.value.get("annotations") if isinstance(label.value, dict) else None
    listed = spans.get("labels") if isinstance(spans, dict) else None
    for at, category in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(category, dict):
            yield (label.name, "annotations", "labels", at, "label"), category.get("label")


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
