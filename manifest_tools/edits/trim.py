"""Takes classes, boxes or entities out of a line: label and metadata together, and nothing else."""

import json
from collections.abc import Collection, Iterator, Sequence

from manifest_tools.groundtruth.record import Peek
from manifest_tools.io.json_spans import (
    Edit,
    Span,
    decode_string,
    find,
    items,
    keep_elements,
    members,
    splice,
)

# Where the boxes or entities of a form stand, under the label and, one confidence each, under the metadata.
_UNITS = {
    "boxes": (("annotations",), "objects"),
    "cuboids": (("annotations",), "objects"),
    "entities": (("annotations", "entities"), "entities"),
}
_CLASS_MAPS = ("class-map", "class_map")


def trim_units(line: bytes, peek: Peek, places: Collection[int], gone: frozenset[int] = frozenset()) -> bytes:
    """Return the line without the boxes, cuboids or entities at some places of its label.

    ``gone`` are the classes of which none is left; they leave the ``class-map``.

    >>> line = b'{"b": {"annotations": [{"class_id": 0}, {}]}, "b-metadata": {"objects": [{}, {}]}}'
    >>> trim_units(line, Peek("b", "b-metadata", "boxes"), [1])
    b'{"b": {"annotations": [{"class_id": 0}]}, "b-metadata": {"objects": [{}]}}'
    """
    path, shares = _UNITS[peek.label]
    edits: list[Edit | None] = []
    for key, value in _named(line, Span(0, len(line))):
        if key == peek.attribute:
            edits += [_without(line, array, places) for array in _reached(line, value, path)]
        elif key == peek.metadata_key:
            for name, inner in _named(line, value):
                if name == shares:
                    edits.append(_without(line, inner, places))
                elif name in _CLASS_MAPS and gone:
                    edits.append(_trim_map(line, inner, gone))
    return splice(line, [edit for edit in edits if edit is not None])


def _named(line: bytes, value: Span) -> Iterator[tuple[str, Span]]:
    """Yield the members of an object; of any other value nothing."""
    if line[value.start : value.start + 1] == b"{":
        yield from ((decode_string(line, member.key), member.value) for member in members(line, value.start))


def _reached(line: bytes, value: Span, path: Sequence[str]) -> Iterator[Span]:
    """Yield what stands at a path inside a value; in one walk, for labels are long."""
    if not path:
        yield value
        return
    for name, inner in _named(line, value):
        if name == path[0]:
            yield from _reached(line, inner, path[1:])


def _without(line: bytes, array: Span, places: Collection[int]) -> Edit | None:
    if line[array.start : array.start + 1] != b"[":
        return None
    elements = list(items(line, array.start))
    keep = [place not in places for place in range(len(elements))]
    return None if all(keep) else keep_elements(line, array, elements, keep)


def trim(line: bytes, peek: Peek, leaving: frozenset[int]) -> bytes:
    """Return a multi-label line without some of its classes; where nothing leaves, the very same bytes.

    >>> line = b'{"t": [3, 0], "t-metadata": {"class-map": {"3": "rain", "0": "night"}}}'
    >>> trim(line, Peek("t", "t-metadata"), frozenset({0}))
    b'{"t": [3], "t-metadata": {"class-map": {"3": "rain"}}}'
    """
    edits = [_trim_label(line, member.value, leaving) for member in find(line, peek.attribute)]
    for name in ("class-map", "confidence-map"):
        maps = find(line, peek.metadata_key, name)
        edits += [_trim_map(line, member.value, leaving) for member in maps]
    return splice(line, [edit for edit in edits if edit is not None])


def _trim_label(line: bytes, label: Span, leaving: frozenset[int]) -> Edit | None:
    elements = list(items(line, label.start))
    keep = [int(json.loads(line[span.start : span.end])) not in leaving for span in elements]
    return None if all(keep) else keep_elements(line, label, elements, keep)


def _trim_map(line: bytes, table: Span, leaving: frozenset[int]) -> Edit | None:
    if line[table.start : table.start + 1] != b"{":
        return None
    found = list(members(line, table.start))
    elements = [Span(member.key.start, member.value.end) for member in found]
    keep = [not _is_one_of(decode_string(line, member.key), leaving) for member in found]
    return None if all(keep) else keep_elements(line, table, elements, keep)


def _is_one_of(key: str, leaving: frozenset[int]) -> bool:
    return key.isdecimal() and int(key) in leaving
