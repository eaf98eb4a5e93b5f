"""Which label attributes a whole manifest has, of what type, on how many lines; and which one is meant."""

from collections.abc import Sized
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import clipped, shown
from manifest_tools.groundtruth.attributes import LabelAttribute, attributes_of
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.groundtruth.rows import BadLine, line_offsets, reason
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import HEAD, Block, Source

# A chained job adds one; more are a mistake, or worse: what is remembered by attribute grows with each.
MOST_ATTRIBUTES = 100


_LISTED = 8


@dataclass(slots=True)
class Coverage:
    """How many lines show an attribute, by state, and what it is."""

    metadata_key: str
    types: dict[str, int] = field(default_factory=dict)
    labelled: int = 0
    failed: int = 0

    @property
    def type(self) -> str:
        """The type that most labelled lines give."""
        return max(self.types, key=lambda name: self.types[name], default="")


@dataclass(slots=True)
class Survey:
    """Every label attribute of a manifest, with its coverage."""

    lines: int = 0
    objects: int = 0
    attributes: dict[str, Coverage] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)

    def add(self, value: dict[str, Any]) -> None:
        """Count one line."""
        self.objects += 1
        for key in value:
            self.keys[key] = self.keys.get(key, 0) + 1
        for found in attributes_of(value):
            coverage = self.attributes.setdefault(found.name, Coverage(found.metadata_key))
            coverage.labelled += found.state == "labelled"
            coverage.failed += found.state == "failed"
            if found.type:
                coverage.types[found.type] = coverage.types.get(found.type, 0) + 1

    def merge(self, other: "Survey") -> None:
        """Add what another part of the manifest shows."""
        self.lines += other.lines
        self.objects += other.objects
        for key, count in other.keys.items():
            self.keys[key] = self.keys.get(key, 0) + count
        for name, part in other.attributes.items():
            mine = self.attributes.setdefault(name, Coverage(part.metadata_key))
            mine.labelled += part.labelled
            mine.failed += part.failed
            for name, count in part.types.items():
                mine.types[name] = mine.types.get(name, 0) + count


def survey(source: Source, jobs: Jobs = None) -> Survey:
    """Return every label attribute of a manifest; decodes all of every line."""
    whole = Survey()
    for _, part in scan(source, _survey_block, jobs):
        whole.merge(part)
    _join_refs(whole)
    return whole


def _survey_block(block: Block) -> Survey:
    return survey_lines(block.read())


def survey_lines(data: bytes) -> Survey:
    """Return the label attributes that a run of lines shows."""
    found = Survey()
    starts, ends = line_offsets(data)
    found.lines = len(starts)
    decode = msgspec.json.Decoder().decode
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        if not line.strip():
            continue
        try:
            value = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadLine(number, reason(line, error)) from error
        if not isinstance(value, dict):
            raise BadLine(number, "expected an object, found another JSON value")
        found.add(value)
    return found


def check_number(attributes: Sized) -> None:
    """Raise BadData for more label attributes than a verb that looks at all of them should take on."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise BadData(
            f"expected at most {MOST_ATTRIBUTES} label attributes in a manifest, found more;"
            " type --label-attribute NAME to look at one"
        )


def label_attribute(source: Source, told: str | None = None, jobs: Jobs = None) -> LabelAttribute:
    """Return the label attribute of ``source``: the one told, or the only one there is.

    The first lines are enough where they show one; a command that meets another further down calls
    ``ambiguous``. Raises BadData when there is none, Refused when there are several.
    """
    found = _head_survey(source)
    if found is None or (told or "") not in ("", *found.attributes) or not found.attributes:
        found = survey(source, jobs)
    return _choose(found, source.name, told)


def _head_survey(source: Source) -> Survey | None:
    head = source.head()
    whole = head if len(head) < HEAD else head[: head.rfind(b"\n") + 1]
    try:
        return survey_lines(whole)
    except BadLine:
        return None


def _choose(found: Survey, name: str, told: str | None) -> LabelAttribute:
    _join_refs(found)
    if told is not None:
        coverage = found.attributes.get(told)
        if coverage is not None:
            return LabelAttribute(told, coverage.metadata_key, coverage.type, True)
        if told in found.keys:
            return LabelAttribute(told, told + METADATA, "", True)
        raise Refused(f"{name}: no line has the label attribute {shown(told)}; {_listing(found)}")
    if len(found.attributes) > 1:
        raise ambiguous(found, name)
    for attribute, coverage in found.attributes.items():
        return LabelAttribute(attribute, coverage.metadata_key, coverage.type, False)
    if all(key.removesuffix(METADATA) in SOURCES for key in found.keys):
        raise BadData(f"{name}: nothing is labelled: its lines have {' and '.join(found.keys)} alone")
    raise BadData(f"{name}: no line has a label; {_listing(found)}")


def _join_refs(found: Survey) -> None:
    """Take ``mask`` and ``mask-ref`` of one metadata key for one: on a failed line nothing says ``-ref``."""
    for name in [name for name in found.attributes if f"{name}-ref" in found.attributes]:
        bare, ref = found.attributes[name], found.attributes[f"{name}-ref"]
        if bare.metadata_key == ref.metadata_key and not bare.labelled:
            ref.failed += bare.failed
            del found.attributes[name]


def ambiguous(found: Survey, name: str) -> Refused:
    """Return the error that lists the label attributes of a manifest, with type and coverage."""
    first = next(iter(found.attributes))
    return Refused(f"{name}: {_listing(found)}; type --label-attribute {clipped(first)} (or another of them)")


def _listing(found: Survey) -> str:
    if not found.attributes:
        keys = ", ".join(map(clipped, islice(found.keys, _LISTED)))
        return f"its lines have: {keys}; name the label with --label-attribute" if keys else "it has none"
    described = (
        f"{clipped(name)} ({_short(coverage.type)}, {coverage.labelled:,} of {found.objects:,} lines)"
        for name, coverage in islice(found.attributes.items(), _LISTED)
    )
    rest = len(found.attributes) - _LISTED
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"it has the label attributes {', '.join(described)}{more}"


def _short(type_name: str) -> str:
    return clipped(type_name.removeprefix("groundtruth/")) or "no type"
