"""COCO: one JSON file a part, with its pictures, categories and annotations.

Boxes are annotations with a ``bbox``, and with polygons where they have an outline. Classes are annotations
without one, each of one class, as iNaturalist, COCO Camera Traps and Datumaro's ``coco_labels`` do it. What
COCO has no field for stands in fields that other readers pass over: ``ground_truth`` of the file and of a
picture, ``depth`` of a picture, ``ground_truth_class_id`` of a category, and ``score`` of an annotation.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

import msgspec
import numpy as np

from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.base.local_files import copy_stream
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.formats.coco_file import (
    Annotation,
    Image,
    Label,
    annotations_of,
    categories_of,
    class_indices,
    image_of,
    picture_of,
    ref_of,
)
from manifest_tools.formats.coco_index import Index, Spans, index_of, read_elements
from manifest_tools.formats.protocol import Files, ReadOptions, WriteOptions
from manifest_tools.groundtruth.annotations import (
    Batch,
    DataSet,
    Picture,
    PictureLabelKind,
    Pictures,
)
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, agree, class_table
from manifest_tools.images.paths import common_folder
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.sources import Source, copied, open_bytes

R = TypeVar("R")

# ---- writing ----


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
    sources = {part: _on_this_disk(path) for part, path in _files(place)}
    files = {part: index_of(path, sources[part]) for part, path in _files(place)}
    found = list(files.values())
    indices = {file.where: class_indices(file.where, file.categories, options.classes) for file in found}
    kind = _kind(found)
    lost = _lost(found, kind)
    tables = {file.where: _table(file, indices[file.where]) for file in found}
    table = agree(tables if options.classes is None else {"--classes": options.classes} | tables)
    stated = found[0].stated
    attribute = options.label_attribute or (stated.label_attribute if stated else "label")
    check_attribute_name(attribute)
    parts = {
        part: CocoPictures(file, sources[part], kind, indices[file.where], options.source_prefix)
        for part, file in files.items()
    }
    return DataSet(table, kind, parts, attribute, lost)


def _files(place: str) -> list[tuple[str, str]]:
    """Return the parts of a place with their files."""
    folder = Path(place)
    if place == "-" or place.startswith("s3://") or not folder.is_dir():
        return [("", place)]
    found = sorted(folder.glob("*.json"))
    if not found:
        raise Refused(f"{place}: expected COCO files in this folder, found no *.json")
    return [(path.name.removesuffix(".json").removesuffix(".coco"), str(path)) for path in found]


def _on_this_disk(path: str) -> Source:
    """Return a file that can be read in any order: of S3, of gzip and of standard input a temporary copy."""
    try:
        source = open_bytes(path)
    except Refused as error:
        raise type(error)(str(error).replace("expected a manifest", "expected a COCO file")) from error
    if source.size is None or source.uri.startswith("s3://"):
        return copied(source.name, source.chunks(), source.folder)
    return source


def _table(file: Index, indices: Mapping[int, int]) -> ClassTable:
    try:
        return class_table((indices[category.id], category.name) for category in file.categories)
    except BadData as error:
        raise type(error)(f"{file.where}: {error}") from error


def _kind(files: Sequence[Index]) -> PictureLabelKind:
    """Return what the labels are: by what is there, and where that leaves it open by what the files state."""
    stated = {file.stated.label_kind for file in files if file.stated}
    if any(file.boxed.any() for file in files):
        return "boxes"
    if stated == {"multi_label"}:
        return "multi_label"
    if not any(len(file.labels) for file in files):
        return "boxes"  # pictures that show nothing
    return "single_label" if all((np.diff(file.first) == 1).all() for file in files) else "multi_label"


def _lost(files: Sequence[Index], kind: PictureLabelKind) -> dict[str, int]:
    """Return what no manifest holds, and how often; annotations without a box among others are left out."""
    lost: dict[str, int] = {}

    def count(what: str, number: int) -> None:
        if number:
            lost[what] = lost.get(what, 0) + number

    for file in files:
        for what, number in file.lost.items():
            count(what, number)
        count("run-length masks", int(np.count_nonzero(file.runs)))
        if kind == "boxes":
            count("annotations without a box", int(np.count_nonzero(~file.boxed)))
            file.leave_out(~file.boxed)
    return lost


# Of a batch: of more only a picture that has more has them.
_IMAGES, _LABELS = 4096, 1 << 16


@dataclass(frozen=True, slots=True)
class CocoPictures(Pictures):
    """The pictures of a file, with their labels; both are read batch by batch, on any number of processes."""

    index: Index
    source: Source
    kind: PictureLabelKind
    indices: Mapping[int, int]
    """Category id -> class index."""

    prefix: str = ""

    def __iter__(self) -> Iterator[Picture]:
        return chain.from_iterable(self.map(_pictures, 1))

    def map(self, task: Callable[[Batch], R], jobs: Jobs = None) -> Iterator[R]:
        """Yield ``task`` of every batch, in order, on ``jobs`` processes.

        Raises BadData for a name that leads out of the folder, MtoolError for a file that changed meanwhile.
        """
        index = self.index
        reader = _Reader(index.where, index.path, self.kind, self.indices, self.prefix, task)
        yield from run(reader, self._batches(), jobs)
        self.source.check_unchanged()

    def _batches(self) -> Iterator["_Places"]:
        index, count, start = self.index, len(self.index.images), 0
        while start < count:
            before = int(index.first[start])
            most = int(np.searchsorted(index.first, before + _LABELS, "right")) - 1
            end = max(start + 1, min(start + _IMAGES, most, count))
            first = index.first[start : end + 1]
            labels = index.labels[before : int(first[-1])]
            yield _Places(start + 1, index.images[start:end], labels, first - before, before)
            start = end


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the images of a batch and their annotations stand."""

    number: int
    """Of the first image, from 1."""

    images: Spans
    labels: Spans
    first: "np.ndarray[Any, np.dtype[np.int64]]"
    """For each image, and once more, how many annotations of the batch the images before it have."""

    labels_before: int


def _pictures(batch: Batch) -> Sequence[Picture]:
    return batch.pictures


@dataclass(frozen=True, slots=True)
class _Reader(Generic[R]):
    """Reads the pictures of a batch and hands them to a task, in this process or another."""

    where: str
    path: str
    kind: PictureLabelKind
    indices: Mapping[int, int]
    prefix: str
    task: Callable[[Batch], R]

    def __call__(self, places: _Places) -> R:
        return self.task(Batch(self._pictures(places), places.labels_before))

    def _pictures(self, places: _Places) -> list[Picture]:
        try:
            images = read_elements(self.path, places.images, Image)
            labels = read_elements(self.path, places.labels, Annotation)
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise MtoolError(
                f"{self.where}: was changed while it was read; run the same command again"
            ) from error
        bounds = places.first.tolist()
        return [
            self._picture(places.number + at, image, labels[bounds[at] : bounds[at + 1]])
            for at, image in enumerate(images)
        ]

    def _picture(self, place: int, image: Image, labels: Sequence[Annotation]) -> Picture:
        number = image.id if isinstance(image.id, int) else place
        return picture_of(
            number, image, labels, ref_of(self.where, image, self.prefix), self.kind, self.indices
        )
