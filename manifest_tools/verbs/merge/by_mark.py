"""The marks of a person on pictures: of labels that differ, the one that a mark wants stays.

All pictures at once, by column, as in ``resolve``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts
from manifest_tools.base.text import counted, shown
from manifest_tools.groundtruth.marks import Classes, Mark, Marks
from manifest_tools.verbs.merge.attribute_map import AttributeMap
from manifest_tools.verbs.merge.candidates import MergedAttribute, class_keys

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelMarks:
    """The marks on one label attribute, in the order of the hashes of their sources."""

    sources: NDArray[np.uint64]
    """(marks,): hashes of the sources, sorted."""

    wanted: NDArray[np.uint64]
    """(marks,): the label that should be there, as in ``Candidates.labels``; 0 where none is named."""

    unwanted: NDArray[np.uint64]
    """(marks,): the label that is wrong; 0 where none is."""

    source_keys: NDArray[np.uint64]
    """(lines of all manifests,): hashes of their sources."""

    pictures: Indices
    """(lines of all manifests,): the numbers of their pictures."""

    def heeded(self, lines: Indices, labels: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which of some lines may win; all three are (lines,): numbers, and labels.

        The label that is wanted wins over the others; without it, the wrong one loses if there is another.
        """
        source_keys, pictures = self.source_keys[lines], self.pictures[lines]
        at = np.minimum(np.searchsorted(self.sources, source_keys), len(self.sources) - 1)
        marked = self.sources[at] == source_keys
        good = marked & (labels == self.wanted[at])
        left = ~(marked & (labels == self.unwanted[at]))
        has_good, has_left = np.isin(pictures, pictures[good]), np.isin(pictures, pictures[left])
        found: NDArray[np.bool_] = np.where(has_good, good, left | ~has_left)
        return found


def label_marks(
    marks: Marks,
    attribute: MergedAttribute,
    attribute_map: AttributeMap,
    source_keys: NDArray[np.uint64],
    pictures: Indices,
) -> LabelMarks | None:
    """Return the marks on a label attribute of the result; None where none of them can be heeded."""
    found = _marks_of(marks, attribute.name, attribute_map)
    if not found or not _are_classes(attribute.name, attribute_map):
        return None
    sources = hash_texts(list(found))
    order = np.argsort(sources, kind="stable")
    each = list(found.values())
    indices = {name: index for index, name in attribute.classes.table.names}
    wanted = _keys([mark.classes for mark in each], indices)
    unwanted = _keys([mark.was if mark.mark in ("wrong", "class") else None for mark in each], indices)
    return LabelMarks(sources[order], wanted[order], unwanted[order], source_keys, pictures)


def marks_note(marks: Marks, name: str, attribute_map: AttributeMap) -> list[str]:
    """Return what is to be said of marks that decide nothing."""
    found = _marks_of(marks, name, attribute_map)
    if not found or _are_classes(name, attribute_map):
        return []
    count = counted(len(found), "mark")
    return [
        f"{shown(name)}: {count} not heeded, for a mark chooses between classes, and these labels are none"
    ]


def _marks_of(marks: Marks, name: str, attribute_map: AttributeMap) -> dict[str, Mark]:
    """Return the marks on a label attribute, whatever it was called before, by their source."""
    names = {one.name for targets in attribute_map.targets for one in targets.get(name, ())}
    return {source: mark for each in sorted(names | {name}) for source, mark in marks.of(each).items()}


def _are_classes(name: str, attribute_map: AttributeMap) -> bool:
    kinds = [one.kind for targets in attribute_map.targets for one in targets.get(name, ()) if one.type]
    return bool(kinds) and kinds[0].is_classification


def _keys(labels: Sequence[Classes | None], indices: Mapping[str, int]) -> NDArray[np.uint64]:
    """Return (labels,): the key of each label; 0 for none, and for a class that no line has."""
    known = [
        None if label is None or not all(name in indices for name in label) else [indices[n] for n in label]
        for label in labels
    ]
    keys = class_keys([label or [] for label in known])
    keys[[label is None for label in known]] = 0
    return keys
