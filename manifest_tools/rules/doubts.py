"""Which lines the shortcut cannot vouch for although their fields are right: for their keys or length."""

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np

from manifest_tools.record import METADATA
from manifest_tools.rules.shapes import Column, Flags, Numbers
from manifest_tools.rules.source import DOUBLED, LONGEST_ATTRIBUTE, is_odd
from manifest_tools.spans import spell

_TWIN = METADATA.encode() + b'"'
_DOUBLED = DOUBLED.encode()
_ESCAPED = re.compile(rb"\\u00[0-7]")  # what could as well be spelt as it is, in a key perhaps

Doubt = Callable[[bytes], object]


def rule_out(
    data: bytes, starts: Numbers, ends: Numbers, columns: list[Column], told: str | None, clean: Flags
) -> None:
    """Take lines out of ``clean`` whose keys or length a rule may have something to say of."""
    clean &= ends - starts <= LONGEST_ATTRIBUTE
    expected = np.sum([column.has_metadata for column in columns], axis=0)
    other = _other_attributes(data, expected, told)
    doubts = list(_doubts(data, columns))
    if not other and not doubts:
        return
    for at in np.flatnonzero(clean).tolist():
        line = data[starts[at] : ends[at]]
        if (other and line.count(_TWIN) != expected[at]) or any(doubt(line) for doubt in doubts):
            clean[at] = False


def _other_attributes(data: bytes, expected: Numbers, told: str | None) -> bool:
    """Say whether a line may have another label attribute than those peeked at.

    Among escapes, one key more and one fewer could make the same sum.
    """
    return told is None and (_has_escapes(data) or data.count(_TWIN) != int(expected.sum()))


def _has_escapes(data: bytes) -> bool:
    # One byte is found ten times faster than two.
    return b"\\" in data and b"\\u" in data


def _doubts(data: bytes, columns: list[Column]) -> Iterator[Doubt]:
    """Yield what to ask of each line, where the block as a whole does not answer it."""
    escapes = _has_escapes(data)
    if escapes:
        yield _ESCAPED.search
    if _DOUBLED in data or (escapes and b"s3:" in data):
        yield lambda line: _DOUBLED in line
    for key, times in _keys_that_decide(columns):
        if escapes or data.count(key) != times:
            yield _twice(key)
    if not all(column.alone for column in columns) or any(is_odd(key) for key in _names(columns)):
        yield _has_odd_key


def _names(columns: list[Column]) -> Sequence[str]:
    return [key for column in columns for key in column.attribute.keys]


def _keys_that_decide(columns: list[Column]) -> Iterator[tuple[bytes, int]]:
    """Yield, as they are spelt, keys that no line may have twice, and how many lines have each."""
    first = columns[0]
    yield b'"source-ref"', sum([row.source_ref is not None for row in first.rows])
    yield b'"source"', sum([row.source is not None for row in first.rows])
    for column in columns:
        label, metadata = column.attribute.keys
        yield spell(label), sum([row.label is not None for row in column.rows])
        yield spell(metadata), int(column.has_metadata.sum())


def _twice(key: bytes) -> Doubt:
    pattern = re.compile(re.escape(key) + rb"\s*:")
    return lambda line: len(pattern.findall(line)) > 1


_keys = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _has_odd_key(line: bytes) -> bool:
    return any(is_odd(key) for key in _keys.decode(line))
