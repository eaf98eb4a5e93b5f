"""What a COCO file says, as values, and what its elements are of a picture."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import msgspec

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown
from manifest_tools.formats.safe_names import leaves_folder
from manifest_tools.groundtruth.annotations import Box, Picture, PictureLabelKind, Provenance
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.unusable import OUTSIDE, Unusable

Number = int | float
Id = int | str  # COCO has numbers; COCO Camera Traps has strings


class GroundTruth(msgspec.Struct, rename="kebab", omit_defaults=True, gc=False):
    """Where a label comes from; of a picture."""

    job_name: str | None = None
    human_annotated: str | None = None
    creation_date: str | None = None
    confidence: Number | None = None
    """Of a mask as a whole."""

    colours: dict[int, str | None] | None = None
    """Of a mask: the colour of each class index."""


class Image(msgspec.Struct, omit_defaults=True, gc=False):
    """A picture."""

    id: Id
    file_name: str
    width: Number | None = None
    height: Number | None = None
    depth: int | None = None
    coco_url: str | None = None
    ground_truth: GroundTruth | None = None


class Category(msgspec.Struct, omit_defaults=True, gc=False):
    """A class."""

    id: int
    name: str
    supercategory: Any = None
    ground_truth_class_id: int | None = None


_NOTHING = msgspec.Raw()


class Annotation(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """A box, or a class of a picture as a whole; ``bbox`` is left, top, width, height."""

    id: Id | None = None
    image_id: Id
    category_id: int
    bbox: tuple[Number, Number, Number, Number] | None = None
    area: Any = None
    iscrowd: int | bool | None = None
    segmentation: msgspec.Raw = _NOTHING
    """Polygons in an array, or a run-length mask as an object; read when it is wanted."""

    keypoints: msgspec.Raw = _NOTHING
    score: Number | None = None


class Label(msgspec.Struct, gc=False):
    """Which label of a manifest a whole file holds."""

    label_attribute: str
    label_kind: str


EMPTY = (b"", b"[]", b"null")
"""What stands for a ``segmentation``, or ``keypoints``, that is none."""

# ---- from pictures ----

_NO_OUTLINE = msgspec.Raw(b"[]")
_UNKNOWN = Provenance()
_encode = msgspec.json.Encoder().encode


def categories_of(table: ClassTable) -> list[Category]:
    """Return the categories of a class table, in order of index.

    An id is the index + 1: 0 stands for "no class" in Datumaro, and others subtract 1.
    """
    return [Category(index + 1, name, "", index) for index, name in table.names]


def image_of(picture: Picture, folder: str) -> Image:
    """Return a picture as COCO has it; ``file_name`` leaves out ``folder``, which all pictures share."""
    in_s3 = picture.ref.startswith("s3://")
    name = picture.ref.removeprefix(folder).removeprefix("s3://") if in_s3 else picture.ref
    if leaves_folder(name):
        raise Unusable(OUTSIDE, f"expected a path below a folder, found {shown(name)}")
    width, height = picture.size or (None, None)
    return Image(
        picture.number,
        name,
        width,
        height,
        picture.depth,
        picture.ref if in_s3 else None,
        _ground_truth(picture),
    )


def _ground_truth(picture: Picture) -> GroundTruth | None:
    found, mask = picture.provenance, picture.mask
    if mask is None:
        return (
            None
            if found == _UNKNOWN
            else GroundTruth(found.job_name, found.human_annotated, found.creation_date)
        )
    colours = dict(mask.colours)
    return GroundTruth(
        found.job_name, found.human_annotated, found.creation_date, mask.confidence, colours or None
    )


def annotations_of(picture: Picture, first: int) -> list[Annotation]:
    """Return the boxes, or the classes, of a picture as annotations with ids from ``first``."""
    if picture.boxes:
        return [
            _box_annotation(picture.number, box, number) for number, box in enumerate(picture.boxes, first)
        ]
    confidences = picture.confidences or (None,) * len(picture.classes)
    labels = enumerate(zip(picture.classes, confidences, strict=True), first)
    return [
        Annotation(id=number, image_id=picture.number, category_id=index + 1, score=confidence)
        for number, (index, confidence) in labels
    ]


def _box_annotation(image: int, box: Box, number: int) -> Annotation:
    outline = box.outline
    return Annotation(
        id=number,
        image_id=image,
        category_id=box.class_index + 1,
        bbox=(box.left, box.top, box.width, box.height),
        area=sum(map(area_of, outline)) if outline else box.width * box.height,
        iscrowd=0,
        segmentation=msgspec.Raw(_encode(outline)) if outline else _NO_OUTLINE,
        score=box.confidence,
    )


def area_of(polygon: Sequence[float]) -> float:
    """Return the area inside a polygon.

    >>> area_of((0, 0, 4, 0, 4, 3))
    6.0
    """
    xs, ys = polygon[::2], polygon[1::2]
    later = zip((*xs[1:], xs[0]), (*ys[1:], ys[0]), strict=True)
    return abs(sum(x * v - u * y for x, y, (u, v) in zip(xs, ys, later, strict=True))) / 2


# ---- into pictures ----


def check_distinct(where: str, what: str, ids: Iterable[Any]) -> None:
    """Raise BadData for an id that is there twice."""
    seen: set[Any] = set()
    for number in ids:
        if number in seen:
            raise BadData(f"{where}: the {what} id {shown(number)} is there twice; each needs its own")
        seen.add(number)


def class_indices(
    where: str, categories: Sequence[Category], given: ClassTable | None = None
) -> dict[int, int]:
    """Return the class index of every category id.

    >>> class_indices("a.json", [Category(7, "dog"), Category(0, "cat"), Category(3, "ant")])
    {0: 0, 3: 1, 7: 2}
    """
    check_distinct(where, "category", (category.id for category in categories))
    if given is not None:
        known = {name: index for index, name in given.names}
        for category in categories:
            if category.name not in known:
                raise BadData(f"{where}: --classes does not list the category {shown(category.name)}; add it")
        return {category.id: known[category.name] for category in categories}
    own = {category.id: category.ground_truth_class_id for category in categories}
    if all(isinstance(index, int) for index in own.values()):
        return cast(dict[int, int], own)
    return {number: index for index, number in enumerate(sorted(own))}


def ref_of(where: str, image: Image, prefix: str) -> str:
    """Return where the picture of an image is: below ``prefix``, or where the file says."""
    if not prefix and image.coco_url and image.coco_url.startswith("s3://"):
        return image.coco_url
    name = image.file_name.replace("\\", "/")
    if leaves_folder(name):
        raise BadData(
            f"{where}: image {shown(image.id)}: expected a file_name below a folder,"
            f" found {shown(image.file_name)}"
        )
    return f"{prefix.rstrip('/')}/{name}" if prefix else name


def picture_of(
    number: int,
    image: Image,
    annotations: Sequence[Annotation],
    ref: str,
    kind: PictureLabelKind,
    indices: Mapping[int, int],
) -> Picture:
    """Return the picture of an image and its annotations."""
    found = image.ground_truth
    known = partial(
        Picture,
        number,
        ref,
        None if image.width is None or image.height is None else (image.width, image.height),
        image.depth,
        provenance=Provenance(found.job_name, found.human_annotated, found.creation_date)
        if found
        else _UNKNOWN,
    )
    if kind == "boxes":
        return known(boxes=tuple([_box(one, indices) for one in annotations]))
    confidences = tuple(annotation.score for annotation in annotations)
    return known(
        classes=tuple(indices[annotation.category_id] for annotation in annotations),
        confidences=() if set(confidences) == {None} else confidences,
    )


def _box(annotation: Annotation, indices: Mapping[int, int]) -> Box:
    outline = outline_of(annotation)
    left, top, width, height = annotation.bbox or _around(outline)
    return Box(indices[annotation.category_id], left, top, width, height, annotation.score, outline)


Outline = tuple[tuple[float, ...], ...]
_outline_decoder = msgspec.json.Decoder(tuple[tuple[Number, ...], ...])


def outline_of(annotation: Annotation) -> Outline:
    """Return the polygons of an annotation that are some; raises msgspec's errors for what is no polygon."""
    text = bytes(annotation.segmentation)
    if text in EMPTY or text[:1] != b"[":
        return ()
    return tuple(polygon for polygon in _outline_decoder.decode(text) if is_polygon(polygon))


def is_polygon(polygon: Sequence[float]) -> bool:
    """Say whether numbers are three points or more."""
    return len(polygon) >= 6 and len(polygon) % 2 == 0


def _around(outline: Outline) -> tuple[float, float, float, float]:
    """Return left, top, width and height of what polygons are in."""
    xs = [x for polygon in outline for x in polygon[::2]]
    ys = [y for polygon in outline for y in polygon[1::2]]
    if not xs:
        return 0, 0, 0, 0
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
