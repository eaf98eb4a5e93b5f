"""Runs the rules once for each variant: the values that come again and again on lines of one template."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifest_tools.groundtruth.attributes import Attribute
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.groundtruth.rows import decode
from manifest_tools.verbs.validate.engine.file_facts import LabelState, NamedClass, label_key, named_classes
from manifest_tools.verbs.validate.engine.run_rules import RuleContext, rule_line, run_line_rules
from manifest_tools.verbs.validate.engine.shortcut.line_template import LineTemplate
from manifest_tools.verbs.validate.engine.unpaired_metadata import unpaired_metadata

Variant = tuple[Any, ...]
"""The values of the varying fields of a label attribute on one line; arrays and objects as they are spelt."""

Numbers = NDArray[np.int64]


# More are forgotten, lest memory grows with the lines.
_MOST_VARIANTS = 1 << 14
# The quotes of a value that is no JSON after all: no line has as few.
NOT_JSON = -(1 << 40)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a variant, and what is remembered of its lines."""

    clean: bool
    """Whether no rule finds anything."""

    key: int = 0
    """The key of the label, as ``label_key`` makes it."""

    named_classes: tuple[NamedClass, ...] = ()
    state: LabelState | None = None
    """None where the metadata is not that of a label."""

    names: Mapping[int, str] = field(default_factory=dict)
    """The class-map, by index."""

    quotes: int = 0
    """The quotes in its arrays and objects."""


@dataclass(frozen=True, slots=True)
class Variants:
    """The variants of some lines."""

    every: list[Variant]
    """Each variant once."""

    codes: Numbers
    """For each line the place of its variant in ``every``: ``(lines,)``."""


def varying_fields(template: LineTemplate, attribute: Attribute) -> Iterator[tuple[str, ...]]:
    """Yield the keys that lead to each field of a variant."""
    field_type = template.field_type(attribute.name)
    if field_type in ("index", "spelt index"):
        yield (attribute.name,)
    for key, schema in template.metadata(attribute):
        if schema == "raw" or (key == "class-name" and schema == "text"):
            yield attribute.metadata_key, key


def variants_of(template: LineTemplate, attribute: Attribute, rows: Sequence[Any]) -> Variants:
    """Return the variants of an attribute on lines of one template."""
    keys = list(varying_fields(template, attribute))
    getters = [template.getter(*key) for key in keys]
    raw = [template.field_type(*key) == "raw" for key in keys]
    if not keys:
        return Variants([()], np.zeros(len(rows), np.int64))
    found: Iterable[Variant]
    if len(keys) > 1 and not any(raw):
        found = map(attrgetter(*getters), rows)
    else:
        columns = [map(attrgetter(getter), rows) for getter in getters]
        found = zip(*(map(bytes, c) if r else c for c, r in zip(columns, raw, strict=True)), strict=True)
    numbered: defaultdict[Variant, int] = defaultdict(count().__next__)
    codes = np.fromiter(map(numbered.__getitem__, found), np.int64, len(rows))
    return Variants(list(numbered), codes)


def verdicts(
    template: LineTemplate, attribute: Attribute, variants: Sequence[Variant], context: RuleContext
) -> list[Verdict]:
    """Return what the rules say of lines of a template with each of some variants."""
    known = _known(template, attribute, context)
    if len(known) > _MOST_VARIANTS:
        known.clear()
    for variant in variants:
        if variant not in known:
            known[variant] = _verdict(template, attribute, variant, context)
    return [known[variant] for variant in variants]


@lru_cache(maxsize=64)
def _known(template: LineTemplate, attribute: Attribute, context: RuleContext) -> dict[Variant, Verdict]:
    """Return what is remembered of the variants that earlier blocks had."""
    return {}


def _verdict(template: LineTemplate, attribute: Attribute, variant: Variant, context: RuleContext) -> Verdict:
    try:
        value, quotes = _line(template, attribute, variant)
    except ValueError:
        return Verdict(False, quotes=NOT_JSON)
    line = rule_line(value, context)
    if run_line_rules(line, context.purpose):
        return Verdict(False, quotes=quotes)
    label = next((one for one in line.labels if one.metadata_key == attribute.metadata_key), None)
    if label is None:  # metadata of something else
        return Verdict(True, quotes=quotes)
    state = LabelState(label.name, label.state, label.type)
    return Verdict(
        True, label_key(label), tuple(named_classes(label)), state, _named(label.class_map), quotes
    )


def _line(template: LineTemplate, attribute: Attribute, variant: Variant) -> tuple[dict[str, Any], int]:
    """Return a line of a template with a variant, and how many quotes the arrays and objects of this have."""
    value, quotes = dict(template.sample), 0
    for keys, spelt in zip(varying_fields(template, attribute), variant, strict=True):
        inner = spelt
        if isinstance(spelt, bytes):
            inner = decode(spelt)
            quotes += quotes_in(spelt)
        value[keys[0]] = inner if len(keys) == 1 else value[keys[0]] | {keys[1]: inner}
    return value, quotes


def quotes_in(spelt: bytes) -> int:
    """Return how many quotes begin or end a string."""
    return spelt.count(b'"') - spelt.count(b'\\"')


def _named(class_map: Any) -> dict[int, str]:
    named = class_map if isinstance(class_map, dict) else {}
    return {
        int(key): name for key, name in named.items() if index_of(key) is not None and str(int(key)) == key
    }


@lru_cache(maxsize=1 << 10)
def is_clean(template: LineTemplate, context: RuleContext) -> bool:
    """Say whether no rule finds anything on the sample of a template."""
    line = rule_line(template.sample, context)
    if run_line_rules(line, context.purpose) or unpaired_metadata(line.value):
        return False
    # A number or text that is alone beside the source may be a label without metadata.
    beside = line.beside or ()
    return len(beside) != 1 or template.field_type(beside[0]) not in ("number", "text")
