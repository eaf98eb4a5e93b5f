"""The lines of an example, each as wide as a screen: what they all say is left out."""

import json
import os
from collections.abc import Iterator, Sequence

from manifest_tools.io.json_spans import items, members, value_span

Place = tuple[bytes | int, ...]
Said = tuple[Place, bytes]
"""The path to a value, and its text."""

_MARGIN = 20  # characters that are to be seen after the first difference
_LONGEST, _SHORT = 100, 20  # bytes of a value that is shown whole, and where room is scarce
_KEPT = 12  # of a longer one, at its end
_ELISION = b"\xe2\x80\xa6"


def shortened(lines: Sequence[str], others: Sequence[str], columns: int, most: int = 1) -> list[str]:
    """Return ``most`` lines of at most ``columns`` characters; ``others`` are what they are compared with.

    Lines that the others have not come first. Of a longer line, members that every line has with the same
    value are left out, then beginnings of strings, then what the other line of its number has too: as little
    as makes it fit, and still differ.

    >>> shortened(['{"hand":-1,"m":{"type":"a/b","n":1}}'], ['{"hand":1,"m":{"type":"a/b","n":2}}'], 30)
    ['{"hand":-1,"m":{…,"n":1}}']
    """
    known = set(others)
    chosen = sorted(sorted(range(len(lines)), key=lambda at: lines[at] in known)[:most])
    lines, others = [lines[at] for at in chosen], ["".join(others[at : at + 1]) for at in chosen]
    said = [set(_said(line, 0, ())) for line in map(_object, (*lines, *others)) if line]
    common = set.intersection(*said) if len(said) > 1 else set()
    return [_shortened(line, other, common, columns) for line, other in zip(lines, others, strict=True)]


def _shortened(text: str, other: str, common: set[Said], columns: int) -> str:
    tries = list(_tries(text, other, common))
    for shorter, beside in tries:
        if len(shorter) <= columns and (shorter != beside or text == other):
            return shorter
    cuts = [(_cut(one, two, columns), _cut(two, one, columns)) for one, two in tries[1:] or tries]
    return next((cut for cut, beside in cuts if cut != beside), cuts[0][0])


def _tries(text: str, other: str, common: set[Said]) -> Iterator[tuple[str, str]]:
    """Yield a line and the one beside it, shorter and shorter."""
    yield text, other
    line, beside = _object(text), _object(other)
    if line:
        own, others = (set(_said(one, 0, ())) for one in (line, beside or line))
        for unsaid, unsaid_beside, longest, keys in (
            (common, common, _LONGEST, True),
            (common, common, _SHORT, True),
            (others, own, _LONGEST, True),
            (others, own, _LONGEST, False),
        ):
            yield _without(line, unsaid, longest, keys), _without(beside, unsaid_beside, longest, keys)


def _object(text: str) -> bytes:
    """Return a line that is a JSON object; nothing for another."""
    try:
        is_object = isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return b""
    return text.strip().encode("utf-8", "surrogateescape") if is_object else b""


def _said(line: bytes, start: int, path: Place) -> Iterator[Said]:
    """Yield every value within the one that begins at ``start``."""
    for key, begin, end in _parts(line, start) if line else ():
        yield (*path, key), line[begin:end]
        yield from _said(line, begin, (*path, key))


def _parts(line: bytes, start: int) -> Iterator[tuple[bytes | int, int, int]]:
    """Yield key, or number, and span of what is in an object or an array."""
    if line[start : start + 1] == b"{":
        yield from ((line[key.start : key.end], *value) for key, value in members(line, start))
    elif line[start : start + 1] == b"[":
        yield from ((number, *span) for number, span in enumerate(items(line, start)))


def _without(line: bytes, unsaid: set[Said], longest: int, keys: bool) -> str:
    """Return an object without what is unsaid; with or without the ``keys`` of what that is."""

    def elided(start: int, path: Place) -> bytes:
        first = line[start : start + 1]
        if first not in (b"{", b"["):
            return _scalar(line[slice(*value_span(line, start))], longest)
        parts: list[bytes] = []
        for key, begin, end in _parts(line, start):
            here = (*path, key)
            is_unsaid = (here, line[begin:end]) in unsaid
            value = _ELISION if is_unsaid else elided(begin, here)
            if is_unsaid and (path or not keys):
                parts += [_ELISION] if parts[-1:] != [_ELISION] else []
            else:
                parts.append(key + b":" + value if isinstance(key, bytes) else value)
        return first + b",".join(parts) + (b"}" if first == b"{" else b"]")

    return elided(0, ()).decode("utf-8", "replace") if line else ""


def _scalar(value: bytes, longest: int) -> bytes:
    if len(value) > _LONGEST:
        return value[:_KEPT] + _ELISION + f" ({len(value):,} characters)".encode()
    return value if len(value) <= longest else value[:1] + _ELISION + value[-_KEPT:]


def _cut(text: str, other: str, columns: int) -> str:
    """Return what fits of a text: the beginning, or what is around the difference where that is later."""
    differs = len(os.path.commonprefix([text, other]))
    if len(text) > columns and columns - _MARGIN < differs < len(text):
        text = f"…{text[min(differs - columns // 2, len(text) - columns + 1) :]}"
    return text if len(text) <= columns else f"{text[: columns - 1]}…"
