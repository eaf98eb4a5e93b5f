"""How the lines of one manifest change on their way into the result, and the changing of a line."""

from collections.abc import Mapping
from dataclasses import dataclass

from manifest_tools.edits.class_indices import IndexMap, change_indices
from manifest_tools.edits.members import remove_members
from manifest_tools.edits.rename import RenameAttribute
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.verbs.merge.attribute_map import Attributes, Targets

# By label attribute of the result, the place of the attribute that has the label, of several that become it.
Chosen = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LineChanges:
    """What becomes of the label attributes of one manifest."""

    manifest: str
    targets: Targets
    """By label attribute of the result, the attributes that become it, as in ``AttributeMap``."""

    index_maps: Mapping[str, IndexMap]
    """By attribute, the new index of every class; only where one changes."""

    @property
    def any(self) -> bool:
        """Say whether any line may change."""
        same = all(len(parts) == 1 and parts[0].name == target for target, parts in self.targets.items())
        return bool(self.index_maps) or not same

    def keys(self, target: str, chosen: Chosen) -> frozenset[str]:
        """Return the keys that the label and the metadata of a target have on a line of the result."""
        parts = self.targets.get(target)
        if parts is None:
            return frozenset()
        part = parts[chosen.get(target, 0)]
        without_ref = part.metadata_key != part.name + METADATA
        return frozenset({target, (target.removesuffix("-ref") if without_ref else target) + METADATA})


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A line as the result has it."""

    line: bytes
    renamed: bool
    """Whether a label attribute has another name, or an adjustment was put in its place."""

    reindexed: bool
    """Whether a class index is another."""


def change(line: bytes, changes: LineChanges, chosen: Chosen) -> ChangedLine:
    """Return a line as the result has it; raises ValueError where it cannot be changed."""
    new = line
    for parts in changes.targets.values():
        for one in parts:
            if one.name in changes.index_maps:
                index_map = changes.index_maps[one.name]
                new = change_indices(new, one.name, one.metadata_key, one.kind, index_map)
    reindexed, before = new != line, new
    for target, parts in changes.targets.items():
        new = _renamed(new, target, parts, chosen.get(target, 0))
    return ChangedLine(new, new != before, reindexed)


def _renamed(line: bytes, target: str, parts: Attributes, which: int) -> bytes:
    """Return the line with one of the attributes under the name of the target, and without the others."""
    one = parts[which]
    if len(parts) > 1:
        others = {key for other in parts for key in _keys(other)}
        line = remove_members(line, frozenset(others - _keys(one)))
    return line if one.name == target else RenameAttribute(one.name, target)(line)


def _keys(attribute: LabelAttribute) -> set[str]:
    return {attribute.name, attribute.metadata_key}
