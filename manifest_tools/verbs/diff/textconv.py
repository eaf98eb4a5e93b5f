"""A manifest as text that a person can read in a ``git diff``: one line a line, in the order of the file.

The order of keys, spacing and spelling do not show, and everything that means something does. Whatever is in
the file, there is a text for it: git would stop otherwise.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import BadData, NotAManifest
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import attributes_of
from manifest_tools.groundtruth.rows import line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.json_values import canonical
from manifest_tools.io.sources import Block, Source, open_source
from manifest_tools.verbs.diff.contents import decoded
from manifest_tools.verbs.diff.label_meaning import (
    LABELLED,
    Known,
    Meant,
    items_of,
    meant,
)

_APART = "  "


def textconv(manifest: str, jobs: Jobs = None) -> Iterator[str]:
    """Yield a text for every line of a manifest, blank ones too, so that line numbers are the file's.

    A line that is no JSON object is its own text; so is every line of a file that is no manifest.
    """
    for _, part in scan(_source(manifest), texts_of, jobs):
        yield from part.texts


def _source(manifest: str) -> Source:
    try:
        return open_source(manifest)
    except NotAManifest:
        if not os.path.isfile(manifest):
            raise
    return Source(manifest, manifest, os.path.getsize(manifest))


@dataclass(slots=True)
class Texts:
    """The texts of a block's lines."""

    texts: list[str]

    @property
    def lines(self) -> int:
        """How many lines the block has."""
        return len(self.texts)


def texts_of(block: Block) -> Texts:
    """Return the texts of a block's lines."""
    data = block.read()
    starts, ends = (offsets.tolist() for offsets in line_offsets(data))
    return Texts([text_of(data[start:end].strip()) for start, end in zip(starts, ends, strict=True)])


def text_of(line: bytes) -> str:
    """Return what a line says: its picture, then each label with its metadata, then all other keys.

    >>> text_of(b'{"source-ref":"s3://raw/1.jpg","kind":0,"kind-metadata":{"class-name":"RH","confidence":0.5,'
    ...         b'"type":"groundtruth/image-classification"}}')
    's3://raw/1.jpg  kind: 0 RH 0.5'
    """
    value = decoded(line)
    if value is None:
        return line.decode("utf-8", "backslashreplace")
    parts = [str(value.get("source-ref") or value.get("source") or "(no source)")]
    shown = {"source-ref" if value.get("source-ref") else "source"}
    for attribute in sorted(attributes_of(value), key=lambda one: one.name):
        known = Known(attribute.name, attribute.metadata_key, attribute.type, {})
        parts.append(f"{known.name}: {_label(known, line, value)}")
        shown |= {known.name, known.metadata_key}
    rest = {key: inner for key, inner in value.items() if key not in shown}
    return _APART.join([*parts, *_pairs(rest)])


def _pairs(values: Mapping[str, Any]) -> list[str]:
    pairs = sorted(values.items(), key=lambda pair: pair[0])
    return [f"{key}={value if isinstance(value, str) else canonical(value)}" for key, value in pairs]


def _label(known: Known, line: bytes, value: Mapping[str, Any]) -> str:
    label, metadata = value.get(known.name), value[known.metadata_key]
    read = Meant("")
    with contextlib.suppress(BadData):  # a name that no decoder can be made for
        read = meant(known, line, value)
    said = {"type"} if known.type.startswith("groundtruth/") else set()
    if read.state != LABELLED or not known.kind.has_classes:
        words = [canonical(label) if label is not None else read.state]
    elif known.kind.items_have_places and len(items_of(known.kind, label)) == len(read.classes):
        words, said = _places(known, read, label, metadata, said)
    else:
        words, said = _classes(known, read, label, metadata, said)
    rest = {key: inner for key, inner in metadata.items() if key not in said}
    return _APART.join([*words, *_pairs(rest)])


Words = tuple[list[str], set[str]]


def _classes(known: Known, read: Meant, label: Any, metadata: Mapping[str, Any], said: set[str]) -> Words:
    """Return the classes with their confidences; and the metadata fields in which there is nothing else."""
    named = ", ".join(map(_sure, read.classes, read.confidences)) or "no class"
    kind = known.kind
    if kind.schema == "index":
        fields = kind.confidence_fields if any(sure is not None for sure in read.confidences) else ()
        return [f"{canonical(label)} {named}"], said.union(kind.class_fields, fields)
    if kind.schema == "indices":
        indices = set(map(str, label))
        maps = [key for key in kind.index_maps if _keys(metadata.get(key)) == indices]
        return [f"{canonical(label)} {named}"], said.union(maps)
    return [f"{named} in {label if isinstance(label, str) else canonical(label)}"], said


def _keys(value: Any) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


def _places(known: Known, read: Meant, label: Any, metadata: Mapping[str, Any], said: set[str]) -> Words:
    """Return every box with its class, its confidence and where it is; and what else the label has."""
    kind = known.kind
    items = items_of(kind, label)
    words = [f"{len(items)} of them" if len(items) != 1 else "1"]
    for item, name, sure in zip(items, read.classes, read.confidences, strict=True):
        index = "" if kind.index_path is None else item.get(kind.class_key, "")
        called = f"{index if isinstance(index, str) else canonical(index)} {_sure(name, sure)}".strip()
        words.append(f"[{' '.join([called, *_pairs(kind.without_class(item))])}]")
    shares = [key for key in kind.confidence_fields if _are_shares(metadata.get(key), len(items))]
    others = {key: value for key, value in label.items() if key not in (kind.items or ())[:1]}
    return [*words, *_pairs(others)], said.union(shares)


def _are_shares(value: Any, count: int) -> bool:
    """Say whether these are the confidences of ``count`` boxes, and nothing else."""
    if not isinstance(value, list) or len(value) != count:
        return False
    return all(isinstance(one, dict) and set(one) == {"confidence"} for one in value)


def _sure(name: str, confidence: float | None) -> str:
    return name if confidence is None else f"{name} {canonical(confidence)}"
