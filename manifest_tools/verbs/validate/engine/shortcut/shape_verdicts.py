"""What lines of one look say beside it (their shape), and what the rules say of each shape, once."""

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
from manifest_tools.verbs.validate.engine.run_rules import rule_line, run_line_rules
from manifest_tools.verbs.validate.engine.shortcut.line_template import Template

Shape = tuple[Any, ...]
Numbers = NDArray[np.int64]


# More are forgotten, lest memory grows with the lines.
_MOST_SHAPES = 1 << 14
# The quotes of what only looked like JSON: no line has as few.
NOT_JSON = -(1 << 40)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What lines are judged for: the attributes of the file, the one told, the purpose of ``--for``."""

    expected: tuple[str, ...]
    told: str | None
    purpose: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of a shape, and what is remembered of its lines.

    ``names`` is its class-map; ``quotes`` counts those of what is looked at as it is spelt.
    """

    clean: bool
    key: int = 0
    named_classes: tuple[NamedClass, ...] = ()
    kind: LabelState | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    quotes: int = 0


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of some lines, each once, and for each line the number of its shape."""

    shapes: list[Shape]
    codes: Numbers


def varying(template: Template, attribute: Attribute) -> Iterator[tuple[str, ...]]:
    """Yield the keys that lead to what is part of a shape."""
    kind = template.kind(attribute.name)
    if kind in ("index", "spelt index"):
        yield (attribute.name,)
    for key, look in template.metadata(attribute):
        if look == "raw" or (key == "class-name" and look == "text"):
            yield attribute.metadata_key, key


def shapes_of(template: Template, attribute: Attribute, rows: Sequence[Any]) -> Shapes:
    """Return what some lines show of an attribute, beside the look that they share."""
    keys = list(varying(template, attribute))
    places = [template.place(*key) for key in keys]
    raw = [template.kind(*key) == "raw" for key in keys]
    if not keys:
        return Shapes([()], np.zeros(len(rows), np.int64))
    shapes: Iterable[Shape]
    if len(keys) > 1 and not any(raw):
        shapes = map(attrgetter(*places), rows)
    else:
        columns = [map(attrgetter(place), rows) for place in places]
        shapes = zip(*(map(bytes, c) if r else c for c, r in zip(columns, raw, strict=True)), strict=True)
    numbered: defaultdict[Shape, int] = defaultdict(count().__next__)
    codes = np.fromiter(map(numbered.__getitem__, shapes), np.int64, len(rows))
    return Shapes(list(numbered), codes)


def verdicts(
    template: Template, attribute: Attribute, shapes: Sequence[Shape], purpose: Purpose
) -> list[Verdict]:
    """Return what the rules say of lines made up of a look and each of some shapes."""
    known = _known(template, attribute, purpose)
    if len(known) > _MOST_SHAPES:
        known.clear()
    for shape in shapes:
        if shape not in known:
            known[shape] = _judge(template, attribute, shape, purpose)
    return [known[shape] for shape in shapes]


@lru_cache(maxsize=64)
def _known(template: Template, attribute: Attribute, purpose: Purpose) -> dict[Shape, Verdict]:
    """Return what is remembered of the shapes that blocks before this one had."""
    return {}


def _judge(template: Template, attribute: Attribute, shape: Shape, purpose: Purpose) -> Verdict:
    try:
        value, quotes = _line(template, attribute, shape)
    except ValueError:
        return Verdict(False, quotes=NOT_JSON)
    line = rule_line(value, purpose.expected, purpose.told)
    if run_line_rules(line, purpose.purpose):
        return Verdict(False, quotes=quotes)
    (label,) = (one for one in line.labels if one.metadata_key == attribute.metadata_key)
    kind = LabelState(label.name, label.state, label.type)
    return Verdict(True, label_key(label), tuple(named_classes(label)), kind, _named(label.class_map), quotes)


def _line(template: Template, attribute: Attribute, shape: Shape) -> tuple[dict[str, Any], int]:
    """Return a line made up of a look and a shape, and how many quotes its arrays and objects have."""
    value, quotes = dict(template.sample), 0
    for keys, said in zip(varying(template, attribute), shape, strict=True):
        inner = said
        if isinstance(said, bytes):
            inner = decode(said)
            quotes += quotes_in(said)
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
def is_clean(template: Template, purpose: Purpose) -> bool:
    """Say whether no rule minds a line of this look, whatever its shapes are."""
    return not run_line_rules(rule_line(template.sample, purpose.expected, purpose.told), purpose.purpose)
