"""What ``diff`` remembers of a manifest: a few bytes a line, and the label attributes with their classes.

Nothing here stops at a bad line: it has no picture and no label, and equals only a line of the same bytes.
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
from manifest_tools.verbs.diff.label_meaning import Known

# No attribute's name is empty, so of such a line only the source is decoded.
_SOURCE = Peek("", METADATA, "any", (), SOURCES)

Offsets = NDArray[np.int64]


@dataclass(slots=True)
class Shown:
    """What lines show of one label attribute.

    ``classes`` counts what the type has a class for (labels, boxes, entities) by index and name, None where a
    line has no name for it; ``named`` has all that a class map names.
    """

    metadata_key: str
    types: Counter[str] = field(default_factory=Counter)
    labelled: int = 0
    failed: int = 0
    metadata: int = 0
    classes: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    named: dict[tuple[int, str], None] = field(default_factory=dict)

    def add(self, other: "Shown") -> None:
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

    def known(self, name: str) -> Known:
        """Return how to read this attribute, with a name for every index that has one anywhere."""
        names: dict[int, str] = {}
        for (index, called), _ in self.classes.most_common():
            if called is not None:
                names.setdefault(index, called)
        for index, called in self.named:
            names.setdefault(index, called)
        return Known(name, self.metadata_key, self.type, names)


@dataclass(slots=True)
class Contents:
    """A manifest as columns with an element for every line, blank ones too: 24 bytes a line.

    ``keys`` are equal for equal pictures, ``digests`` for equal bytes but for the line end (both 0 on a blank
    line); ``starts`` are byte offsets, and one more where the file ends. ``unread`` counts lines that are no
    JSON object.
    """

    source: Source
    keys: NDArray[np.uint64]
    digests: NDArray[np.uint64]
    starts: Offsets
    attributes: dict[str, Shown]
    unread: int

    def forget_keys(self) -> None:
        """Let go of the columns that only finding the lines takes."""
        self.keys = self.digests = self.keys[:0].copy()

    def range(self, places: Offsets) -> tuple[Offsets, Offsets]:
        """Return where the lines at these places, counted from 0, begin and end."""
        return self.starts[places], self.starts[places + 1]

    def read(self, places: Offsets) -> list[bytes]:
        """Return the lines at these places."""
        return read_ranges(self.source.uri, *self.range(places))


@dataclass(slots=True)
class _Part:
    lines: int
    keys: NDArray[np.uint64]
    digests: NDArray[np.uint64]
    lengths: NDArray[np.uint32]
    attributes: dict[str, Shown]
    unread: int


def contents(source: Source, jobs: Jobs = None) -> Contents:
    """Return what is to be remembered of a manifest, which must be a file on this machine."""
    keys: list[NDArray[np.uint64]] = []
    digests: list[NDArray[np.uint64]] = []
    lengths: list[NDArray[np.uint32]] = []
    attributes: dict[str, Shown] = {}
    unread = 0
    for _, part in scan(source, remember, jobs):
        keys.append(part.keys)
        digests.append(part.digests)
        lengths.append(part.lengths)
        unread += part.unread
        for name, shown in part.attributes.items():
            attributes.setdefault(name, Shown(shown.metadata_key)).add(shown)
        check_number(attributes)
    for name in [name for name in attributes if _is_ref_without_label(name, attributes)]:
        attributes[f"{name}-ref"].failed += attributes.pop(name).failed
    starts = np.append(0, np.cumsum(_whole(lengths), dtype=np.int64))
    return Contents(source, _whole(keys), _whole(digests), starts, attributes, unread)


def _whole(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the parts as one, and let go of them: a column is never in memory twice with the others."""
    whole: NDArray[Any] = np.concatenate(parts)
    parts.clear()
    return whole


def _is_ref_without_label(name: str, attributes: dict[str, Shown]) -> bool:
    """Say whether this is a failed ``mask-ref`` whose metadata key lacks the ``-ref``."""
    ref = attributes.get(f"{name}-ref")
    one = attributes[name]
    return ref is not None and ref.metadata_key == one.metadata_key and not one.labelled


def remember(block: Block) -> _Part:
    """Return what is to be remembered of a block."""
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
    return _Part(len(lines), keys, digests, lengths, _shown(data, starts, ends), unread)


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=8).digest() if line else bytes(8)


def _shown(data: bytes, starts: Offsets, ends: Offsets) -> dict[str, Shown]:
    """Return what a block shows of every label attribute.

    A ``-metadata`` key is spelt once an attribute and line, so counting them proves that those of the first
    line are all there are.
    """
    first = attributes_in(data)
    found = {one.name: _look(one, data, starts, ends) for one in first if one.type}
    spelt = sum(one.metadata for one in found.values())
    escaped = b"\\" in data and b"\\u00" in data
    if escaped or len(found) < len(first) or data.count(METADATA.encode() + b'"') != spelt:
        found = {one.name: _look(one, data, starts, ends) for one in _every_attribute(data, starts, ends)}
    return found


def _every_attribute(data: bytes, starts: Offsets, ends: Offsets) -> Iterator[Attribute]:
    types: dict[tuple[str, str], Counter[str]] = {}
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        for one in attributes_of(decoded(data[start:end])):
            types.setdefault((one.name, one.metadata_key), Counter())[one.type] += bool(one.type)
        check_number(types)
    for (name, key), kinds in types.items():
        yield Attribute(name, key, kinds.most_common(1)[0][0], "")


def decoded(line: bytes) -> dict[str, Any] | None:
    """Return what a line says, None where it is no JSON object."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _look(attribute: Attribute, data: bytes, starts: Offsets, ends: Offsets) -> Shown:
    kind = label_kind(attribute.type)
    peek = Peek(attribute.name, attribute.metadata_key, kind.schema, kind.class_fields)
    rows, _ = decodable(data, starts, ends, peek)
    shown = Shown(attribute.metadata_key)
    labelled = [row for row in rows if row.label is not None]
    shown.labelled = len(labelled)
    shown.metadata = sum(row.metadata is not None for row in rows)
    shown.failed = sum(state(row) == "failed" for row in rows) if len(labelled) < len(rows) else 0
    shown.types[attribute.type] += shown.labelled
    if kind.schema == "index":
        _count_single(labelled, shown)
    else:
        _count_classes(kind, labelled, shown)
    return shown


def _count_single(labelled: list[Row], shown: Shown) -> None:
    names = [None if row.metadata is None else row.metadata.class_name for row in labelled]
    for (label, name), count in Counter(zip([row.label for row in labelled], names, strict=True)).items():
        try:
            shown.classes[class_index(label), name] += count
        except ValueError:
            continue


def _count_classes(kind: LabelKind, labelled: list[Row], shown: Shown) -> None:
    for row in labelled:
        try:
            names = dict(kind.names(row))
            shown.classes.update((index, names.get(index)) for index in kind.indices(row))
        except ValueError:
            continue
        shown.named |= dict.fromkeys(names.items())
