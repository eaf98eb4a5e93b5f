"""Takes classes out of a multi-label line: label, class-map and confidence-map together, nothing else."""

import json

from manifest_tools.record import Peek
from manifest_tools.spans import Edit, Span, find, items, keep_elements, members, splice, text


def trim(line: bytes, peek: Peek, leaving: frozenset[int]) -> bytes:
    """Return the line without some of its classes; where nothing leaves, the very same bytes.

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
    keep = [not _is_one_of(text(line, member.key), leaving) for member in found]
    return None if all(keep) else keep_elements(line, table, elements, keep)


def _is_one_of(key: str, leaving: frozenset[int]) -> bool:
    return key.isdecimal() and int(key) in leaving
