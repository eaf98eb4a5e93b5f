"""What a line looks like: its keys, and of what kind each value is. Most lines of a manifest look alike.

A template is made of one line and becomes a typed decoder that takes only lines of the same look: every key
is there, no other is, and a value of a known field is right by itself (a confidence is from 0 to 1, a date is
a date). What may still differ between such lines, and mean something, is what ``proof`` looks at.
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

# A line with more keys is read the long way.
_MOST_KEYS = 64
_HUGE = 1e15  # as tasks.boxes has it

Index = Annotated[int, Meta(ge=0, lt=MOST_CLASSES)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Size = Annotated[float, Meta(gt=0, lt=_HUGE)]


class Box(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A bounding box with all that belongs to one."""

    class_id: Index
    top: float
    left: float
    height: float
    width: float


class ImageSize(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The size of a picture."""

    width: Size
    height: Size
    depth: Size


class Boxes(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The label of a bounding box job."""

    image_size: Annotated[list[ImageSize], Meta(min_length=1, max_length=1)]
    annotations: list[Box]


class Share(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The confidence of one box."""

    confidence: Fraction


class Kind(NamedTuple):
    """What a value is: the type that decodes it, one that no rule minds, and the quotes it is spelt with."""

    type: Any
    sample: Any
    quotes: int = 0


# Of what has no length of its own, `quotes` counts those that are always there.
KINDS = {
    "ref": Kind(str, "s3://bucket/key", 2),
    "text": Kind(str, "x", 2),
    "number": Kind(float, 1),
    "flag": Kind(bool, True),
    "null": Kind(None, None),
    "array": Kind(list[Raw], []),
    "object": Kind(dict[str, Raw], {}),
    "raw": Kind(Raw, {}),
    "index": Kind(Index, 0),
    "spelt index": Kind(str, "0", 2),
    "indices": Kind(list[Index], []),
    "boxes": Kind(
        Boxes, {"image_size": [{"width": 9, "height": 9, "depth": 3}], "annotations": []}, 2 * 2 + 3 * 2
    ),
    "shares": Kind(list[Share], []),
    "fraction": Kind(Fraction, 0.5),
    "fractions": Kind(dict[str, Fraction], {}),
    "date": Kind(Annotated[datetime, Meta(tz=False)], "2019-05-04T20:26:41.638095", 2),
    "other date": Kind(str, "2019-05-04T20:26:41Z", 2),
    "answer": Kind(Literal["yes", "no"], "yes", 2),
    "adjustment": Kind(Literal["adjusted", "unadjusted"], "adjusted", 2),
}


class Constant(NamedTuple):
    """A text that is the same on all lines."""

    text: str


class Fields(NamedTuple):
    """An object whose fields are known."""

    members: "tuple[tuple[str, Look], ...]"


Look: TypeAlias = "str | Constant | Fields"

# Fields of the metadata that a rule looks at: the type that JSON has for the value, and the kind it has then.
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
class Template:
    """The look of a line, key by key."""

    fields: Fields

    @cached_property
    def sample(self) -> dict[str, Any]:
        """A line of this look, right in every field that may differ; not to be changed."""
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

    def kind(self, *keys: str) -> str | None:
        """Return the kind of what is there, None where there is nothing."""
        found: Look | None = self.fields
        for key in keys:
            found = dict(found.members).get(key) if isinstance(found, Fields) else None
        return found if isinstance(found, str) else None

    def place(self, *keys: str) -> str:
        """Return where a decoded line has a value, for ``operator.attrgetter``."""
        steps, found = [], self.fields
        for key in keys:
            names = [name for name, _ in found.members]
            at = names.index(key)
            steps.append(f"f{at}")
            inner = found.members[at][1]
            found = inner if isinstance(inner, Fields) else Fields(())
        return ".".join(steps)

    def metadata(self, attribute: Attribute) -> Iterator[tuple[str, Look]]:
        """Yield the fields of the metadata of an attribute."""
        found = dict(self.fields.members)[attribute.metadata_key]
        yield from found.members if isinstance(found, Fields) else ()


def _sample(look: Look) -> Any:
    if isinstance(look, Fields):
        return {key: _sample(inner) for key, inner in look.members}
    return look.text if isinstance(look, Constant) else KINDS[look].sample


def _quotes(look: Look) -> int:
    if isinstance(look, Fields):
        return sum(2 + _quotes(inner) for _, inner in look.members)
    return 2 if isinstance(look, Constant) else KINDS[look].quotes


@lru_cache(maxsize=64)
def decoder(template: Template) -> "msgspec.json.Decoder[Any] | None":
    """Return a decoder of lines of this look; None where a key cannot be one of a struct."""
    try:
        return msgspec.json.Decoder(_type(template.fields))
    except (ValueError, TypeError):
        return None


def _type(look: Look) -> Any:
    if isinstance(look, Constant):
        return Literal[look.text]
    if isinstance(look, str):
        return KINDS[look].type
    named = {f"f{at}": key for at, (key, _) in enumerate(look.members)}
    fields = [(f"f{at}", _type(inner)) for at, (_, inner) in enumerate(look.members)]
    return msgspec.defstruct("Line", fields, rename=named, gc=False, forbid_unknown_fields=True)


def template_of(value: Any) -> Template | None:
    """Return the look of a decoded line, None for one whose label is of a type that is read the long way."""
    if not isinstance(value, dict) or len(value) > _MOST_KEYS:
        return None
    attributes = {one.metadata_key: one for one in attributes_of(value)}
    labels = {one.name: label_kind(one.type).schema for one in attributes.values() if one.state == "labelled"}
    members: list[tuple[str, Look]] = []
    for key, inner in value.items():
        look: Look | None
        if key in labels:
            look = _LABELS.get((labels[key], type(inner)))
        elif key in attributes or (isinstance(inner, dict) and _is_called_metadata(key)):
            look = _metadata(inner, label_kind(attributes[key].type).schema if key in attributes else "")
        else:
            look = "ref" if key == "source-ref" and isinstance(inner, str) else _other(inner)
        if look is None:
            return None
        members.append((key, look))
    return Template(Fields(tuple(members)))


def _is_called_metadata(key: str) -> bool:
    return key.lower().replace("_", "-").endswith(METADATA)


def _other(value: Any) -> str:
    if isinstance(value, list | dict):
        return "array" if isinstance(value, list) else "object"
    return _OTHERS[type(value)]


def _metadata(value: dict[str, Any], schema: str) -> Fields | None:
    if len(value) > _MOST_KEYS:
        return None
    return Fields(tuple((key, _field(key, inner, schema)) for key, inner in value.items()))


def _field(key: str, value: Any, schema: str) -> Look:
    if key == "type" and isinstance(value, str):
        return Constant(value)
    if key == "creation-date" and isinstance(value, str):
        return "date" if _is_plain(value) else "other date"
    if key == "objects" and isinstance(value, list) and schema == "boxes":
        return "shares"
    if (known := _KNOWN.get((key, type(value)))) is not None:
        return known
    # What has no kind of its own is looked at as it is spelt: a class-map, say, that many lines share.
    return "raw" if isinstance(value, list | dict) else _other(value)


def _is_plain(text: str) -> bool:
    try:
        msgspec.convert(text, KINDS["date"].type)
    except msgspec.ValidationError:
        return False
    return True
