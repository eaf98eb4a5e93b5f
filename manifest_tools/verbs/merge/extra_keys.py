"""Extra keys: what a line has beside its source and labels. Lines left out give them to the line kept."""

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


def handled_keys(attributes: Iterable[LabelAttribute], requested: str | None) -> frozenset[str]:
    """Return the keys that are no extra keys: sources, and label attributes with their metadata.

    ``requested`` is the name that a label attribute gets.

    >>> sorted(handled_keys([], "mask-ref"))
    ['mask-metadata', 'mask-ref', 'mask-ref-metadata', 'source', 'source-ref']
    """
    found = {*SOURCES}
    names = [(one.name, one.metadata_key) for one in attributes]
    for name, metadata_key in [*names, *([(requested, requested + METADATA)] if requested else [])]:
        found |= {name, metadata_key, name + METADATA, name.removesuffix("-ref") + METADATA}
    return frozenset(found)


def hash_extra_keys(lines: Sequence[bytes], handled: frozenset[str]) -> NDArray[np.uint64]:
    """Return, as (lines,), a hash of the extra keys of each line with their values; 0 for none."""
    return hash_texts([_text(_extra_keys(line, handled)) if line.strip() else None for line in lines])


def _text(found: _Raw) -> str | None:
    if not found:
        return None
    pairs = (f"{key}\0{bytes(value).decode('utf-8', 'surrogateescape')}" for key, value in found.items())
    return "\0".join(sorted(pairs))


def _extra_keys(line: bytes, handled: frozenset[str]) -> _Raw:
    """Return the extra keys of a line, undecoded; of a duplicate key, the last value."""
    return {key: value for key, value in _decode(line).items() if key not in handled}


def add_extra_keys(line: bytes, other: bytes, handled: frozenset[str]) -> tuple[bytes, tuple[str, ...]]:
    """Return a line with the extra keys that only the other has, and the keys that have other values there.

    >>> handled = frozenset(["source"])
    >>> add_extra_keys(b'{"source": "a", "x": 1}', b'{"source": "a", "x": 2, "y": 1.10}', handled)
    (b'{"source": "a", "x": 1, "y": 1.10}', ('x',))
    """
    own, others = _extra_keys(line, handled), _extra_keys(other, handled)
    differing = tuple(key for key, value in others.items() if key in own and not _same(own[key], value))
    new = frozenset(others.keys() - own.keys())
    return (overlay_members(line, read_members(other, new)) if new else line), differing


def _same(one: msgspec.Raw, other: msgspec.Raw) -> bool:
    return bytes(one) == bytes(other) or same_value(msgspec.json.decode(one), msgspec.json.decode(other))
