"""A COCO file for each part, written as the pictures come."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, cast

import msgspec
from msgspec.structs import replace

from manifest_tools.base.local_files import copy_stream
from manifest_tools.base.text import counted
from manifest_tools.formats.coco_file import Annotation, Image, Label, annotations_of, categories_of, image_of
from manifest_tools.formats.coco_masks import background_of, encoded
from manifest_tools.formats.protocol import Files, WriteOptions
from manifest_tools.groundtruth.annotations import Batch, DataSet
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.paths import common_folder
from manifest_tools.images.unusable import Unusable


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
    unusable: list[tuple[int, Unusable]] = []
    for picture in batch.pictures:
        try:
            images.append(image_of(picture, folder))
        except Unusable as why:
            unusable.append((picture.number, why.with_traceback(None)))
        else:
            annotations += annotations_of(picture, batch.labels_before + len(annotations) + 1)
    return _texts_from(images, annotations, unusable)


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write a file for each part; ids of pictures are the numbers of their lines."""
    folder = common_folder(found for pictures in data.parts.values() if (found := pictures.folder()))
    remarks: list[str] = []
    pictures = sum(_write_part(part, folder, data, sink, options, remarks) for part in data.parts)
    return {"pictures": pictures, "remarks": remarks}


def _write_part(
    part: str, folder: str, data: DataSet, sink: Files, options: WriteOptions, remarks: list[str]
) -> int:
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
        if data.label_kind == "segmentation":
            found = _texts_of_masks(part, folder, data.table, options, remarks)
        else:
            found = data.parts[part].map(partial(_texts, folder), options.jobs)
        for texts in found:
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


_MASKS = 256  # pictures whose annotations are written at a time


def _texts_of_masks(
    part: str, folder: str, table: ClassTable, options: WriteOptions, remarks: list[str]
) -> Iterator[_Texts]:
    """Yield the JSON of pictures and their masks; then there is a remark on colours that are no class."""
    made = options.masks(part, partial(encoded, background_of(table)))
    number = unknown = masks = 0
    while some := list(islice(made, _MASKS)):
        images: list[Image] = []
        annotations: list[Annotation] = []
        unusable: list[tuple[int, Unusable]] = []
        for picture, found in some:
            try:
                images.append(image_of(replace(picture, size=found.size), folder))
            except Unusable as why:
                unusable.append((picture.number, why.with_traceback(None)))
                continue
            unknown, masks = unknown + found.unknown, masks + (found.unknown > 0)
            for annotation in found.annotations:
                number += 1
                annotation.id = number
                annotations.append(annotation)
        yield _texts_from(images, annotations, unusable)
    if masks:
        remarks.append(
            f"{counted(masks, 'mask')}{f' of {part}' if part else ''} with {counted(unknown, 'pixel')} of"
            " colours that are no class: in no annotation"
        )


def _texts_from(
    images: Sequence[Image], annotations: Sequence[Annotation], unusable: Sequence[tuple[int, Unusable]]
) -> _Texts:
    encode = msgspec.json.Encoder().encode
    numbers = [cast(int, image.id) for image in images]
    return _Texts(encode(images)[1:-1], encode(annotations)[1:-1], numbers, unusable)


@dataclass(slots=True)
class _Array:
    """A JSON array being written, batch by batch; its brackets are somebody else's."""

    stream: BinaryIO
    empty: bool = True

    def add(self, items: bytes) -> None:
        if items:
            self.stream.write(items if self.empty else b"," + items)
            self.empty = False
