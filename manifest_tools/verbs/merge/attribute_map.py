"""Which label attributes of several manifests become one: those of one name, or what --label-attribute says.

An adjustment job writes an attribute beside the one that it adjusts; the two may become one as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product

import numpy as np

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import clipped, shown
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.verbs.merge.columns import Manifest

# Of a hundred attributes nobody reads what each pair could be.
_MOST_NOTES = 3

Attributes = tuple[LabelAttribute, ...]
# By name in the result, the attributes of one manifest that become it; an original before its adjustments.
Targets = Mapping[str, Attributes]


@dataclass(slots=True)
class AttributeMap:
    """Which attributes of each manifest become which label attribute of the result."""

    targets: list[Targets]
    """For each manifest: by name in the result, the attributes that become it."""

    notes: list[str]
    """What --label-attribute could do, for people."""

    @property
    def names(self) -> list[str]:
        """The label attributes of the result, in the order in which they turn up."""
        return list(dict.fromkeys(name for targets in self.targets for name in targets))


def map_attributes(manifests: Sequence[Manifest], requested: str | None) -> AttributeMap:
    """Return which attributes become one; ``requested`` is the name that --label-attribute gives.

    Raises Refused where it could mean several attributes, where one name would have labels of two kinds, and
    for manifests that have nothing in common.
    """
    if requested is None:
        targets: list[Targets] = [{one.name: (one,) for one in manifest.attributes} for manifest in manifests]
        notes = list(dict.fromkeys(islice(_notes(manifests), 9)))[:_MOST_NOTES]
    else:
        kind = _requested_kind(manifests, requested)
        targets, notes = [_map_requested(manifest, requested, kind) for manifest in manifests], []
    _check_kinds(manifests, targets)
    _check_connected(manifests, targets)
    return AttributeMap(targets, notes)


def _requested_kind(manifests: Sequence[Manifest], requested: str) -> str:
    """Return the label kind of the requested attribute, by the first manifest that has it or can have it."""
    for manifest in manifests:
        for one in manifest.attributes:
            if one.name == requested and one.type:
                return one.kind.name
    if any(one.name == requested for manifest in manifests for one in manifest.attributes):
        return ""
    for manifest in manifests:
        originals = [one for one in manifest.attributes if not manifest.is_adjustment(one)]
        if len(originals or manifest.attributes) == 1:
            return (originals or manifest.attributes)[0].kind.name
        if originals:
            raise _ambiguous(manifest, originals, requested)
    raise Refused(f"no manifest has a label attribute that --label-attribute {clipped(requested)} can name")


def _map_requested(manifest: Manifest, requested: str, kind: str) -> Targets:
    """Return what becomes of the attributes of one manifest when one of them gets the requested name."""
    fitting = [one for one in manifest.attributes if kind in ("", one.kind.name) or not one.type]
    adjustments = [one for one in fitting if manifest.is_adjustment(one)]
    originals = [one for one in fitting if one not in adjustments]
    named = [one for one in fitting if one.name == requested]
    if adjustments and len(originals) > 1:
        raise Refused(
            f"{manifest.name}: {shown(adjustments[0].name)} adjusts {_either(originals)}, and nothing says "
            "which; leave --label-attribute out to keep all of them"
        )
    if not named and len(originals) > 1:
        raise _ambiguous(manifest, originals, requested)
    chosen = (*originals, *adjustments) if adjustments else tuple(named or originals)
    for one in chosen:
        _check_ref(manifest, one, requested)
    others = {one.name: (one,) for one in manifest.attributes if one not in chosen}
    return {requested: chosen, **others} if chosen else others


def _ambiguous(manifest: Manifest, originals: Sequence[LabelAttribute], requested: str) -> Refused:
    return Refused(
        f"{manifest.name}: --label-attribute {clipped(requested)} could mean {_either(originals)}; give the "
        f"right one this name first, for example: mtool rewrite {manifest.name} "
        f"--rename-attribute {clipped(originals[0].name)}={clipped(requested)}"
    )


def _either(attributes: Sequence[LabelAttribute]) -> str:
    return " or ".join(shown(one.name) for one in attributes[:8])


def _check_ref(manifest: Manifest, one: LabelAttribute, requested: str) -> None:
    if one.name.endswith("-ref") != requested.endswith("-ref"):
        right = f"{requested}-ref" if one.name.endswith("-ref") else requested.removesuffix("-ref")
        raise Refused(
            f"{manifest.name}: {shown(one.name)} cannot get the name {shown(requested)}: a name ends in -ref "
            "where the label is an object on S3, and nowhere else; type --label-attribute "
            f"{clipped(right)}"
        )


def _check_kinds(manifests: Sequence[Manifest], targets: Sequence[Targets]) -> None:
    """Raise Refused where labels of two kinds would get one name."""
    first: dict[str, tuple[str, LabelAttribute]] = {}
    for manifest, attributes in zip(manifests, targets, strict=True):
        for target, parts in attributes.items():
            for one in (one for one in parts if one.type):
                name, other = first.setdefault(target, (manifest.name, one))
                if other.kind.name != one.kind.name:
                    raise Refused(
                        f"{shown(target)} is {other.short_type} in {name} and {one.short_type} in "
                        f"{manifest.name}; give one of them another name: type mtool rewrite "
                        "--rename-attribute"
                    )


def _check_connected(manifests: Sequence[Manifest], targets: Sequence[Targets]) -> None:
    """Raise Refused for manifests that share no attribute, and are not outputs of one chain of jobs either.

    Two jobs of a chain have the same pictures: those of one are all in the other.
    """
    labelled = [at for at, attributes in enumerate(targets) if attributes]
    reached, ahead = set(labelled[:1]), labelled[:1]
    while ahead:
        here = ahead.pop()
        for there in labelled:
            if there not in reached and _are_connected(manifests, targets, here, there):
                reached.add(there)
                ahead.append(there)
    for at in labelled:
        if at not in reached:
            raise _not_connected(manifests, targets, labelled[0], at)


def _are_connected(manifests: Sequence[Manifest], targets: Sequence[Targets], one: int, other: int) -> bool:
    if targets[one].keys() & targets[other].keys():
        return True
    keys = [np.unique(manifests[at].columns.source_keys) for at in (one, other)]
    few, many = sorted((some[some != 0] for some in keys), key=len)
    return bool(len(few)) and bool(np.isin(few, many, assume_unique=True).all())


def _not_connected(
    manifests: Sequence[Manifest], targets: Sequence[Targets], one: int, other: int
) -> Refused:
    """Return the error for two manifests that have nothing in common, and what can be done."""
    names = [(manifests[at].name, *next(iter(targets[at].items()))) for at in (one, other)]
    found = " and ".join(
        f"{shown(target)} ({parts[0].short_type}) in {name}" for name, target, parts in names
    )
    (first, target, parts), (second, _, others) = names
    advice = (
        f"to give both labels one name, type --label-attribute {_name_of(target, next(iter(targets[other])))}"
        if parts[0].kind.name == others[0].kind.name
        else f"to append one to the other, type cat {first} {second}"
    )
    return Refused(
        "expected manifests of the same pictures or of the same label attribute, found different pictures, "
        f"and {found}; {advice}"
    )


def _name_of(first: str, second: str) -> str:
    """Return the name for both labels: not one in which a lab's own name is still to be put in place of #."""
    return clipped(next((name for name in (first, second) if "#" not in name), "NAME"))


def _notes(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Yield what --label-attribute could do: join an adjustment with its original, or two names."""
    for manifest in manifests:
        adjustments = [one for one in manifest.attributes if manifest.is_adjustment(one)]
        for one, other in product(adjustments, manifest.attributes):
            if other not in adjustments and one.kind.name == other.kind.name:
                yield (
                    f"{shown(one.name)} adjusts {shown(other.name)}; --label-attribute {clipped(other.name)} "
                    "makes them one label: the adjusted one where there is one"
                )
    together = [{one.name for one in manifest.attributes} for manifest in manifests]
    kinds = {one.name: one.kind.name for manifest in manifests for one in manifest.attributes}
    for first, second in combinations(kinds, 2):
        apart = not any(first in names and second in names for names in together)
        if apart and kinds[first] == kinds[second]:
            yield (
                f"{shown(first)} and {shown(second)} stay two label attributes; if they mean the same, "
                f"--label-attribute {_name_of(first, second)} makes them one"
            )
