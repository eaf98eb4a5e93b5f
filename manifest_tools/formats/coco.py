"""COCO: one JSON file a part, with its pictures, categories and annotations.

Boxes are annotations with a ``bbox``, and with polygons where they have an outline. Classes are annotations
without one, each of one class, as iNaturalist, COCO Camera Traps and Datumaro's ``coco_labels`` do it. What
COCO has no field for stands in fields that other readers pass over: ``ground_truth`` of the file and of a
picture, ``depth`` of a picture, ``ground_truth_class_id`` of a category, and ``score`` of an annotation.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np

from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.base.text import shown
from manifest_tools.formats.coco_file import (
    Annotation,
    GroundTruth,
    Image,
    class_indices,
    picture_of,
    ref_of,
)
from manifest_tools.formats.coco_index import Index, Spans, index_of, read_elements
from manifest_tools.formats.coco_masks import MaskPlaces, with_mask
from manifest_tools.formats.coco_write import write
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import (
    Batch,
    DataSet,
    Picture,
    PictureLabelKind,
    Pictures,
)
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, agree, class_table
from manifest_tools.io.sources import Source, copied, open_bytes

__all__ = ["read", "write"]

R = TypeVar("R")


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
        part: CocoPictures(file, sources[part], kind, indices[file.where], table, options.source_prefix)
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
    if stated == {"segmentation"} or all(_is_masks(file) for file in files):
        return "segmentation"
    if any(file.boxed.any() for file in files):
        return "boxes"
    if stated == {"multi_label"}:
        return "multi_label"
    if not any(len(file.labels) for file in files):
        return "boxes"  # pictures that show nothing
    return "single_label" if all((np.diff(file.first) == 1).all() for file in files) else "multi_label"


def _is_masks(file: Index) -> bool:
    """Say whether a file has masks and no boxes."""
    return bool(file.runs.any()) and bool(file.runs.all()) and not file.boxed.any()


def _lost(files: Sequence[Index], kind: PictureLabelKind) -> dict[str, int]:
    """Return what no manifest holds, and how often; annotations without a box among others are left out."""
    lost: dict[str, int] = {}

    def count(what: str, number: int) -> None:
        if number:
            lost[what] = lost.get(what, 0) + number

    for file in files:
        for what, number in file.lost.items():
            count(what, number)
        if kind == "segmentation":
            count("annotations without a mask", int(np.count_nonzero(~file.shaped)))
            file.leave_out(~file.shaped)
            continue
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

    table: ClassTable
    prefix: str = ""

    def __iter__(self) -> Iterator[Picture]:
        return chain.from_iterable(self.map(_pictures, 1))

    def map(self, task: Callable[[Batch], R], jobs: Jobs = None) -> Iterator[R]:
        """Yield ``task`` of every batch, in order, on ``jobs`` processes.

        Raises BadData for a name that leads out of the folder, MtoolError for a file that changed meanwhile.
        """
        index = self.index
        reader = _Reader(index.where, index.path, self.kind, self.indices, self.table, self.prefix, task)
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
    table: ClassTable
    prefix: str
    task: Callable[[Batch], R]

    def __call__(self, places: _Places) -> R:
        return self.task(Batch(self._pictures(places), places.labels_before))

    def _pictures(self, places: _Places) -> list[Picture]:
        bounds = places.first.tolist()
        try:
            images = read_elements(self.path, places.images, Image)
            if self.kind == "segmentation":
                return [
                    self._masked(places.number + at, image, places.labels[bounds[at] : bounds[at + 1]])
                    for at, image in enumerate(images)
                ]
            labels = read_elements(self.path, places.labels, Annotation)
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise MtoolError(
                f"{self.where}: was changed while it was read; run the same command again"
            ) from error
        return [
            self._picture(places.number + at, image, labels[bounds[at] : bounds[at + 1]])
            for at, image in enumerate(images)
        ]

    def _picture(self, place: int, image: Image, labels: Sequence[Annotation]) -> Picture:
        number = image.id if isinstance(image.id, int) else place
        ref = ref_of(self.where, image, self.prefix)
        return picture_of(number, image, labels, ref, self.kind, self.indices)

    def _masked(self, place: int, image: Image, labels: Spans) -> Picture:
        picture = self._picture(place, image, ())
        what, said = f"image {shown(image.id)}", image.ground_truth or GroundTruth()
        places = MaskPlaces(self.where, self.path, what, labels, picture.size, self.indices)
        return with_mask(picture, places, self.table, said.colours, said.confidence)
