"""The template of a line: its keys, and the type of each value. Most lines of a manifest share one.

A template is made from one line and becomes a typed decoder, which takes only lines that fit: every key is
there, no other is, and the value of a known field is right by itself (a confidence is from 0 to 1, a date is
a date). The other files of the shortcut look at what may still differ between such lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta, Raw

from manifest_tools.groundtruth.attributes import Attribute, attributes_of
from manifest_tools.groundtruth.classes import MOST_CLASSES
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.record import METADATA

# A line with more keys is checked the long way.
_MOST_KEYS = 64
_HUGE = 1e15  # as label_kinds.boxes has it

Index = Annotated[int, Meta(ge=0, lt=MOST_CLASSES)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Size = Annotated[float, Meta(gt=0, lt=_HUGE)]


class CleanBox(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A bounding box in which no rule finds a problem."""

    class_id: Index
    top: float
    left: float
    height: float
    width: float


class CleanSize(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The size of a picture in which no rule finds a problem."""

    width: Size
    height: Size
    depth: Size


class CleanBoxes(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The label of a bounding box job, of clean boxes."""

    image_size: Annotated[list[CleanSize], Meta(min_length=1, max_length=1)]
    annotations: list[CleanBox]


class CleanConfidence(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The confidence of one box, from 0 to 1."""

    confidence: Fraction


class FieldType(NamedTuple):
    """What a value is."""

    type: Any
    """The type that msgspec decodes it as."""

    sample: Any
    """A value in which no rule finds anything."""

    quotes: int = 0
    """The quotes of its keys and texts; of an array or object those that are always there."""


FIELD_TYPES = {
    "ref": FieldType(str, "s3://bucket/key", 2),
    "text": FieldType(str, "x", 2),
    "number": FieldType(float, 1),
    "flag": FieldType(bool, True),
    "null": FieldType(None, None),
    "array": FieldType(list[Raw], []),
    "object": FieldType(dict[str, Raw], {}),
    "raw": FieldType(Raw, {}),
    "index": FieldType(Index, 0),
    "spelt index": FieldType(str, "0", 2),
    "indices": FieldType(list[Index], []),
    "boxes": FieldType(
        CleanBoxes, {"image_size": [{"width": 9, "height": 9, "depth": 3}], "annotations": []}, 2 * 2 + 3 * 2
    ),
    "confidences": FieldType(list[CleanConfidence], []),
    "fraction": FieldType(Fraction, 0.5),
    "fractions": FieldType(dict[str, Fraction], {}),
    "date": FieldType(Annotated[datetime, Meta(tz=False)], "2019-05-04T20:26:41.638095", 2),
    "other date": FieldType(str, "2019-05-04T20:26:41Z", 2),
    "answer": FieldType(Literal["yes", "no"], "yes", 2),
    "adjustment": FieldType(Literal["adjusted", "unadjusted"], "adjusted", 2),
}


class Constant(NamedTuple):
    """A text that is the same on all lines."""

    text: str


class Fields(NamedTuple):
    """An object whose fields are known."""

    members: "tuple[tuple[str, FieldSchema], ...]"


FieldSchema: TypeAlias = "str | Constant | Fields"

# Fields of the metadata that a rule looks at: which of FIELD_TYPES a value has, by its type in JSON.
_KNOWN = {
    ("class-name", str): "text",
    ("job-name", str): "text",
    ("failure-reason", str): "text",
    ("human-annotated", str): "answer",
    ("adjustment-status", str): "adjustment",
    ("confidence", int): "fraction",
    ("confidence", float): "fraction",
    ("confidence-map", dict): "fractions",
}
_OTHERS = {str: "text", int: "number", float: "number", bool: "flag", type(None): "null"}
# Schemas of labels, and the type that JSON has for the label.
_LABELS = {
    ("index", int): "index",
    ("index", str): "spelt index",
    ("indices", list): "indices",
    ("boxes", dict): "boxes",
}


@dataclass(frozen=True)
class LineTemplate:
    """A template: a schema for the value of every key."""

    fields: Fields

    @cached_property
    def sample(self) -> dict[str, Any]:
        """A line of this template in which no rule finds anything; not to be changed."""
        found: dict[str, Any] = _sample(self.fields)
        return found

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """The label attributes of such a line."""
        return tuple(attributes_of(self.sample))

    @cached_property
    def quotes(self) -> int:
        """How many quotes such a line has at least."""
        return _quotes(self.fields)

    def field_type(self, *keys: str) -> str | None:
        """Return which of FIELD_TYPES a value has; None for a constant, known fields, or no value."""
        found: FieldSchema | None = self.fields
        for key in keys:
            found = dict(found.members).get(key) if isinstance(found, Fields) else None
        return found if isinstance(found, str) else None

    def getter(self, *keys: str) -> str:
        """Return what ``operator.attrgetter`` takes to get a value of a decoded line."""
        steps, found = [], self.fields
        for key in keys:
            names = [name for name, _ in found.members]
            at = names.index(key)
            steps.append(f"f{at}")
            inner = found.members[at][1]
            found = inner if isinstance(inner, Fields) else Fields(())
        return ".".join(steps)

    def metadata(self, attribute: Attribute) -> Iterator[tuple[str, FieldSchema]]:
        """Yield the fields of the metadata of an attribute."""
        found = dict(self.fields.members)[attribute.metadata_key]
        yield from found.members if isinstance(found, Fields) else ()


def _sample(schema: FieldSchema) -> Any:
    if isinstance(schema, Fields):
        return {key: _sample(inner) for key, inner in schema.members}
    return schema.text if isinstance(schema, Constant) else FIELD_TYPES[schema].sample


def _quotes(schema: FieldSchema) -> int:
    if isinstance(schema, Fields):
        return sum(2 + _quotes(inner) for _, inner in schema.members)
    return 2 if isinstance(schema, Constant) else FIELD_TYPES[schema].quotes


@lru_cache(maxsize=64)
def decoder(template: LineTemplate) -> "msgspec.json.Decoder[Any] | None":
    """Return a decoder of lines of this template; None where a key cannot be one of a struct."""
    try:
        return msgspec.json.Decoder(_type(template.fields))
    except (ValueError, TypeError):
        return None


def _type(schema: FieldSchema) -> Any:
    if isinstance(schema, Constant):
        return Literal[schema.text]
    if isinstance(schema, str):
        return FIELD_TYPES[schema].type
    named = {f"f{at}": key for at, (key, _) in enumerate(schema.members)}
    fields = [(f"f{at}", _type(inner)) for at, (_, inner) in enumerate(schema.members)]
    return msgspec.defstruct("Line", fields, rename=named, gc=False, forbid_unknown_fields=True)


def line_template(value: Any) -> LineTemplate | None:
    """Return the template of a decoded line; None for one whose label kind is always checked the long way."""
    if not isinstance(value, dict) or len(value) > _MOST_KEYS:
        return None
    attributes = {one.metadata_key: one for one in attributes_of(value)}
    labels = {one.name: label_kind(one.type).schema for one in attributes.values() if one.state == "labelled"}
    members: list[tuple[str, FieldSchema]] = []
    for key, inner in value.items():
        schema: FieldSchema | None
        if key in labels:
            schema = _LABELS.get((labels[key], type(inner)))
        elif key in attributes or (isinstance(inner, dict) and _is_called_metadata(key)):
            schema = _metadata(inner, label_kind(attributes[key].type).schema if key in attributes else "")
        else:
            schema = "ref" if key == "source-ref" and isinstance(inner, str) else _other(inner)
        if schema is None:
            return None
        members.append((key, schema))
    return LineTemplate(Fields(tuple(members)))


def _is_called_metadata(key: str) -> bool:
    return key.lower().replace("_", "-").endswith(METADATA)


def _other(value: Any) -> str:
    if isinstance(value, list | dict):
        return "array" if isinstance(value, list) else "object"
    return _OTHERS[type(value)]


def _metadata(value: dict[str, Any], label_schema: str) -> Fields | None:
    if len(value) > _MOST_KEYS:
        return None
    return Fields(tuple((key, _field(key, inner, label_schema)) for key, inner in value.items()))


def _field(key: str, value: Any, label_schema: str) -> FieldSchema:
    if key == "type" and isinstance(value, str):
        return Constant(value)
    if key == "creation-date" and isinstance(value, str):
        return "date" if _is_plain(value) else "other date"
    if key == "objects" and isinstance(value, list) and label_schema == "boxes":
        return "confidences"
    if (known := _KNOWN.get((key, type(value)))) is not None:
        return known
    # Other arrays and objects are compared as they are spelt: a class-map, say, that many lines share.
    return "raw" if isinstance(value, list | dict) else _other(value)


def _is_plain(text: str) -> bool:
    try:
        msgspec.convert(text, FIELD_TYPES["date"].type)
    except msgspec.ValidationError:
        return False
    return True
