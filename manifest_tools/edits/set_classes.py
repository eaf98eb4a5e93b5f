"""Gives a label other classes, as a person corrects it: in the label, and in what the metadata says of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from manifest_tools.edits.members import remove_members
from manifest_tools.edits.trim import trim
from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.io.json_spans import (
    Edit,
    Span,
    decode_string,
    encode_string,
    find,
    items,
    members,
    splice,
)


@dataclass(frozen=True, slots=True)
class Correction:
    """The classes that a label gets."""

    old: tuple[int, ...]
    """The class indices that it has, in its order."""

    new: tuple[int, ...]
    names: Mapping[int, str]
    """The names of the new classes; a class without one is missing."""

    date: str = ""
    """The new ``creation-date``; "" keeps the old one."""


def set_classes(
    line: bytes, attribute: str, metadata_key: str, kind: LabelKind, correction: Correction
) -> bytes:
    """Return the line with the classes of a correction; the same object where it has them already.

    A confidence was measured for the old label, so that of a new class is 0: as a job with one worker for
    each picture writes it, which says nothing. ``human-annotated`` becomes yes. Members that the line does
    not have are not added, but for the names of classes. Raises ValueError for a line that cannot be edited.

    >>> from manifest_tools.groundtruth.label_kinds import label_kind
    >>> line = b'{"x": 0, "x-metadata": {"confidence": 0.95, "class-name": "RH"}}'
    >>> kind = label_kind("groundtruth/image-classification")
    >>> set_classes(line, "x", "x-metadata", kind, Correction((0,), (1,), {1: "LH"}))
    b'{"x": 1, "x-metadata": {"confidence": 0, "class-name": "LH"}}'
    """
    if set(correction.old) == set(correction.new):
        return line
    if kind.multi_label:
        line = _set_list(line, attribute, metadata_key, kind, correction)
    else:
        line = _set_one(line, attribute, metadata_key, correction)
    return splice(line, _made_by_a_person(line, metadata_key, correction.date))


def _set_one(line: bytes, attribute: str, metadata_key: str, correction: Correction) -> bytes:
    (index,) = correction.new
    name = correction.names.get(index)
    edits = [(member.value, _spelt_as(line, member.value, index)) for member in find(line, attribute)]
    edits += (edit for one in find(line, metadata_key, "confidence") for edit in _zero(line, one.value))
    if name is None:
        without = splice(line, edits)
        return _edit_objects(
            without, (metadata_key,), lambda one: remove_members(one, frozenset({"class-name"}))
        )
    edits += ((one.value, encode_string(name)) for one in find(line, metadata_key, "class-name"))
    return _with_member(splice(line, edits), (metadata_key,), "class-name", encode_string(name))


def _set_list(
    line: bytes, attribute: str, metadata_key: str, kind: LabelKind, correction: Correction
) -> bytes:
    gone = set(correction.old) - set(correction.new)
    added = [index for index in correction.new if index not in correction.old]
    positions = [at for at, index in enumerate(correction.old) if index in gone]
    line = trim(line, attribute, metadata_key, kind, positions, gone)
    if added:
        line = splice(line, [_appended(line, one.value, added) for one in find(line, attribute)])
    for index in added:
        if name := correction.names.get(index):
            line = _with_member(line, (metadata_key, "class-map"), str(index), encode_string(name))
        line = _with_member(line, (metadata_key, "confidence-map"), str(index), b"0")
    return line


def _spelt_as(line: bytes, old: Span, index: int) -> bytes:
    """Return a class index as the old one is written: as a number, or as a string of digits."""
    digits = str(index).encode()
    return b'"%s"' % digits if line[old.start : old.start + 1] == b'"' else digits


def _zero(line: bytes, confidence: Span) -> Iterator[Edit]:
    value = json.loads(line[confidence.start : confidence.end])
    if isinstance(value, int | float) and value != 0:
        yield confidence, b"0"


def _appended(line: bytes, array: Span, added: Sequence[int]) -> Edit:
    """Return the edit that appends class indices to the array of a label, with the separator of the line."""
    found = list(items(line, array.start))
    comma = _spelling(line)[0]
    if not found:
        return array, b"[%s]" % comma.join(str(index).encode() for index in added)
    more = (comma + _spelt_as(line, found[-1], index) for index in added)
    return Span(found[-1].end, found[-1].end), b"".join(more)


def _with_member(line: bytes, path: tuple[str, ...], key: str, value: bytes) -> bytes:
    """Return the line with a member at the end of the objects at a path that have none of that key."""
    comma, colon = _spelling(line)

    def edit(one: bytes) -> bytes:
        if find(one, key):
            return one
        at = max((member.value.end for member in members(one)), default=0)
        new = (comma if at else b"") + encode_string(key) + colon + value
        return splice(one, [(Span(at or 1, at or 1), new)])

    return _edit_objects(line, path, edit)


def _spelling(line: bytes) -> tuple[bytes, bytes]:
    """Return what stands between two members of the line, and between a key and its value."""
    first, second = islice(members(line), 2)
    return line[first.value.end : second.key.start], line[first.key.end : first.value.start]


def _edit_objects(line: bytes, path: tuple[str, ...], edit: Callable[[bytes], bytes]) -> bytes:
    spans = (member.value for member in find(line, *path))
    return splice(
        line, [(at, edit(line[at.start : at.end])) for at in spans if line[at.start : at.start + 1] == b"{"]
    )


def _made_by_a_person(line: bytes, metadata_key: str, date: str) -> Iterator[Edit]:
    for key, new in ("human-annotated", "yes"), ("creation-date", date):
        for member in find(line, metadata_key, key):
            is_text = line[member.value.start : member.value.start + 1] == b'"'
            if new and is_text and decode_string(line, member.value) != new:
                yield member.value, encode_string(new)
