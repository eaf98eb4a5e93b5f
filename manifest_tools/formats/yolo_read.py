"""YOLO data sets read: boxes and outlines in pixels, by the sizes in the headers of the pictures."""

import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import clipped, shown
from manifest_tools.formats.frames import Size
from manifest_tools.formats.picture_files import check_name, start_of_refs
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.yolo_classes import read_classes
from manifest_tools.formats.yolo_labels import box_of, class_of
from manifest_tools.formats.yolo_layout import Layout, layout_of, read_text
from manifest_tools.formats.yolo_masks import with_mask
from manifest_tools.formats.yolo_pictures import UNREADABLE, WITHOUT_LABELS, Found, Surprises, pictures_at
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, class_table, default_name
from manifest_tools.images.known_size import known_size
from manifest_tools.images.unusable import Unusable


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a YOLO data set with their boxes: of a folder, or a file that names the parts.

    Classes have the numbers that they have there, or those of ``options.classes`` by their names. A picture
    is named from the folder in which ``place`` lies. Raises Refused and BadData, with the line of a file.
    """
    place = place.rstrip("/") or place
    layout = layout_of(place)
    if layout is None or layout.label_kind == "single_label":
        return read_classes(place, layout, options)
    attribute = options.label_attribute or layout.attribute or "label"
    check_attribute_name(attribute)
    surprises = Surprises()
    sizes = {part: _sizes(layout, places, surprises) for part, places in layout.parts.items()}
    named = layout.table or options.classes or _numbers(layout)
    start = start_of_refs(place if os.path.isdir(place) else "", options.source_prefix)
    table = options.classes or named
    reader = _Reader(layout, len(named.labels), _indices(layout, named, options.classes), start, table)
    parts = {part: StreamedPictures(partial(reader.pictures, part, found)) for part, found in sizes.items()}
    lost = {what: count for what, count in surprises.counts.items() if what != WITHOUT_LABELS}
    remarks = _remarks(layout, surprises)
    return DataSet(table, layout.label_kind, parts, attribute, lost, remarks)


def _sizes(layout: Layout, places: Sequence[str], surprises: Surprises) -> "array[int]":
    """Return width, height and channels of every picture of a part: -1 where nothing says it.

    Notes what does not belong together. Raises Refused for a name that no manifest can hold.
    """
    sizes = array("l")
    for found in _found(layout, places, surprises):
        check_name(layout.root, found.picture)
        try:
            (width, height), depth = known_size(os.path.join(layout.root, found.picture))
            sizes.extend((width, height, -1 if depth is None else depth))
        except Unusable:
            surprises.add(UNREADABLE, found.picture)
            sizes.extend((-1, -1, -1))
    return sizes


def _found(layout: Layout, places: Sequence[str], surprises: Surprises) -> Iterator[Found]:
    for place in places:
        yield from pictures_at(layout.root, place, surprises)


def _numbers(layout: Layout) -> ClassTable:
    """Return the classes that label files show, where nothing says what they are called."""
    seen: set[int] = set()
    for places in layout.parts.values():
        for found in _found(layout, places, Surprises()):
            for where, line in _lines(layout, found):
                try:
                    seen.add(class_of(line))
                except ValueError as error:
                    raise BadData(f"{where}: {error}") from error
    return class_table((index, default_name(index)) for index in seen)


def _lines(layout: Layout, found: Found) -> Iterator[tuple[str, str]]:
    """Yield every line of a label file that is not blank, and where it stands."""
    if not found.labels:
        return
    path = os.path.join(layout.root, found.labels)
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            yield f"{path}:{number}", line


def _indices(layout: Layout, named: ClassTable, given: ClassTable | None) -> dict[int, int]:
    """Return the class index of every number of a class that has a name."""
    if given is None or layout.table is None:
        return {index: index for index in range(named.num_classes)}
    known = {name: index for index, name in given.names}
    for index, name in named.names:
        if name not in known and name != default_name(index):
            raise BadData(f"{layout.where}: --classes does not list the class {shown(name)}; add it")
    return {index: known[name] for index, name in named.names if name in known}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the pictures of a part, anew for every pass."""

    layout: Layout
    classes: int
    """How many have a name."""

    indices: dict[int, int]
    start: str
    table: ClassTable

    def pictures(self, part: str, sizes: "array[int]") -> Iterator[Picture]:
        """Yield the pictures of a part that have a size."""
        found = _found(self.layout, self.layout.parts[part], Surprises())
        known = zip(sizes[::3], sizes[1::3], sizes[2::3], strict=True)
        readable = ((one, size) for one, size in zip(found, known, strict=True) if size[0] > 0)
        for number, (one, (*size, depth)) in enumerate(readable, 1):
            width, height = size
            boxes = tuple(self._box(where, line, (width, height)) for where, line in _lines(self.layout, one))
            channels = None if depth < 0 else depth
            ref = self.start + one.picture
            picture = Picture(number, ref, (width, height), channels, boxes=boxes, key=one.picture)
            is_mask = self.layout.label_kind == "segmentation"
            yield with_mask(picture, self.table, self.layout.colours) if is_mask else picture

    def _box(self, where: str, line: str, size: Size) -> Box:
        try:
            number = class_of(line)
            if number not in self.indices:
                raise ValueError(
                    f"expected a class below {self.classes}, for {self.layout.where} names as many;"
                    f" found {number}"
                )
            return box_of(line, size, self.indices[number])
        except ValueError as error:
            raise BadData(f"{where}: {error}") from error


def _remarks(layout: Layout, surprises: Surprises) -> tuple[str, ...]:
    """Return what the user is told: of what is taken, and of what is left out."""
    said = []
    if WITHOUT_LABELS in surprises.counts:
        said.append(f"{surprises.said(WITHOUT_LABELS)}, taken to show nothing, as Ultralytics does")
    said += [surprises.said(what) for what in sorted(surprises.counts) if what != WITHOUT_LABELS]
    if layout.absent:
        said.append(f"named and not there: {clipped(', '.join(layout.absent))}")
    if layout.has_keypoints:
        said.append("keypoints are left out; their boxes are read")
    if layout.table is None:
        said.append("no data.yaml or classes.txt names the classes, so they are called by their numbers")
    return tuple(f"{layout.where}: {text}" for text in said)
