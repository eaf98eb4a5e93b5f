"""The door of the shortcut: proves most lines of a block clean, so that rules are run on the rest alone.

Lines are grouped by their template: the same keys, with values of the same types. Some values come again and
again, as class and name do; the rules are run once for each variant of these (``verdicts``). What is new on
every line is right by its type, or is compared in whole columns (``box_arrays``). Who adds a rule for
something that a type or a column proves must add it there too; a property test fails where one is forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.validate.engine.file_facts import (
    PLACEHOLDER,
    Facts,
    Occurrences,
    add_count,
    bucket_of,
    has_empty_part,
    holds_placeholder,
    plus,
)
from manifest_tools.verbs.validate.engine.run_rules import RuleContext, rule_line
from manifest_tools.verbs.validate.engine.shortcut.attribute_column import (
    AttributeColumn,
    attribute_column,
    other_quotes,
)
from manifest_tools.verbs.validate.engine.shortcut.duplicate_keys import without_duplicate_keys
from manifest_tools.verbs.validate.engine.shortcut.group_lines import LineGroup, group_lines
from manifest_tools.verbs.validate.engine.shortcut.line_template import LineTemplate
from manifest_tools.verbs.validate.engine.shortcut.verdicts import is_clean
from manifest_tools.verbs.validate.rules.line.source import DOUBLED, LONGEST_ATTRIBUTE, is_path

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(slots=True)
class CleanLines:
    """Which lines of a block are clean, and what is remembered of them."""

    clean: Flags
    """Whether a line is clean: ``(lines,)``."""

    sources: list[str | None]
    """The source of each clean line, None where it has none."""

    labels: dict[str, NDArray[np.uint64]] = field(default_factory=dict)
    """For each label attribute a key for the label of each line, 0 where there is none: ``(lines,)``."""


@dataclass(slots=True)
class _Group:
    """Lines of one template, and which of them are right so far."""

    lines: LineGroup
    sources: list[str | None]
    """The source-ref of each line, or its source; None where the template has neither."""

    bucket: str | None
    """The bucket of all sources, None where they lie in several."""

    columns: list[AttributeColumn]
    """What the lines show of each label attribute to look at."""

    right: Flags
    """Whether nothing was found on a line so far: ``(lines,)``."""

    quotes: Numbers
    """The quotes that the keys and texts of a line need: ``(lines,)``."""


def prove_clean(
    data: bytes, starts: Numbers, ends: Numbers, context: RuleContext, facts: Facts
) -> CleanLines:
    """Return the lines of a block in which no rule finds anything; ``facts`` remembers what they show.

    ``starts`` and ``ends`` are the byte offsets of the lines: ``(lines,)``.
    """
    proven = CleanLines(np.zeros(len(starts), bool), [None] * len(starts))
    quotes = np.zeros(len(starts), np.int64)
    groups = [
        _read(one, context) for one in group_lines(data, starts, ends) if is_clean(one.template, context)
    ]
    for group in groups:
        quotes[group.lines.numbers] = group.quotes
    sure = without_duplicate_keys(data, starts, ends, quotes) & (ends - starts <= LONGEST_ATTRIBUTE)
    marked = b"#" in data or b"\\" in data
    for group in groups:
        group.right &= sure[group.lines.numbers]
        _remember(group, context, proven, facts)
        if marked:
            _remember_placeholders(group, context, facts)
        _remember_empty_parts(group, facts)
    return proven


def _read(lines: LineGroup, context: RuleContext) -> _Group:
    template, count = lines.template, len(lines.rows)
    sources: list[str | None] = [None] * count
    bucket, right = None, np.ones(count, bool)
    if template.field_type("source-ref") == "ref":
        sources = lines.values("source-ref")
        bucket, right = _check_sources(cast(list[str], sources), paths=not context.purpose)
    elif template.field_type("source") == "text":
        sources = lines.values("source")
    for key in _texts(template):
        right &= np.array([not text.startswith(DOUBLED) for text in lines.values(key)], bool)
    columns = [attribute_column(lines, attribute, context) for attribute in template.attributes]
    quotes = template.quotes + other_quotes(lines)
    for column in columns:
        quotes += column.quotes
        right &= column.right
    requested = [column for column in columns if context.requested in (None, column.attribute.name)]
    return _Group(lines, sources, bucket, requested, right, quotes)


def _check_sources(refs: list[str], paths: bool) -> tuple[str | None, Flags]:
    """Return the bucket that all sources share, where they do, and which are URIs of objects, or paths."""
    bucket = bucket_of(refs[0])
    prefix = f"s3://{bucket}/"
    if bucket and f"{prefix}/" != DOUBLED and prefix not in refs and _all_begin(refs, prefix):
        return bucket, np.ones(len(refs), bool)
    right = [
        bucket_of(ref) is not None and not ref.startswith(DOUBLED) or paths and is_path(ref) for ref in refs
    ]
    return None, np.array(right, bool)


def _all_begin(refs: Sequence[str], prefix: str) -> bool:
    """Say whether every ref begins with ``prefix``; one search through all of them is the quickest way."""
    joined = "\n".join(refs)
    ends = len(refs) - 1
    return joined.startswith(prefix) and joined.count("\n" + prefix) == joined.count("\n") == ends


def _texts(template: LineTemplate) -> list[str]:
    """Return the keys whose values are any text."""
    return [key for key, schema in template.fields.members if schema == "text"]


def _remember(group: _Group, context: RuleContext, proven: CleanLines, facts: Facts) -> None:
    """Add what the lines show that are right to the facts and to the clean lines."""
    numbers, right = group.lines.numbers, group.right
    clean = numbers[right]
    if not len(clean):
        return
    proven.clean[clean] = True
    facts.objects += len(clean)
    sample, requested = group.lines.template.sample, facts.requested
    there = any(column.attribute.state != "unlabelled" for column in group.columns)
    if requested is not None and (sample.get(requested) is not None or there):
        facts.requested_lines += len(clean)
    for column in group.columns:
        column.remember(numbers, right, facts)
        if column.keys.any():
            keys = proven.labels.setdefault(column.attribute.name, np.zeros(len(proven.sources), np.uint64))
            keys[numbers] = np.where(right, column.keys, np.uint64(0))
    if rule_line(sample, context).beside == ():
        facts.without_label += len(clean)
    _remember_sources(group, clean, proven, facts)


def _remember_sources(group: _Group, clean: Numbers, proven: CleanLines, facts: Facts) -> None:
    if len(group.sources) == len(proven.sources):
        proven.sources = group.sources
    else:
        for number, source in zip(group.lines.numbers.tolist(), group.sources, strict=True):
            proven.sources[number] = source
    if group.lines.template.field_type("source-ref") != "ref":
        facts.texts += len(clean) if group.lines.template.field_type("source") == "text" else 0
        return
    if group.bucket is not None:
        add_count(facts.buckets, group.bucket, Occurrences(int(clean[0]), len(clean)))
        return
    for number in clean.tolist():
        if (bucket := bucket_of(proven.sources[number])) is not None:
            add_count(facts.buckets, bucket, Occurrences(number, 1))


def _remember_empty_parts(group: _Group, facts: Facts) -> None:
    if group.lines.template.field_type("source-ref") != "ref":
        return
    refs = "\n".join(cast(list[str], group.sources))
    if refs.count("//") != refs.count("://"):  # one search through all of them; hardly any file has such keys
        for number, ref, right in zip(group.lines.numbers.tolist(), group.sources, group.right, strict=True):
            if right and has_empty_part(ref):
                facts.doubled = plus(facts.doubled, Occurrences(number, 1))


def _remember_placeholders(group: _Group, context: RuleContext, facts: Facts) -> None:
    template = group.lines.template
    line = rule_line(template.sample, context)
    held = np.full(len(group.right), holds_placeholder(line))
    for key in line.value:
        if template.field_type(key) in ("ref", "text"):
            texts = group.lines.values(key)
            held |= np.array([PLACEHOLDER in text and text.startswith("s3://") for text in texts], bool)
    labels = {label.name for label in line.labels}
    for column in (one for one in group.columns if one.attribute.name in labels):
        if template.field_type(column.attribute.metadata_key, "job-name") == "text":
            jobs = group.lines.values(column.attribute.metadata_key, "job-name")
            held |= np.array([PLACEHOLDER in job for job in jobs], bool)
    if len(found := group.lines.numbers[held & group.right]):
        facts.add_placeholder(Occurrences(int(found[0]), len(found)))
