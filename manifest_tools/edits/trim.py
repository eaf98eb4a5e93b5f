"""Removes items from a label, such as classes, boxes or entities, and what the metadata says of them."""

from collections.abc import Collection, Iterator

from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.io.json_spans import (
    Edit,
    Span,
    decode_string,
    items,
    keep_elements,
    members,
    spans_at,
    splice,
)


def trim(
    line: bytes,
    attribute: str,
    metadata_key: str,
    kind: LabelKind,
    positions: Collection[int],
    gone: Collection[int] = (),
) -> bytes:
    """Return a line without the items at some positions of its label, which count from 0.

    ``gone`` are the class indices of which no item is left; they leave the maps of the metadata. Returns the
    same object when nothing is removed. Raises ValueError for a position that the label does not have.

    >>> from manifest_tools.groundtruth.label_kinds import label_kind
    >>> line = b'{"t": [3, 0], "t-metadata": {"class-map": {"3": "rain", "0": "night"}}}'
    >>> trim(line, "t", "t-metadata", label_kind("groundtruth/text-classification-multilabel"), [1], [0])
    b'{"t": [3], "t-metadata": {"class-map": {"3": "rain"}}}'
    """
    edits: list[Edit | None] = []
    for member in members(line):
        key = decode_string(line, member.key)
        if key == attribute and kind.items is not None:
            for array in spans_at(line, member.value, kind.items):
                edits.append(_without_positions(line, array, positions, max(positions, default=-1)))
        elif key == metadata_key:
            edits += _metadata_edits(line, member.value, kind, positions, gone)
    return splice(line, [edit for edit in edits if edit is not None])


def _metadata_edits(
    line: bytes, metadata: Span, kind: LabelKind, positions: Collection[int], gone: Collection[int]
) -> Iterator[Edit | None]:
    if line[metadata.start : metadata.start + 1] != b"{":
        return
    for member in members(line, metadata.start):
        key = decode_string(line, member.key)
        if key == kind.item_list:
            yield _without_positions(line, member.value, positions)
        elif key in kind.index_maps:
            yield _without_keys(line, member.value, gone)


def _without_positions(line: bytes, array: Span, positions: Collection[int], last: int = -1) -> Edit | None:
    if line[array.start : array.start + 1] != b"[":
        return None
    elements = list(items(line, array.start))
    if last >= len(elements):
        raise ValueError(f"expected at least {last + 1:,} items in the label, found {len(elements):,}")
    keep = [position not in positions for position in range(len(elements))]
    return None if all(keep) else keep_elements(line, array, elements, keep)


def _without_keys(line: bytes, index_map: Span, gone: Collection[int]) -> Edit | None:
    if not gone or line[index_map.start : index_map.start + 1] != b"{":
        return None
    found = list(members(line, index_map.start))
    elements = [Span(member.key.start, member.value.end) for member in found]
    keep = [not _is_one_of(decode_string(line, member.key), gone) for member in found]
    return None if all(keep) else keep_elements(line, index_map, elements, keep)


def _is_one_of(key: str, indices: Collection[int]) -> bool:
    return key.isdecimal() and int(key) in indices
