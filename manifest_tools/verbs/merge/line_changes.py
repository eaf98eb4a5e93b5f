"""How the lines of one manifest change on their way into the result, and the changing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from manifest_tools.edits.class_indices import IndexMap, change_indices
from manifest_tools.edits.members import remove_members
from manifest_tools.edits.rename import RenameAttribute
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.record import METADATA


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of the label attributes of one manifest.

    ``roles`` as in ``Cast``; ``moves`` has for an attribute the new index of every class, where any changes.
    """

    name: str
    roles: Mapping[str, tuple[LabelAttribute, ...]]
    moves: Mapping[str, IndexMap] = field(default_factory=dict)

    @property
    def folded(self) -> tuple[str, ...]:
        """The roles that several attributes play."""
        return tuple(role for role, parts in self.roles.items() if len(parts) > 1)

    @property
    def changes(self) -> bool:
        """Say whether any line may change."""
        alike = all(len(parts) == 1 and parts[0].name == role for role, parts in self.roles.items())
        return bool(self.moves) or not alike

    def part(self, role: str, chosen: Mapping[str, int]) -> LabelAttribute | None:
        """Return the attribute that plays a role on a line; ``chosen`` says which of several does."""
        parts = self.roles.get(role)
        return None if parts is None else parts[chosen.get(role, 0)]

    def keys(self, role: str, chosen: Mapping[str, int]) -> frozenset[str]:
        """Return the keys under which a line of the result has the label and the metadata of a role."""
        part = self.part(role, chosen)
        if part is None:
            return frozenset()
        bare = part.metadata_key != part.name + METADATA
        return frozenset({role, (role.removesuffix("-ref") if bare else role) + METADATA})


@dataclass(frozen=True, slots=True)
class Changed:
    """A line on its way, and what happened to it."""

    line: bytes
    renamed: bool
    reindexed: bool


def change(line: bytes, plan: Plan, chosen: Mapping[str, int]) -> Changed:
    """Return a line as the result has it; raises ValueError where it cannot be changed."""
    new = line
    for parts in plan.roles.values():
        for one in parts:
            if one.name in plan.moves:
                new = change_indices(new, one.name, one.metadata_key, one.kind, plan.moves[one.name])
    reindexed, before = new != line, new
    for role, parts in plan.roles.items():
        new = _played(new, role, parts, chosen.get(role, 0))
    return Changed(new, new != before, reindexed)


def _played(line: bytes, role: str, parts: Sequence[LabelAttribute], which: int) -> bytes:
    """Return the line with one attribute of a family left, under the name of the role."""
    one = parts[which]
    if len(parts) > 1:
        others = {key for other in parts for key in (other.name, other.metadata_key)}
        line = remove_members(line, frozenset(others - {one.name, one.metadata_key}))
    return line if one.name == role else RenameAttribute(one.name, role)(line)
