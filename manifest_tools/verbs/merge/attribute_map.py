"""Which label attributes of several manifests are one: by their name, or because --label-attribute says so.

A role is a label attribute of the result. In each manifest one attribute plays it, or an attribute and its
adjustments, which are folded into one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product

import numpy as np

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped, shown
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.verbs.merge.columns import ADJUSTED, UNADJUSTED, Remembered

# Of a hundred attributes nobody reads what each pair could be.
_MOST_REMARKS = 3

Parts = tuple[LabelAttribute, ...]


@dataclass(slots=True)
class Manifest:
    """One input: its name, its label attributes in the order of its lines, and what is remembered of it."""

    name: str
    attributes: Parts
    remembered: Remembered

    def is_adjustment(self, attribute: LabelAttribute) -> bool:
        """Say whether an adjustment job wrote the attribute, by the adjustment-status of any line."""
        levels = self.remembered.columns[attribute.name].levels
        return bool(((levels == ADJUSTED) | (levels == UNADJUSTED)).any())


@dataclass(slots=True)
class Cast:
    """For each manifest which of its attributes play a role, the original before its adjustments."""

    roles: list[dict[str, Parts]]
    remarks: list[str]

    @property
    def names(self) -> list[str]:
        """The label attributes of the result, in the order in which they turn up."""
        return list(dict.fromkeys(role for roles in self.roles for role in roles))


def cast(manifests: Sequence[Manifest], told: str | None) -> Cast:
    """Return who plays what; raises Refused where names differ and nobody said which are one."""
    if told is None:
        roles: list[dict[str, tuple[LabelAttribute, ...]]] = [
            {one.name: (one,) for one in manifest.attributes} for manifest in manifests
        ]
        found = Cast(roles, list(dict.fromkeys(islice(_remarks(manifests), 9)))[:_MOST_REMARKS])
    else:
        kind = _kind(manifests, told)
        found = Cast([_told(manifest, told, kind) for manifest in manifests], [])
    _check_kinds(manifests, found)
    _check_connected(manifests, found)
    return found


def _kind(manifests: Sequence[Manifest], told: str) -> str:
    """Return the kind of the attribute that was told, in the first manifest that has it or can give it."""
    for manifest in manifests:
        for one in manifest.attributes:
            if one.name == told and one.type:
                return one.kind.name
    if any(one.name == told for manifest in manifests for one in manifest.attributes):
        return ""
    for manifest in manifests:
        originals = [one for one in manifest.attributes if not manifest.is_adjustment(one)]
        if len(originals or manifest.attributes) == 1:
            return (originals or manifest.attributes)[0].kind.name
        if originals:
            raise _several(manifest, originals, told)
    raise Refused(f"no line of any manifest has a label that could be called {shown(told)}")


def _told(manifest: Manifest, told: str, kind: str) -> dict[str, Parts]:
    """Return the roles of one manifest where one of its attributes is to be called as told."""
    fitting = [one for one in manifest.attributes if kind in ("", one.kind.name) or not one.type]
    adjustments = [one for one in fitting if manifest.is_adjustment(one)]
    originals = [one for one in fitting if one not in adjustments]
    named = [one for one in fitting if one.name == told]
    if adjustments and len(originals) > 1:
        raise _several(manifest, originals, told, f"; {shown(adjustments[0].name)} adjusts one of them")
    if not named and len(originals) > 1:
        raise _several(manifest, originals, told)
    family = (*originals, *adjustments) if adjustments else tuple(named or originals)
    roles: dict[str, Parts] = {told: family} if family else {}
    for one in family:
        _check_ref(manifest, one, told)
    return roles | {one.name: (one,) for one in manifest.attributes if one not in family}


def _several(manifest: Manifest, originals: Sequence[LabelAttribute], told: str, more: str = "") -> Refused:
    names = " and ".join(shown(one.name) for one in originals[:8])
    return Refused(
        f"{manifest.name}: which of {names} is to be {shown(told)}{more}? give it that name first, and the "
        "others names of their own: mtool rewrite --rename-attribute "
        f"{clipped(originals[0].name)}={clipped(told)}"
    )


def _check_ref(manifest: Manifest, one: LabelAttribute, told: str) -> None:
    if one.name.endswith("-ref") != told.endswith("-ref"):
        right = f"{told}-ref" if one.name.endswith("-ref") else told.removesuffix("-ref")
        raise Refused(
            f"{manifest.name}: {shown(one.name)} cannot be called {shown(told)}: a name ends in -ref where "
            f"the label is an object on S3, and nowhere else; type --label-attribute {clipped(right)}"
        )


def _check_kinds(manifests: Sequence[Manifest], found: Cast) -> None:
    """Raise Refused where one name is labels of two kinds."""
    first: dict[str, tuple[str, LabelAttribute]] = {}
    for manifest, roles in zip(manifests, found.roles, strict=True):
        for role, parts in roles.items():
            for one in (one for one in parts if one.type):
                name, other = first.setdefault(role, (manifest.name, one))
                if other.kind.name != one.kind.name:
                    raise Refused(
                        f"{shown(role)} is {other.short_type} in {name} and {one.short_type} in "
                        f"{manifest.name}; give one of them another name: mtool rewrite --rename-attribute"
                    )


def _check_connected(manifests: Sequence[Manifest], found: Cast) -> None:
    """Raise Refused for manifests that share no attribute, and are no outputs of one chained job either.

    Two jobs of a chain have the same pictures: those of one are all in the other.
    """
    labelled = [at for at, roles in enumerate(found.roles) if roles]
    reached, ahead = set(labelled[:1]), labelled[:1]
    while ahead:
        here = ahead.pop()
        for there in labelled:
            if there not in reached and _belong(manifests, found.roles, here, there):
                reached.add(there)
                ahead.append(there)
    for at in labelled:
        if at not in reached:
            raise _apart(manifests, found.roles, labelled[0], at)


def _apart(
    manifests: Sequence[Manifest], roles: Sequence[Mapping[str, Parts]], one: int, other: int
) -> Refused:
    """Return the error for two manifests that have nothing in common, and what can be done."""
    names = [(manifests[at].name, *next(iter(roles[at].items()))) for at in (one, other)]
    described = " and ".join(
        f"{name} has the label attribute {shown(role)} ({parts[0].short_type})" for name, role, parts in names
    )
    (first, role, parts), (second, _, others) = names
    alike = parts[0].kind.name == others[0].kind.name
    advice = (
        f"--label-attribute {clipped(role)} gives them one name"
        if alike
        else f"cat {first} {second} keeps both"
    )
    return Refused(f"{described}, and their pictures are not the same; {advice}")


def _belong(
    manifests: Sequence[Manifest], roles: Sequence[Mapping[str, Parts]], one: int, other: int
) -> bool:
    if roles[one].keys() & roles[other].keys():
        return True
    keys = [np.unique(manifests[at].remembered.keys) for at in (one, other)]
    few, many = sorted((some[some != 0] for some in keys), key=len)
    return bool(len(few)) and bool(np.isin(few, many, assume_unique=True).all())


def _remarks(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Yield what --label-attribute would do: fold an adjustment, or make one of two names."""
    for manifest in manifests:
        adjustments = [one for one in manifest.attributes if manifest.is_adjustment(one)]
        for one, other in product(adjustments, manifest.attributes):
            if other not in adjustments and one.kind.name == other.kind.name:
                yield (
                    f"{shown(one.name)} adjusts {shown(other.name)}; --label-attribute "
                    f"{clipped(other.name)} makes them one label, adjusted where it was"
                )
    together = [{one.name for one in manifest.attributes} for manifest in manifests]
    kinds = {one.name: one.kind.name for manifest in manifests for one in manifest.attributes}
    for first, second in combinations(kinds, 2):
        apart = not any(first in names and second in names for names in together)
        if apart and kinds[first] == kinds[second]:
            yield (
                f"{shown(first)} and {shown(second)} stay two labels; --label-attribute {clipped(first)} "
                "makes them one, where they mean the same"
            )
