"""RecordIO files read: pictures stay where they are, and labels come from the headers of their records."""

import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np

from manifest_tools.base.errors import BadData
from manifest_tools.formats.label_numbers import LabelSurvey, boxes_in, classes_in
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.stored import files_of, ref_in
from manifest_tools.groundtruth.annotations import DataSet, Picture, PictureLabelKind, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import renumbered
from manifest_tools.images.headers import read_header
from manifest_tools.images.partial_reads import reader_of
from manifest_tools.images.signatures import suffix_of
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.record_list import LIST, RecordList, beside
from manifest_tools.io.record_spans import Damage, Span, payload_of, payload_start, walk
from manifest_tools.io.recordio import HEADER_SIZE, MAGIC, MOST_LABELS, ImageRecord, labels_end, unpack

_SIGNATURE = 16  # bytes of a picture that say what it is
WITHOUT_PICTURE = "records without a picture"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The bytes of a picture in a record; picklable, and read when it is called."""

    path: str
    offset: int
    end: int

    def __call__(self) -> bytes:
        """Return the bytes."""
        with open(self.path, "rb") as file:
            return unpack(payload_of(file, Span(self.offset, self.end, b""))).picture


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a ``.rec``, of all that a pattern stands for, or of each part in a folder.

    A label is the index of a class, a 0 or a 1 for each class, or boxes behind their header. A picture is
    called as the ``.lst`` of the file's name has it, or by its number. Memory stays flat, but for 25 bytes a
    record. Raises BadData for a damaged file, and for labels that are not of one kind.
    """
    parts = files_of(place, ".rec", "a .rec file")
    survey = LabelSurvey("record")
    lost: dict[str, int] = {}
    keyed = {part: _survey(paths, survey, lost) for part, paths in parts.items()}
    kind = survey.kind(place)
    table, indices = renumbered(survey.table(kind, options.classes), options.classes)
    attribute = options.label_attribute or "label"
    check_attribute_name(attribute)
    reader = _Reader(kind, indices, options.source_prefix)
    streams = {
        part: StreamedPictures(partial(reader.pictures, paths, keyed[part])) for part, paths in parts.items()
    }
    return DataSet(table, kind, streams, attribute, lost | (survey.lost if kind == "boxes" else {}))


def _survey(paths: Sequence[str], survey: LabelSurvey, lost: dict[str, int]) -> bool:
    """Take the labels of a part, and say whether each of its records has a number of its own."""
    ids = array("Q")
    for path in paths:
        with open(path, "rb") as file:
            for number, (_, record) in enumerate(_records(path, file), 1):
                if not record.picture:
                    lost[WITHOUT_PICTURE] = lost.get(WITHOUT_PICTURE, 0) + 1
                    continue
                survey.add(f"{path}: record {number}", record.labels, record.vector)
                ids.append(record.id & 0xFFFFFFFFFFFFFFFF)
    return len(np.unique(np.frombuffer(ids, np.uint64))) == len(ids)


def _records(path: str, file: BinaryIO) -> Iterator[tuple[Span, ImageRecord]]:
    """Yield each record with its first bytes: of the picture those that say what it is, none of another."""
    for found in walk(file, os.fstat(file.fileno()).st_size):
        if isinstance(found, Damage):
            if not found.offset and not _begins_as_one(file):
                raise BadData(f"{path}: expected RecordIO, found other bytes; check the name, or --from")
            raise BadData(
                f"{path}: damaged at byte {found.offset:,}: {found.reason};"
                f" mtool rec repair {path} cuts it out"
            )
        yield found, _start(file, found)


def _begins_as_one(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(len(MAGIC)) == MAGIC


def _start(file: BinaryIO, span: Span) -> ImageRecord:
    nothing = ImageRecord(0, (), b"")
    if len(span.head) < HEADER_SIZE or labels_end(span.head) > HEADER_SIZE + 4 * MOST_LABELS:
        return nothing
    try:
        record = unpack(payload_start(file, span, labels_end(span.head) + _SIGNATURE))
    except ValueError:
        return nothing
    return record if suffix_of(record.picture) else nothing


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the pictures of a part, anew for every pass."""

    kind: PictureLabelKind
    indices: Mapping[int, int]
    prefix: str

    def pictures(self, paths: Sequence[str], keyed: bool) -> Iterator[Picture]:
        """Yield the pictures of a part, numbered from 1."""
        number = 0
        for path in paths:
            listed = beside(path, LIST)
            rows = None if listed is None else RecordList(listed)
            with open(path, "rb") as file:
                for span, record in _records(path, file):
                    if record.picture:
                        number += 1
                        row = rows.row(record.id) if rows is not None else None
                        name = row.path if row is not None else f"{record.id}{suffix_of(record.picture)}"
                        key = str(record.id) if keyed else ""
                        yield self._picture(number, key, ref_in(self.prefix, name), path, file, span, record)

    def _picture(
        self, number: int, key: str, ref: str, path: str, file: BinaryIO, span: Span, record: ImageRecord
    ) -> Picture:
        content = Recorded(path, span.offset, span.end)
        if self.kind != "boxes":
            classes = classes_in(record.labels, self.kind, self.indices)
            return Picture(number, ref, classes=classes, key=key, content=content)
        try:
            header = read_header(reader_of(unpack(payload_of(file, span)).picture))
        except Unusable as error:
            raise BadData(f"{path}: the picture of number {record.id}: {error.message}") from error
        # A record has 32-bit floats: 0.1 is not 0.10000000149.
        labels = [float(f"{label:.7g}") for label in record.labels]
        boxes = boxes_in(labels, header.upright_size, self.indices)
        return Picture(number, ref, header.upright_size, boxes=boxes, key=key, content=content)
