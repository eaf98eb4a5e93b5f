"""Which label attribute of one file is which of the other, and what has changed in it."""

from collections import Counter
from collections.abc import Mapping

from manifest_tools.verbs.diff.changes import Labels
from manifest_tools.verbs.diff.contents import Contents, Shown
from manifest_tools.verbs.diff.report import AttributeDiff, ClassLines, changes_of, drift_of, flips_of

Pair = tuple[str | None, str | None]


def paired_attributes(
    old: Mapping[str, Shown], new: Mapping[str, Shown], told: str | None, renaming: bool
) -> tuple[Pair, ...]:
    """Return which attribute of one file is which of the other: of the same name, or renamed.

    Renamed is one that went for one that came, if no others of that type did, and the files have pictures in
    common; None stands for none.
    """
    gone = {name: one.type for name, one in old.items() if name not in new}
    come = {name: one.type for name, one in new.items() if name not in old}
    froms, tos = Counter(gone.values()), Counter(come.values())
    renamed = {
        name: next(other for other, its in come.items() if its == kind)
        for name, kind in gone.items()
        if renaming and froms[kind] == tos[kind] == 1
    }
    pairs: list[Pair] = [(name, renamed.get(name) if name in gone else name) for name in old]
    pairs += [(None, name) for name in come if name not in renamed.values()]
    return tuple(pair for pair in pairs if told is None or told in pair)


def attribute_diffs(
    old: Contents, new: Contents, attributes: tuple[Pair, ...], labels: list[Labels]
) -> tuple[AttributeDiff, ...]:
    """Return what changed in every pair of attributes; ``labels`` has an element for each of two names."""
    nothing, waiting = Shown(""), iter(labels)
    found = []
    for one, other in attributes:
        before = nothing if one is None else old.attributes[one]
        after = nothing if other is None else new.attributes[other]
        changed = Labels() if one is None or other is None else next(waiting)
        found.append(_attribute_diff((one, other), before, after, changed))
    return tuple(found)


def _attribute_diff(names: Pair, old: Shown, new: Shown, labels: Labels) -> AttributeDiff:
    return AttributeDiff(
        *names,
        old.type,
        new.type,
        old.labelled,
        new.labelled,
        _class_lines(old, new),
        flips_of(labels),
        changes_of(labels),
        drift_of(labels),
        dict(labels.lines),
        {kind: tuple(samples) for kind, samples in labels.samples.items() if samples},
    )


def _class_lines(old: Shown, new: Shown) -> tuple[ClassLines, ...]:
    before, after = _counts(old), _counts(new)
    keys = sorted({*before, *after})
    return tuple(ClassLines(*key, before.get(key), after.get(key)) for key in keys)


def _counts(shown: Shown) -> dict[tuple[int, str], int]:
    """Return how often each class is there; one without name goes by the name that others give its index."""
    names = shown.known("").names
    counts = dict.fromkeys(shown.named, 0)
    for (index, name), count in shown.classes.items():
        key = (index, names.get(index, "") if name is None else name)
        counts[key] = counts.get(key, 0) + count
    return counts
