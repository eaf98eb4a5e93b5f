"""What is remembered of a file, so that its lines can be compared: 16 bytes a line, and 8 a label."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.groundtruth.label_kinds.boxes import is_number
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.groundtruth.survey import check_number
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine

PLACEHOLDER = "lab#"

# A key for a list of classes has this bit; without it, a key is a class index + 1.
SEVERAL = 1 << 63


class Occurrences(NamedTuple):
    """On how many lines something stands, and on which first."""

    first: int
    lines: int

    def plus(self, other: "Occurrences") -> "Occurrences":
        """Return the sum of both."""
        return Occurrences(min(self.first, other.first), self.lines + other.lines)


class NamedClass(NamedTuple):
    """A class as a line has it: the index in the label of an attribute, and its name."""

    attribute: str
    label: int
    name: str


class LabelState(NamedTuple):
    """What the lines of an attribute are: labelled, failed or unlabelled, and of which task type."""

    attribute: str
    state: str
    type: str


@dataclass(frozen=True, slots=True)
class LineKeys:
    """Of the lines with a ``source-ref``: a key for it, the line, and a key for the label of each attribute.

    Equal keys mean equal texts, and equal labels; a label's key is 0 where there is none.
    """

    sources: NDArray[np.uint64]
    lines: NDArray[np.int64]
    labels: dict[str, NDArray[np.uint64]]


@dataclass(slots=True)
class Facts:
    """What is remembered of a file, or of a part of it; lines count from 1, or from the part's beginning.

    ``objects`` counts lines that are not ``blank``; ``ends`` says whether the last one has its newline. Of
    lines with bounding boxes: the most boxes on one, those ``empty``, the ``smallest`` side of a picture.
    """

    name: str = ""
    objects: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    states: dict[LabelState, Occurrences] = field(default_factory=dict)
    classes: dict[NamedClass, Occurrences] = field(default_factory=dict)
    buckets: dict[str, Occurrences] = field(default_factory=dict)
    placeholder: Occurrences | None = None
    blank: Occurrences | None = None
    most_boxes: int = 0
    empty: Occurrences | None = None
    smallest: float | None = None
    ends: bool = True
    requested: str | None = None
    requested_lines: int = 0
    keys: list[LineKeys] = field(default_factory=list)

    def merge(self, part: "Facts", offset: int) -> None:
        """Add what a part shows that begins at line ``offset``."""
        self.objects += part.objects
        self.requested_lines += part.requested_lines
        self.attributes |= part.attributes
        check_number(self.attributes)
        for kind, seen in part.states.items():
            add_count(self.states, kind, seen, offset)
        for pair, seen in part.classes.items():
            add_count(self.classes, pair, seen, offset)
        for bucket, seen in part.buckets.items():
            add_count(self.buckets, bucket, seen, offset)
        if part.placeholder is not None:
            self.hold(part.placeholder, offset)
        if part.blank is not None:
            self.blank = _sum(self.blank, part.blank, offset)
        self.see_boxes(part.most_boxes, part.smallest, part.empty, offset)
        self.ends = part.ends
        self.keys += (LineKeys(keys.sources, keys.lines + offset, keys.labels) for keys in part.keys)

    def add(self, number: int, line: RuleLine) -> None:
        """Remember one line, but for its keys."""
        self.objects += 1
        self.requested_lines += self.requested is not None and (
            line.value.get(self.requested) is not None or line.labels != ()
        )
        here = Occurrences(number, 1)
        for label in line.labels:
            self.attributes[label.name] = label.metadata_key
            check_number(self.attributes)
            add_count(self.states, LabelState(label.name, label.state, label.type), here)
            for pair in named_classes(label):
                add_count(self.classes, pair, here)
            if label.kind.schema == "boxes" and label.state == "labelled":
                self._see_label(label, here)
        if (bucket := bucket_of(line.value.get("source-ref"))) is not None:
            add_count(self.buckets, bucket, here)
        if holds_placeholder(line):
            self.hold(here, 0)

    def see_boxes(
        self, most: int, smallest: float | None, empty: Occurrences | None = None, offset: int = 0
    ) -> None:
        """Remember lines with boxes: the most on one, the smallest side of a picture, those without any."""
        self.most_boxes = max(self.most_boxes, most)
        if smallest is not None:
            self.smallest = smallest if self.smallest is None else min(smallest, self.smallest)
        if empty is not None:
            self.empty = _sum(self.empty, empty, offset)

    def _see_label(self, label: LineLabel, here: Occurrences) -> None:
        if isinstance(label.value, dict) and isinstance(label.value.get("annotations"), list):
            count = len(label.value["annotations"])
            self.see_boxes(count, smallest_side(label.value.get("image_size")), None if count else here)

    def skip(self, number: int) -> None:
        """Remember a blank line."""
        self.blank = _sum(self.blank, Occurrences(number, 1), 0)

    def hold(self, seen: Occurrences, offset: int) -> None:
        """Remember lines with the placeholder, counted from ``offset``."""
        self.placeholder = _sum(self.placeholder, seen, offset)

    def lines(self, attribute: str, state: str = "labelled") -> int:
        """Return on how many lines an attribute is in a state."""
        mine = (seen for kind, seen in self.states.items() if kind[:2] == (attribute, state))
        return sum(seen.lines for seen in mine)

    def types(self, attribute: str) -> dict[str, Occurrences]:
        """Return the task types that an attribute has on its labelled lines, the commonest first."""
        found = {
            kind.type: seen
            for kind, seen in self.states.items()
            if kind.attribute == attribute and kind.state == "labelled"
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1].lines, item[1].first)))


def _sum(known: Occurrences | None, seen: Occurrences, offset: int) -> Occurrences:
    moved = Occurrences(seen.first + offset, seen.lines)
    return moved if known is None else known.plus(moved)


T = TypeVar("T")


def add_count(table: dict[T, Occurrences], key: T, seen: Occurrences, offset: int = 0) -> None:
    """Count ``key`` in a table; the lines of ``seen`` are counted from ``offset``."""
    table[key] = _sum(table.get(key), seen, offset)


def named_classes(label: LineLabel) -> Iterable[NamedClass]:
    """Return what the line says the classes of its label are called."""
    if label.state != "labelled":
        return ()
    found = observed_classes(label)
    if label.single:
        name = label.metadata.get("class-name")
        named = [name] * len(found)
    else:
        table = label.class_map if isinstance(label.class_map, dict) else {}
        found = sorted(set(found))
        named = [table.get(str(index)) for index in found]
    return [
        NamedClass(label.name, i, name)
        for i, name in zip(found, named, strict=True)
        if isinstance(name, str) and name
    ]


def observed_classes(label: LineLabel) -> list[int]:
    """Return the class indices of a label, or of its boxes, without what is none."""
    if label.kind.schema != "boxes":
        return label.indices()
    found = (index_of(box.get("class_id")) for _, box in label.annotations())
    return [index for index in found if index is not None]


def smallest_side(sizes: Any) -> float | None:
    """Return the smaller side of the picture that boxes lie on, where the label says both.

    >>> smallest_side([{"width": 640, "height": 480, "depth": 3}]), smallest_side([])
    (480.0, None)
    """
    size = sizes[0] if isinstance(sizes, list) and sizes and isinstance(sizes[0], dict) else {}
    sides = [side for key in ("width", "height") if is_number(side := size.get(key)) and side > 0]
    return float(min(sides)) if len(sides) == 2 else None


def bucket_of(ref: Any) -> str | None:
    """Return the bucket of a ``source-ref``, or None where it is no URI of an object."""
    if not isinstance(ref, str) or not ref.startswith("s3://"):
        return None
    bucket, _, key = ref[5:].partition("/")
    return bucket if bucket and key else None


def holds_placeholder(line: RuleLine) -> bool:
    """Say whether the placeholder is left in: in a key, a URI, a job-name; what people wrote may say it."""
    for key, value in line.value.items():
        if PLACEHOLDER in key and key.removesuffix(METADATA) not in SOURCES:
            return True
        if isinstance(value, str) and value.startswith("s3://") and PLACEHOLDER in value:
            return True
    return any(PLACEHOLDER in str(label.metadata.get("job-name")) for label in line.labels)


def label_key(label: LineLabel) -> int:
    """Return a key that equal labels share: of classes only, for other labels are never quite equal."""
    found = label.indices()
    if label.state != "labelled" or not (label.single or label.multi):
        return 0
    if label.single:
        return found[0] + 1 if found else 0
    return int(hash_texts([repr(sorted(set(found)))])[0]) | SEVERAL


def repeated_sources(facts: Facts) -> LineKeys | None:
    """Return the keys of the lines whose ``source-ref`` is on another line too, by source and line."""
    every = [keys.sources for keys in facts.keys]
    ordered = np.sort(np.concatenate(every)) if every else np.zeros(0, np.uint64)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return None
    names = dict.fromkeys(name for keys in facts.keys for name in keys.labels)
    chosen = [(keys, np.flatnonzero(np.isin(keys.sources, twice))) for keys in facts.keys]
    sources = np.concatenate([keys.sources[at] for keys, at in chosen])
    lines = np.concatenate([keys.lines[at] for keys, at in chosen])
    order = np.lexsort((lines, sources))
    labels = {name: np.concatenate([_labels(keys, name)[at] for keys, at in chosen])[order] for name in names}
    return LineKeys(sources[order], lines[order], labels)


def _labels(keys: LineKeys, name: str) -> NDArray[np.uint64]:
    found = keys.labels.get(name)
    return np.zeros(len(keys.sources), np.uint64) if found is None else found
