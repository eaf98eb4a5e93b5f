"""What is remembered of a file, so that its lines can be compared: 16 bytes a line, and 8 a label."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.hashing import hash_texts
from manifest_tools.groundtruth.attributes import is_bare_label
from manifest_tools.groundtruth.classes import index_of
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.groundtruth.survey import check_number
from manifest_tools.verbs.validate.engine.unpaired_metadata import Unpaired, unpaired_metadata
from manifest_tools.verbs.validate.rule_input import LineLabel, RuleLine

PLACEHOLDER = "lab#"
_MOST_UNPAIRED = 1000  # different ones that are remembered

# A key for a list of classes has this bit; without it, a key is a class index + 1.
SEVERAL = 1 << 63


class Occurrences(NamedTuple):
    """On how many lines something is, and on which first."""

    first: int
    """The number of the first line, from 1; in a part of a file from 0."""

    lines: int


class NamedClass(NamedTuple):
    """A class that a line names."""

    attribute: str
    """The label attribute."""

    label: int
    """The class index."""

    name: str


class LabelState(NamedTuple):
    """What an attribute is on a line."""

    attribute: str
    """The label attribute."""

    state: str
    """``labelled``, ``failed`` or ``unlabelled``."""

    type: str
    """The task type."""


@dataclass(frozen=True, slots=True)
class LineKeys:
    """Keys of the lines with a source: equal keys mean equal sources, or equal labels."""

    sources: NDArray[np.uint64]
    """The key of the ``source-ref``, or of the ``source``: ``(lines,)``."""

    lines: NDArray[np.int64]
    """The number of the line: ``(lines,)``."""

    labels: dict[str, NDArray[np.uint64]]
    """For each label attribute the key of the label, 0 where there is none: ``(lines,)``."""


@dataclass(slots=True)
class Facts:
    """What is remembered of a file, or of a part of it; lines count from 1, in a part from 0."""

    name: str = ""
    """The file."""

    objects: int = 0
    """Lines that are not blank."""

    attributes: dict[str, str] = field(default_factory=dict)
    """Label attributes of which a line has the label, or a failure, with their metadata keys."""

    unpaired: dict[Unpaired, Occurrences] = field(default_factory=dict)
    """Metadata whose label a line does not have."""

    bare: dict[str, Occurrences] = field(default_factory=dict)
    """Keys with a class index that are alone beside the source; for a preflight only."""

    without_label: int = 0
    """Lines that have only a source; for a preflight only."""

    states: dict[LabelState, Occurrences] = field(default_factory=dict)
    """What the attributes are, on how many lines."""

    classes: dict[NamedClass, Occurrences] = field(default_factory=dict)
    """The classes that lines show and name."""

    buckets: dict[str, Occurrences] = field(default_factory=dict)
    """The buckets of sources."""

    doubled: Occurrences | None = None
    """Lines whose source-ref has an empty part: two slashes that follow one another."""

    placeholder: Occurrences | None = None
    """Lines with the placeholder ``lab#`` left in."""

    blank: Occurrences | None = None
    """Blank lines."""

    ends: bool = True
    """Whether the last line has its newline."""

    requested: str | None = None
    """The only label attribute to look at; None for all."""

    requested_lines: int = 0
    """Lines that have it."""

    texts: int = 0
    """Lines whose source is a text, and no picture."""

    noun: str = "line"
    """What an element of the file is called: a line, or a record or row of another file."""

    keys: list[LineKeys] = field(default_factory=list)
    """Keys of the lines, block by block."""

    @property
    def subject(self) -> str:
        """What the lines are about: a text where most have one, or a picture."""
        return "text" if 2 * self.texts > self.objects else "picture"

    def merge(self, part: "Facts", offset: int) -> None:
        """Add what a part shows that begins at line ``offset``."""
        self.objects += part.objects
        self.requested_lines += part.requested_lines
        self.texts += part.texts
        self.attributes |= part.attributes
        check_number(self.attributes)
        for state, occurrences in part.states.items():
            add_count(self.states, state, occurrences, offset)
        for named, occurrences in part.classes.items():
            add_count(self.classes, named, occurrences, offset)
        for bucket, occurrences in part.buckets.items():
            add_count(self.buckets, bucket, occurrences, offset)
        for unpaired, occurrences in part.unpaired.items():
            self._add_unpaired(unpaired, occurrences, offset)
        for key, occurrences in part.bare.items():
            add_count(self.bare, key, occurrences, offset)
        self.without_label += part.without_label
        if part.doubled is not None:
            self.doubled = plus(self.doubled, part.doubled, offset)
        if part.placeholder is not None:
            self.add_placeholder(part.placeholder, offset)
        if part.blank is not None:
            self.blank = plus(self.blank, part.blank, offset)
        self.ends = part.ends
        self.keys += (LineKeys(keys.sources, keys.lines + offset, keys.labels) for keys in part.keys)

    def add(self, number: int, line: RuleLine) -> None:
        """Remember one line, but for its keys."""
        self.objects += 1
        self.texts += is_text(line.value)
        self.requested_lines += self.requested is not None and (
            line.value.get(self.requested) is not None
            or any(label.state != "unlabelled" for label in line.labels)
        )
        here = Occurrences(number, 1)
        if line.beside is not None:
            self._add_beside(line.beside, line.value, here)
        for unpaired in unpaired_metadata(line.value):
            self._add_unpaired(unpaired, here)
        for label in line.labels:
            if label.state != "unlabelled":
                self.attributes[label.name] = label.metadata_key
            check_number(self.attributes)
            add_count(self.states, LabelState(label.name, label.state, label.type), here)
            for named in named_classes(label):
                add_count(self.classes, named, here)
        if (bucket := bucket_of(line.value.get("source-ref"))) is not None:
            add_count(self.buckets, bucket, here)
        if has_empty_part(line.value.get("source-ref")):
            self.doubled = plus(self.doubled, here)
        if holds_placeholder(line):
            self.add_placeholder(here)

    def _add_beside(self, keys: Sequence[str], value: Mapping[str, Any], here: Occurrences) -> None:
        self.without_label += not keys
        if len(keys) == 1 and is_bare_label(keys[0], value[keys[0]], value):
            add_count(self.bare, keys[0], here)

    @property
    def only_label(self) -> str | None:
        """The only key beside the source, where it has a class index on all lines that have it."""
        counts = {key: seen.lines + self.without_label for key, seen in self.bare.items()}
        return next((key for key, lines in counts.items() if lines == self.objects), None)

    def _add_unpaired(self, unpaired: Unpaired, more: Occurrences, offset: int = 0) -> None:
        if unpaired in self.unpaired or len(self.unpaired) < _MOST_UNPAIRED:
            add_count(self.unpaired, unpaired, more, offset)

    def skip(self, number: int) -> None:
        """Remember a blank line."""
        self.blank = plus(self.blank, Occurrences(number, 1))

    def add_placeholder(self, more: Occurrences, offset: int = 0) -> None:
        """Remember lines with the placeholder, counted from ``offset``."""
        self.placeholder = plus(self.placeholder, more, offset)

    def lines(self, attribute: str, state: str = "labelled") -> int:
        """Return on how many lines an attribute is in a state."""
        wanted = (attribute, state)
        return sum(occurrences.lines for known, occurrences in self.states.items() if known[:2] == wanted)

    def types(self, attribute: str) -> dict[str, Occurrences]:
        """Return the task types that an attribute has on its labelled lines, the commonest first."""
        found = {
            state.type: occurrences
            for state, occurrences in self.states.items()
            if (state.attribute, state.state) == (attribute, "labelled")
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1].lines, item[1].first)))


def plus(known: Occurrences | None, more: Occurrences, offset: int = 0) -> Occurrences:
    """Return the sum of both; the lines of ``more`` are counted from ``offset``."""
    first = more.first + offset
    return (
        Occurrences(first, more.lines)
        if known is None
        else Occurrences(min(known.first, first), known.lines + more.lines)
    )


T = TypeVar("T")


def add_count(table: dict[T, Occurrences], key: T, more: Occurrences, offset: int = 0) -> None:
    """Count ``key`` in a table; the lines of ``more`` are counted from ``offset``."""
    table[key] = plus(table.get(key), more, offset)


def named_classes(label: LineLabel) -> Iterable[NamedClass]:
    """Return what the line says the classes of its label are called."""
    if label.state != "labelled":
        return ()
    if label.kind.label_object in ("mask", "zlib"):
        return _colour_names(label)
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


def _colour_names(label: LineLabel) -> list[NamedClass]:
    """Return the classes of a colour map, the background included."""
    table = label.metadata.get(label.kind.class_fields[0])
    entries = table.items() if isinstance(table, dict) else ()
    named = ((index_of(key), entry.get("class-name")) for key, entry in entries if isinstance(entry, dict))
    return [
        NamedClass(label.name, index, name)
        for index, name in named
        if index is not None and isinstance(name, str) and name
    ]


def observed_classes(label: LineLabel) -> list[int]:
    """Return the class indices of a label, or of its boxes, without what is none."""
    if label.kind.schema != "boxes":
        return label.indices()
    found = (index_of(box.get(label.kind.class_key)) for _, box in label.annotations())
    return [index for index in found if index is not None]


def source_of(value: Mapping[str, Any]) -> str | None:
    """Return the source of a line: its ``source-ref``, or its ``source``; None where it has neither."""
    found = value.get("source-ref")
    if not isinstance(found, str):
        found = value.get("source")
    return found if isinstance(found, str) else None


def is_text(value: Mapping[str, Any]) -> bool:
    """Say whether the source of a line is a text."""
    return not isinstance(value.get("source-ref"), str) and isinstance(value.get("source"), str)


def bucket_of(ref: Any) -> str | None:
    """Return the bucket of a ``source-ref``, or None where it is no URI of an object."""
    if not isinstance(ref, str) or not ref.startswith("s3://"):
        return None
    bucket, _, key = ref[5:].partition("/")
    return bucket if bucket and key else None


def has_empty_part(ref: Any) -> bool:
    """Say whether the key of a ``source-ref`` has two slashes that follow one another."""
    return isinstance(ref, str) and ref.startswith("s3://") and "//" in ref.replace("://", "")


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
    """Return the keys of the lines whose source is on another line too, by source and line."""
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
