"""Removes, reads and adds members of a line, such as a label attribute and its metadata.

Each function raises ValueError for a line that is no JSON object.
"""

from collections.abc import Sequence

from manifest_tools.io.json_spans import (
    Edit,
    Member,
    Span,
    decode_string,
    keep_elements,
    members,
    splice,
)

NamedMember = tuple[str, bytes]
"""A key, and the bytes of key and value."""


def remove_members(line: bytes, keys: frozenset[str]) -> bytes:
    """Return the line without the members of some keys; the same object where it has none of them.

    >>> remove_members(b'{"a": 1, "b": 2, "c": 3}', frozenset("b"))
    b'{"a": 1, "c": 3}'
    """
    found = list(members(line))
    keep = [decode_string(line, member.key) not in keys for member in found]
    if all(keep):
        return line
    return splice(line, [keep_elements(line, _object(line), list(map(_whole, found)), keep)])


def read_members(line: bytes, keys: frozenset[str]) -> tuple[NamedMember, ...]:
    """Return the members of some keys with their bytes, in the order of the line.

    >>> read_members(b'{"a": 1.10 , "b" : 2}', frozenset("ab"))
    (('a', b'"a": 1.10'), ('b', b'"b" : 2'))
    """
    found = ((decode_string(line, member.key), _whole(member)) for member in members(line))
    return tuple((key, line[span.start : span.end]) for key, span in found if key in keys)


def overlay_members(
    line: bytes, overlay: Sequence[NamedMember], removed: frozenset[str] = frozenset()
) -> bytes:
    """Return the line with the members of ``overlay``, which replace those of the same keys.

    New keys are added at the end, with the separator of the line. Members with keys in ``removed`` that
    ``overlay`` does not have are removed.

    >>> overlay_members(b'{"a": 1, "b": 2}', (("c", b'"c":3'), ("a", b'"a":4')))
    b'{"a":4, "b": 2, "c":3}'
    """
    new = dict(overlay)
    gone = removed - new.keys()
    line = remove_members(line, gone) if gone else line
    found = list(members(line))
    keys = [decode_string(line, member.key) for member in found]
    edits: list[Edit] = [(_whole(m), new[key]) for key, m in zip(keys, found, strict=True) if key in new]
    added = [member for key, member in new.items() if key not in keys]
    if added:
        separator = _separator(line, found)
        at = found[-1].value.end if found else _object(line).start + 1
        edits.append((Span(at, at), (separator if found else b"") + separator.join(added)))
    return splice(line, edits)


def _separator(line: bytes, found: list[Member]) -> bytes:
    """Return the bytes between the last two members."""
    return line[found[-2].value.end : found[-1].key.start] if len(found) > 1 else b","


def _whole(member: Member) -> Span:
    return Span(member.key.start, member.value.end)


def _object(line: bytes) -> Span:
    return Span(line.index(b"{"), line.rindex(b"}") + 1)
