"""The objects in S3 that lines name: read again where they are needed, and never held."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.errors import Refused
from manifest_tools.base.hashing import hash_texts
from manifest_tools.groundtruth.rows import BadLine, line_offsets, reason
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, Source

_S3 = "s3://"
_SOURCE, _REF = "source-ref", "-ref"
_MOST_BUCKETS = 1000  # a manifest of more is no manifest that anybody wrote


class Reference(NamedTuple):
    """An object that a line names."""

    manifest: str
    line: int
    """The number of the line, from 1."""

    uri: str


@dataclass(slots=True)
class Keys:
    """The keys that lines name in one bucket."""

    lowest: str
    highest: str
    count: int = 0


@dataclass(slots=True)
class References:
    """The objects that manifests name: 90 bytes, at most, for each time that one is named."""

    sources: Sequence[Source]
    masks: bool
    on_disk: int = 0
    """How many are paths, and no objects in S3."""

    buckets: dict[str, Keys] = field(default_factory=dict)
    """By the name of the bucket; what is no URI of an object has none."""

    first: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    """``(references,)``: whether it is the first one of its object."""

    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    """``(objects,)``: of the URIs, in the order in which lines name them first."""

    shares_file: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    """``(objects,)``: whether an earlier object would be the same file, as a//b and a/b would."""

    shares_letters: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    """``(objects,)``: the same where a disk ignores upper and lower case."""

    @property
    def objects(self) -> int:
        """How many objects there are."""
        return len(self.hashes)

    def __iter__(self) -> Iterator[Reference]:
        """Yield the first reference to each object, in the order of the lines."""
        every = (one for block in _blocks(self.sources, self.masks) for one in block)
        return compress((one for one in every if one.uri.startswith(_S3)), self.first.tolist())


def read_references(sources: Sequence[Source], masks: bool) -> References:
    """Return the objects that the manifests name; with ``masks`` those that labels name as well.

    Raises InvalidLine for a line that cannot be read, Refused for a bucket whose name is a placeholder.
    """
    found = References(sources, masks)
    columns: list[list[NDArray[np.uint64]]] = [[], [], []]
    for block in _blocks(sources, masks):
        uris = [one.uri for one in block if one.uri.startswith(_S3)]
        found.on_disk += len(block) - len(uris)
        files = [_file_name(uri) for uri in uris]
        for column, texts in zip(columns, (uris, files, [name.casefold() for name in files]), strict=True):
            column.append(hash_texts(texts))
        _add_keys(found.buckets, uris)
    hashes = _whole(columns[0])
    found.first = _is_first(hashes)
    found.hashes = hashes[found.first]
    found.shares_file = ~_is_first(_whole(columns[1])[found.first])
    found.shares_letters = ~_is_first(_whole(columns[2])[found.first])
    return found


def _whole(parts: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Return the parts as one array and empty their list, so that only one column at a time is copied."""
    whole: NDArray[np.uint64] = np.concatenate([np.zeros(0, np.uint64), *parts])
    parts.clear()
    return whole


def _file_name(uri: str) -> str:
    """Return a URI with one slash where several follow one another: no disk keeps them apart."""
    return "/".join(filter(None, uri.split("/")))


def _is_first(hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    first = np.zeros(len(hashes), bool)
    first[np.unique(hashes, return_index=True)[1]] = True
    return first


def _add_keys(buckets: dict[str, Keys], uris: Iterable[str]) -> None:
    for uri in uris:
        bucket, _, key = uri.removeprefix(_S3).partition("/")
        if not is_bucket(bucket) or not key or "\0" in key:
            continue  # never asked for
        keys = buckets.get(bucket)
        if keys is None:
            keys = buckets[bucket] = Keys(key, key)
            _check_bucket(bucket, len(buckets))
        keys.lowest, keys.highest = min(key, keys.lowest), max(key, keys.highest)
        keys.count += 1


def is_bucket(name: str) -> bool:
    """Say whether a bucket can have the name; a folder of dots alone is another folder."""
    return name.strip(".") != ""


def _check_bucket(bucket: str, count: int) -> None:
    if "#" in bucket:
        placeholder = bucket.partition("-")[0]
        raise Refused(f"s3://{bucket}: {placeholder} is a placeholder; type mtool rewrite --lab ID first")
    if count > _MOST_BUCKETS:
        raise Refused(f"the lines name more than {_MOST_BUCKETS:,} buckets; fetch the pictures in parts")


@dataclass(slots=True)
class _Part:
    lines: int
    found: list[tuple[int, str]]
    """The number of the line in the block, from 0, and what it names."""


def _blocks(sources: Sequence[Source], masks: bool) -> Iterator[list[Reference]]:
    for source in sources:
        for first, part in scan(source, partial(_read_block, masks), 1):
            yield [Reference(source.name, first + number, uri) for number, uri in part.found]


def _read_block(masks: bool, block: Block) -> _Part:
    data = block.read()
    starts, ends = line_offsets(data)
    found: list[tuple[int, str]] = []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        try:
            named = _named_on(line, masks) if line.strip() else []
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadLine(number, reason(line, error)) from error
        found += [(number, uri) for uri in named]
    return _Part(len(starts), found)


class _Line(msgspec.Struct, rename={"source_ref": _SOURCE}, gc=False):
    source_ref: str | None = None


_decode_source = msgspec.json.Decoder(_Line).decode
_decode_refs = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _named_on(line: bytes, masks: bool) -> list[str]:
    """Return what a line names: its source-ref, and with ``masks`` every other ``-ref`` that is in S3."""
    source = _decode_source(line).source_ref
    named = [source] if source else []
    if masks:
        refs = (value for key, value in _decode_refs(line).items() if key.endswith(_REF) and key != _SOURCE)
        texts = (msgspec.json.decode(value) for value in refs)
        named += [text for text in texts if isinstance(text, str) and text.startswith(_S3)]
    return named
