"""What a rule is given, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
