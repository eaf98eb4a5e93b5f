"""A picture's label as JSON, with all that a manifest says of it: in containers that have room for a text.

Its keys are those of Ground Truth, but for boxes, whose fields stand together. The key ``label-attribute``
says that a text is one of these.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import msgspec

from manifest_tools.groundtruth.annotations import (
    Box,
    Content,
    DataSet,
    Picture,
    PictureLabelKind,
    Provenance,
)
from manifest_tools.groundtruth.classes import default_name

Number = int | float
_MOST_PIXELS = 10**15  # a larger number is no place on a picture


class BoxJson(msgspec.Struct, rename="kebab", omit_defaults=True, gc=False):
    """A box, in pixels."""

    class_id: int
    class_name: str
    left: Number
    top: Number
    width: Number
    height: Number
    confidence: Number | None = None
    outline: list[list[Number]] = msgspec.field(default_factory=list)


class SizeJson(msgspec.Struct, omit_defaults=True, gc=False):
    """The size that a line states."""

    width: Number | None = None
    height: Number | None = None
    depth: int | None = None


class PictureJson(msgspec.Struct, rename="kebab", omit_defaults=True, kw_only=True, gc=False):
    """A picture's label: ``label`` of one class, ``labels`` of several, or ``boxes``."""

    source_ref: str = ""
    label_attribute: str
    label: int | None = None
    class_name: str | None = None
    confidence: Number | None = None
    labels: list[int] | None = None
    class_names: list[str] | None = None
    confidences: list[Number | None] | None = None
    boxes: list[BoxJson] | None = None
    image_size: SizeJson | None = None
    job_name: str | None = None
    human_annotated: str | None = None
    creation_date: str | None = None

    @property
    def kind(self) -> PictureLabelKind:
        """The kind of the label."""
        if self.boxes is not None:
            return "boxes"
        return "single_label" if self.labels is None else "multi_label"

    def pairs(self) -> Iterator[tuple[int, str]]:
        """Yield index and name of every class of the label."""
        if self.label is not None:
            yield self.label, default_name(self.label) if self.class_name is None else self.class_name
        if self.labels:
            yield from zip(self.labels, self.class_names or map(default_name, self.labels), strict=True)
        yield from ((box.class_id, box.class_name) for box in self.boxes or ())


@dataclass(frozen=True, slots=True)
class Wording:
    """What the texts of all pictures of a data set share; picklable."""

    attribute: str
    kind: PictureLabelKind
    names: Mapping[int, str]

    @classmethod
    def of(cls, data: DataSet) -> "Wording":
        """Return the wording of a data set."""
        return cls(data.attribute, data.label_kind, dict(data.table.names))

    def name(self, index: int) -> str:
        """Return the name of a class."""
        return self.names.get(index) or default_name(index)

    def text(self, picture: Picture) -> bytes:
        """Return a picture's label as JSON."""
        return _encode(self.value(picture))

    def value(self, picture: Picture) -> PictureJson:
        """Return a picture's label."""
        found = picture.provenance
        value = PictureJson(
            source_ref=picture.ref,
            label_attribute=self.attribute,
            job_name=found.job_name,
            human_annotated=found.human_annotated,
            creation_date=found.creation_date,
        )
        if self.kind == "boxes":
            value.boxes = [self._box(box) for box in picture.boxes]
            if picture.size or picture.depth is not None:
                width, height = picture.size or (None, None)
                value.image_size = SizeJson(width, height, picture.depth)
        elif self.kind == "multi_label":
            value.labels = list(picture.classes)
            value.class_names = list(map(self.name, picture.classes))
            value.confidences = list(picture.confidences) or None
        elif picture.classes:
            value.label, value.class_name = picture.classes[0], self.name(picture.classes[0])
            value.confidence = next(iter(picture.confidences), None)
        return value

    def _box(self, box: Box) -> BoxJson:
        name, outline = self.name(box.class_index), [list(polygon) for polygon in box.outline]
        return BoxJson(
            box.class_index, name, box.left, box.top, box.width, box.height, box.confidence, outline
        )


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(PictureJson)


def picture_json(text: bytes) -> PictureJson | None:
    """Return the label of a picture; None for a JSON of somebody else. Raises ValueError for what is no JSON.

    >>> picture_json(b'{"caption": "a cat"}') is None
    True
    """
    try:
        value = _decoder.decode(text)
        list(value.pairs())  # as many names as indices
    except (msgspec.ValidationError, RecursionError):
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"expected JSON; {error}") from error
    except ValueError:
        return None
    return value if _is_sound(value) else None


def _is_sound(value: PictureJson) -> bool:
    sure = value.confidences is None or len(value.confidences) == len(value.labels or ())
    edges = (edge for box in value.boxes or () for edge in (box.left, box.top, box.width, box.height))
    return sure and all(abs(edge) < _MOST_PIXELS for edge in edges)


def described(
    value: PictureJson, indices: Mapping[int, int], number: int, key: str, ref: str, content: Content | None
) -> Picture:
    """Return a picture that stands, or is named, in a container.

    ``indices`` has the class index for each one of ``value``.
    """
    size = value.image_size or SizeJson()
    sides = None if size.width is None or size.height is None else (size.width, size.height)
    single = () if value.label is None else (value.label,)
    confidences = (() if value.confidence is None else (value.confidence,)) or tuple(value.confidences or ())
    return Picture(
        number,
        ref,
        size=sides,
        depth=size.depth,
        classes=tuple(indices[index] for index in (*single, *(value.labels or ()))),
        confidences=confidences,
        boxes=tuple(_box(box, indices) for box in value.boxes or ()),
        provenance=Provenance(value.job_name, value.human_annotated, value.creation_date),
        key=key,
        content=content,
    )


def _box(box: BoxJson, indices: Mapping[int, int]) -> Box:
    outline = cast("tuple[tuple[float, ...], ...]", tuple(map(tuple, box.outline)))
    return Box(indices[box.class_id], box.left, box.top, box.width, box.height, box.confidence, outline)
