"""Fixes the problems that have one right answer, in place: ``mtool validate --fix``.

A line is edited by the byte ranges of its parts, so that nothing else on it changes.
"""

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from manifest_tools.base.arguments import AnyPath, AnyPaths, as_text, as_texts
from manifest_tools.base.errors import NotAManifest, Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.groundtruth.attributes import attributes_of
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.groundtruth.rows import decode, line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.byte_ranges import ByteRanges
from manifest_tools.io.json_spans import Edit, Span, decode_string, encode_string, members, spans_at, splice
from manifest_tools.io.sinks import check_key, publishing
from manifest_tools.io.sources import Block, Source
from manifest_tools.verbs.validate.engine.unpaired_metadata import (
    Renaming,
    Unpaired,
    renamings,
    unpaired_metadata,
)
from manifest_tools.verbs.validate.rules.line.source import DOUBLED

BLANK_LINES, FINAL_NEWLINE = "MT104", "MT105"

# What is done, by the code of the problem.
DONE = {
    BLANK_LINES: "blank lines removed",
    FINAL_NEWLINE: "newline added at the end",
    "MT115": "second s3:// removed",
    "MT213": "metadata renamed after its label",
    "MT215": "class index written as a number",
}

_REPEATED = re.compile("^(s3://)+")


@dataclass(slots=True)
class Fixed:
    """What was fixed in one manifest."""

    manifest: str
    """Its path or URI."""
    counts: Counter[str] = field(default_factory=Counter)
    """Lines, by the code of the problem."""


def fix(
    *manifests: AnyPath,
    select: AnyPaths | None = None,
    dry_run: bool = False,
    kms_key: str | None = None,
    jobs: Jobs = None,
) -> list[Fixed]:
    """Fix manifests in place, all of them or none, and return what was done to each.

    ``select`` names the codes of DONE that are fixed, all by default. A line that cannot be read stays as it
    is, and ``validate`` reports it; a manifest with nothing to fix is not written. ``kms_key`` encrypts what
    goes to S3. Raises Refused for an input that cannot be replaced: standard input, a compressed file.
    """
    names = list(map(as_text, manifests))
    check_key(kms_key, names)
    codes = frozenset(DONE if select is None else as_texts(select))
    sources = [source for name in names if (source := _source(name)) is not None]
    results = []
    with publishing(force=True, sync=True, kms_key=kms_key) as publication:
        for source in sources:
            result = Fixed(source.name)
            results.append(result)
            stream = None if dry_run else publication.open(source.uri)
            known = _learn(source, codes, jobs)
            for _, part in scan(source, partial(_fix_block, codes, known), jobs):
                result.counts.update(part.counts)
                if stream is not None:
                    stream.write(part.kept.read())
            if not dry_run and not result.counts:
                publication.drop(source.uri)
        for source in sources:
            source.check_unchanged()
    return results


def _source(name: str) -> Source | None:
    try:
        source = open_manifest(name)
    except NotAManifest:
        return None
    if source.copy is not None or name.endswith(".gz"):
        way_out = f"; type: mtool filter {shlex.quote(name)} -o FILE" if source.stands_in else ""
        raise Refused(
            f"{source.name}: cannot be fixed in place: --fix needs a plain file, which it replaces{way_out}"
        )
    return source


@dataclass(frozen=True, slots=True)
class Known:
    """What other lines of the file show, so that all problems of one kind are fixed, or none."""

    renamings: Mapping[str, Renaming] = field(default_factory=dict)
    """How metadata without a label is to be called, by its key; empty: as each line shows."""

    types: Mapping[str, str] = field(default_factory=dict)
    """The task type of each label attribute."""


@dataclass(slots=True)
class _Learnt:
    lines: int
    unpaired: dict[Unpaired, None] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


def _learn(source: Source, codes: frozenset[str], jobs: Jobs) -> Known:
    """Read a manifest for what its lines show of one another."""
    if not codes & EDITS.keys():
        return Known()
    unpaired: dict[Unpaired, None] = {}
    types: dict[str, str] = {}
    for _, part in scan(source, _learn_block, jobs):
        unpaired |= part.unpaired
        types = part.types | types
    return Known(renamings(unpaired), types)


def _learn_block(block: Block) -> _Learnt:
    data = block.read()
    starts, ends = line_offsets(data)
    found = _Learnt(len(starts))
    for start, end in zip(starts, ends, strict=True):
        try:
            value = decode(data[start:end])
        except ValueError:
            continue
        if not isinstance(value, dict):
            continue
        for one in unpaired_metadata(value):
            found.unpaired[one] = None
            if one.evident is not None and isinstance(type_name := value[one.key]["type"], str):
                found.types.setdefault(one.evident, type_name)
        for attribute in attributes_of(value):
            found.types.setdefault(attribute.name, attribute.type)
    return found


@dataclass(slots=True)
class _FixedPart:
    lines: int
    counts: Counter[str]
    kept: ByteRanges


def _fix_block(codes: frozenset[str], known: Known, block: Block) -> _FixedPart:
    data = block.read()
    starts, ends = line_offsets(data)
    counts: Counter[str] = Counter()
    lines = [
        _fix_line(data[start:end], codes, known, counts) for start, end in zip(starts, ends, strict=True)
    ]
    if FINAL_NEWLINE in codes and lines and lines[-1] and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\r\n" if data.endswith(b"\r\n", 0, int(starts[-1])) else b"\n"
        counts[FINAL_NEWLINE] += 1
    whole = ByteRanges(edited=b"".join(lines)) if counts else _unchanged(block, data)
    return _FixedPart(len(starts), counts, whole)


def _unchanged(block: Block, data: bytes) -> ByteRanges:
    import numpy as np

    if block.data is not None:
        return ByteRanges(edited=data)
    return ByteRanges(block, np.array([0]), np.array([len(data)]))


def _fix_line(line: bytes, codes: frozenset[str], known: Known, counts: Counter[str]) -> bytes:
    if not line.strip():
        if BLANK_LINES not in codes:
            return line
        counts[BLANK_LINES] += 1
        return b""
    try:
        value = decode(line)
    except ValueError:
        return line
    if not isinstance(value, dict):
        return line
    new, fixed = fix_line(line, value, codes, known)
    counts.update(fixed)
    # A fixed line may show the next problem: a label whose metadata had another name, for example.
    return _fix_line(new, codes, known, counts) if fixed else new


def fix_line(
    line: bytes, value: Mapping[str, Any], codes: frozenset[str], known: Known | None = None
) -> tuple[bytes, list[str]]:
    """Return a line with the problems of some codes fixed, and the codes that it had.

    ``known`` is what other lines show; None where the line stands alone.

    >>> fix_line(b'{"source-ref": "s3://s3://b/k"}', {"source-ref": "s3://s3://b/k"}, frozenset(EDITS))
    (b'{"source-ref": "s3://b/k"}', ['MT115'])
    """
    edits: list[Edit] = []
    fixed: list[str] = []
    for code, edits_of in EDITS.items():
        found = list(edits_of(line, value, known or Known())) if code in codes else []
        edits += found
        fixed += [code] if found else []
    return splice(line, edits), fixed


def one_scheme(line: bytes, value: Mapping[str, Any], known: Known) -> Iterator[Edit]:
    """Remove the second s3:// from the URI of an object; a text is left alone."""
    for member in members(line):
        uri = _string(line, member.value)
        if uri.startswith(DOUBLED) and decode_string(line, member.key).endswith("-ref"):
            yield member.value, encode_string(_REPEATED.sub("s3://", uri))


def own_metadata(line: bytes, value: Mapping[str, Any], known: Known) -> Iterator[Edit]:
    """Rename metadata after its label, unless the file has a line on which nothing shows what that is."""
    for found in unpaired_metadata(value):
        renaming = known.renamings.get(found.key, Renaming((), True))
        name = renaming.label(found) if renaming.complete else None
        for member in members(line) if name is not None else ():
            if decode_string(line, member.key) == found.key:
                yield member.key, encode_string(f"{name}{METADATA}")


def index_as_number(line: bytes, value: Mapping[str, Any], known: Known) -> Iterator[Edit]:
    """Write a class index as a number, also of a label that has metadata on other lines only."""
    types = dict(known.types) | {one.name: one.type for one in attributes_of(value)}
    kinds = {name: label_kind(type_name) for name, type_name in types.items() if name in value}
    numbers = {
        name: kind for name, kind in kinds.items() if kind.is_classification and not kind.index_is_text
    }
    for member in members(line) if numbers else ():
        kind = numbers.get(decode_string(line, member.key))
        for span in spans_at(line, member.value, kind.item_classes or ()) if kind else ():
            index = index_of(_string(line, span))
            if index is not None:
                yield span, str(index).encode()


def _string(line: bytes, span: Span) -> str:
    """Return the string at a span; an empty one where another value is."""
    return decode_string(line, span) if line[span.start : span.start + 1] == b'"' else ""


# How a line is edited, by the code of the problem that this fixes.
EDITS: dict[str, Callable[[bytes, Mapping[str, Any], Known], Iterator[Edit]]] = {
    "MT115": one_scheme,
    "MT213": own_metadata,
    "MT215": index_as_number,
}
