"""Boxes and lists of classes of many lines as arrays, one a field, so that all are checked at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from manifest_tools.verbs.validate.engine.file_facts import NamedClass, Occurrences, add_count

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

_FIRST = itemgetter(0)
_SLACK = 0.5  # of a pixel, as the rule of a line has it


def lengths(lists: Sequence[Sequence[Any]]) -> Numbers:
    """Return the length of each list."""
    return np.fromiter(map(len, lists), np.int64, len(lists))


@dataclass(frozen=True, slots=True)
class BoxArrays:
    """The boxes of some lines."""

    counts: Numbers
    """The boxes of each line: ``(lines,)``."""

    classes: Numbers
    """The class index of each box, line by line: ``(boxes,)``."""

    right: Flags
    """Whether no rule finds anything in the boxes of a line: ``(lines,)``."""


def box_arrays(labels: Sequence[Any]) -> BoxArrays:
    """Return the boxes of some labels, each a ``line_template.Boxes``."""
    annotations = list(map(attrgetter("annotations"), labels))
    sizes = _table(list(map(_FIRST, map(attrgetter("image_size"), labels))), "width height depth")
    counts = lengths(annotations)
    boxes = _table(list(chain.from_iterable(annotations)), "class_id top left height width")
    widths, heights, _ = sizes
    bad = _off_the_picture(boxes, np.repeat(widths, counts), np.repeat(heights, counts))
    right = np.ones(len(labels), bool)
    if bad.any():
        right[np.repeat(np.arange(len(labels)), counts)[bad]] = False
    return BoxArrays(counts, boxes[0].astype(np.int64), right)


def _table(objects: Sequence[Any], fields: str) -> Floats:
    """Return the values of ``fields``, all that the objects have, in their order: ``(fields, objects)``."""
    wide = len(fields.split())
    flat = np.fromiter(chain.from_iterable(map(astuple, objects)), np.float64, wide * len(objects))
    return flat.reshape(-1, wide).T


def _off_the_picture(boxes: Floats, widths: Floats, heights: Floats) -> Flags:
    """Say which boxes have no size, or do not lie on their picture: ``(boxes,)``."""
    _, top, left, height, width = boxes
    on: Flags = (left >= -_SLACK) & (left + width <= widths + _SLACK)
    on &= (top >= -_SLACK) & (top + height <= heights + _SLACK)
    on &= (width > 0) & (height > 0) & ((width > 1) | (height > 1))
    return ~on


@dataclass(frozen=True, slots=True)
class ClassColumn:
    """The classes of some lines, with the names that their class-maps give: an element a line and class."""

    lines: Numbers
    """The line, ascending: ``(classes,)``."""

    cases: Numbers
    """The place in ``names``: ``(classes,)``."""

    names: list[tuple[int, str | None]]
    """Each class index with a name that some class-map gives it; None for a class without name."""

    def unnamed(self) -> Numbers:
        """Return the lines that show a class without a name."""
        nameless = np.array([name is None for _, name in self.names], bool)
        return self.lines[nameless[self.cases]] if nameless.any() else self.lines[:0]

    def named_classes(self, attribute: str, clean: Flags, numbers: Numbers) -> dict[NamedClass, Occurrences]:
        """Return the classes that the clean lines name, in the order of lines and indices.

        ``clean`` says which lines are clean, ``numbers`` has their numbers: ``(lines,)``.
        """
        kept = clean[self.lines]
        lines, cases = self.lines[kept], self.cases[kept]
        counts = np.bincount(cases, minlength=len(self.names)).tolist()
        first = np.zeros(len(self.names), np.int64)
        first[cases[::-1]] = numbers[lines[::-1]]
        found: dict[NamedClass, Occurrences] = {}
        for (index, name), at, many in zip(self.names, first.tolist(), counts, strict=True):
            if name and many:
                add_count(found, NamedClass(attribute, index, name), Occurrences(at, many))
        return dict(sorted(found.items(), key=lambda item: (item[1].first, item[0])))


def class_column(
    classes: Numbers, counts: Numbers, codes: Numbers, tables: Sequence[Mapping[int, str]]
) -> ClassColumn:
    """Return the classes of lines that have ``counts`` of ``classes`` each.

    ``codes`` says which of the class-maps in ``tables`` names them: ``(lines,)``.
    """
    many = int(classes.max(initial=0)) + 1
    distinct = np.unique(np.repeat(np.arange(len(counts)), counts) * many + classes)
    lines = distinct // many
    spelt = codes[lines] * many + distinct % many
    names, cases = np.unique(spelt, return_inverse=True)
    called = [(at % many, tables[at // many].get(at % many)) for at in names.tolist()]
    return ClassColumn(lines, cases, called)
