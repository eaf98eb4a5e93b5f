"""The shortcut: proves most lines of a block clean from typed rows, so that rules see only the rest.

Lines are sorted by their look (``alike``). What differs between lines of one look comes again and again, as
class and name do, so the rules judge each such shape once (``shapes``); what is new on every line is proven
right by its type, or compared in whole columns (``flat``). A rule that looks at what a type or a column
proves has to be told there; a property test shows that the shortcut hides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from manifest_tools.verbs.validate.engine.file_facts import (
    PLACEHOLDER,
    Facts,
    Occurrences,
    add_count,
    bucket_of,
    holds_placeholder,
)
from manifest_tools.verbs.validate.engine.run_rules import rule_line
from manifest_tools.verbs.validate.engine.shortcut.attribute_column import Column, column_of, loose_quotes
from manifest_tools.verbs.validate.engine.shortcut.duplicate_keys import once
from manifest_tools.verbs.validate.engine.shortcut.group_lines import Alike, alike
from manifest_tools.verbs.validate.engine.shortcut.line_template import Template
from manifest_tools.verbs.validate.engine.shortcut.shape_verdicts import Purpose, is_clean
from manifest_tools.verbs.validate.rules.line.source import DOUBLED, LONGEST_ATTRIBUTE

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(slots=True)
class Proof:
    """Which lines of a block are clean, and of those the sources and a key for each attribute's label."""

    clean: Flags
    refs: list[str | None]
    labels: dict[str, NDArray[np.uint64]] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """Lines of one look: their sources, a column for each attribute, and which of them are right so far.

    ``quotes`` are those that the keys and texts of a line are spelt with; ``bucket`` is set where all
    sources share one.
    """

    lines: Alike
    refs: list[str | None]
    bucket: str | None
    columns: list[Column]
    right: Flags
    quotes: Numbers


def prove(data: bytes, starts: Numbers, ends: Numbers, purpose: Purpose, facts: Facts) -> Proof:
    """Return which lines of a block no rule would find anything in; ``facts`` remembers what they show."""
    proof = Proof(np.zeros(len(starts), bool), [None] * len(starts))
    quotes = np.zeros(len(starts), np.int64)
    groups = [_read(one, purpose) for one in alike(data, starts, ends) if is_clean(one.template, purpose)]
    for group in groups:
        quotes[group.lines.numbers] = group.quotes
    sure = once(data, starts, ends, quotes) & (ends - starts <= LONGEST_ATTRIBUTE)
    marked = b"#" in data or b"\\" in data
    for group in groups:
        group.right &= sure[group.lines.numbers]
        _remember(group, proof, facts)
        if marked:
            _remember_placeholders(group, purpose, facts)
    return proof


def _read(lines: Alike, purpose: Purpose) -> _Group:
    template, rows = lines.template, lines.rows
    refs: list[str | None] = [None] * len(rows)
    bucket, right = None, np.ones(len(rows), bool)
    if template.kind("source-ref") == "ref":
        refs = list(map(attrgetter(template.place("source-ref")), rows))
        bucket, right = _judge_sources(cast(list[str], refs))
    for key in _texts(template):
        right &= np.array([not text.startswith(DOUBLED) for text in _values(lines, key)], bool)
    columns = [column_of(template, attribute, rows, purpose) for attribute in template.attributes]
    quotes = template.quotes + loose_quotes(template, rows)
    for column in columns:
        quotes += column.quotes
        right &= column.right
    told = [column for column in columns if purpose.told in (None, column.attribute.name)]
    return _Group(lines, refs, bucket, told, right, quotes)


def _judge_sources(refs: list[str]) -> tuple[str | None, Flags]:
    """Return the bucket that all sources share, where they do, and which are URIs of objects."""
    bucket = bucket_of(refs[0])
    prefix = f"s3://{bucket}/"
    if bucket and f"{prefix}/" != DOUBLED and prefix not in refs and _all_begin(refs, prefix):
        return bucket, np.ones(len(refs), bool)
    right = [bucket_of(ref) is not None and not ref.startswith(DOUBLED) for ref in refs]
    return None, np.array(right, bool)


def _all_begin(refs: Sequence[str], prefix: str) -> bool:
    """Say whether every ref begins with ``prefix``; one search through all of them is the quickest way."""
    joined = "\n".join(refs)
    ends = len(refs) - 1
    return joined.startswith(prefix) and joined.count("\n" + prefix) == joined.count("\n") == ends


def _texts(template: Template) -> list[str]:
    """Return the keys whose values are any text."""
    return [key for key, look in template.fields.members if look == "text"]


def _values(lines: Alike, *keys: str) -> list[Any]:
    return list(map(attrgetter(lines.template.place(*keys)), lines.rows))


def _remember(group: _Group, proof: Proof, facts: Facts) -> None:
    """Add what the lines show that are right to the facts and to the proof."""
    numbers, right = group.lines.numbers, group.right
    clean = numbers[right]
    if not len(clean):
        return
    proof.clean[clean] = True
    facts.objects += len(clean)
    sample, told = group.lines.template.sample, facts.requested
    if told is not None and (sample.get(told) is not None or group.columns):
        facts.requested_lines += len(clean)
    for column in group.columns:
        column.remember(numbers, right, facts)
        if column.keys.any():
            keys = proof.labels.setdefault(column.attribute.name, np.zeros(len(proof.refs), np.uint64))
            keys[numbers] = np.where(right, column.keys, np.uint64(0))
    _remember_sources(group, clean, proof, facts)


def _remember_sources(group: _Group, clean: Numbers, proof: Proof, facts: Facts) -> None:
    if len(group.refs) == len(proof.refs):
        proof.refs = group.refs
    elif group.lines.template.kind("source-ref") == "ref":
        for number, ref in zip(group.lines.numbers.tolist(), group.refs, strict=True):
            proof.refs[number] = ref
    if group.bucket is not None:
        add_count(facts.buckets, group.bucket, Occurrences(int(clean[0]), len(clean)))
        return
    for number in clean.tolist():
        if (bucket := bucket_of(proof.refs[number])) is not None:
            add_count(facts.buckets, bucket, Occurrences(number, 1))


def _remember_placeholders(group: _Group, purpose: Purpose, facts: Facts) -> None:
    template = group.lines.template
    line = rule_line(template.sample, purpose.expected, purpose.told)
    held = np.full(len(group.right), holds_placeholder(line))
    for key in line.value:
        if template.kind(key) in ("ref", "text"):
            texts = _values(group.lines, key)
            held |= np.array([PLACEHOLDER in text and text.startswith("s3://") for text in texts], bool)
    for column in group.columns:
        if template.kind(column.attribute.metadata_key, "job-name") == "text":
            jobs = _values(group.lines, column.attribute.metadata_key, "job-name")
            held |= np.array([PLACEHOLDER in job for job in jobs], bool)
    if len(found := group.lines.numbers[held & group.right]):
        facts.hold(Occurrences(int(found[0]), len(found)), 0)
