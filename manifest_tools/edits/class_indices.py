"""Gives the classes of a line other indices, in the label and in the maps of its metadata."""

import json
from collections.abc import Iterator, Mapping

from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.io.json_spans import (
    Edit,
    Span,
    decode_string,
    encode_string,
    find,
    members,
    spans_at,
    splice,
)

IndexMap = Mapping[int, int]
"""New class indices by the old ones."""


def change_indices(
    line: bytes, attribute: str, metadata_key: str, kind: LabelKind, index_map: IndexMap
) -> bytes:
    """Return the line with other class indices; an index that is a string of digits stays one.

    Raises ValueError for an index that ``index_map`` does not have. Returns the same object when nothing
    changes.

    >>> from manifest_tools.groundtruth.label_kinds import label_kind
    >>> line = b'{"t": [3, "0"], "t-metadata": {"class-map": {"3": "rain", "0": "night"}}}'
    >>> kind = label_kind("groundtruth/text-classification-multilabel")
    >>> change_indices(line, "t", "t-metadata", kind, {3: 0, 0: 3})
    b'{"t": [0, "3"], "t-metadata": {"class-map": {"0": "rain", "3": "night"}}}'
    """
    edits = [*_label_edits(line, attribute, kind, index_map)]
    for name in kind.index_maps:
        for table in find(line, metadata_key, name):
            if line[table.value.start : table.value.start + 1] == b"{":
                edits += (
                    _key_edit(line, member.key, index_map) for member in members(line, table.value.start)
                )
    return splice(line, (edit for edit in edits if line[edit[0].start : edit[0].end] != edit[1]))


def _label_edits(line: bytes, attribute: str, kind: LabelKind, index_map: IndexMap) -> Iterator[Edit]:
    if kind.index_path is None:
        return
    for member in find(line, attribute):
        if line[member.value.start : member.value.end] != b"null":
            for span in spans_at(line, member.value, kind.index_path):
                yield _index_edit(line, span, index_map)


def _index_edit(line: bytes, span: Span, index_map: IndexMap) -> Edit:
    value = json.loads(line[span.start : span.end])
    new = str(_new(value, index_map)).encode()
    return span, b'"%s"' % new if isinstance(value, str) else new


def _key_edit(line: bytes, span: Span, index_map: IndexMap) -> Edit:
    return span, encode_string(str(_new(decode_string(line, span), index_map)))


def _new(value: object, index_map: IndexMap) -> int:
    try:
        return index_map[int(value)] if isinstance(value, int | str) else index_map[-1]
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"class {value!r:.60} has no name on any line, so it can get no new index"
        ) from error
