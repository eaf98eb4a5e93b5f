"""Boxes and lists of classes of many lines, laid out flat: an array a field, and all are checked at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from manifest_tools.verbs.validate.engine.file_facts import NamedClass, Occurrences

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

_FIRST = itemgetter(0)
_SLACK = 0.5  # of a pixel, as tasks.boxes has it


def lengths(lists: Sequence[Sequence[Any]]) -> Numbers:
    """Return the length of each list."""
    return np.fromiter(map(len, lists), np.int64, len(lists))


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of some lines: how many each has, the classes of all in a row, the pictures' smaller sides.

    ``right`` says which lines have no box that a rule would mind.
    """

    counts: Numbers
    classes: Numbers
    smallest: Floats
    right: Flags


def boxes_of(labels: Sequence[Any]) -> Boxes:
    """Return the boxes of some labels, each a ``template.Boxes``."""
    annotations = list(map(attrgetter("annotations"), labels))
    sizes = _table(list(map(_FIRST, map(attrgetter("image_size"), labels))), "width height depth")
    counts = lengths(annotations)
    boxes = _table(list(chain.from_iterable(annotations)), "class_id top left height width")
    widths, heights, _ = sizes
    bad = _misplaced(boxes, np.repeat(widths, counts), np.repeat(heights, counts))
    right = np.ones(len(labels), bool)
    if bad.any():
        right[np.repeat(np.arange(len(labels)), counts)[bad]] = False
    return Boxes(counts, boxes[0].astype(np.int64), np.minimum(widths, heights), right)


def _table(objects: Sequence[Any], fields: str) -> Floats:
    """Return a row for each of the fields, which are all that the objects have, in their order."""
    wide = len(fields.split())
    flat = np.fromiter(chain.from_iterable(map(astuple, objects)), np.float64, wide * len(objects))
    return flat.reshape(-1, wide).T


def _misplaced(boxes: Floats, widths: Floats, heights: Floats) -> Flags:
    """Say which boxes have no size, or do not lie on their picture."""
    _, top, left, height, width = boxes
    on: Flags = (left >= -_SLACK) & (left + width <= widths + _SLACK)
    on &= (top >= -_SLACK) & (top + height <= heights + _SLACK)
    on &= (width > 0) & (height > 0) & ((width > 1) | (height > 1))
    return ~on


@dataclass(frozen=True, slots=True)
class Classes:
    """Which classes some lines show, and what their class-maps call them: one element a line and class.

    ``lines`` ascends; ``cases`` says which of the ``names`` (None: not named, class by class-map) it is.
    """

    lines: Numbers
    cases: Numbers
    names: list[tuple[int, str | None]]

    def unnamed(self) -> Numbers:
        """Return the lines that show a class without a name."""
        nameless = np.array([name is None for _, name in self.names], bool)
        return self.lines[nameless[self.cases]] if nameless.any() else self.lines[:0]

    def pairs(self, attribute: str, clean: Flags, numbers: Numbers) -> dict[NamedClass, Occurrences]:
        """Return what the clean lines say their classes are called, in the order of lines and indices.

        ``numbers`` has the numbers of the lines.
        """
        kept = clean[self.lines]
        lines, cases = self.lines[kept], self.cases[kept]
        counts = np.bincount(cases, minlength=len(self.names)).tolist()
        first = np.zeros(len(self.names), np.int64)
        first[cases[::-1]] = numbers[lines[::-1]]
        found: dict[NamedClass, Occurrences] = {}
        for (index, name), at, many in zip(self.names, first.tolist(), counts, strict=True):
            if name and many:
                pair, seen = NamedClass(attribute, index, name), Occurrences(at, many)
                found[pair] = found[pair].plus(seen) if pair in found else seen
        return dict(sorted(found.items(), key=lambda item: (item[1].first, item[0])))


def classes_of(
    classes: Numbers, counts: Numbers, codes: Numbers, tables: Sequence[Mapping[int, str]]
) -> Classes:
    """Return which classes lines show that have ``counts`` of ``classes`` and the class-map ``codes``."""
    many = int(classes.max(initial=0)) + 1
    distinct = np.unique(np.repeat(np.arange(len(counts)), counts) * many + classes)
    lines = distinct // many
    spelt = codes[lines] * many + distinct % many
    names, cases = np.unique(spelt, return_inverse=True)
    called = [(at % many, tables[at // many].get(at % many)) for at in names.tolist()]
    return Classes(lines, cases, called)
