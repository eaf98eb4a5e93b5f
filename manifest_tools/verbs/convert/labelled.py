"""The labelled pictures that are to be converted: of a manifest, or of another data set."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from manifest_tools.base.parallel import Jobs
from manifest_tools.base.text import clipped
from manifest_tools.formats.class_contract import read_data_set
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.table import check_labels, format_row
from manifest_tools.groundtruth.annotations import (
    TYPE_OF_KIND,
    DataSet,
    Picture,
    PictureLabelKind,
    Pictures,
    StreamedPictures,
)
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
from manifest_tools.groundtruth.contradictions import Contradictions, resolve
from manifest_tools.groundtruth.example_columns import Example
from manifest_tools.groundtruth.examples import examples_of, one_attribute
from manifest_tools.groundtruth.manifest_pictures import picture_label_kind, pictures_of
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.images.paths import ImagePaths, image_paths
from manifest_tools.io.sources import Source, folder_of, open_bytes


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled pictures that become a part."""

    place: str
    """What messages call it."""

    attribute: LabelAttribute
    kind: PictureLabelKind
    table: ClassTable
    lines: Pictures
    count: int
    left_out: dict[str, int]
    """Lines without a label, by state."""

    folder: str
    """The folder to which refs that are no URIs are relative."""

    contradictions: Contradictions | None = None
    source: Source | None = None
    """The manifest; None for another data set."""

    data: DataSet | None = None
    """What was read of another data set."""

    def image_paths(self, images: Sequence[str]) -> ImagePaths:
        """Return where the pictures lie, for the values of ``--images``."""
        refs = (picture.ref for picture in self.lines)
        beside = self.source.images if self.source else ()
        return image_paths([*images, *beside], refs, self.folder)


def labelled_lines(
    manifest: str,
    to: str,
    label_attribute: str | None,
    classes: ClassTable | None,
    known: ClassTable | None,
    conflicts: ConflictPolicy | None,
    jobs: Jobs,
) -> Labelled:
    """Return the labelled lines of a manifest; raises Refused for labels that the format cannot hold."""
    source = open_manifest(manifest, known)
    attribute = one_attribute(source, label_attribute, jobs)
    kind = picture_label_kind(source.name, attribute)
    check_labels(source.name, clipped(attribute.name), kind, to)
    if conflicts is None:
        found = pictures_of(source, attribute, classes=classes, jobs=jobs)
        return Labelled(
            manifest,
            attribute,
            kind,
            found.table,
            found,
            found.count,
            found.left_out,
            source.folder,
            source=source,
        )
    read = examples_of(source, attribute, classes=classes, jobs=jobs)
    contradictions = resolve(source.name, read, conflicts)
    lines = StreamedPictures(lambda: map(_picture, read.examples))
    return Labelled(
        manifest,
        attribute,
        kind,
        read.table,
        lines,
        len(read.examples),
        read.left_out,
        source.folder,
        contradictions,
        source,
    )


def is_empty(manifest: str) -> bool:
    """Say whether a manifest on this disk has no byte: a part without pictures, such as a split left."""
    return os.path.isfile(manifest) and os.path.getsize(manifest) == 0


def no_lines(manifest: str, like: Labelled) -> Labelled:
    """Return an empty manifest as a part of a data set, of which ``like`` is another."""
    return Labelled(
        manifest,
        like.attribute,
        like.kind,
        ClassTable(),
        StreamedPictures(tuple),
        0,
        {},
        folder_of(manifest),
        source=open_bytes(manifest),
    )


def _picture(example: Example) -> Picture:
    return Picture(example.number, example.ref, classes=example.classes)


def labelled_parts(
    place: str, from_: str, to: str, label_attribute: str | None, classes: ClassTable | None
) -> dict[str, Labelled]:
    """Return the labelled pictures of each part of another data set, by the name of the part."""
    data = read_data_set(format_row("--from", from_), place, ReadOptions("", label_attribute, classes))
    check_labels(place, clipped(data.attribute), data.label_kind, to)
    return {part: _part(place, data, part) for part in data.parts}


def _part(place: str, data: DataSet, part: str) -> Labelled:
    kind = data.label_kind
    lines = StreamedPictures(partial(_with_a_label, data.parts[part], kind))
    counts = Counter(_has_a_label(picture, kind) for picture in data.parts[part])
    attribute = LabelAttribute(data.attribute, data.attribute + METADATA, TYPE_OF_KIND[kind], requested=True)
    left_out = {"unlabelled": counts[False]} if counts[False] else {}
    where = f"{place} ({part})" if part else place
    return Labelled(
        where, attribute, kind, data.table, lines, counts[True], left_out, folder_of(place), data=data
    )


def _with_a_label(pictures: Pictures, kind: PictureLabelKind) -> Iterator[Picture]:
    return (picture for picture in pictures if _has_a_label(picture, kind))


def _has_a_label(picture: Picture, kind: PictureLabelKind) -> bool:
    return picture.labelled and (kind != "single_label" or bool(picture.classes))
