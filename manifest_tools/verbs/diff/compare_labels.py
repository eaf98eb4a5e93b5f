"""Compares two labels of one picture by class name: one class, a list of classes, or boxes and the like."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from manifest_tools.groundtruth.label_kinds import LabelKind
from manifest_tools.io.json_values import canonical
from manifest_tools.verbs.diff.changes import STEPS, LabelChanges
from manifest_tools.verbs.diff.label_meaning import LABELLED, LabelMeaning


class Difference(NamedTuple):
    """One kind of change on a line."""

    kind: str
    """``flips``, ``classes`` or ``confidences``, as in ``LabelChanges.lines``."""

    what: str
    """What changed, for people."""


class ConfidenceChange(NamedTuple):
    """A class whose confidence is not what it was."""

    name: str
    before: float
    after: float

    @property
    def steps(self) -> int:
        """The change in STEPS, at least one; values that no confidence can have count as a change of one."""
        valid = abs(self.before) < 2 and abs(self.after) < 2
        change = max(-1.0, min(1.0, self.after - self.before)) if valid else 0.0
        return round(change * STEPS) or (1 if self.after > self.before else -1)


def compare_single(changes: LabelChanges, old: LabelMeaning, new: LabelMeaning) -> Iterator[Difference]:
    """Compare labels of one class each."""
    before, after = (one.classes[0] if one.classes else one.state for one in (old, new))
    if before != after:
        changes.flips[before, after] += 1
        yield Difference("flips", f"{before} -> {after}")


def compare_lists(changes: LabelChanges, old: LabelMeaning, new: LabelMeaning) -> Iterator[Difference]:
    """Compare lists of classes; their order does not count."""
    added = [name for name in dict.fromkeys(new.classes) if name not in old.classes]
    gone = [name for name in dict.fromkeys(old.classes) if name not in new.classes]
    changes.added.update(added)
    changes.gone.update(gone)
    if added or gone:
        names = [*(f"-{name}" for name in gone), *(f"+{name}" for name in added)]
        yield Difference("classes", ", ".join(names))
    else:
        yield from compare_states(changes, old, new)


def compare_states(changes: LabelChanges, old: LabelMeaning, new: LabelMeaning) -> Iterator[Difference]:
    """Compare whether there is a label."""
    before, after = (f"({one.state})" if one.state == LABELLED else one.state for one in (old, new))
    if before != after:
        changes.flips[before, after] += 1
        yield Difference("flips", f"{before} -> {after}")


def confidence_changes(old: LabelMeaning, new: LabelMeaning) -> list[ConfidenceChange]:
    """Return the classes that both labels have with different confidences."""
    before = dict(zip(old.classes, old.confidences, strict=True))
    after = dict(zip(new.classes, new.confidences, strict=True))
    return _known_changes((name, before[name], after.get(name)) for name in before)


def _known_changes(found: Iterator[tuple[str, float | None, float | None]]) -> list[ConfidenceChange]:
    return [
        ConfidenceChange(name, before, after)
        for name, before, after in found
        if before is not None and after is not None and before != after
    ]


class Item(NamedTuple):
    """A box, a cuboid or an entity."""

    name: str
    """Its class."""

    position: str
    """All but its class, as canonical JSON."""

    confidence: float | None


def items_with_positions(kind: LabelKind, label: LabelMeaning, items: Sequence[dict[str, Any]]) -> list[Item]:
    """Return the boxes, cuboids or entities of a label; ``items`` are they as the line has them."""
    if len(items) != len(label.classes):
        items = [{}] * len(label.classes)
    positions = [canonical(kind.without_class(item)) for item in items]
    return [Item(*item) for item in zip(label.classes, positions, label.confidences, strict=True)]


def compare_items(
    changes: LabelChanges, before: list[Item], after: list[Item]
) -> tuple[list[Difference], list[ConfidenceChange]]:
    """Compare boxes: those that stayed, then other classes at the same position, then the rest by class."""
    kept = _take_pairs(before, after, lambda item: (item.name, item.position))
    flips = _take_pairs(before, after, lambda item: item.position)
    moved = Counter(one.name for one, _ in _take_pairs(before, after, lambda item: item.name))
    gone, added = Counter(item.name for item in before), Counter(item.name for item in after)
    changes.flips.update((one.name, other.name) for one, other in flips)
    changes.moved.update(moved)
    changes.gone.update(gone)
    changes.added.update(added)
    counts = [*_counted("-", gone), *_counted("+", added), *_counted("moved ", moved)]
    found = [
        Difference("flips", ", ".join(f"{one.name} -> {other.name}" for one, other in flips)),
        Difference("classes", ", ".join(counts)),
    ]
    confidences = _known_changes((one.name, one.confidence, other.confidence) for one, other in kept)
    return [one for one in found if one.what], confidences


def _counted(sign: str, counts: Counter[str]) -> list[str]:
    return [f"{sign}{count} {name}" for name, count in counts.items()]


def _take_pairs(
    before: list[Item], after: list[Item], key: Callable[[Item], Hashable]
) -> list[tuple[Item, Item]]:
    """Remove items of equal keys from both lists, and return them as pairs; the first goes with the first."""
    waiting: dict[Hashable, list[int]] = {}
    for at in range(len(after) - 1, -1, -1):
        waiting.setdefault(key(after[at]), []).append(at)
    found = [free.pop() if (free := waiting.get(key(item))) else None for item in before]
    pairs = [(item, after[at]) for item, at in zip(before, found, strict=True) if at is not None]
    taken = {at for at in found if at is not None}
    before[:] = [item for item, at in zip(before, found, strict=True) if at is None]
    after[:] = [item for at, item in enumerate(after) if at not in taken]
    return pairs
