"""A manifest as text that a person can read in a ``git diff``: one line for each line, in the same order.

The text shows everything that has a meaning, and not the order of keys, the spacing or the spelling. There is
a text for any file, because git stops where there is none.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manifest_tools.base.errors import BadData, NotAManifest
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import attributes_of
from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.groundtruth.rows import line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.json_values import canonical
from manifest_tools.io.sources import Block, Source, open_source
from manifest_tools.verbs.diff.columns import decoded
from manifest_tools.verbs.diff.label_meaning import (
    LABELLED,
    KnownAttribute,
    LabelMeaning,
    items_of,
    label_meaning,
)

_SEPARATOR = "  "


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
    """Return a line as text: its picture, then each label with its metadata, then all other keys.

    >>> text_of(b'{"source-ref":"s3://raw/1.jpg","kind":0,"kind-metadata":{"class-name":"RH","confidence":0.5,'
    ...         b'"type":"groundtruth/image-classification"}}')
    's3://raw/1.jpg  kind: 0 RH 0.5'
    """
    value = decoded(line)
    if value is None:
        return line.decode("utf-8", "backslashreplace")
    parts = [str(value.get("source-ref") or value.get("source") or "(no source)")]
    used = {"source-ref" if value.get("source-ref") else "source"}
    for attribute in sorted(attributes_of(value), key=lambda one: one.name):
        known = KnownAttribute(attribute.name, attribute.metadata_key, attribute.type, {})
        parts.append(f"{known.name}: {_label(known, line, value)}")
        used |= {known.name, known.metadata_key}
    rest = {key: inner for key, inner in value.items() if key not in used}
    return _SEPARATOR.join([*parts, *_pairs(rest)])


def _pairs(values: Mapping[str, Any]) -> list[str]:
    pairs = sorted(values.items(), key=lambda pair: pair[0])
    return [f"{key}={value if isinstance(value, str) else canonical(value)}" for key, value in pairs]


def _label(known: KnownAttribute, line: bytes, value: Mapping[str, Any]) -> str:
    kind, label, metadata = known.kind, value.get(known.name), value[known.metadata_key]
    meaning = LabelMeaning("")
    with contextlib.suppress(BadData):  # a name that no decoder can be made for
        meaning = label_meaning(known, line, value)
    used: set[str] = set()
    if meaning.state != LABELLED or not kind.has_classes:
        words = [canonical(label) if label is not None else meaning.state]
    elif kind.items_have_positions and len(items_of(kind, label)) == len(meaning.classes):
        words, used = _items(kind, meaning, label, metadata)
    else:
        words, used = _classes(kind, meaning, label, metadata)
    if metadata.get("type") == known.type and known.type.startswith("groundtruth/"):
        used = {*used, "type"}
    rest = {key: inner for key, inner in metadata.items() if key not in used}
    return _SEPARATOR.join([*words, *_pairs(rest)])


Words = tuple[list[str], set[str]]
"""The words for a label, and the metadata fields that say nothing more."""


def _classes(kind: LabelKind, meaning: LabelMeaning, label: Any, metadata: Mapping[str, Any]) -> Words:
    """Return the classes with their confidences."""
    names = ", ".join(map(_with_confidence, meaning.classes, meaning.confidences)) or "no class"
    if kind.schema == "index":
        any_confidence = any(one is not None for one in meaning.confidences)
        fields = (*kind.class_fields, *(kind.confidence_fields if any_confidence else ()))
        return [f"{canonical(label)} {names}"], set(fields)
    if kind.schema == "indices":
        indices = set(map(str, label))
        maps = {key for key in kind.index_maps if _keys(metadata.get(key)) == indices}
        return [f"{canonical(label)} {names}"], maps
    return [f"{names} in {label if isinstance(label, str) else canonical(label)}"], set()


def _keys(value: Any) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


def _items(kind: LabelKind, meaning: LabelMeaning, label: Any, metadata: Mapping[str, Any]) -> Words:
    """Return every box with its class, its confidence and where it is; and what else the label has."""
    items = items_of(kind, label)
    words = [f"{len(items)} of them" if len(items) != 1 else "1"]
    for item, name, confidence in zip(items, meaning.classes, meaning.confidences, strict=True):
        index = "" if kind.index_path is None else item.get(kind.class_key, "")
        number = index if isinstance(index, str) else canonical(index)
        named = f"{number} {_with_confidence(name, confidence)}".strip()
        words.append(f"[{' '.join([named, *_pairs(kind.without_class(item))])}]")
    fields = {key for key in kind.confidence_fields if _only_confidences(metadata.get(key), len(items))}
    others = {key: value for key, value in label.items() if key not in (kind.items or ())[:1]}
    return [*words, *_pairs(others)], fields


def _only_confidences(value: Any, count: int) -> bool:
    """Say whether these are the confidences of ``count`` boxes, and nothing else."""
    if not isinstance(value, list) or len(value) != count:
        return False
    return all(isinstance(one, dict) and set(one) == {"confidence"} for one in value)


def _with_confidence(name: str, confidence: float | None) -> str:
    return name if confidence is None else f"{name} {canonical(confidence)}"
