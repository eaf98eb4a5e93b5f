"""What a label means to a person: the names of its classes and how sure they are, whatever its type.

A label that is not what its type asks for stops nothing: it has the state UNREADABLE.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from manifest_tools.groundtruth.classes import default_name
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.record import Peek, Row, decoder

LABELLED = "labelled"
NO_LABEL = "(no label)"
FAILED = "(failed)"
UNREADABLE = "(unreadable)"


@dataclass(frozen=True, slots=True)
class KnownAttribute:
    """What a whole file says of a label attribute."""

    name: str
    metadata_key: str
    type: str
    names: Mapping[int, str]
    """The class names that any line has, by index."""

    @property
    def kind(self) -> LabelKind:
        """Its label kind."""
        return label_kind(self.type)


@dataclass(frozen=True, slots=True)
class LabelMeaning:
    """What one line says with one label attribute."""

    state: str
    """LABELLED, NO_LABEL, FAILED or UNREADABLE."""

    classes: tuple[str, ...] = ()
    """The class name of each item (a label, a box, an entity) of a labelled line."""

    confidences: tuple[float | None, ...] = ()
    """The confidence of each item; None where the line has none."""


def label_meaning(known: KnownAttribute, line: bytes, value: Mapping[str, Any]) -> LabelMeaning:
    """Return what a line means with one label attribute; ``value`` is the line, decoded."""
    if value.get(known.name) is None:
        metadata = value.get(known.metadata_key)
        failed = isinstance(metadata, dict) and metadata.get("failure-reason") is not None
        return LabelMeaning(FAILED if failed else NO_LABEL)
    kind = known.kind
    with_confidences = _row(known, line, (*kind.class_fields, *kind.confidence_fields))
    row = with_confidences or _row(
        known, line, kind.class_fields
    )  # without them: a confidence may be no number
    if row is None:
        return LabelMeaning(UNREADABLE)
    try:
        names = dict(kind.names(row))
        indices = kind.indices(row)
    except ValueError:
        return LabelMeaning(UNREADABLE)
    classes = tuple([names.get(index) or known.names.get(index) or default_name(index) for index in indices])
    confidences = () if with_confidences is None else kind.confidences(with_confidences)
    return LabelMeaning(LABELLED, classes, confidences or (None,) * len(classes))


def _row(known: KnownAttribute, line: bytes, fields: tuple[str, ...]) -> Row | None:
    peek = Peek(known.name, known.metadata_key, known.kind.schema, tuple(dict.fromkeys(fields)))
    try:
        return decoder(peek).decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def items_of(kind: LabelKind, label: Any) -> list[dict[str, Any]]:
    """Return the boxes, cuboids or entities of a label; empty where it has none, or one is no object."""
    found = kind.items_of(label) or []
    return found if all(isinstance(one, dict) for one in found) else []
