"""Pascal VOC read: boxes of annotations, and what of the files belongs to nothing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import counted, shown
from manifest_tools.formats.picture_files import check_name, start_of_refs
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.safe_names import PICTURE_ENDINGS
from manifest_tools.formats.voc_places import (
    SETS,
    Layout,
    files_in,
    layout_of,
    names_of,
    picture_of,
    read_bytes,
)
from manifest_tools.formats.voc_xml import (
    Annotation,
    annotation_of,
)
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, class_table, numbered


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a VOC data set with their boxes, counted from 0: of a folder, or one annotation.

    VOC counts pixels from 1; where an edge that others wrote is 0, all of theirs are taken to count from 0.
    Classes are numbered by their sorted names, or as ``options.classes`` has them. A picture is named from
    the folder in which ``place`` lies, and need not be there. Raises Refused and BadData with the file.
    """
    place = place.rstrip("/") or place
    layout = layout_of(place)
    survey = _survey(layout)
    indices = _indices(place, survey, options.classes)
    attribute = options.label_attribute or survey.attribute or "label"
    check_attribute_name(attribute)
    table = options.classes or _table(indices)
    start = start_of_refs(place if os.path.isdir(place) else "", options.source_prefix)
    parts = {
        part: StreamedPictures(partial(_pictures, layout, where, indices, start, survey.from_0))
        for part, where in layout.parts.items()
    }
    return DataSet(table, "boxes", parts, attribute, survey.lost, survey.remarks(place))


@dataclass(slots=True)
class _Survey:
    """What a first pass over all annotations finds."""

    names: set[str] = field(default_factory=set)
    attribute: str | None = None
    lost: dict[str, int] = field(default_factory=dict)
    not_there: int = 0
    """Pictures that annotations name."""

    unlisted: int = 0
    """Annotations in no list."""

    from_0: bool = False
    """Whether there is an edge that cannot be where pixels count from 1."""

    def lose(self, what: str, number: int = 1) -> None:
        """Count what a manifest cannot hold, or what is not there."""
        self.lost[what] = self.lost.get(what, 0) + number

    def remarks(self, place: str) -> tuple[str, ...]:
        """Return what the user is told."""
        said = []
        if self.not_there:
            said.append(f"{counted(self.not_there, 'picture')} not here, only their annotations")
        if self.unlisted:
            said.append(f"{counted(self.unlisted, 'annotation')} in no list of {SETS}, left out")
        if self.from_0:
            said.append(
                "some boxes begin at pixel 0, so all are taken to count from 0, as Datumaro, CVAT and"
                " panlabel write them; VOC counts from 1"
            )
        return tuple(f"{place}: {text}" for text in said)


_NO_ANNOTATION = "names in lists without an annotation"
_UNLABELLED = "pictures without an annotation"


def _survey(layout: Layout) -> _Survey:
    survey = _Survey()
    annotations: set[str] = set()
    pictures: set[str] = set()
    for where in layout.parts.values():
        for path in names_of(layout, where):
            annotations.add(path)
            if (found := _read(layout, path)) is None:
                survey.lose(_NO_ANNOTATION)
                continue
            picture, is_there = picture_of(layout, path, found.file_name)
            check_name(layout.root, picture)
            pictures.add(picture)
            survey.not_there += not is_there
            survey.names.update(one.name for one in found.objects)
            survey.from_0 |= begins_at_0(found)
            survey.attribute = survey.attribute or found.attribute
            for what, number in found.lost.items():
                survey.lose(what, number)
    _compare(layout, survey, annotations, pictures)
    return survey


def begins_at_0(found: Annotation) -> bool:
    """Say whether somebody else's annotation has an edge at pixel 0; ours may, of a box over the edge."""
    return found.attribute is None and any(-1 in (one.box.left, one.box.top) for one in found.objects)


def _compare(layout: Layout, survey: _Survey, annotations: set[str], pictures: set[str]) -> None:
    """Count the files that belong to nothing; one annotation alone stands for itself."""
    if any(where.endswith(".xml") for where in layout.parts.values()):
        return
    folders = {layout.pictures, *(where for where in layout.parts.values() if not where.endswith(".txt"))}
    for folder in folders:
        for path in files_in(layout.root, folder):
            if path.lower().endswith(PICTURE_ENDINGS) and path not in pictures:
                survey.lose(_UNLABELLED)
    every = files_in(layout.root, layout.annotations) if layout.annotations else ()
    survey.unlisted = sum(path.endswith(".xml") and path not in annotations for path in every)


def _read(layout: Layout, path: str) -> Annotation | None:
    """Return an annotation; None where there is none."""
    full = os.path.join(layout.root, path)
    if not os.path.isfile(full):
        return None
    try:
        return annotation_of(read_bytes(full))
    except ValueError as error:
        raise BadData(f"{full}: {error}") from error


def _indices(place: str, survey: _Survey, given: ClassTable | None) -> dict[str, int]:
    """Return the class index of each name; blanks around a name count only where the table has them too."""
    if given is None:
        stripped = numbered(sorted({name.strip() for name in survey.names}))
        return {name: stripped[name.strip()] for name in survey.names} | stripped
    known = {name: index for index, name in enumerate(given.labels)}
    found = {name: known.get(name, known.get(name.strip())) for name in sorted(survey.names)}
    for name, index in found.items():
        if index is None:
            raise BadData(f"{place}: --classes does not list the class {shown(name)}; add it")
    return {name: index for name, index in found.items() if index is not None}


def _table(indices: dict[str, int]) -> ClassTable:
    return class_table((index, name.strip()) for name, index in indices.items())


def _pictures(
    layout: Layout, where: str, indices: dict[str, int], start: str, from_0: bool
) -> Iterator[Picture]:
    number = 0
    for path in names_of(layout, where):
        if (found := _read(layout, path)) is None:
            continue
        number += 1
        picture, _ = picture_of(layout, path, found.file_name)
        boxes = tuple(replace(one.box, class_index=indices[one.name]) for one in found.objects)
        if from_0 and found.attribute is None:
            boxes = tuple(map(_from_0, boxes))
        yield Picture(
            number,
            start + picture,
            found.size,
            found.depth,
            boxes=boxes,
            provenance=found.provenance,
            key=picture,
        )


def _from_0(box: Box) -> Box:
    """Return a box that was read as if pixels counted from 1, and the last of them belonged to it."""
    return replace(box, left=box.left + 1, top=box.top + 1, width=box.width - 1, height=box.height - 1)
