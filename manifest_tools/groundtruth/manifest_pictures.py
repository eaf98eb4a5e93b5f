"""The labelled lines of a manifest as a stream of pictures: one pass for the classes, one for each reader."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain, repeat
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from manifest_tools.base.errors import InvalidLine, Refused
from manifest_tools.base.parallel import Jobs, run
from manifest_tools.base.text import clipped
from manifest_tools.groundtruth.annotations import (
    TYPE_OF_KIND,
    Batch,
    Box,
    Mask,
    Picture,
    PictureLabelKind,
    Pictures,
    Provenance,
)
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassTable, class_index
from manifest_tools.groundtruth.examples import peek, whole_table
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.label_schemas import Box as LineBox
from manifest_tools.groundtruth.label_schemas import Boxes, Colour, Confidence, ImageSize, Number
from manifest_tools.groundtruth.record import Peek, state
from manifest_tools.groundtruth.rows import BadLine, decode_all, line_offsets, read_rows, reason
from manifest_tools.groundtruth.scan import scan
from manifest_tools.groundtruth.survey import ambiguous, survey
from manifest_tools.images.paths import common_folder
from manifest_tools.io.sources import Block, Source

R = TypeVar("R")


@dataclass(slots=True)
class ManifestPictures(Pictures):
    """The labelled lines of a manifest as pictures; memory stays flat, whatever their number."""

    source: Source
    attribute: LabelAttribute
    label_kind: PictureLabelKind
    table: ClassTable = field(default_factory=ClassTable)
    count: int = 0
    """Labelled lines."""

    left_out: dict[str, int] = field(default_factory=dict)
    """Other lines, by state."""

    _folder: str = ""
    _starts: list[tuple[int, int]] = field(default_factory=list)
    """For each block of the source: the number of its first line, and the labels before it."""

    def __iter__(self) -> Iterator[Picture]:
        return chain.from_iterable(self.map(_pictures, 1))

    def map(self, task: Callable[[Batch], R], jobs: Jobs = None) -> Iterator[R]:
        """Yield ``task`` of the pictures of every block, in order, on ``jobs`` processes.

        Raises InvalidLine for a line that cannot be read, MtoolError for a file that changed meanwhile.
        """
        reader = _Reader(
            self.source.name, self.attribute.name, self.attribute.metadata_key, self.label_kind, task
        )
        yield from run(reader, zip(self.source.blocks(), self._starts, strict=False), jobs)
        self.source.check_unchanged()

    def folder(self) -> str:
        """Return the deepest folder that all pictures share, ending in a slash, or nothing."""
        return self._folder


def pictures_of(
    source: Source, attribute: LabelAttribute, *, classes: ClassTable | None = None, jobs: Jobs = None
) -> ManifestPictures:
    """Return the labelled lines of a manifest as a stream, after one pass that finds the class table.

    ``classes`` supplies what no line shows, or names. Raises Refused for a type that is no label of a
    picture, InvalidLine for a line that cannot be read, ClassConflict for classes that disagree.
    """
    pictures = ManifestPictures(source, attribute, picture_label_kind(source.name, attribute))
    names = dict.fromkeys((classes or ClassTable()).names)
    shown: set[int] = set()
    folders: list[str] = []
    labels = 0
    for first, part in scan(source, partial(_survey, peek(attribute), attribute.type), jobs):
        if part.others:
            raise ambiguous(survey(source, jobs), source.name)
        pictures._starts.append((first, labels))
        pictures.count += part.pictures
        labels += part.labels
        names |= part.names
        shown |= part.shown
        folders += part.folders
        for line_state, count in part.left_out.items():
            pictures.left_out[line_state] = pictures.left_out.get(line_state, 0) + count
    pictures._folder = common_folder(folders)
    pictures.table = whole_table(source.name, names, shown, classes)
    return pictures


def picture_label_kind(manifest: str, attribute: LabelAttribute) -> PictureLabelKind:
    """Return the kind of an attribute's labels; raises Refused where they are not of pictures."""
    known = attribute.kind.name
    name = "single_label" if known == "verification" else known
    if name not in TYPE_OF_KIND:
        raise Refused(
            f"{manifest}: {clipped(attribute.name)} is {clipped(attribute.short_type)}; expected classes,"
            " boxes or masks of pictures"
        )
    return name


@dataclass(slots=True)
class _Survey:
    """What the first pass finds in a block."""

    lines: int
    others: frozenset[str]
    pictures: int = 0
    labels: int = 0
    names: dict[tuple[int, str], None] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)
    folders: tuple[str, ...] = ()
    """The folder that the pictures share; empty where there is no picture."""

    left_out: dict[str, int] = field(default_factory=dict)


def _survey(recipe: Peek, type_name: str, block: Block) -> _Survey:
    kind = label_kind(type_name)
    rows = read_rows(block.read(), recipe)
    found = _Survey(rows.lines, rows.others)
    refs: list[str] = []
    for number, row in zip(rows.numbers.tolist(), rows.rows, strict=True):
        line_state = state(row)
        if line_state != "labelled":
            found.left_out[line_state] = found.left_out.get(line_state, 0) + 1
            continue
        if not row.source_ref:
            raise BadLine(number, "expected a source-ref, found none")
        refs.append(row.source_ref)
        try:
            indices = kind.indices(row)
            found.names |= dict.fromkeys(kind.names(row))
        except ValueError as error:
            raise BadLine(number, str(error)) from error
        found.shown.update(indices)
        found.labels += len(indices)
    found.pictures = len(refs)
    found.folders = (common_folder(refs),) if refs else ()
    return found


# A larger number is no place on a picture.
_MOST_PIXELS = 10**15


# What a line is decoded into on the second pass.
class _Metadata(msgspec.Struct, rename="kebab", gc=False):
    confidence: Number | None = None
    confidence_map: dict[str, Number] | None = None
    objects: list[Confidence] | None = None
    internal_color_map: dict[str, Colour] | None = None
    job_name: str | None = None
    human_annotated: str | None = None
    creation_date: str | None = None


class _Line(Protocol):
    ref: str
    label: Any
    metadata: _Metadata | None


_LABELS: dict[PictureLabelKind, Any] = {
    "single_label": int | str | None,
    "multi_label": list[int | str] | None,
    "boxes": Boxes | None,
    "segmentation": str | None,
}


@lru_cache(maxsize=64)
def _decoder(attribute: str, metadata_key: str, kind: PictureLabelKind) -> "msgspec.json.Decoder[_Line]":
    line = msgspec.defstruct(
        "Line",
        [("ref", str, ""), ("label", _LABELS[kind], None), ("metadata", _Metadata | None, None)],
        rename={"ref": "source-ref", "label": attribute, "metadata": metadata_key},
        gc=False,
    )
    return cast("msgspec.json.Decoder[_Line]", msgspec.json.Decoder(line))


@dataclass(frozen=True, slots=True)
class _Reader(Generic[R]):
    """Reads the labelled lines of a block and hands them to a task, in this process or another."""

    name: str
    attribute: str
    metadata_key: str
    kind: PictureLabelKind
    task: Callable[[Batch], R]

    def __call__(self, item: tuple[Block, tuple[int, int]]) -> R:
        block, (first, labels) = item
        return self.task(Batch(list(self._pictures(block.read(), first)), labels))

    def _pictures(self, data: bytes, first: int) -> Iterator[Picture]:
        for number, line in enumerate(self._lines(data, first), first):
            if line is None or line.label is None:
                continue
            try:
                yield _picture(number, line, self.kind)
            except ValueError as error:
                raise InvalidLine(self.name, number, str(error)) from error

    def _lines(self, data: bytes, first: int) -> Iterable[_Line | None]:
        """Return every line of a block, None for a blank one."""
        decoder = _decoder(self.attribute, self.metadata_key, self.kind)
        starts, ends = line_offsets(data)
        lines = decode_all(data, starts, ends, decoder)
        if lines is not None:
            return lines
        cut = (data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
        return (
            self._decoded(decoder, line, number) if line.strip() else None
            for number, line in enumerate(cut, first)
        )

    def _decoded(self, decoder: "msgspec.json.Decoder[_Line]", line: bytes, number: int) -> _Line:
        try:
            return decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidLine(self.name, number, reason(line, error)) from error


def _pictures(batch: Batch) -> Sequence[Picture]:
    return batch.pictures


_NO_METADATA = _Metadata()


def _picture(number: int, line: _Line, kind: PictureLabelKind) -> Picture:
    """Return the picture of a labelled line; raises ValueError for a label that is none."""
    metadata = line.metadata or _NO_METADATA
    provenance = Provenance(metadata.job_name, metadata.human_annotated, metadata.creation_date)
    picture = partial(Picture, number, line.ref, provenance=provenance)
    if kind == "single_label":
        confidences = () if metadata.confidence is None else (metadata.confidence,)
        return picture(classes=(class_index(line.label),), confidences=confidences)
    if kind == "multi_label":
        classes = tuple(map(class_index, line.label))
        return picture(classes=classes, confidences=_confidences(classes, metadata.confidence_map))
    if kind == "segmentation":
        return picture(mask=_mask(line.label, metadata.internal_color_map or {}))
    size = line.label.image_size[0] if line.label.image_size else ImageSize()
    return picture(size=_sides(size), depth=_depth(size), boxes=_boxes(line.label, metadata.objects or []))


def _confidences(
    classes: tuple[int, ...], confidence_map: dict[str, Number] | None
) -> tuple[float | None, ...]:
    found = tuple((confidence_map or {}).get(str(index)) for index in classes)
    return () if set(found) <= {None} else found


def _mask(ref: str, colours: dict[str, Colour]) -> Mask:
    listed = tuple((class_index(index), colour.hex_color) for index, colour in colours.items())
    return Mask(ref, listed, next((colour.confidence for colour in colours.values()), None))


def _sides(size: ImageSize) -> tuple[float, float] | None:
    return None if size.width is None or size.height is None else (size.width, size.height)


def _depth(size: ImageSize) -> int | None:
    if size.depth is None or size.depth == int(size.depth):
        return None if size.depth is None else int(size.depth)
    raise ValueError(f"expected a whole number of channels as depth, found {size.depth}")


def _boxes(label: Boxes, objects: Sequence[Confidence]) -> tuple[Box, ...]:
    confidences = chain((found.confidence for found in objects), repeat(None))
    return tuple(
        _box(at, box, confidence)
        for (at, box), confidence in zip(enumerate(label.annotations, 1), confidences, strict=False)
    )


def _box(at: int, box: LineBox, confidence: float | None) -> Box:
    left, top, width, height = box.left, box.top, box.width, box.height
    if left is None or top is None or width is None or height is None:
        raise ValueError(f"box {at}: expected left, top, width and height in pixels, found only some of them")
    if max(left, top, width, height) >= _MOST_PIXELS or min(left, top, width, height) <= -_MOST_PIXELS:
        raise ValueError(f"box {at}: expected left, top, width and height in pixels, found a huge number")
    return Box(class_index(box.class_id), left, top, width, height, confidence)
