"""The label attributes of a whole manifest with their types and lines, and the choice of one of them."""

from collections.abc import Sized
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import clipped, shown
from manifest_tools.groundtruth.attributes import LabelAttribute, attributes_of, is_bare_label
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.groundtruth.rows import BadLine, line_offsets, reason
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import HEAD, Block, Source

# Chained jobs add one each. The limit is on memory: what is kept for an attribute is kept for each.
MOST_ATTRIBUTES = 100
_LISTED = 8


@dataclass(slots=True)
class Coverage:
    """The lines of one label attribute."""

    metadata_key: str
    types: dict[str, int] = field(default_factory=dict)
    """Lines by task type."""
    labelled: int = 0
    """Lines with a label."""
    failed: int = 0
    """Lines whose labeling failed."""

    @property
    def type(self) -> str:
        """The task type of most lines, empty where no line gives one."""
        return max(self.types, key=lambda name: self.types[name], default="")


@dataclass(slots=True)
class Survey:
    """The label attributes of a manifest, or of some of its lines."""

    lines: int = 0
    """Lines, blank ones included."""
    objects: int = 0
    """Lines that are not blank."""
    attributes: dict[str, Coverage] = field(default_factory=dict)
    """The label attributes by name, in the order of their first lines."""
    keys: dict[str, int] = field(default_factory=dict)
    """Lines by key, for every key of a line."""
    bare: dict[str, int] = field(default_factory=dict)
    """Lines by key, for every key that has a class index and no metadata."""

    def add(self, value: dict[str, Any]) -> None:
        """Count one line."""
        self.objects += 1
        for key, inner in value.items():
            self.keys[key] = self.keys.get(key, 0) + 1
            if is_bare_label(key, inner, value):
                self.bare[key] = self.bare.get(key, 0) + 1
        for found in attributes_of(value):
            coverage = self.attributes.setdefault(found.name, Coverage(found.metadata_key))
            coverage.labelled += found.state == "labelled"
            coverage.failed += found.state == "failed"
            if found.type:
                coverage.types[found.type] = coverage.types.get(found.type, 0) + 1

    def merge(self, other: "Survey") -> None:
        """Add the counts of another part of the manifest."""
        self.lines += other.lines
        self.objects += other.objects
        for mine, theirs in ((self.keys, other.keys), (self.bare, other.bare)):
            for key, count in theirs.items():
                mine[key] = mine.get(key, 0) + count
        for name, part in other.attributes.items():
            coverage = self.attributes.setdefault(name, Coverage(part.metadata_key))
            coverage.labelled += part.labelled
            coverage.failed += part.failed
            for name, count in part.types.items():
                coverage.types[name] = coverage.types.get(name, 0) + count

    def bare_type(self, key: str) -> str:
        """Return the task type of labels without metadata; empty where not all are class indices."""
        if not self.bare.get(key) or self.bare[key] != self.keys[key]:
            return ""
        return f"groundtruth/{'image' if 'source-ref' in self.keys else 'text'}-classification"

    def only_key(self) -> str | None:
        """Return the only key beside the source; None where lines have none or several."""
        others = [key for key in self.keys if key.removesuffix(METADATA) not in SOURCES]
        return others[0] if len(others) == 1 else None


def survey(source: Source, jobs: Jobs = None) -> Survey:
    """Return the label attributes of a manifest; decodes every line. Raises InvalidLine."""
    whole = Survey()
    for _, part in scan(source, _survey_block, jobs):
        whole.merge(part)
    _settle(whole)
    return whole


def _survey_block(block: Block) -> Survey:
    return survey_lines(block.read())


def survey_lines(data: bytes) -> Survey:
    """Return the label attributes of some lines; raises BadLine for a line that is no object."""
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
    """Raise BadData for more than MOST_ATTRIBUTES label attributes."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise BadData(
            f"expected at most {MOST_ATTRIBUTES} label attributes in a manifest, found more;"
            " type --label-attribute NAME to look at one"
        )


def label_attribute(source: Source, requested: str | None = None, jobs: Jobs = None) -> LabelAttribute:
    """Return the label attribute of a manifest: the requested one, or the only one.

    A label of class indices that has no metadata on any line is image classification (of texts: text
    classification) where it is requested, or where it is the only key beside the source.

    Reads the first lines only, where they have it; a verb that finds another one on a later line raises
    ``ambiguous``. Raises BadData where there is none, Refused where there are several and none is requested.
    """
    found = _head_survey(source)
    if found is None or not _is_clear(found, requested):
        found = survey(source, jobs)
    return _choose(found, source.name, requested)


def _is_clear(found: Survey, requested: str | None) -> bool:
    """Say whether the first lines show which attribute it is; a message about several counts all lines."""
    return requested in found.attributes if requested is not None else len(found.attributes) == 1


def _head_survey(source: Source) -> Survey | None:
    head = source.head()
    whole = head if len(head) < HEAD else head[: head.rfind(b"\n") + 1]
    try:
        found = survey_lines(whole)
    except BadLine:
        return None
    _settle(found)
    return found


def _choose(found: Survey, name: str, requested: str | None) -> LabelAttribute:
    if requested is not None:
        coverage = found.attributes.get(requested)
        if coverage is not None:
            return LabelAttribute(requested, coverage.metadata_key, coverage.type, True)
        if requested in found.keys:
            return LabelAttribute(requested, requested + METADATA, found.bare_type(requested), True)
        raise Refused(f"{name}: no line has the label attribute {shown(requested)}; {_listing(found)}")
    if len(found.attributes) > 1:
        raise ambiguous(found, name)
    for attribute, coverage in found.attributes.items():
        return LabelAttribute(attribute, coverage.metadata_key, coverage.type, False)
    only = found.only_key()
    if only is not None and (type_name := found.bare_type(only)):
        return LabelAttribute(only, only + METADATA, type_name, False)
    if all(key.removesuffix(METADATA) in SOURCES for key in found.keys):
        raise BadData(f"{name}: no line has a label; its lines have only {' and '.join(found.keys) or '{}'}")
    raise BadData(f"{name}: no line has a label; {_listing(found)}")


def _settle(found: Survey) -> None:
    """Leave out what no line has a label of, and join what is one attribute.

    A ``-metadata`` key that a line has without a label or a failure describes something else. A failed line
    does not say ``-ref``, so ``mask`` is joined to ``mask-ref`` where both have one metadata key.
    """
    for name in [name for name, one in found.attributes.items() if not one.labelled + one.failed]:
        del found.attributes[name]
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
        keys = ", ".join(map(clipped, islice(found.keys, _LISTED))) or "no keys"
        return f"its lines have {keys}; type --label-attribute NAME if one of them is the label"
    described = (
        f"{clipped(name)} ({_short(coverage.type)}, {coverage.labelled:,} of {found.objects:,} lines)"
        for name, coverage in islice(found.attributes.items(), _LISTED)
    )
    rest = len(found.attributes) - _LISTED
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"it has the label attributes {', '.join(described)}{more}"


def _short(type_name: str) -> str:
    return clipped(type_name.removeprefix("groundtruth/")) or "no type"
