"""What a rule is given, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from manifest_tools.groundtruth.tasks.single_label import index_of


@dataclass(frozen=True, slots=True)
class LineLabel:
    """One label attribute of one line, with the metadata that it has there; ``kind`` as in tasks.TYPES."""

    name: str
    metadata_key: str
    type: str
    state: str
    value: Any
    metadata: Mapping[str, Any]
    kind: str = "custom"

    @property
    def single(self) -> bool:
        """Say whether the type asks for one class index."""
        return self.kind in ("single_label", "verification")

    @property
    def multi(self) -> bool:
        """Say whether the type asks for a list of class indices."""
        return self.kind == "multi_label"

    @property
    def class_map(self) -> Any:
        """The ``class-map``, which 3D point clouds spell ``class_map``."""
        return self.metadata.get("class-map", self.metadata.get("class_map"))


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line, decoded; ``expected`` names what other lines of the file show to be label attributes.

    ``length`` counts its characters; ``repeated`` names keys that mean something and that it has twice.
    """

    value: Mapping[str, Any]
    labels: tuple[LineLabel, ...]
    expected: tuple[str, ...] = ()
    length: int = 0
    repeated: tuple[str, ...] = ()


def annotations(label: LineLabel) -> list[tuple[int, dict[str, Any]]]:
    """Return the boxes or cuboids of a label with their places, without what is none."""
    if label.state != "labelled" or not isinstance(label.value, dict):
        return []
    found = label.value.get("annotations")
    return [] if not isinstance(found, list) else [p for p in enumerate(found) if isinstance(p[1], dict)]


def class_labels(label: LineLabel) -> list[Any]:
    """Return what stands where the type asks for class indices, right or wrong."""
    if label.single and label.state == "labelled" and not isinstance(label.value, list | dict):
        return [label.value]
    return label.value if label.multi and isinstance(label.value, list) else []


def indices(label: LineLabel) -> list[int]:
    """Return the class indices of a label, without what is none."""
    return [index for value in class_labels(label) if (index := index_of(value)) is not None]
