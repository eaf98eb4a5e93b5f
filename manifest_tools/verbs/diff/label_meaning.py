"""What a label means to a person: the names of its classes and how sure they are, whatever its type.

A label that cannot be read as what its type asks for is a state like any other, and stops nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from manifest_tools.groundtruth.classes import unnamed
from manifest_tools.groundtruth.label_kinds import LabelKind, label_kind
from manifest_tools.groundtruth.record import Peek, Row, decoder

LABELLED = "labelled"
NO_LABEL = "(no label)"
FAILED = "(failed)"
UNREADABLE = "(unreadable)"


@dataclass(frozen=True, slots=True)
class Known:
    """A label attribute as a whole file shows it, ``names`` being the names of its class indices."""

    name: str
    metadata_key: str
    type: str
    names: Mapping[int, str]

    @property
    def kind(self) -> LabelKind:
        """What is known of its type."""
        return label_kind(self.type)


@dataclass(frozen=True, slots=True)
class Meant:
    """A state, and of a labelled line the class and the confidence of everything that has a class."""

    state: str
    classes: tuple[str, ...] = ()
    confidences: tuple[float | None, ...] = ()


def meant(known: Known, line: bytes, value: Mapping[str, Any]) -> Meant:
    """Return what a line, whose decoded form is ``value``, says with one label attribute."""
    if value.get(known.name) is None:
        metadata = value.get(known.metadata_key)
        failed = isinstance(metadata, dict) and metadata.get("failure-reason") is not None
        return Meant(FAILED if failed else NO_LABEL)
    kind = known.kind
    surely = _row(known, line, (*kind.class_fields, *kind.confidence_fields))
    row = surely or _row(known, line, kind.class_fields)  # a confidence that is no number says nothing
    if row is None:
        return Meant(UNREADABLE)
    try:
        named = dict(kind.names(row))
        indices = kind.indices(row)
    except ValueError:
        return Meant(UNREADABLE)
    classes = tuple([named.get(index) or known.names.get(index) or unnamed(index) for index in indices])
    confidences = () if surely is None else kind.confidences(surely)
    return Meant(LABELLED, classes, confidences or (None,) * len(classes))


def _row(known: Known, line: bytes, fields: tuple[str, ...]) -> Row | None:
    peek = Peek(known.name, known.metadata_key, known.kind.schema, tuple(dict.fromkeys(fields)))
    try:
        return decoder(peek).decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def items_of(kind: LabelKind, label: Any) -> list[dict[str, Any]]:
    """Return the boxes, cuboids or entities of a label; empty where it has none, or one is no object."""
    found = kind.items_of(label) or []
    return found if all(isinstance(one, dict) for one in found) else []
