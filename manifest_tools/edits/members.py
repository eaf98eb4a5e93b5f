"""Members of a line, such as a label attribute: taken out, read with their bytes, and put in.

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


def remove_members(line: bytes, keys: frozenset[str]) -> bytes:
    """Return the line without some of its members.

    >>> remove_members(b'{"a": 1, "b": 2, "c": 3}', frozenset("b"))
    b'{"a": 1, "c": 3}'
    """
    found = list(members(line))
    keep = [decode_string(line, member.key) not in keys for member in found]
    if all(keep):
        return line
    return splice(line, [keep_elements(line, _object(line), list(map(_whole, found)), keep)])


def read_members(line: bytes, keys: frozenset[str]) -> tuple[NamedMember, ...]:
    """Return members with their bytes as they stand, key and value.

    >>> read_members(b'{"a": 1.10 , "b" : 2}', frozenset("ab"))
    (('a', b'"a": 1.10'), ('b', b'"b" : 2'))
    """
    found = ((decode_string(line, member.key), _whole(member)) for member in members(line))
    return tuple((key, line[span.start : span.end]) for key, span in found if key in keys)


def overlay_members(
    line: bytes, donated: Sequence[NamedMember], instead: frozenset[str] = frozenset()
) -> bytes:
    """Return the line with members of another: in the place of its own, or before the final ``}``.

    What is called as in ``instead``, and not donated, goes. New members are parted as the line parts its own.

    >>> overlay_members(b'{"a": 1, "b": 2}', (("c", b'"c":3'), ("a", b'"a":4')))
    b'{"a":4, "b": 2, "c":3}'
    """
    new = dict(donated)
    gone = instead - new.keys()
    line = remove_members(line, gone) if gone else line
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
