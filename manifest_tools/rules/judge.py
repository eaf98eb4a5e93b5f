"""Runs every rule of a line on one line: the long way, which the shortcut of ``proof`` must agree with."""

from collections.abc import Mapping
from typing import Any

from manifest_tools.attributes import attributes_of
from manifest_tools.record import METADATA
from manifest_tools.rules import Rule, of_scope
from manifest_tools.rules.found import Found, Label, Line
from manifest_tools.rules.reading import decode

Judged = tuple[Rule, Found]

_BYTES, _LINE, _LABEL = of_scope("bytes"), of_scope("line"), of_scope("label")


def judge(line: bytes, expected: tuple[str, ...], told: str | None) -> tuple[list[Judged], Line | None]:
    """Return what all rules find in the bytes of one line, and the line, where it can be read.

    ``expected`` names the label attributes of the file; ``told`` leaves out all but one.
    """
    for rule in _BYTES:
        for found in rule.check(line):
            return [(rule, found)], None
    read = line_of(decode(line), expected, told)
    return judge_line(read), read


def judge_line(line: Line) -> list[Judged]:
    """Return what the rules find in a line that could be read, in the order of the table."""
    found = [(rule, one) for rule in _LINE for one in rule.check(line)]
    for label in line.labels:
        found += [(rule, one) for rule in _LABEL for one in rule.check(label)]
    return found


def line_of(value: Mapping[str, Any], expected: tuple[str, ...], told: str | None) -> Line:
    """Return a decoded line with its label attributes, or with the one that was told."""
    shown = list(attributes_of(value))
    labels = tuple(
        Label(one.name, one.metadata_key, one.type, one.state, value.get(one.name), value[one.metadata_key])
        for one in shown
        if told in (None, one.name)
    )
    if told is None:
        return Line(value, labels, expected)
    others = {one.name for one in shown if one.name != told}
    kept = {
        key: inner
        for key, inner in value.items()
        if key.removesuffix(METADATA) not in others and not _is_other_twin(key, told, labels)
    }
    return Line(kept, labels, (told,))


def _is_other_twin(key: str, told: str, labels: tuple[Label, ...]) -> bool:
    mine = {told + METADATA, *(label.metadata_key for label in labels)}
    return key.endswith(METADATA) and key not in mine
