"""What a format cannot hold, counted before anything is written: nothing is lost that was not said."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial

import msgspec

from manifest_tools.base.errors import Refused
from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import clipped
from manifest_tools.formats.table import Format
from manifest_tools.groundtruth.annotations import Batch, DataSet, Picture
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, Source

OUTLINE = "outline"
"""The word for polygons around objects, which no manifest holds."""

# What every format holds that holds labels of the kind.
_HELD = frozenset(("type", "class-name", "class-map", "class_map"))
_CONFIDENCES = frozenset(("confidence", "confidence-map", "confidence_map"))
# Lists that may have a confidence for each of their elements.
_WITH_CONFIDENCES = frozenset(("objects", "entities", "internal-color-map", "color-map"))
_OWN = frozenset(("job-name", "human-annotated", "creation-date"))
_MOST = 100  # words that are counted apart: a hostile manifest has a new key on each line
_SHOWN = 6  # words that a message lists


class WouldLose(Refused):
    """A conversion that would lose what nobody agreed to lose; ``counts`` has what, and how often."""

    def __init__(self, place: str, to: str, counts: Mapping[str, int], side_car: bool) -> None:
        keep = "--side-car to keep them beside it, or " if side_car else ""
        super().__init__(
            f"{place}: {to} cannot hold {in_words(counts)}; type {keep}--allow-loss to go on without"
        )
        self.counts = dict(counts)


def in_words(counts: Mapping[str, int]) -> str:
    """Return what is lost, and how often, the commonest first.

    >>> in_words({"job-name": 3, "confidence": 40})
    'confidence (40), job-name (3)'
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(ranked) - _SHOWN} more" if len(ranked) > _SHOWN else ""
    return ", ".join(f"{clipped(word)} ({count:,})" for word, count in ranked[:_SHOWN]) + more


def lost_of_manifest(source: Source, attribute: LabelAttribute, row: Format, jobs: Jobs) -> dict[str, int]:
    """Return on how many labelled lines there is something that a format cannot hold, by its word."""
    counts: Counter[str] = Counter()
    task = partial(_count_block, attribute.name, attribute.metadata_key, row.holds)
    for _, found in scan(source, task, jobs):
        _add(counts, found.counts)
    return dict(counts)


def lost_of_data_set(data: DataSet, row: Format | None) -> dict[str, int]:
    """Return the same of a data set that was read; ``row`` is None for a manifest, which has no outlines."""
    counts = Counter(data.lost)
    holds = frozenset((*_OWN, "confidence", "image_size")) if row is None else row.holds
    if row is None and data.label_kind != "boxes":
        return dict(counts)
    for pictures in data.parts.values():
        for found in pictures.map(partial(_count_pictures, holds)):
            counts.update(found)
    return dict(counts)


def _count_pictures(holds: frozenset[str], batch: Batch) -> Counter[str]:
    return Counter(word for picture in batch.pictures for word in _words_of(picture) if word not in holds)


def _words_of(picture: Picture) -> Iterator[str]:
    found = picture.provenance
    yield from (
        word
        for word, value in (
            ("job-name", found.job_name),
            ("human-annotated", found.human_annotated),
            ("creation-date", found.creation_date),
        )
        if value is not None
    )
    if any(value is not None for value in picture.confidences) or any(
        box.confidence is not None for box in picture.boxes
    ):
        yield "confidence"
    if any(box.outline for box in picture.boxes):
        yield OUTLINE


@dataclass(slots=True)
class _Found:
    lines: int
    counts: Counter[str] = field(default_factory=Counter)


_Members = dict[str, msgspec.Raw]
_members = msgspec.json.Decoder(_Members)
_NULL = b"null"


def _count_block(attribute: str, metadata_key: str, holds: frozenset[str], block: Block) -> _Found:
    data = block.read()
    found = _Found(data.count(b"\n") + (not data.endswith(b"\n") and bool(data)))
    if _is_all_held(data, attribute, metadata_key, holds):
        return found
    for line in data.split(b"\n"):
        if line.strip():
            words = _words_on(_decoded(line), attribute, metadata_key)
            _add(found.counts, Counter(word for word in dict.fromkeys(words) if word not in holds))
    return found


def _is_all_held(data: bytes, attribute: str, metadata_key: str, holds: frozenset[str]) -> bool:
    """Say whether a block has none but keys that are held, at one go; False also where that is not sure."""
    if "image_size" not in holds and b'"image_size"' in data:
        return False
    try:
        lines = _clean_lines(attribute, metadata_key, holds).decode_lines(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return len(lines) == data.count(b"\n") + (not data.endswith(b"\n"))


@lru_cache(maxsize=8)
def _clean_lines(
    attribute: str, metadata_key: str, holds: frozenset[str]
) -> "msgspec.json.Decoder[msgspec.Struct]":
    """Return a decoder of lines that have nothing but what a format holds; it refuses any other line."""
    with_confidence = _CONFIDENCES | _WITH_CONFIDENCES if "confidence" in holds else frozenset()
    keys = {f"f{at}": key for at, key in enumerate(sorted(_HELD | with_confidence | (_OWN & holds)))}
    empty = msgspec.Raw()
    metadata = msgspec.defstruct(
        "Metadata",
        [(name, msgspec.Raw, empty) for name in keys],
        rename=keys,
        forbid_unknown_fields=True,
        gc=False,
    )
    places = {"ref": "source-ref", "label": attribute, "metadata": metadata_key}
    line = msgspec.defstruct(
        "Line",
        [("ref", msgspec.Raw, empty), ("label", msgspec.Raw, empty), ("metadata", metadata | None, None)],
        rename=places,
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(line)


def _add(counts: Counter[str], more: Mapping[str, int]) -> None:
    for word, count in more.items():
        counts[word if word in counts or len(counts) < _MOST else "other keys"] += count


def _decoded(line: bytes) -> _Members:
    """Return the members of an object; nothing of what cannot be read: that is said by who reads it."""
    try:
        return _members.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _words_on(line: _Members, attribute: str, metadata_key: str) -> Iterable[str]:
    label = line.get(attribute)
    if label is None or bytes(label) == _NULL:
        return
    for key in line:
        if key in (attribute, metadata_key, *SOURCES):
            continue
        if key.endswith(METADATA) and key.removesuffix(METADATA) in line:
            continue
        yield f"label attribute {key}" if key + METADATA in line else f"key {key}"
    if b'"image_size"' in bytes(label):
        yield "image_size"
    for key, value in _decoded(bytes(line.get(metadata_key, _NULL))).items():
        yield from _words_in_metadata(key, bytes(value))


def _words_in_metadata(key: str, value: bytes) -> Iterator[str]:
    if key in _CONFIDENCES or (key in _WITH_CONFIDENCES and b'"confidence"' in value):
        yield "confidence"
    elif key in _OWN:
        yield key
    elif key not in _HELD and key not in _WITH_CONFIDENCES:
        yield f"metadata {key}"
