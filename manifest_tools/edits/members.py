"""Edits of a whole line: attributes out of it, attributes over it, other class indices into it.

Byte ranges through ``spans``; each raises ValueError where the line is not what it should be.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from manifest_tools.io.json_spans import (
    Edit,
    Member,
    Span,
    decode_string,
    encode_string,
    find,
    items,
    keep_elements,
    members,
    splice,
)

Moves = Mapping[int, int]
Named = tuple[str, bytes]


def without(line: bytes, keys: frozenset[str]) -> bytes:
    """Return the line without some of its members.

    >>> without(b'{"a": 1, "b": 2, "c": 3}', frozenset("b"))
    b'{"a": 1, "c": 3}'
    """
    found = list(members(line))
    keep = [decode_string(line, member.key) not in keys for member in found]
    if all(keep):
        return line
    return splice(line, [keep_elements(line, _object(line), list(map(_whole, found)), keep)])


def taken(line: bytes, keys: frozenset[str]) -> tuple[Named, ...]:
    """Return members with their bytes as they stand, key and value.

    >>> taken(b'{"a": 1.10 , "b" : 2}', frozenset("ab"))
    (('a', b'"a": 1.10'), ('b', b'"b" : 2'))
    """
    found = ((decode_string(line, member.key), _whole(member)) for member in members(line))
    return tuple((key, line[span.start : span.end]) for key, span in found if key in keys)


def laid_over(line: bytes, donated: Sequence[Named], instead: frozenset[str] = frozenset()) -> bytes:
    """Return the line with members of another: in the place of its own, or before the final ``}``.

    What is called as in ``instead``, and not donated, goes. New members are parted as the line parts its own.

    >>> laid_over(b'{"a": 1, "b": 2}', (("c", b'"c":3'), ("a", b'"a":4')))
    b'{"a":4, "b": 2, "c":3}'
    """
    new = dict(donated)
    gone = instead - new.keys()
    line = without(line, gone) if gone else line
    found = list(members(line))
    keys = [decode_string(line, member.key) for member in found]
    edits: list[Edit] = [(_whole(m), new[key]) for key, m in zip(keys, found, strict=True) if key in new]
    added = [spelt for key, spelt in new.items() if key not in keys]
    if added:
        mark = _between(line, found)
        at = found[-1].value.end if found else _object(line).start + 1
        edits.append((Span(at, at), (mark if found else b"") + mark.join(added)))
    return splice(line, edits)


def _between(line: bytes, found: list[Member]) -> bytes:
    """Return what stands between the last two members."""
    return line[found[-2].value.end : found[-1].key.start] if len(found) > 1 else b","


def _whole(member: Member) -> Span:
    return Span(member.key.start, member.value.end)


def _object(line: bytes) -> Span:
    return Span(line.index(b"{"), line.rindex(b"}") + 1)


def moved(line: bytes, attribute: str, metadata_key: str, kind: str, moves: Moves) -> bytes:
    """Return the line with other class indices, in its label and in the maps of its metadata.

    A label that is a string of digits stays one.

    >>> line = b'{"t": [3, "0"], "t-metadata": {"class-map": {"3": "rain", "0": "night"}}}'
    >>> moved(line, "t", "t-metadata", "multi_label", {3: 0, 0: 3})
    b'{"t": [0, "3"], "t-metadata": {"class-map": {"0": "rain", "3": "night"}}}'
    """
    edits: list[Edit] = []
    for member in find(line, attribute):
        if kind in _LABELS and line[member.value.start : member.value.end] != b"null":
            edits += (_index(line, span, moves) for span in _LABELS[kind](line, member.value))
    for name in _MAPS.get(kind, ()):
        for table in find(line, metadata_key, name):
            if line[table.value.start : table.value.start + 1] == b"{":
                edits += (_key(line, member.key, moves) for member in members(line, table.value.start))
    return splice(line, (edit for edit in edits if line[edit[0].start : edit[0].end] != edit[1]))


def _alone(line: bytes, label: Span) -> Iterator[Span]:
    yield label


def _listed(line: bytes, label: Span) -> Iterator[Span]:
    yield from items(line, label.start)


def _annotated(key: str, line: bytes, label: Span) -> Iterator[Span]:
    """Yield the class of every annotation, which ``key`` holds."""
    for member in members(line, label.start):
        if decode_string(line, member.key) == "annotations":
            for one in items(line, member.value.start):
                yield from (m.value for m in members(line, one.start) if decode_string(line, m.key) == key)


# Where the indices of a kind stand in its label, and in which maps of the metadata they are keys.
_LABELS: dict[str, Callable[[bytes, Span], Iterator[Span]]] = {
    "single_label": _alone,
    "verification": _alone,
    "multi_label": _listed,
    "boxes": partial(_annotated, "class_id"),
    "cuboids": partial(_annotated, "class-id"),
}
_MAPS = {
    "multi_label": ("class-map", "confidence-map"),
    "boxes": ("class-map",),
    "cuboids": ("class-map", "class_map"),
    "segmentation": ("internal-color-map",),
}


def _index(line: bytes, span: Span, moves: Moves) -> Edit:
    value = json.loads(line[span.start : span.end])
    new = str(_new(value, moves)).encode()
    return span, b'"%s"' % new if isinstance(value, str) else new


def _key(line: bytes, span: Span, moves: Moves) -> Edit:
    return span, encode_string(str(_new(decode_string(line, span), moves)))


def _new(value: object, moves: Moves) -> int:
    try:
        return moves[int(value)] if isinstance(value, int | str) else moves[-1]
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"class {value!r:.60} has no name on any line, so it can get no new index"
        ) from error
