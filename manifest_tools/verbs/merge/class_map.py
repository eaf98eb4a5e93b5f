"""One class table for an attribute of several manifests: by name, the first one's indices first.

Only what must change does: a class keeps its index where nobody before it has that index for another name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.classes import MOST_CLASSES, ClassConflict, ClassTable, class_table, unnamed

# Label kinds whose class indices stand in an object on S3 as well, where no line can change them.
_ELSEWHERE = {"sequences": "SeqLabel.json", "point_cloud_segmentation": ".zlib"}


@dataclass(frozen=True, slots=True)
class Shown:
    """The classes of one attribute of one manifest: pairs that it names, and every index that it shows."""

    manifest: str
    attribute: str
    kind: str
    names: tuple[tuple[int, str], ...]
    indices: frozenset[int]


@dataclass(slots=True)
class Reconciled:
    """The table of all, and for each of the manifests what its indices become, where any changes."""

    table: ClassTable = field(default_factory=ClassTable)
    moves: list[dict[int, int]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def reconcile(manifests: Sequence[Shown]) -> Reconciled:
    """Return one table for several, and what each must change.

    Raises ClassConflict for a manifest that disagrees with itself, Refused where an index must change and
    cannot: it has no name, or stands in a file that the line only points to.

    >>> both = [Shown("a", "k", "single_label", ((0, "RH"), (1, "LH")), frozenset({0, 1})),
    ...         Shown("b", "k", "single_label", ((0, "LH"), (1, "dent")), frozenset({0, 1}))]
    >>> reconcile(both).moves
    [{}, {0: 1, 1: 2}]
    """
    found = Reconciled()
    tables = [_own_table(one) for one in manifests]
    taken: dict[int, str] = {}
    nameless = {
        index for one, own in zip(manifests, tables, strict=True) for index in one.indices - own.keys()
    }
    free = max((*nameless, *(index for own in tables for index in own)), default=-1) + 1
    for one, own in zip(manifests, tables, strict=True):
        moves, free = _place(own, taken, free)
        _check(one, own, moves, taken)
        found.moves.append({**moves, **{index: index for index in one.indices - own.keys()}} if moves else {})
    found.table = class_table([*taken.items(), *((index, unnamed(index)) for index in nameless)])
    found.remarks = list(_case_remarks(taken, manifests))
    return found


def _own_table(one: Shown) -> dict[int, str]:
    try:
        return dict(class_table(one.names).names)
    except ClassConflict as conflict:
        raise ClassConflict(f"{one.manifest}: {conflict}; type: mtool validate {one.manifest}") from conflict


def _place(own: Mapping[int, str], taken: dict[int, str], free: int) -> tuple[dict[int, int], int]:
    """Give every class of a manifest its index among all; return the new ones where any changes."""
    indices = {name: index for index, name in taken.items()}
    placed = {index: indices[name] for index, name in own.items() if name in indices}
    for index, name in own.items():
        if index not in placed and index not in taken:
            taken[index] = name
            placed[index] = index
    for index, name in own.items():
        if index not in placed:
            taken[free] = name
            placed[index] = free
            free += 1
    if free > MOST_CLASSES:
        raise BadData(f"expected class indices from 0 to {MOST_CLASSES - 1:,}, found {free:,} classes")
    return (placed if any(old != new for old, new in placed.items()) else {}), free


def _check(one: Shown, own: Mapping[int, str], moves: dict[int, int], taken: Mapping[int, str]) -> None:
    """Raise Refused for a class that has to move and cannot, or that nothing names among those that move."""
    if not moves:
        return
    old, new = next(pair for pair in moves.items() if pair[0] != pair[1])
    what = f"{one.manifest}: class {shown(own[old])} is {old}, and has to be {new} beside those before it"
    if one.kind in _ELSEWHERE:
        raise Refused(
            f"{what}; the indices of {shown(one.attribute)} stand in its {_ELSEWHERE[one.kind]} files too, "
            "which merge does not write; label with the same categories, or keep the manifests apart"
        )
    if nameless := sorted(one.indices - own.keys()):
        raise Refused(
            f"{what}; but no line names class {nameless[0]}, so nobody knows what it is there; "
            "give it a class-name or a place in the class-map first"
        )


def _case_remarks(taken: Mapping[int, str], manifests: Sequence[Shown]) -> list[str]:
    folded: dict[str, list[str]] = {}
    for name in taken.values():
        folded.setdefault(name.casefold(), []).append(name)
    attribute = shown(manifests[0].attribute) if manifests else ""
    return [
        f"{attribute}: the classes {', '.join(map(shown, names))} differ by upper and lower case only; "
        "they stay apart (mtool rewrite --rename-class)"
        for names in folded.values()
        if len(names) > 1
    ]
