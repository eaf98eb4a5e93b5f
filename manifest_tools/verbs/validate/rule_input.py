"""What the rules of a line and of a label are given; nothing of it raises, whatever the line holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from manifest_tools.groundtruth.classes import index_of
from manifest_tools.groundtruth.label_kinds import CUSTOM, KINDS, LabelKind


@dataclass(frozen=True, slots=True)
class LineLabel:
    """One label attribute of one line."""

    name: str
    """The label attribute, such as ``hand``."""
    metadata_key: str
    """The key of its metadata, such as ``hand-metadata``."""
    type: str
    """The task type, as the metadata names it."""
    state: str
    """``labelled``, ``failed`` or ``unlabelled``."""
    value: Any
    """The label, of whatever form it is; None where there is none."""
    metadata: Mapping[str, Any]
    """Its metadata; empty where there is none."""
    kind: LabelKind = KINDS[CUSTOM]
    """The label kind of the type."""

    @property
    def single(self) -> bool:
        """Whether the type asks for one class index."""
        return self.kind.schema == "index"

    @property
    def multi(self) -> bool:
        """Whether the type asks for a list of class indices."""
        return self.kind.multi_label

    @property
    def class_map(self) -> Any:
        """The ``class-map``, which 3D point clouds spell ``class_map``."""
        return self.metadata.get("class-map", self.metadata.get("class_map"))

    def index_values(self) -> list[Any]:
        """Return the values in place of class indices, right or wrong."""
        if self.single and self.state == "labelled" and not isinstance(self.value, list | dict):
            return [self.value]
        return self.value if self.multi and isinstance(self.value, list) else []

    def indices(self) -> list[int]:
        """Return the class indices of the label; values that are no class index are left out."""
        return [index for value in self.index_values() if (index := index_of(value)) is not None]

    def annotations(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the position and the object of every box or cuboid; what is no object is left out."""
        if self.state != "labelled" or not isinstance(self.value, dict):
            return []
        found = self.value.get("annotations")
        return [] if not isinstance(found, list) else [p for p in enumerate(found) if isinstance(p[1], dict)]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line, decoded."""

    value: Mapping[str, Any]
    """The object of the line."""
    labels: tuple[LineLabel, ...]
    """Its label attributes; with --label-attribute that one only."""
    expected: tuple[str, ...] = ()
    """The label attributes that other lines of the file have."""
    length: int = 0
    """Characters of the line."""
    beside: tuple[str, ...] | None = None
    """The keys beside the source, of a line without label attributes; None where nobody asks."""
    purpose: str = ""
    """The purpose of a preflight, empty without one."""
    repeated: tuple[str, ...] = ()
    """Sources, label attributes and metadata keys that the line has more than once."""
