"""How two manifests differ: the result of ``diff``, made from what was counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from manifest_tools.verbs.diff.changes import STEPS, LabelChanges, Sample
from manifest_tools.verbs.diff.columns import ManifestColumns, ObservedAttribute
from manifest_tools.verbs.diff.match import AttributePair

Samples = Mapping[str, tuple[Sample, ...]]

# What the JSON report calls some fields and kinds of change.
_JSON_NAMES = {"reformatted": "spelt", "relocated": "elsewhere", "confidences": "drift"}


@dataclass(frozen=True, slots=True)
class LabelFlip:
    """How many labels were one class and are another."""

    old: str
    """The name of the class, or ``(no label)``, ``(failed)``, ``(unreadable)``."""

    new: str
    count: int


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many labels, boxes or entities of a class each file has."""

    index: int
    name: str
    old: int | None
    """None: the class is not in the class table of the old file."""

    new: int | None
    """None: the class is not in the class table of the new file."""


@dataclass(frozen=True, slots=True)
class ClassChange:
    """How many labels, boxes or entities of one class changed on lines that may have several."""

    name: str
    added: int
    gone: int
    moved: int
    """They are at another place."""


@dataclass(frozen=True, slots=True)
class ConfidenceChanges:
    """How confidences changed where the class did not."""

    name: str
    """The class; empty: all classes together."""

    rose: int
    fell: int
    mean: float
    """The mean change, rounded to ten-thousandths."""

    median: float
    """The median change, rounded to ten-thousandths."""


@dataclass(frozen=True, slots=True)
class AttributeDiff:
    """What changed in one label attribute."""

    old: str | None
    """Its name in the old file; None: it is not there."""

    new: str | None
    """Its name in the new file; None: it is not there."""

    old_type: str
    new_type: str
    old_labelled: int
    """Lines of the old file that have a label."""

    new_labelled: int
    """Lines of the new file that have a label."""

    classes: tuple[ClassCount, ...]
    flips: tuple[LabelFlip, ...]
    changes: tuple[ClassChange, ...]
    confidences: tuple[ConfidenceChanges, ...]
    lines: Mapping[str, int]
    """Lines, by kind of change: ``flips``, ``classes``, ``confidences``."""

    samples: Samples
    """The first lines, by kind of change."""

    @property
    def name(self) -> str:
        """Its name in the new file, or else in the old one."""
        return self.new or self.old or ""

    @property
    def tables_differ(self) -> bool:
        """Say whether an index means another class, or a class was added or is gone."""
        return any(one.old is None or one.new is None for one in self.classes)

    @property
    def differs(self) -> bool:
        """Say whether anything is different."""
        table = self.tables_differ or (self.old, self.old_type) != (self.new, self.new_type)
        return table or bool(self.flips or self.changes or self.confidences)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """On how many lines the value at a JSON path changed, was added, or is gone."""

    path: str
    changed: int
    added: int
    gone: int


@dataclass(frozen=True, slots=True)
class Diff:
    """How two manifests differ, in lines; blank lines do not count."""

    old: str
    """The name of the old file."""

    new: str
    """The name of the new file."""

    identical: bool = False
    """Whether the files have the same bytes."""

    old_lines: int = 0
    new_lines: int = 0
    same: int = 0
    """In both files with the same bytes, but for the line end."""

    reformatted: int = 0
    """In both files with other bytes that mean the same; ``spelt`` in JSON."""

    changed: int = 0
    """In both files with another meaning."""

    moved: int = 0
    """In both files in another order."""

    added: int = 0
    """In the new file only."""

    gone: int = 0
    """In the old file only."""

    relocated: int = 0
    """In both files, with the picture in another bucket or folder; ``elsewhere`` in JSON."""

    old_unread: int = 0
    """In the old file and no JSON object with a source."""

    new_unread: int = 0
    """In the new file and no JSON object with a source."""

    attributes: tuple[AttributeDiff, ...] = ()
    keys: tuple[KeyChange, ...] = ()
    """What changed beside the labels, the most frequent first."""

    samples: Samples | None = None
    """The first lines of each kind of change."""

    @property
    def differs(self) -> bool:
        """Say whether the two mean something different; spelling, blank lines and line ends mean nothing."""
        lines = self.changed or self.moved or self.added or self.gone or self.relocated
        return bool(lines) or any(one.differs for one in self.attributes)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON can have it, samples as objects with the numbers of the lines."""
        attributes = [
            _json_names(asdict(one))
            | {
                "lines": _json_names(one.lines),
                "samples": _plain(one.samples),
                "tables_differ": one.tables_differ,
            }
            for one in self.attributes
        ]
        return _json_names(asdict(self)) | {
            "attributes": attributes,
            "samples": _plain(self.samples or {}),
            "differs": self.differs,
        }


def _json_names(found: Mapping[str, Any]) -> dict[str, Any]:
    return {_JSON_NAMES.get(name, name): value for name, value in found.items()}


def _plain(samples: Samples) -> dict[str, Any]:
    return _json_names({kind: [one._asdict() for one in found] for kind, found in samples.items()})


def attribute_diffs(
    old: ManifestColumns, new: ManifestColumns, pairs: tuple[AttributePair, ...], changes: list[LabelChanges]
) -> tuple[AttributeDiff, ...]:
    """Return what changed in every pair; ``changes`` has an element for each pair of two names."""
    nothing, remaining = ObservedAttribute(""), iter(changes)
    found = []
    for one, other in pairs:
        before = nothing if one is None else old.attributes[one]
        after = nothing if other is None else new.attributes[other]
        changed = LabelChanges() if one is None or other is None else next(remaining)
        found.append(_attribute_diff((one, other), before, after, changed))
    return tuple(found)


def _attribute_diff(
    names: AttributePair, old: ObservedAttribute, new: ObservedAttribute, changes: LabelChanges
) -> AttributeDiff:
    return AttributeDiff(
        *names,
        old.type,
        new.type,
        old.labelled,
        new.labelled,
        _class_counts(old, new),
        _flips(changes),
        _class_changes(changes),
        _confidence_changes(changes),
        dict(changes.lines),
        {kind: tuple(samples) for kind, samples in changes.samples.items() if samples},
    )


def _class_counts(old: ObservedAttribute, new: ObservedAttribute) -> tuple[ClassCount, ...]:
    before, after = _counts(old), _counts(new)
    keys = sorted({*before, *after})
    return tuple(ClassCount(*key, before.get(key), after.get(key)) for key in keys)


def _counts(observed: ObservedAttribute) -> dict[tuple[int, str], int]:
    """Return how often each class is there; one without a name has the name of its index on other lines."""
    names = observed.known("").names
    counts = dict.fromkeys(observed.named, 0)
    for (index, name), count in observed.classes.items():
        key = (index, names.get(index, "") if name is None else name)
        counts[key] = counts.get(key, 0) + count
    return counts


def _flips(changes: LabelChanges) -> tuple[LabelFlip, ...]:
    """Return the from-to table, the most frequent first."""
    found = sorted(changes.flips.items(), key=lambda item: (-item[1], item[0]))
    return tuple(LabelFlip(*names, count) for names, count in found)


def _class_changes(changes: LabelChanges) -> tuple[ClassChange, ...]:
    names = sorted({*changes.added, *changes.gone, *changes.moved})
    return tuple(
        ClassChange(name, changes.added[name], changes.gone[name], changes.moved[name]) for name in names
    )


def _confidence_changes(changes: LabelChanges) -> tuple[ConfidenceChanges, ...]:
    """Return how confidences changed, of all classes together, then by class."""
    by_class = changes.confidences
    if not by_class:
        return ()
    together = sum(by_class.values(), Counter[int]())
    return (_summarized("", together), *(_summarized(name, by_class[name]) for name in sorted(by_class)))


def _summarized(name: str, steps: Counter[int]) -> ConfidenceChanges:
    rose = sum(count for step, count in steps.items() if step > 0)
    total = steps.total()
    mean = sum(step * count for step, count in steps.items()) / total
    median = (_nth(steps, (total - 1) // 2) + _nth(steps, total // 2)) / 2
    return ConfidenceChanges(name, rose, total - rose, round(mean / STEPS, 4), round(median / STEPS, 4))


def _nth(steps: Counter[int], place: int) -> int:
    for step in sorted(steps):
        place -= steps[step]
        if place < 0:
            return step
    raise IndexError(place)


def key_changes(keys: Counter[tuple[str, Any]]) -> tuple[KeyChange, ...]:
    """Return on how many lines each value changed, the most frequent first."""
    paths = {path: sum(keys[path, how] for how in ("changed", "added", "gone")) for path, _ in keys}
    return tuple(
        KeyChange(path, keys[path, "changed"], keys[path, "added"], keys[path, "gone"])
        for path in sorted(paths, key=lambda path: (-paths[path], path))
    )
