"""The candidates for one label attribute of the result: the label of every line, with one class table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import mix
from manifest_tools.edits.class_indices import IndexMap
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.verbs.merge.attribute_map import AttributeMap
from manifest_tools.verbs.merge.class_map import ClassMap, ObservedClasses, map_classes
from manifest_tools.verbs.merge.columns import ABSENT, FAILED, AttributeColumns, Manifest

_ROUNDING = 1e-9  # by which means of equal confidences may differ


@dataclass(slots=True)
class Candidates:
    """The label that each line has for one attribute of the result."""

    precedence: NDArray[np.int8]
    """(lines,): from ABSENT to ADJUSTED, as in ``columns``."""

    labels: NDArray[np.uint64]
    """(lines,): a hash of the label, the same for equal labels."""

    scores: NDArray[np.float64]
    """(lines,): what the policy compares; (0,) for a policy that compares nothing."""

    constant: bool = False
    """Whether each manifest has the same score on all its labels, and one of them on several."""


@dataclass(slots=True)
class MergedAttribute:
    """One label attribute of the result."""

    name: str
    classes: ClassMap
    index_maps: dict[tuple[int, str], IndexMap]
    """By number of a manifest and name of its attribute, the new class indices; empty where none changes."""

    chosen: dict[int, NDArray[np.uint8]]
    """By number of a manifest, (lines,): which of its attributes has the label. Only where it has several."""

    candidates: Candidates


def merged_attribute(
    name: str, manifests: Sequence[Manifest], attribute_map: AttributeMap
) -> MergedAttribute:
    """Return one label attribute of the result; raises what ``map_classes`` raises."""
    parts = [(at, one) for at, targets in enumerate(attribute_map.targets) for one in targets.get(name, ())]
    classes = map_classes([_observed(manifests[at], one) for at, one in parts])
    index_maps: dict[tuple[int, str], IndexMap] = {
        (at, one.name): index_map for (at, one), index_map in zip(parts, classes.index_maps, strict=True)
    }
    found: list[Candidates] = []
    chosen: dict[int, NDArray[np.uint8]] = {}
    for at, (manifest, targets) in enumerate(zip(manifests, attribute_map.targets, strict=True)):
        own = [_candidates(manifest, one, index_maps[at, one.name]) for one in targets.get(name, ())]
        best, which = _highest_precedence(own or [_none(manifest.columns.lines)])
        found.append(best)
        if len(own) > 1:
            chosen[at] = which
    candidates = _joined(found)
    candidates.constant = _all_constant(found)
    return MergedAttribute(name, classes, index_maps, chosen, candidates)


def _observed(manifest: Manifest, attribute: LabelAttribute) -> ObservedClasses:
    columns = manifest.columns.attributes[attribute.name]
    names = tuple(columns.names)
    indices = columns.observed.union(index for index, _ in names)
    kind = attribute.kind
    return ObservedClasses(
        manifest.name, attribute.name, kind.object_has_indices, kind.has_colour_map, names, indices
    )


def _candidates(manifest: Manifest, attribute: LabelAttribute, index_map: IndexMap) -> Candidates:
    columns = manifest.columns.attributes[attribute.name]
    labels = label_keys(columns, index_map, attribute.kind.items_have_positions)
    return Candidates(columns.precedence, labels, columns.scores)


def _none(lines: int) -> Candidates:
    """Return the candidates of a manifest that does not have the attribute."""
    return Candidates(np.full(lines, ABSENT, np.int8), np.zeros(lines, np.uint64), np.zeros(0))


def _highest_precedence(attributes: Sequence[Candidates]) -> tuple[Candidates, NDArray[np.uint8]]:
    """For each line, return the label with the highest precedence, and of which attribute it is.

    Ties go to the later attribute.
    """
    best, *others = attributes
    chosen = np.zeros(len(best.labels), np.uint8)
    for at, one in enumerate(others, 1):
        tie = (one.precedence == best.precedence) & (best.precedence > FAILED)
        better = (one.precedence > best.precedence) | tie
        best = Candidates(
            np.where(better, one.precedence, best.precedence),
            np.where(better, one.labels, best.labels),
            np.where(better, one.scores, best.scores) if len(one.scores) else one.scores,
        )
        chosen[better] = at
    return best, chosen


def _joined(parts: Sequence[Candidates]) -> Candidates:
    """Return the candidates of all manifests, one after the other."""
    scores = [part.scores for part in parts]
    if any(map(len, scores)):  # a manifest without the attribute has none, and needs a place for each line
        scores = [part.scores if len(part.scores) else np.full(len(part.labels), -np.inf) for part in parts]
    return Candidates(
        np.concatenate([part.precedence for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate(scores),
    )


def _all_constant(parts: Sequence[Candidates]) -> bool:
    """Say whether each manifest has the same score above 0 on all its labels, and one of them on several."""
    scores = [part.scores[part.scores > 0] for part in parts]
    lengths = [len(one) for one in scores]
    if lengths.count(1) or max(lengths) < 2:
        return False
    return all(np.ptp(one) < _ROUNDING for one in scores if len(one))


def label_keys(columns: AttributeColumns, index_map: IndexMap, ordered: bool) -> NDArray[np.uint64]:
    """Return, as (lines,), a hash of the label of every line with its new indices, the same for equal labels.

    ``ordered`` says that the indices of a label have an order: boxes are sorted by where they are.
    """
    indices = _new_indices(columns.indices, index_map).astype(np.uint64)
    ends = np.cumsum(columns.counts, dtype=np.int64)
    starts = ends - columns.counts
    if ordered:
        places = np.arange(len(indices)) - np.repeat(starts, columns.counts)
        indices = indices + (places.astype(np.uint64) << np.uint64(32))
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(mix(indices, 1), dtype=np.uint64)))
    keys = mix(sums[ends] - sums[starts] + columns.counts.astype(np.uint64), 2)
    return mix(keys ^ columns.rest_hashes, 3) if len(columns.rest_hashes) else keys


def _new_indices(indices: NDArray[np.int32], index_map: IndexMap) -> NDArray[np.int32]:
    if not index_map or not len(indices):
        return indices
    table = np.arange(int(indices.max()) + 1, dtype=np.int32)
    for old, new in index_map.items():
        if old < len(table):
            table[old] = new
    return table[indices]


def class_keys(labels: Sequence[Sequence[int]]) -> NDArray[np.uint64]:
    """Return, as (labels,), the hash that ``label_keys`` gives to labels of these classes."""
    flat = np.array([index for label in labels for index in label], np.int32)
    counts = np.array([len(label) for label in labels], np.int32)
    none = np.zeros(0)
    columns = AttributeColumns(np.zeros(len(labels), np.int8), flat, counts, none.astype(np.uint64), none)
    return label_keys(columns, {}, ordered=False)
