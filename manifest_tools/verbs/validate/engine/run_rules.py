"""Runs every rule of a line on one line: the long way. The shortcut must find the same."""

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.groundtruth.attributes import Attribute, attributes_of
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.groundtruth.rows import decode
from manifest_tools.io.json_spans import decode_string, members
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine
from manifest_tools.verbs.validate.rules import of_scope
from manifest_tools.verbs.validate.rules.rule import Rule, Scope

RuleFinding = tuple[Rule, Finding]

_BYTES = of_scope("bytes")
_MOST = 100  # findings of one rule in one label: a hostile line could hold a million


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What the rules of a line are run for; hashable and picklable."""

    expected: tuple[str, ...] = ()
    """The label attributes that other lines of the file have."""

    requested: str | None = None
    """The only label attribute to look at; None for all."""

    purpose: str = ""
    """The purpose of a preflight, empty without one."""


def run_rules(line: bytes, context: RuleContext) -> tuple[list[RuleFinding], RuleLine | None]:
    """Return what all rules find in the bytes of one line, and the line, where it can be read."""
    try:
        value = decode(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return _run_bytes_rules(line), None
    length = len(line.rstrip(b"\r\n").decode())
    read = replace(rule_line(value, context), length=length, repeated=_repeated(line))
    return run_line_rules(read, context.purpose), read


def _repeated(line: bytes) -> tuple[str, ...]:
    """Name the keys of a line that decide what it means, and that it has more than once."""
    keys = Counter(decode_string(line, member.key) for member in members(line))
    if keys.total() == len(keys):
        return ()
    return tuple(key for key, count in keys.items() if count > 1 and decides(key, keys))


def decides(key: str, keys: Container[str]) -> bool:
    """Say whether a key is a source, or a label attribute or its metadata."""
    twins = (key + METADATA, key.removesuffix("-ref") + METADATA)
    return key in SOURCES or key.endswith(METADATA) or any(twin in keys for twin in twins)


def _run_bytes_rules(line: bytes) -> list[RuleFinding]:
    """Return what the first rule says of a line that cannot be read."""
    found = ((rule, one) for rule in _BYTES for one in rule.check(line))
    return list(islice(found, 1))


def run_line_rules(line: RuleLine, purpose: str = "") -> list[RuleFinding]:
    """Return what the rules find in a line that could be read, in the order of the table."""
    found = [(rule, one) for rule in _rules("line", purpose) for one in islice(rule.check(line), _MOST)]
    for label in line.labels:
        for rule in _rules("label", purpose):
            if not rule.kinds or label.kind.name in rule.kinds:
                found += [(rule, one) for one in islice(rule.check(label), _MOST)]
    return _once_a_picture(found) if purpose == "rekognition" else found


def _once_a_picture(found: list[RuleFinding]) -> list[RuleFinding]:
    """Return what is found, each thing once: a picture has a label attribute for each of its classes."""
    return list({(rule.code, one.message): (rule, one) for rule, one in reversed(found)}.values())[::-1]


@cache
def _rules(scope: Scope, purpose: str) -> tuple[Rule, ...]:
    return of_scope(scope, purpose)


def rule_line(value: Mapping[str, Any], context: RuleContext) -> RuleLine:
    """Return a decoded line with its label attributes, or with the one that was requested.

    Metadata without a label is of an attribute only where other lines have the label.
    """
    every, requested = list(attributes_of(value)), context.requested
    wanted = {one.name for one in every if one.state != "unlabelled"} | {*context.expected}
    if requested is None:
        labels = tuple(_label(one, value) for one in every if one.name in wanted)
        beside = _beside(value) if context.purpose else None
        return RuleLine(value, labels, context.expected, beside=beside, purpose=context.purpose)
    labels = tuple(_label(one, value) for one in every if one.name == requested)
    others = {one.name for one in every if one.name != requested}
    kept = {
        key: inner
        for key, inner in value.items()
        if key.removesuffix(METADATA) not in others and not _is_other_metadata(key, requested, labels)
    }
    expected = tuple(name for name in context.expected if name == requested)
    return RuleLine(kept, labels, expected, purpose=context.purpose)


def _beside(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of a line that do not describe its source."""
    return tuple(key for key in value if key.removesuffix(METADATA) not in SOURCES)


def _label(one: Attribute, value: Mapping[str, Any]) -> LineLabel:
    metadata = value[one.metadata_key]
    kind = label_kind(one.type)
    return LineLabel(one.name, one.metadata_key, one.type, one.state, value.get(one.name), metadata, kind)


def _is_other_metadata(key: str, requested: str, labels: tuple[LineLabel, ...]) -> bool:
    mine = {requested + METADATA, *(label.metadata_key for label in labels)}
    return key.endswith(METADATA) and key not in mine
