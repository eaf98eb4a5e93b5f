"""What a label and the fields of its metadata are decoded as; a ``Peek`` names the ones to decode.

A class index may be a string of digits and a coordinate a fraction, as in real files. Every field may be
missing: ``validate`` says which ones must not be.
"""

from typing import Any

import msgspec

Index = int | str
Number = int | float  # as it was written


class Box(msgspec.Struct, gc=False):
    """A bounding box, in pixels from the upper left corner."""

    class_id: Index | None = None
    left: Number | None = None
    top: Number | None = None
    width: Number | None = None
    height: Number | None = None


class ImageSize(msgspec.Struct, gc=False):
    """The size of the picture of the boxes, in pixels; ``depth`` is the number of channels."""

    width: Number | None = None
    height: Number | None = None
    depth: Number | None = None


class Boxes(msgspec.Struct, gc=False):
    """The label of a bounding box job; a picture without an object has an empty list."""

    annotations: list[Box]
    image_size: list[ImageSize] | None = None


class Cuboid(msgspec.Struct, rename="kebab", gc=False):
    """A cuboid in a point cloud, with its class only."""

    class_id: Index | None = None


class Cuboids(msgspec.Struct, gc=False):
    """The label of a 3D point cloud object detection job."""

    annotations: list[Cuboid]


class Entity(msgspec.Struct, rename="camel", gc=False):
    """A part of a text: Unicode characters from ``start_offset`` to before ``end_offset``."""

    label: str
    start_offset: int | None = None
    end_offset: int | None = None


class Category(msgspec.Struct, gc=False):
    """A label category of a named entity job."""

    label: str


class Spans(msgspec.Struct, gc=False):
    """The entities of a text, and the categories of the labeling job."""

    entities: list[Entity]
    labels: list[Category] = []


class Entities(msgspec.Struct, gc=False):
    """The label of a named entity job."""

    annotations: Spans


class Confidence(msgspec.Struct, gc=False):
    """The confidence of one box or entity."""

    confidence: Number | None = None


class Colour(msgspec.Struct, rename="kebab", gc=False):
    """A class of a mask, with the confidence of the whole picture."""

    class_name: str | None = None
    hex_color: str | None = None
    confidence: Number | None = None


# Schemas of labels, by the names that label kinds and peeks give them.
LABELS: dict[str, Any] = {
    "index": Index | None,
    "indices": list[Index] | None,
    "boxes": Boxes | None,
    "cuboids": Cuboids | None,
    "entities": Entities | None,
    "any": Any,
}

# Fields of the metadata, as in the format reference; null means that the field is missing.
FIELDS: dict[str, Any] = {
    "type": str,
    "class-name": str,
    "class-map": dict[str, str],
    "class_map": dict[str, str],  # as 3D point cloud object detection spells it
    "internal-color-map": dict[str, Colour],
    "color-map": dict[str, Colour],
    "confidence": float,
    "confidence-map": dict[str, float],
    "objects": list[Confidence],
    "entities": list[Confidence],
    "human-annotated": str,
    "creation-date": str,
    "job-name": str,
    "failure-reason": str,
    "adjustment-status": str,
}
