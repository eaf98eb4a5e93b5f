"""How two manifests differ, as ``diff`` returns it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from manifest_tools.verbs.diff.changes import STEPS, Labels, Sample

Samples = Mapping[str, tuple[Sample, ...]]


@dataclass(frozen=True, slots=True)
class Flip:
    """How many labels were ``old`` and are ``new``: names of classes, or ``(no label)`` and the like."""

    old: str
    new: str
    count: int


@dataclass(frozen=True, slots=True)
class ClassLines:
    """A class of either file: how many labels (or boxes, entities) it has; None: not in the class table."""

    index: int
    name: str
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class ClassChange:
    """What became of one class on lines that have several: counts of labels, boxes or entities."""

    name: str
    added: int
    gone: int
    moved: int


@dataclass(frozen=True, slots=True)
class Drift:
    """How confidences changed where the class did not, of one class, or (an empty ``name``) of all.

    ``mean`` and ``median`` are of the ``rose + fell`` changes, rounded to ten-thousandths.
    """

    name: str
    rose: int
    fell: int
    mean: float
    median: float


@dataclass(frozen=True, slots=True)
class AttributeDiff:
    """What changed in one label attribute; where it has another name, or none, in one file, the two differ.

    ``lines`` counts lines by kind of change: ``flips``, ``classes``, ``drift``; ``samples`` has the first.
    """

    old: str | None
    new: str | None
    old_type: str
    new_type: str
    old_labelled: int
    new_labelled: int
    classes: tuple[ClassLines, ...]
    flips: tuple[Flip, ...]
    changes: tuple[ClassChange, ...]
    drift: tuple[Drift, ...]
    lines: Mapping[str, int]
    samples: Samples

    @property
    def name(self) -> str:
        """What to call it: the name that it has in either file."""
        return self.new or self.old or ""

    @property
    def tables_differ(self) -> bool:
        """Say whether an index means another class, or a class has come or gone."""
        return any(one.old is None or one.new is None for one in self.classes)

    @property
    def differs(self) -> bool:
        """Say whether anything is different."""
        table = self.tables_differ or (self.old, self.old_type) != (self.new, self.new_type)
        return table or bool(self.flips or self.changes or self.drift)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """On how many lines the value at a JSON path changed, came or went."""

    path: str
    changed: int
    added: int
    gone: int


@dataclass(frozen=True, slots=True)
class Diff:
    """How two manifests differ.

    Blank lines do not count. Of the lines that both files have, ``same`` have the same bytes but for the line
    end, ``spelt`` other bytes that mean the same, and ``changed`` another meaning; ``moved`` ones stand in
    another place among the others, and the pictures of ``elsewhere`` are in another bucket or folder.
    ``unread`` lines are no JSON object. ``samples`` has the first lines of each kind.
    """

    old: str
    new: str
    identical: bool = False
    old_lines: int = 0
    new_lines: int = 0
    same: int = 0
    spelt: int = 0
    changed: int = 0
    moved: int = 0
    added: int = 0
    gone: int = 0
    elsewhere: int = 0
    old_unread: int = 0
    new_unread: int = 0
    attributes: tuple[AttributeDiff, ...] = ()
    keys: tuple[KeyChange, ...] = ()
    samples: Samples | None = None

    @property
    def differs(self) -> bool:
        """Say whether the two mean something different; spelling, blank lines and line ends mean nothing."""
        lines = self.changed or self.moved or self.added or self.gone or self.elsewhere
        return bool(lines) or any(one.differs for one in self.attributes)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON can say it, samples as objects with the lines' numbers."""
        found = asdict(self) | {"differs": self.differs}
        found["samples"] = _plain(self.samples or {})
        for plain, attribute in zip(found["attributes"], self.attributes, strict=True):
            plain["samples"] = _plain(attribute.samples)
            plain["tables_differ"] = attribute.tables_differ
        return found


def _plain(samples: Samples) -> dict[str, Any]:
    return {kind: [one._asdict() for one in found] for kind, found in samples.items()}


def flips_of(labels: Labels) -> tuple[Flip, ...]:
    """Return the from-to table, the most frequent first."""
    found = sorted(labels.flips.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Flip(*names, count) for names, count in found)


def changes_of(labels: Labels) -> tuple[ClassChange, ...]:
    """Return what became of classes where a line has several, by name."""
    names = sorted({*labels.added, *labels.gone, *labels.moved})
    return tuple(
        ClassChange(name, labels.added[name], labels.gone[name], labels.moved[name]) for name in names
    )


def drift_of(labels: Labels) -> tuple[Drift, ...]:
    """Return how confidences changed, of all classes together, then by class."""
    if not labels.drift:
        return ()
    whole = sum(labels.drift.values(), Counter[int]())
    return (_drift("", whole), *(_drift(name, labels.drift[name]) for name in sorted(labels.drift)))


def _drift(name: str, steps: Counter[int]) -> Drift:
    rose = sum(count for step, count in steps.items() if step > 0)
    total = steps.total()
    mean = sum(step * count for step, count in steps.items()) / total
    middle = (_nth(steps, (total - 1) // 2) + _nth(steps, total // 2)) / 2
    return Drift(name, rose, total - rose, round(mean / STEPS, 4), round(middle / STEPS, 4))


def _nth(steps: Counter[int], place: int) -> int:
    for step in sorted(steps):
        place -= steps[step]
        if place < 0:
            return step
    raise IndexError(place)


def keys_of_changes(keys: Counter[tuple[str, Any]]) -> tuple[KeyChange, ...]:
    """Return on how many lines each value changed, the most frequent first."""
    paths = {path: sum(keys[path, how] for how in ("changed", "added", "gone")) for path, _ in keys}
    return tuple(
        KeyChange(path, keys[path, "changed"], keys[path, "added"], keys[path, "gone"])
        for path in sorted(paths, key=lambda path: (-paths[path], path))
    )
