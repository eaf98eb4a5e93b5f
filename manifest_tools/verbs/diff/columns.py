"""What ``diff`` remembers of a manifest: a few bytes a line, and the label attributes with their classes.

A bad line stops nothing: it has no picture and no label, and equals only a line of the same bytes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.attributes import Attribute, attributes_in, attributes_of
from manifest_tools.groundtruth.classes import class_index
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.record import METADATA, SOURCES, Peek, Row, state
from manifest_tools.groundtruth.rows import decodable, line_offsets
from manifest_tools.groundtruth.scan import scan
from manifest_tools.groundtruth.survey import check_number
from manifest_tools.io.byte_ranges import read_ranges
from manifest_tools.io.sources import Block, Source
from manifest_tools.verbs.diff.label_meaning import KnownAttribute

# No attribute's name is empty, so of such a line only the source is decoded.
_SOURCE = Peek("", METADATA, "any", (), SOURCES)

Offsets = NDArray[np.int64]


@dataclass(slots=True)
class ObservedAttribute:
    """One label attribute, as the lines of a file or of a block show it."""

    metadata_key: str
    types: Counter[str] = field(default_factory=Counter)
    """Labelled lines, by task type."""

    labelled: int = 0
    """Lines with a label."""

    failed: int = 0
    """Lines on which labeling failed."""

    metadata: int = 0
    """Lines with the metadata; of a block only."""

    classes: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    """Items (labels, boxes, entities), by index and name of the class; None: the line has no name for it."""

    named: dict[tuple[int, str], None] = field(default_factory=dict)
    """All pairs of index and name in class maps, with or without an item."""

    def add(self, other: "ObservedAttribute") -> None:
        """Add what another block shows."""
        self.types.update(other.types)
        self.labelled += other.labelled
        self.failed += other.failed
        self.classes.update(other.classes)
        self.named |= other.named

    @property
    def type(self) -> str:
        """The type of most lines."""
        return max(self.types, key=lambda name: self.types[name], default="")

    def known(self, name: str) -> KnownAttribute:
        """Return how to read this attribute, with a name for every index that has one on any line."""
        pairs = [*(pair for pair, _ in self.classes.most_common()), *self.named]
        names: dict[int, str] = {}
        for index, class_name in pairs:
            if class_name is not None:
                names.setdefault(index, class_name)
        return KnownAttribute(name, self.metadata_key, self.type, names)


@dataclass(slots=True)
class BlockColumns:
    """The lines of a block, blank ones too."""

    source_keys: NDArray[np.uint64]
    """(lines,): the same for equal pictures (or texts); of a line without a source, its digest."""

    digests: NDArray[np.uint64]
    """(lines,): the same for equal bytes, whatever the line end; 0 for a blank line."""

    lengths: NDArray[np.uint32]
    """(lines,): bytes, with the line end."""

    attributes: dict[str, ObservedAttribute]
    unread: int
    """Lines that are no JSON object with a source."""

    @property
    def lines(self) -> int:
        """How many lines the block has."""
        return len(self.lengths)


@dataclass(slots=True)
class ManifestColumns:
    """The lines of a manifest, blank ones too: 24 bytes a line."""

    source: Source
    source_keys: NDArray[np.uint64]
    """(lines,): as in ``BlockColumns``."""

    digests: NDArray[np.uint64]
    """(lines,): as in ``BlockColumns``."""

    starts: Offsets
    """(lines + 1,): where each line begins, and where the file ends."""

    attributes: dict[str, ObservedAttribute]
    unread: int
    """Lines that are no JSON object with a source."""

    def forget_keys(self) -> None:
        """Let go of the columns that only matching needs."""
        self.source_keys = self.digests = self.digests[:0].copy()

    def range(self, indices: Offsets) -> tuple[Offsets, Offsets]:
        """Return where lines begin and end, by their indices from 0, which are (any,)."""
        return self.starts[indices], self.starts[indices + 1]

    def read(self, indices: Offsets) -> list[bytes]:
        """Return lines by their indices from 0."""
        return read_ranges(self.source.uri, *self.range(indices))


def read_columns(source: Source, jobs: Jobs = None) -> ManifestColumns:
    """Return what is remembered of a manifest, which must be a file on this machine."""
    keys: list[NDArray[np.uint64]] = []
    digests: list[NDArray[np.uint64]] = []
    lengths: list[NDArray[np.uint32]] = []
    attributes: dict[str, ObservedAttribute] = {}
    unread = 0
    for _, block in scan(source, read_block, jobs):
        keys.append(block.source_keys)
        digests.append(block.digests)
        lengths.append(block.lengths)
        unread += block.unread
        for name, observed in block.attributes.items():
            attributes.setdefault(name, ObservedAttribute(observed.metadata_key)).add(observed)
        check_number(attributes)
    for name in [name for name in attributes if _is_ref_without_label(name, attributes)]:
        attributes[f"{name}-ref"].failed += attributes.pop(name).failed
    starts = np.append(0, np.cumsum(_joined(lengths), dtype=np.int64))
    return ManifestColumns(source, _joined(keys), _joined(digests), starts, attributes, unread)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the parts as one, and let go of them: a column is never in memory twice with the others."""
    joined: NDArray[Any] = np.concatenate(parts)
    parts.clear()
    return joined


def _is_ref_without_label(name: str, attributes: dict[str, ObservedAttribute]) -> bool:
    """Say whether this is a failed ``mask-ref`` whose metadata key lacks the ``-ref``."""
    ref = attributes.get(f"{name}-ref")
    one = attributes[name]
    return ref is not None and ref.metadata_key == one.metadata_key and not one.labelled


def read_block(block: Block) -> BlockColumns:
    """Return what is remembered of a block."""
    data = block.read()
    starts, ends = line_offsets(data)
    lines = [data[start:end].strip() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    digests = np.frombuffer(b"".join([_digest(line) for line in lines]), "<u8").astype(np.uint64)
    rows, numbers = decodable(data, starts, ends, _SOURCE)
    keys = digests.copy()
    sources = hash_texts([row.source_ref or row.source for row in rows]) if rows else keys[:0]
    keys[numbers] = np.where(sources == 0, keys[numbers], sources)
    lengths = (ends - starts).astype(np.uint32)
    unread = int((digests != 0).sum()) - len(rows)
    return BlockColumns(keys, digests, lengths, _observed_attributes(data, starts, ends), unread)


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=8).digest() if line else bytes(8)


def _observed_attributes(data: bytes, starts: Offsets, ends: Offsets) -> dict[str, ObservedAttribute]:
    """Return what a block shows of every label attribute.

    A ``-metadata`` key is spelt once an attribute and line, so counting them proves that those of the first
    line are all there are.
    """
    first = attributes_in(data)
    found = {
        one.name: _observe(one, data, starts, ends) for one in first if one.type and one.state != "unlabelled"
    }
    spelt = sum(one.metadata for one in found.values())
    escaped = b"\\" in data and b"\\u00" in data
    if escaped or len(found) < len(first) or data.count(METADATA.encode() + b'"') != spelt:
        found = {one.name: _observe(one, data, starts, ends) for one in _every_attribute(data, starts, ends)}
    return found


def _every_attribute(data: bytes, starts: Offsets, ends: Offsets) -> Iterator[Attribute]:
    types: dict[tuple[str, str], Counter[str]] = {}
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        for one in attributes_of(decoded(data[start:end])):
            if one.state != "unlabelled":
                types.setdefault((one.name, one.metadata_key), Counter())[one.type] += bool(one.type)
        check_number(types)
    for (name, key), counts in types.items():
        yield Attribute(name, key, counts.most_common(1)[0][0], "")


def decoded(line: bytes) -> dict[str, Any] | None:
    """Return a line decoded, None where it is no JSON object."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _observe(attribute: Attribute, data: bytes, starts: Offsets, ends: Offsets) -> ObservedAttribute:
    kind = label_kind(attribute.type)
    peek = Peek(attribute.name, attribute.metadata_key, kind.schema, kind.class_fields)
    rows, _ = decodable(data, starts, ends, peek)
    found = ObservedAttribute(attribute.metadata_key)
    labelled = [row for row in rows if row.label is not None]
    found.labelled = len(labelled)
    found.metadata = sum(row.metadata is not None for row in rows)
    found.failed = sum(state(row) == "failed" for row in rows) if len(labelled) < len(rows) else 0
    found.types[attribute.type] += found.labelled
    if kind.schema == "index":
        _count_single(labelled, found)
    else:
        _count_classes(kind, labelled, found)
    return found


def _count_single(labelled: list[Row], found: ObservedAttribute) -> None:
    names = [None if row.metadata is None else row.metadata.class_name for row in labelled]
    for (label, name), count in Counter(zip([row.label for row in labelled], names, strict=True)).items():
        try:
            found.classes[class_index(label), name] += count
        except ValueError:
            continue


def _count_classes(kind: LabelKind, labelled: list[Row], found: ObservedAttribute) -> None:
    for row in labelled:
        try:
            names = dict(kind.names(row))
            found.classes.update((index, names.get(index)) for index in kind.indices(row))
        except ValueError:
            continue
        found.named |= dict.fromkeys(names.items())
