"""What a line says beside its labels: keys that only one line of a picture has go on the line that stays."""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts
from manifest_tools.edits.members import overlay_members, read_members
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.io.json_values import same_value

_Raw = dict[str, msgspec.Raw]
_decode = msgspec.json.Decoder(_Raw).decode


def known_keys(attributes: Iterable[LabelAttribute], told: str | None) -> frozenset[str]:
    """Return the keys that merging decides about itself: sources, labels, their metadata, old name and new.

    >>> sorted(known_keys([], "mask-ref"))
    ['mask-metadata', 'mask-ref', 'mask-ref-metadata', 'source', 'source-ref']
    """
    found = {*SOURCES}
    names = [(one.name, one.metadata_key) for one in attributes]
    for name, metadata_key in [*names, *([(told, told + METADATA)] if told else [])]:
        found |= {name, metadata_key, name + METADATA, name.removesuffix("-ref") + METADATA}
    return frozenset(found)


def keys_of_others(lines: Sequence[bytes], known: frozenset[str]) -> NDArray[np.uint64]:
    """Return a key for what each line says beside ``known``, 0 for nothing; the same bytes, the same key."""
    return hash_texts([_text(others(line, known)) if line.strip() else None for line in lines])


def _text(found: _Raw) -> str | None:
    if not found:
        return None
    pairs = (f"{key}\0{bytes(value).decode('utf-8', 'surrogateescape')}" for key, value in found.items())
    return "\0".join(sorted(pairs))


def others(line: bytes, known: frozenset[str]) -> _Raw:
    """Return what a line says beside ``known``, undecoded; of a key that stands twice, the last value."""
    return {key: value for key, value in _decode(line).items() if key not in known}


def given(line: bytes, other: bytes, known: frozenset[str]) -> tuple[bytes, tuple[str, ...]]:
    """Return a line with the keys that only the other has, and the keys for which the two say other things.

    >>> given(b'{"source": "a", "x": 1}', b'{"source": "a", "x": 2, "y": 1.10}', frozenset(["source"]))
    (b'{"source": "a", "x": 1, "y": 1.10}', ('x',))
    """
    own, theirs = others(line, known), others(other, known)
    differing = tuple(key for key, value in theirs.items() if key in own and not _same(own[key], value))
    new = frozenset(theirs.keys() - own.keys())
    return (overlay_members(line, read_members(other, new)) if new else line), differing


def _same(one: msgspec.Raw, other: msgspec.Raw) -> bool:
    """Say whether two values mean the same, whatever the spelling and the order of keys."""
    return bytes(one) == bytes(other) or same_value(msgspec.json.decode(one), msgspec.json.decode(other))
