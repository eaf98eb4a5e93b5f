"""Pictures with their labels, of no format and without bytes: what data set formats write from and read into.

Numbers are kept as they were written: an integer stays one, and a fraction is the same fraction again. There
are millions of them: they are msgspec's structs, which are made in a tenth of the time of a dataclass.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeVar

import msgspec

from manifest_tools.base.parallel import Jobs
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.paths import common_folder

R = TypeVar("R")

PictureLabelKind = Literal["single_label", "multi_label", "boxes", "segmentation"]
"""The label kinds that a picture can have: one class, any number of classes, boxes, a mask."""

TYPE_OF_KIND: dict[PictureLabelKind, str] = {
    "single_label": "groundtruth/image-classification",
    "multi_label": "groundtruth/image-classification-multilabel",
    "boxes": "groundtruth/object-detection",
    "segmentation": "groundtruth/semantic-segmentation",
}
"""The task type that Ground Truth gives to labels of each kind."""

Content = Callable[[], bytes]
"""Returns bytes that are elsewhere until they are wanted; picklable, for a worker may be who calls it."""

_BATCH = 4096  # pictures that a stream without blocks hands on at a time


class Box(msgspec.Struct, frozen=True, gc=False):
    """A rectangle on a picture, in pixels from the picture's upper left corner."""

    class_index: int
    left: float
    top: float
    width: float
    height: float
    confidence: float | None = None
    """From 0 to 1; None where nothing says it."""

    outline: tuple[tuple[float, ...], ...] = ()
    """Polygons, each ``x, y, x, y...`` in pixels; several for an object in pieces. No manifest holds one."""


class Mask(msgspec.Struct, frozen=True, gc=False):
    """A picture whose colours say the class of each pixel."""

    ref: str
    """URI of the PNG, or its path from the folder of the manifest."""

    colours: tuple[tuple[int, str | None], ...] = ()
    """Class index and its colour as ``#rrggbb``, for each class, the background too."""

    confidence: float | None = None
    """From 0 to 1, of the mask as a whole."""

    content: Content | None = None
    """Returns the PNG where it stands in no file of its own."""


class Provenance(msgspec.Struct, frozen=True, gc=False):
    """Where a label comes from, in the words of Ground Truth's metadata; None where nothing says it."""

    job_name: str | None = None
    human_annotated: str | None = None
    """``yes`` for people, ``no`` for a model."""

    creation_date: str | None = None
    """As it was written, in whatever form."""


class Picture(msgspec.Struct, frozen=True, gc=False):
    """A labelled picture; which of the label's fields count is the data set's ``label_kind``."""

    number: int
    """The line of a manifest, from 1, or the number that another format gives the picture."""

    ref: str
    """URI, or a path from the folder of the manifest."""

    size: tuple[float, float] | None = None
    """Width and height in pixels; None where nothing says it."""

    depth: int | None = None
    """Number of channels."""

    classes: tuple[int, ...] = ()
    """Class indices, in the order of the label."""

    confidences: tuple[float | None, ...] = ()
    """The confidence of each class, from 0 to 1; empty where none of them has one."""

    boxes: tuple[Box, ...] = ()
    mask: Mask | None = None
    provenance: Provenance = Provenance()

    key: str = ""
    """What another format calls the picture, one name a picture in a part; empty for its ``number``."""

    content: Content | None = None
    """Returns the bytes of a picture that stands in a container, under no name of its own."""

    labelled: bool = True
    """False for one among the others that nobody has labelled yet: one that shows nothing is labelled."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures that follow one another."""

    pictures: Sequence[Picture]
    labels_before: int
    """How many boxes, or classes, the pictures before these have."""


class Pictures(ABC):
    """The pictures of one part, in order; every pass reads them anew."""

    @abstractmethod
    def __iter__(self) -> Iterator[Picture]: ...

    def map(self, task: Callable[[Batch], R], jobs: Jobs = None) -> Iterator[R]:
        """Yield ``task`` of every batch, in order. A task must be picklable, for it may run elsewhere."""
        pictures, before = iter(self), 0
        while found := list(islice(pictures, _BATCH)):
            yield task(Batch(found, before))
            before += sum(map(labels_of, found))

    def folder(self) -> str:
        """Return the deepest folder that all pictures share, ending in a slash, or nothing."""
        return common_folder(picture.ref for picture in self)


@dataclass(frozen=True, slots=True)
class StreamedPictures(Pictures):
    """The pictures that ``read`` gives; every pass calls it."""

    read: Callable[[], Iterable[Picture]]

    def __iter__(self) -> Iterator[Picture]:
        return iter(self.read())


def labels_of(picture: Picture) -> int:
    """Return how many boxes, or classes, a picture has."""
    return len(picture.boxes) or len(picture.classes)


@dataclass(frozen=True, slots=True)
class DataSet:
    """Named parts, such as train and validation, that share one class table."""

    table: ClassTable
    label_kind: PictureLabelKind
    parts: Mapping[str, Pictures]
    """By name; the only part of a data set without parts has no name: ``""``."""

    attribute: str = "label"
    """The label attribute that the labels have in a manifest."""

    lost: dict[str, int] = field(default_factory=dict)
    """What the data set was read from and cannot be held here, in words, with how often."""

    remarks: tuple[str, ...] = ()
    """Sentences for the user about how it was read."""
