"""Runs every rule of a line on one line: the long way, which the shortcut of ``proof`` must agree with."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from manifest_tools.attributes import Attribute, attributes_of
from manifest_tools.record import METADATA
from manifest_tools.rules import Rule, of_scope
from manifest_tools.rules.found import Found, Label, Line
from manifest_tools.rules.reading import decode
from manifest_tools.tasks import TYPES

Judged = tuple[Rule, Found]

_BYTES, _LINE, _LABEL = of_scope("bytes"), of_scope("line"), of_scope("label")


def judge(line: bytes, expected: tuple[str, ...], told: str | None) -> tuple[list[Judged], Line | None]:
    """Return what all rules find in the bytes of one line, and the line, where it can be read.

    ``expected`` names the label attributes of the file; ``told`` leaves out all but one.
    """
    try:
        value = decode(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return _judge_bytes(line), None
    read = line_of(value, expected, told)
    return judge_line(read), read


def _judge_bytes(line: bytes) -> list[Judged]:
    """Return what the first rule says of a line that cannot be read."""
    found = ((rule, one) for rule in _BYTES for one in rule.check(line))
    return list(islice(found, 1))


def judge_line(line: Line) -> list[Judged]:
    """Return what the rules find in a line that could be read, in the order of the table."""
    found = [(rule, one) for rule in _LINE for one in rule.check(line)]
    for label in line.labels:
        found += [(rule, one) for rule in _LABEL for one in rule.check(label)]
    return found


def line_of(value: Mapping[str, Any], expected: tuple[str, ...], told: str | None) -> Line:
    """Return a decoded line with its label attributes, or with the one that was told."""
    shown = list(attributes_of(value))
    labels = tuple(_label(one, value) for one in shown if told in (None, one.name))
    if told is None:
        return Line(value, labels, expected)
    others = {one.name for one in shown if one.name != told}
    kept = {
        key: inner
        for key, inner in value.items()
        if key.removesuffix(METADATA) not in others and not _is_other_twin(key, told, labels)
    }
    return Line(kept, labels, (told,))


def _label(one: Attribute, value: Mapping[str, Any]) -> Label:
    task = TYPES.get(one.type.lower(), "")
    metadata = value[one.metadata_key]
    return Label(one.name, one.metadata_key, one.type, one.state, value.get(one.name), metadata, task)


def _is_other_twin(key: str, told: str, labels: tuple[Label, ...]) -> bool:
    mine = {told + METADATA, *(label.metadata_key for label in labels)}
    return key.endswith(METADATA) and key not in mine
