"""One class table for an attribute of several manifests: by name, with the indices of the first manifest.

Only what must change does: a class keeps its index where no manifest before has it for another class.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import listed, shown
from manifest_tools.base.visible import folded
from manifest_tools.groundtruth.classes import (
    MOST_CLASSES,
    ClassConflict,
    ClassTable,
    class_table,
    default_name,
)


@dataclass(frozen=True, slots=True)
class ObservedClasses:
    """The classes of one label attribute of one manifest."""

    manifest: str
    attribute: str
    in_objects: bool
    """Whether the class indices are also in objects on S3, where merge cannot change them."""

    has_colour_maps: bool
    """Whether each line has a map of its own, which may say otherwise than others."""

    names: tuple[tuple[int, str], ...]
    """The class indices that lines name, each with its name."""

    indices: frozenset[int]
    """All class indices on its lines, with or without a name."""


@dataclass(slots=True)
class ClassMap:
    """The classes of several manifests as one table."""

    table: ClassTable = field(default_factory=ClassTable)
    index_maps: list[dict[int, int]] = field(default_factory=list)
    """For each manifest the new index of every class; empty where none changes."""

    notes: list[str] = field(default_factory=list)


def map_classes(manifests: Sequence[ObservedClasses]) -> ClassMap:
    """Return one table for several manifests, and the index changes that each needs.

    Raises ClassConflict for a manifest that has two names for one index; colour maps that disagree stay as
    they are, for each says what it means. Raises Refused where an index must
    change and cannot: some class has no name, or the index is also in an object on S3.

    >>> both = [ObservedClasses("a", "k", False, False, ((0, "RH"), (1, "LH")), frozenset({0, 1})),
    ...         ObservedClasses("b", "k", False, False, ((0, "LH"), (1, "dent")), frozenset({0, 1}))]
    >>> map_classes(both).index_maps
    [{}, {0: 1, 1: 2}]
    """
    found = ClassMap()
    try:
        tables = [_own_table(one) for one in manifests]
    except ClassConflict as conflict:
        if not all(one.has_colour_maps for one in manifests):
            raise
        return _unchanged(manifests, conflict)
    merged: dict[int, str] = {}
    nameless = {
        index for one, own in zip(manifests, tables, strict=True) for index in one.indices - own.keys()
    }
    free = max((*nameless, *(index for own in tables for index in own)), default=-1) + 1
    for one, own in zip(manifests, tables, strict=True):
        before = set(merged)
        index_map, free = _add_classes(own, merged, free)
        found.notes += _added_note(one, [merged[index] for index in merged if index not in before], before)
        _check(one, own, index_map)
        kept = {index: index for index in one.indices - own.keys()}
        found.index_maps.append({**index_map, **kept} if index_map else {})
    found.table = class_table([*merged.items(), *((index, default_name(index)) for index in nameless)])
    found.notes += _alike_notes(merged, manifests)
    return found


def _unchanged(manifests: Sequence[ObservedClasses], conflict: ClassConflict) -> ClassMap:
    """Return a table by names alone, and no changes: the maps of lines contradict one another."""
    names = dict.fromkeys(name for one in manifests for _, name in one.names)
    note = f"{shown(manifests[0].attribute)}: the colour maps stay as they are, although {conflict}"
    return ClassMap(class_table(enumerate(names)), [{} for _ in manifests], [note])


def _own_table(one: ObservedClasses) -> dict[int, str]:
    try:
        return dict(class_table(one.names).names)
    except ClassConflict as conflict:
        raise ClassConflict(f"{one.manifest}: {conflict}; type: mtool validate {one.manifest}") from conflict


def _add_classes(own: Mapping[int, str], merged: dict[int, str], free: int) -> tuple[dict[int, int], int]:
    """Add the classes of a manifest to the merged table.

    Returns the new index of each, or nothing where none changes, and the next ``free`` index.
    """
    indices = {name: index for index, name in merged.items()}
    index_map = {index: indices[name] for index, name in own.items() if name in indices}
    for index, name in own.items():
        if index not in index_map and index not in merged:
            merged[index] = name
            index_map[index] = index
    for index, name in own.items():
        if index not in index_map:
            merged[free] = name
            index_map[index] = free
            free += 1
    if free > MOST_CLASSES:
        raise BadData(f"expected class indices from 0 to {MOST_CLASSES - 1:,}, found {free:,} classes")
    return (index_map if any(old != new for old, new in index_map.items()) else {}), free


def _check(one: ObservedClasses, own: Mapping[int, str], index_map: Mapping[int, int]) -> None:
    """Raise Refused for a class whose index must change and cannot."""
    if not index_map:
        return
    old, new = next(pair for pair in index_map.items() if pair[0] != pair[1])
    what = (
        f"{one.manifest}: class {shown(own[old])} must change its index from {old} to {new}, "
        "to fit the manifests before it"
    )
    if one.in_objects:
        raise Refused(
            f"{what}; but the indices of {shown(one.attribute)} are also in the objects on S3 that its "
            "labels name, which merge does not write; label with the same categories, or do not merge them"
        )
    if nameless := sorted(one.indices - own.keys()):
        raise Refused(
            f"{what}; but no line names class {nameless[0]}, so nobody knows whether its index must change "
            "too; give it a class-name, or an entry in the class-map, first"
        )


def _added_note(one: ObservedClasses, added: Sequence[str], before: Collection[int]) -> list[str]:
    """Return a note on the classes that a manifest adds to those of the manifests before it."""
    if not added or not before:
        return []
    what = "the class" if len(added) == 1 else f"{len(added):,} classes"
    return [f"{shown(one.attribute)}: {one.manifest} adds {what} {listed(added)}"]


def _alike_notes(merged: Mapping[int, str], manifests: Sequence[ObservedClasses]) -> list[str]:
    """Return a note for each group of classes whose names look alike."""
    groups: dict[str, list[str]] = {}
    for name in merged.values():
        groups.setdefault(folded(name), []).append(name)
    attribute = shown(manifests[0].attribute) if manifests else ""
    return [
        f"{attribute}: the classes {', '.join(map(shown, names))} differ only in {_difference(names)}, and "
        "stay apart; to make them one, type mtool rewrite --rename-class"
        for names in groups.values()
        if len(names) > 1
    ]


def _difference(names: Sequence[str]) -> str:
    case = len({name.casefold() for name in names}) == 1
    return "upper and lower case" if case else "blanks, case or Unicode form"
