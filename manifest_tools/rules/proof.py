"""The shortcut: proves most lines of a block clean from a typed peek, so that rules see only the rest.

Of each line only the fields that rules look at are decoded. What they say together (a *shape*: label, class
name, type, and so on) comes again and again, so the rules judge each shape once, on a line made up of it;
URIs and confidences, which differ from line to line, are compared as they are. A rule that looks at anything
else has to be told here; a property test shows that the shortcut hides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from manifest_tools.attributes import attributes_of, check_number
from manifest_tools.record import METADATA
from manifest_tools.rules.doubts import rule_out
from manifest_tools.rules.facts import PLACEHOLDER, Facts, Seen, bucket_of, see
from manifest_tools.rules.reading import decode
from manifest_tools.rules.shapes import (
    NO_ATTRIBUTE,
    Attribute,
    Column,
    Flags,
    Numbers,
    Verdict,
    list_keys,
    list_pairs,
    read_column,
    verdict,
)
from manifest_tools.tasks import room_of

_PLACEHOLDER = PLACEHOLDER.encode()
_LABELS = {"single_label": "index", "verification": "index", "multi_label": "indices"}


@dataclass(slots=True)
class Proof:
    """Which lines of a block are clean, and of those the sources, and a key for the label of each attribute.

    ``bucket`` is set where all clean lines share one.
    """

    clean: Flags
    refs: list[str | None]
    bucket: str | None = None
    labels: dict[str, NDArray[np.uint64]] = field(default_factory=dict)


def prove(
    data: bytes,
    starts: Numbers,
    ends: Numbers,
    known: tuple[str, ...],
    told: str | None,
    purpose: str,
    facts: Facts,
) -> Proof:
    """Return which lines of a block no rule would find anything in; ``facts`` remembers what they show."""
    none = Proof(np.zeros(len(starts), bool), [None] * len(starts))
    attributes = attributes_in(data, starts, ends, known, told)
    if attributes is None or not _is_utf8(data):
        return none
    columns = [read_column(data, starts, ends, one) for one in attributes or [NO_ATTRIBUTE]]
    clean = np.logical_and.reduce([column.sure for column in columns])
    proof = Proof(clean, [None] * len(starts))
    _prove_sources(columns[0], proof)
    verdicts = [[verdict(c.attribute, shape, known, purpose) for shape in c.shapes] for c in columns]
    for column, found in zip(columns, verdicts, strict=True):
        good = np.array([*(one.clean for one in found), False])
        clean &= good[column.codes]
    rule_out(data, starts, ends, columns, told, clean)
    held = _placeholders(data, starts, ends, columns, proof)
    for column, found in zip(columns, verdicts, strict=True):
        _remember(column, found, proof, facts)
    _remember_lines(proof, held, facts)
    return proof


def attributes_in(
    data: bytes, starts: Numbers, ends: Numbers, known: tuple[str, ...], told: str | None
) -> list[Attribute] | None:
    """Return the attributes that are known, or that the first and last lines show; None where one is opaque.

    A known one is peeked at although those lines lack it: another may have its label, without metadata.
    """
    found = {name: Attribute(name, name + METADATA, "index") for name in known}
    for at in {0, len(starts) - 1} if len(starts) else ():
        try:
            value = decode(data[starts[at] : ends[at]])
        except ValueError:
            continue
        for one in attributes_of(value):
            if told not in (None, one.name):
                continue
            form = _LABELS.get(room_of(one.type))
            if form is None and one.state == "labelled":
                return None
            if form is not None:
                found[one.name] = Attribute(one.name, one.metadata_key, form)
    check_number(found)
    return list(found.values())


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _prove_sources(column: Column, proof: Proof) -> None:
    """Rule out the lines without source, or whose ``source-ref`` is no URI of an object."""
    refs = [row.source_ref for row in column.rows]
    if len(refs) == len(proof.refs):
        proof.refs = refs
    bucket = bucket_of(refs[0]) if refs else None
    prefix = f"s3://{bucket}/"
    if bucket and prefix not in refs and _all_begin(refs, prefix):
        proof.bucket = bucket
    for number, row, ref in zip(column.numbers.tolist(), column.rows, refs, strict=True):
        if proof.bucket is not None and refs is proof.refs:
            return
        proof.refs[number] = ref
        proof.clean[number] &= row.source is not None if ref is None else bucket_of(ref) is not None


def _all_begin(refs: Sequence[str | None], prefix: str) -> bool:
    """Say whether every ref begins with ``prefix``; one search through all of them is the quickest way."""
    if None in refs:
        return False
    joined = "\n".join(cast(Sequence[str], refs))
    ends = len(refs) - 1
    return joined.startswith(prefix) and joined.count("\n" + prefix) == joined.count("\n") == ends


def _placeholders(data: bytes, starts: Numbers, ends: Numbers, columns: list[Column], proof: Proof) -> Flags:
    """Return which clean lines hold the placeholder; those where it may stand elsewhere are ruled out."""
    held = np.zeros(len(starts), bool)
    if b"#" not in data or _PLACEHOLDER not in data:
        return held
    held |= np.array([ref is not None and PLACEHOLDER in ref for ref in proof.refs], bool)
    for column in columns:
        if PLACEHOLDER in column.attribute.name:
            held |= column.has_metadata
        jobs = ["" if row.metadata is None else row.metadata.job_name or "" for row in column.rows]
        held[column.numbers] |= np.array([PLACEHOLDER in job for job in jobs], bool)
    for at in np.flatnonzero(proof.clean & ~held).tolist():
        proof.clean[at] = _PLACEHOLDER not in data[starts[at] : ends[at]]
    return held


def _remember(column: Column, verdicts: list[Verdict], proof: Proof, facts: Facts) -> None:
    codes = column.codes[proof.clean]
    lines = np.flatnonzero(proof.clean)
    counts = np.bincount(codes, minlength=len(verdicts)).tolist()
    first = np.zeros(len(verdicts), np.int64)
    first[codes[::-1]] = lines[::-1]  # the last one written is the first of its shape
    for one, at, count in zip(verdicts, first.tolist(), counts, strict=True):
        if count and one.there:
            facts.attributes[column.attribute.name] = column.attribute.metadata_key
            facts.told_lines += count if facts.told is not None else 0
        if count and one.kind is not None:
            see(facts.kinds, one.kind, Seen(at, count))
        for pair in one.pairs if count else ():
            see(facts.classes, pair, Seen(at, count))
    if column.attribute.form == "indices":
        keys = list_keys(column)
        for pair, seen in list_pairs(column, proof.clean).items():
            see(facts.classes, pair, seen)
    else:
        keys = np.array([*(one.key for one in verdicts), 0], np.uint64)[column.codes]
    if keys.any():
        proof.labels[column.attribute.name] = np.where(proof.clean, keys, np.uint64(0))


def _remember_lines(proof: Proof, held: Flags, facts: Facts) -> None:
    clean = np.flatnonzero(proof.clean)
    facts.objects += len(clean)
    if held.any() and len(with_it := np.flatnonzero(held & proof.clean)):
        facts.hold(Seen(int(with_it[0]), len(with_it)), 0)
    if proof.bucket is not None and len(clean):
        see(facts.buckets, proof.bucket, Seen(int(clean[0]), len(clean)))
        return
    for at in clean.tolist():
        if (bucket := bucket_of(proof.refs[at])) is not None:
            see(facts.buckets, bucket, Seen(at, 1))
