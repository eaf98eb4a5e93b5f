"""What has changed between two labels of one picture, by class name, for every form that a label has."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.io.json_values import canonical
from manifest_tools.verbs.diff.changes import STEPS, Labels
from manifest_tools.verbs.diff.label_meaning import LABELLED, Meant


class Drift(NamedTuple):
    """A class that is less or more sure than it was."""

    name: str
    before: float
    after: float

    @property
    def steps(self) -> int:
        """The change in STEPS, and at least one; all that a confidence can change by is 1."""
        sane = abs(self.before) < 2 and abs(self.after) < 2
        change = max(-1.0, min(1.0, self.after - self.before)) if sane else 0.0
        return round(change * STEPS) or (1 if self.after > self.before else -1)


Said = Iterator[tuple[str, str]]


def flipped(labels: Labels, old: Meant, new: Meant) -> Said:
    """Compare labels of one class each; yields what kind of change there is, and words for it."""
    before, after = (one.classes[0] if one.classes else one.state for one in (old, new))
    if before != after:
        labels.flips[before, after] += 1
        yield "flips", f"{before} -> {after}"


def listed(labels: Labels, old: Meant, new: Meant) -> Said:
    """Compare lists of classes, whose order says nothing."""
    added = [name for name in dict.fromkeys(new.classes) if name not in old.classes]
    gone = [name for name in dict.fromkeys(old.classes) if name not in new.classes]
    labels.added.update(added)
    labels.gone.update(gone)
    if added or gone:
        yield "classes", ", ".join([*(f"-{name}" for name in gone), *(f"+{name}" for name in added)])
    else:
        yield from came_or_went(labels, old, new)


def came_or_went(labels: Labels, old: Meant, new: Meant) -> Said:
    """Compare labels without a class in them: there is one, or there is none."""
    before, after = (f"({one.state})" if one.state == LABELLED else one.state for one in (old, new))
    if before != after:
        labels.flips[before, after] += 1
        yield "flips", f"{before} -> {after}"


def drifted(old: Meant, new: Meant) -> list[Drift]:
    """Return the classes that both have, and are not as sure of as each other."""
    before = dict(zip(old.classes, old.confidences, strict=True))
    after = dict(zip(new.classes, new.confidences, strict=True))
    return _drifts((name, before[name], after.get(name)) for name in before)


def _drifts(found: Iterator[tuple[str, float | None, float | None]]) -> list[Drift]:
    return [
        Drift(name, before, after)
        for name, before, after in found
        if before is not None and after is not None and before != after
    ]


class Spot(NamedTuple):
    """A box, a cuboid, an entity: its class, all else that is said of it, and its confidence."""

    name: str
    place: str
    sure: float | None


def spots(kind: LabelKind, side: Meant, items: Sequence[dict[str, Any]]) -> list[Spot]:
    """Return everything that has a place in one label."""
    if len(items) != len(side.classes):
        items = [{}] * len(side.classes)
    places = [canonical(kind.without_class(item)) for item in items]
    return [Spot(*spot) for spot in zip(side.classes, places, side.confidences, strict=True)]


def placed(
    labels: Labels, before: list[Spot], after: list[Spot]
) -> tuple[list[tuple[str, str]], list[Drift]]:
    """Compare boxes: those that stayed, then other classes at the same place, then the rest by class."""
    kept = _pair_off(before, after, lambda spot: (spot.name, spot.place))
    flips = _pair_off(before, after, lambda spot: spot.place)
    moved = Counter(one.name for one, _ in _pair_off(before, after, lambda spot: spot.name))
    gone, added = Counter(spot.name for spot in before), Counter(spot.name for spot in after)
    labels.flips.update((one.name, other.name) for one, other in flips)
    labels.moved.update(moved)
    labels.gone.update(gone)
    labels.added.update(added)
    said = [("flips", ", ".join(f"{one.name} -> {other.name}" for one, other in flips))]
    counts = [*_counted("-", gone), *_counted("+", added), *_counted("moved ", moved)]
    said.append(("classes", ", ".join(counts)))
    return (
        [(kind, what) for kind, what in said if what],
        _drifts((one.name, one.sure, other.sure) for one, other in kept),
    )


def _counted(sign: str, counts: Counter[str]) -> list[str]:
    return [f"{sign}{count} {name}" for name, count in counts.items()]


def _pair_off(
    before: list[Spot], after: list[Spot], key: Callable[[Spot], Hashable]
) -> list[tuple[Spot, Spot]]:
    """Take what has the same key out of both lists, and return it as pairs; the first goes with the first."""
    waiting: dict[Hashable, list[int]] = {}
    for at in range(len(after) - 1, -1, -1):
        waiting.setdefault(key(after[at]), []).append(at)
    mates = [places.pop() if (places := waiting.get(key(spot))) else None for spot in before]
    pairs = [(spot, after[at]) for spot, at in zip(before, mates, strict=True) if at is not None]
    taken = {at for at in mates if at is not None}
    before[:] = [spot for spot, at in zip(before, mates, strict=True) if at is None]
    after[:] = [spot for at, spot in enumerate(after) if at not in taken]
    return pairs
