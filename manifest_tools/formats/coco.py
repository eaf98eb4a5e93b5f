"""COCO: one JSON file a part, with its pictures, categories and annotations.

Boxes are annotations with a ``bbox``. Classes are annotations without one, each of one class, as iNaturalist,
COCO Camera Traps and Datumaro's ``coco_labels`` do it. What COCO has no field for stands in fields that
other readers pass over: ``ground_truth`` of the file and of a picture, ``depth`` of a picture,
``ground_truth_class_id`` of a category, and ``score`` of an annotation.
"""

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.local_files import copy_stream
from manifest_tools.base.text import shown
from manifest_tools.formats.protocol import Files, ReadOptions, WriteOptions
from manifest_tools.formats.safe_names import leaves_folder
from manifest_tools.groundtruth.annotations import (
    Batch,
    Box,
    DataSet,
    Picture,
    PictureLabelKind,
    Provenance,
    StreamedPictures,
)
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, agree, class_table
from manifest_tools.groundtruth.rows import reason
from manifest_tools.images.paths import common_folder
from manifest_tools.images.unusable import OUTSIDE, Unusable

Number = int | float
Id = int | str  # COCO has numbers; COCO Camera Traps has strings

# ---- what a file says ----


class GroundTruth(msgspec.Struct, rename="kebab", omit_defaults=True, gc=False):
    """Where a label comes from; of a picture."""

    job_name: str | None = None
    human_annotated: str | None = None
    creation_date: str | None = None


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
    keypoints: msgspec.Raw = _NOTHING
    score: Number | None = None


class Label(msgspec.Struct, gc=False):
    """Which label of a manifest a whole file holds."""

    label_attribute: str
    label_kind: str


class Coco(msgspec.Struct):
    """A whole file."""

    images: list[Image]
    annotations: list[Annotation]
    categories: list[Category]
    ground_truth: Label | None = None


# ---- writing ----

_NO_OUTLINE = msgspec.Raw(b"[]")
_UNKNOWN = Provenance()


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
    found = picture.provenance
    return Image(
        picture.number,
        name,
        width,
        height,
        picture.depth,
        picture.ref if in_s3 else None,
        None
        if found == _UNKNOWN
        else GroundTruth(found.job_name, found.human_annotated, found.creation_date),
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
    return Annotation(
        id=number,
        image_id=image,
        category_id=box.class_index + 1,
        bbox=(box.left, box.top, box.width, box.height),
        area=box.width * box.height,
        iscrowd=0,
        segmentation=_NO_OUTLINE,
        score=box.confidence,
    )


@dataclass(frozen=True, slots=True)
class _Texts:
    """The JSON of a batch of pictures, without the brackets of the two arrays."""

    images: bytes
    annotations: bytes
    numbers: Sequence[int]
    """Of the pictures that are in them."""

    unusable: Sequence[tuple[int, Unusable]]


def _texts(folder: str, batch: Batch) -> _Texts:
    images: list[Image] = []
    annotations: list[Annotation] = []
    numbers: list[int] = []
    unusable: list[tuple[int, Unusable]] = []
    for picture in batch.pictures:
        try:
            images.append(image_of(picture, folder))
        except Unusable as why:
            unusable.append((picture.number, why.with_traceback(None)))
        else:
            numbers.append(picture.number)
            annotations += annotations_of(picture, batch.labels_before + len(annotations) + 1)
    encode = msgspec.json.Encoder().encode
    return _Texts(encode(images)[1:-1], encode(annotations)[1:-1], numbers, unusable)


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write a file for each part; ids of pictures are the numbers of their lines."""
    folder = common_folder(found for pictures in data.parts.values() if (found := pictures.folder()))
    return {"pictures": sum(_write_part(part, folder, data, sink, options) for part in data.parts)}


def _write_part(part: str, folder: str, data: DataSet, sink: Files, options: WriteOptions) -> int:
    """Write the pictures as they come, and keep the annotations in a temporary file until then."""
    out = sink.open(part)
    head = {
        "info": {"description": "Labels of Amazon SageMaker Ground Truth"},
        "licenses": (),
        "ground_truth": Label(data.attribute, data.label_kind),
        "categories": categories_of(data.table),
    }
    out.write(msgspec.json.encode(head)[:-1] + b',"images":[')
    count = 0
    with tempfile.TemporaryFile(prefix="mtool-") as waiting:
        images, annotations = _Array(out), _Array(cast(BinaryIO, waiting))
        for texts in data.parts[part].map(partial(_texts, folder), options.jobs):
            images.add(texts.images)
            annotations.add(texts.annotations)
            count += len(texts.numbers)
            for number in texts.numbers:
                options.placed(part, number, str(number))
            for number, why in texts.unusable:
                options.unusable(part, number, why)
        out.write(b'],"annotations":[')
        waiting.seek(0)
        copy_stream(cast(BinaryIO, waiting), out)
    out.write(b"]}\n")
    return count


@dataclass(slots=True)
class _Array:
    """A JSON array being written, batch by batch; its brackets are somebody else's."""

    stream: BinaryIO
    empty: bool = True

    def add(self, items: bytes) -> None:
        if items:
            self.stream.write(items if self.empty else b"," + items)
            self.empty = False


# ---- reading ----


def read(place: str, options: ReadOptions) -> DataSet:
    """Return what a COCO file holds, or each ``*.json`` of a folder as a part.

    Categories that mtool wrote have their class indices again; others are numbered from 0 in the order of
    their ids, or as ``options.classes`` has them by name. Raises BadData for a file that is no COCO, or
    contradicts itself.
    """
    lost: dict[str, int] = {}
    files = [_File(part, path, _decoded(path)) for part, path in _files(place)]
    for file in files:
        file.indices = class_indices(file.path, file.coco.categories, options.classes)
        file.labels = _labels_of(file, lost)
    kind = _kind(files)
    if kind == "boxes":
        _leave_out(files, lost)
    tables = {file.path: _table(file) for file in files}
    table = agree(tables if options.classes is None else {"--classes": options.classes} | tables)
    parts = {file.part: StreamedPictures(partial(_pictures, file, kind, options)) for file in files}
    stated = files[0].coco.ground_truth
    attribute = options.label_attribute or (stated.label_attribute if stated else "label")
    check_attribute_name(attribute)
    return DataSet(table, kind, parts, attribute, lost)


@dataclass(slots=True)
class _File:
    """A file that was read."""

    part: str
    path: str
    coco: Coco
    indices: dict[int, int] = field(default_factory=dict)
    """Category id -> class index."""

    labels: dict[Id, list[Annotation]] = field(default_factory=dict)
    """Image id -> its annotations, for every image."""


def _files(place: str) -> list[tuple[str, str]]:
    """Return the parts of a place with their files."""
    folder = Path(place)
    if place == "-" or place.startswith("s3://") or not folder.is_dir():
        return [("", place)]
    found = sorted(folder.glob("*.json"))
    if not found:
        raise Refused(f"{place}: expected COCO files in this folder, found no *.json")
    return [(path.name.removesuffix(".json").removesuffix(".coco"), str(path)) for path in found]


def _decoded(path: str) -> Coco:
    data = _bytes(path)
    try:
        return msgspec.json.decode(data, type=Coco)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadData(f"{path}: expected a COCO file; {reason(data[:100], error)}") from error


def _bytes(path: str) -> bytes:
    if path.startswith("s3://"):
        from manifest_tools.io import s3

        return s3.read(path)
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Refused(
            f"{path}: expected a COCO file, found {(error.strerror or str(error)).lower()}"
        ) from error


def class_indices(
    where: str, categories: Sequence[Category], given: ClassTable | None = None
) -> dict[int, int]:
    """Return the class index of every category id.

    >>> class_indices("a.json", [Category(7, "dog"), Category(0, "cat"), Category(3, "ant")])
    {0: 0, 3: 1, 7: 2}
    """
    _check_distinct(where, "category", (category.id for category in categories))
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


def _table(file: _File) -> ClassTable:
    try:
        return class_table((file.indices[category.id], category.name) for category in file.coco.categories)
    except BadData as error:
        raise type(error)(f"{file.path}: {error}") from error


def _labels_of(file: _File, lost: dict[str, int]) -> dict[Id, list[Annotation]]:
    """Return the annotations of every image; count what cannot be kept of them."""
    where = file.path
    if not file.coco.images:
        raise BadData(f"{where}: expected images, found none")
    _check_distinct(where, "image", (image.id for image in file.coco.images))
    _check_distinct(where, "annotation", (one.id for one in file.coco.annotations if one.id is not None))
    labels: dict[Id, list[Annotation]] = {image.id: [] for image in file.coco.images}
    for number, annotation in enumerate(file.coco.annotations, 1):
        if annotation.image_id not in labels:
            raise BadData(f"{where}: annotation {number}: there is no image {shown(annotation.image_id)}")
        if annotation.category_id not in file.indices:
            raise BadData(f"{where}: annotation {number}: there is no category {annotation.category_id}")
        if annotation.iscrowd:
            _count(lost, "crowd regions")
            continue
        for field_name, what in (("segmentation", "outlines"), ("keypoints", "sets of keypoints")):
            if bytes(getattr(annotation, field_name)) not in _EMPTY:
                _count(lost, what)
        labels[annotation.image_id].append(annotation)
    return labels


_EMPTY = (b"", b"[]", b"null")


def _count(lost: dict[str, int], what: str) -> None:
    lost[what] = lost.get(what, 0) + 1


def _check_distinct(where: str, what: str, ids: Iterable[Any]) -> None:
    seen: set[Any] = set()
    for number in ids:
        if number in seen:
            raise BadData(f"{where}: the {what} id {shown(number)} is there twice; each needs its own")
        seen.add(number)


def _kind(files: Sequence[_File]) -> PictureLabelKind:
    """Return what the labels are: by what is there, and where that leaves it open by what the files state."""
    found = [labels for file in files for labels in file.labels.values()]
    if any(annotation.bbox for labels in found for annotation in labels):
        return "boxes"
    stated = {file.coco.ground_truth.label_kind for file in files if file.coco.ground_truth}
    if stated == {"multi_label"}:
        return "multi_label"
    if not any(found):
        return "boxes"  # pictures that show nothing
    return "single_label" if all(len(labels) == 1 for labels in found) else "multi_label"


def _leave_out(files: Sequence[_File], lost: dict[str, int]) -> None:
    """Leave out annotations without a box among others with boxes, and count them."""
    for file in files:
        for image, labels in file.labels.items():
            boxes = [annotation for annotation in labels if annotation.bbox]
            if len(boxes) < len(labels):
                lost["annotations without a box"] = (
                    lost.get("annotations without a box", 0) + len(labels) - len(boxes)
                )
                file.labels[image] = boxes


def _pictures(file: _File, kind: PictureLabelKind, options: ReadOptions) -> Iterator[Picture]:
    for place, image in enumerate(file.coco.images, 1):
        ref = _ref(file.path, image, options.source_prefix)
        number = image.id if isinstance(image.id, int) else place
        yield picture_of(number, image, file.labels[image.id], ref, kind, file.indices)


def _ref(where: str, image: Image, prefix: str) -> str:
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
    found = image.ground_truth or GroundTruth()
    known = partial(
        Picture,
        number,
        ref,
        None if image.width is None or image.height is None else (image.width, image.height),
        image.depth,
        provenance=Provenance(found.job_name, found.human_annotated, found.creation_date),
    )
    if kind == "boxes":
        return known(boxes=tuple(_box(one, indices) for one in annotations))
    confidences = tuple(annotation.score for annotation in annotations)
    return known(
        classes=tuple(indices[annotation.category_id] for annotation in annotations),
        confidences=() if set(confidences) == {None} else confidences,
    )


def _box(annotation: Annotation, indices: Mapping[int, int]) -> Box:
    left, top, width, height = annotation.bbox or (0, 0, 0, 0)
    return Box(indices[annotation.category_id], left, top, width, height, annotation.score)
