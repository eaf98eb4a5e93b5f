"""What the findings and messages of several rules share."""

from collections.abc import Mapping
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import counted, path, shown
from manifest_tools.verbs.validate.engine.file_facts import Occurrences
from manifest_tools.verbs.validate.rule_input import LineLabel


def in_label(label: LineLabel, part: str, message: str, *keys: str | int) -> Finding:
    """Return a finding about a part of a label; ``keys`` lead to it from the label."""
    return Finding(path(label.name, *keys), f"{part} of {shown(label.name)}: {message}")


def in_metadata(label: LineLabel, part: str, message: str, *keys: str | int) -> Finding:
    """Return a finding about a part of a label's metadata; ``keys`` lead to it from there."""
    return Finding(path(label.metadata_key, *keys), f"{part} of {shown(label.name)}: {message}")


def missing_in_metadata(label: LineLabel, key: str, effect: str) -> Finding:
    """Return a finding about a field that the metadata does not have."""
    return Finding(path(label.metadata_key), f"the metadata of {shown(label.name)} has no {key}, so {effect}")


def line_count(seen: Occurrences) -> str:
    """Return the number of lines that something is on.

    >>> line_count(Occurrences(3, 1)), line_count(Occurrences(3, 1200))
    ('1 line', '1,200 lines')
    """
    return counted(seen.lines, "line")


def value_at(table: Mapping[str, Any], key: str) -> str:
    """Return what a message says was found under a key: the value, or that there is none."""
    return shown(table[key]) if key in table else "none"
