"""CVAT for images 1.1: one XML file a part, with boxes and polygons, or tags for classes.

A picture is called by its path below the folder that all share, as in a task of CVAT: by it CVAT finds the
frame that labels are imported to.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from manifest_tools.base.digest_set import DigestSet
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import counted, shown
from manifest_tools.formats.cvat_xml import TAIL, Image, Meta, head, image_of, image_text, meta_of
from manifest_tools.formats.protocol import Files, ReadOptions, WriteOptions
from manifest_tools.formats.safe_names import leaves_folder
from manifest_tools.formats.xml_values import XmlEvents, is_held
from manifest_tools.groundtruth.annotations import (
    Batch,
    Box,
    DataSet,
    Picture,
    PictureLabelKind,
    StreamedPictures,
)
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, agree, class_table
from manifest_tools.images.paths import common_folder
from manifest_tools.images.unusable import OUTSIDE, UNNAMEABLE, Unusable
from manifest_tools.io.sources import Source, open_bytes

# ---- writing ----


def check(data: DataSet) -> None:
    """Raise BadData for the name of a class that XML has no way to write."""
    for _, name in data.table.names:
        if not is_held(name):
            raise BadData(f"XML cannot hold the class name {shown(name)}; `mtool rewrite` gives it another")


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write a file for each part, its labels in the order of the class indices."""
    check(data)
    folder = common_folder(found for pictures in data.parts.values() if (found := pictures.folder()))
    if not is_held(folder):
        folder = ""
    done = [_write_part(part, folder, data, sink, options) for part in data.parts]
    pieces = sum(one.pieces for one in done)
    said = f"{counted(pieces, 'object')} in several pieces: CVAT has the box around them"
    return {"pictures": sum(one.pictures for one in done), "remarks": [said] * bool(pieces)}


@dataclass(slots=True)
class _Texts:
    """The XML of a batch of pictures, each without its id."""

    images: list[str] = field(default_factory=list)
    names: list[tuple[int, str]] = field(default_factory=list)
    unusable: list[tuple[int, Unusable]] = field(default_factory=list)
    pieces: int = 0


@dataclass(slots=True)
class _Written:
    pictures: int = 0
    pieces: int = 0


def _write_part(part: str, folder: str, data: DataSet, sink: Files, options: WriteOptions) -> _Written:
    whole = _Written()
    keys = _Keys()
    out = sink.open(part)
    name = part or os.path.basename(sink.output)
    out.write(head(data, name if is_held(name) else "task", folder).encode())
    for texts in data.parts[part].map(partial(_texts, folder, dict(data.table.names)), options.jobs):
        for text in texts.images:
            out.write(f'  <image id="{whole.pictures}"{text}'.encode())
            whole.pictures += 1
        for number, named in texts.names:
            options.placed(part, number, keys.key(named))
        for number, why in texts.unusable:
            options.unusable(part, number, why)
        whole.pieces += texts.pieces
    out.write(TAIL.encode())
    return whole


def _texts(folder: str, names: Mapping[int, str], batch: Batch) -> _Texts:
    texts = _Texts()
    for picture in batch.pictures:
        try:
            name = _name(picture, folder)
        except Unusable as why:
            texts.unusable.append((picture.number, why.with_traceback(None)))
            continue
        texts.images.append(image_text(picture, name, names))
        texts.names.append((picture.number, name))
        texts.pieces += sum(len(box.outline) > 1 for box in picture.boxes)
    return texts


def _name(picture: Picture, folder: str) -> str:
    """Return what a picture is called; raises Unusable where nothing can be called so."""
    name = picture.ref.removeprefix(folder)
    origin = picture.provenance
    for text in (picture.ref, origin.job_name, origin.human_annotated, origin.creation_date):
        if text is not None and not is_held(text):
            raise Unusable(UNNAMEABLE, f"expected a text that XML can hold, found {shown(text)}")
    if leaves_folder(name.removeprefix("s3://")):
        raise Unusable(OUTSIDE, f"expected a path below a folder, found {shown(name)}")
    return name


class _Keys:
    """Gives each picture of a part a key of its own: its name, counted where it is there again."""

    def __init__(self) -> None:
        self._given = DigestSet()
        self._counts: dict[str, int] = {}

    def key(self, name: str) -> str:
        key = name
        while not self._given.add(key):
            self._counts[name] = self._counts.get(name, 1) + 1
            key = f"{name} ({self._counts[name]})"
        return key


# ---- reading ----


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a file of CVAT for images, or of each ``*.xml`` of a folder as a part.

    Classes are numbered as the file states, as ``options.classes`` has them, or in the order of its labels. A
    picture without a shape shows nothing. Raises BadData for what is no such file, or contradicts itself.
    """
    files = [_survey(part, path) for part, path in _files(place)]
    kind = _kind(files)
    table = _table(files, kind, options.classes)
    lost: dict[str, int] = {}
    for file in files:
        for what, count in {**file.lost, **file.left_out(kind)}.items():
            lost[what] = lost.get(what, 0) + count
    indices = {name: index for index, name in table.names}
    stated = next((file.meta.label_attribute for file in files if file.meta.label_attribute), "label")
    attribute = options.label_attribute or stated
    check_attribute_name(attribute)
    prefix = options.source_prefix
    parts = {file.part: StreamedPictures(partial(_pictures, file, kind, indices, prefix)) for file in files}
    return DataSet(table, kind, parts, attribute, lost)


@dataclass(slots=True)
class _File:
    """A file, and what one pass found in it."""

    part: str
    source: Source
    meta: Meta = field(default_factory=Meta)
    shapes: dict[str, int] = field(default_factory=dict)
    """Boxes and polygons by the names of their classes."""

    tags: dict[str, int] = field(default_factory=dict)
    most_tags: int = 0
    lost: dict[str, int] = field(default_factory=dict)

    def images(self) -> Iterator[tuple[int, Image]]:
        """Yield the pictures with their numbers from 1; raises BadData for what is none."""
        events = XmlEvents(self.source.name, self.source.chunks(_CHUNK))
        number = 0
        for event, element in events:
            if event == "start":
                self._check(str(element.tag))
                continue
            if element.tag == "meta":
                self.meta = meta_of(element)
            elif element.tag == "image":
                number += 1
                yield number, self._image(number, element)
            if element.tag in ("meta", "image"):
                events.forget(element)

    def _check(self, tag: str) -> None:
        if tag == "track":
            raise Refused(f"{self.source.name}: expected CVAT for images, found tracks; export it as that")

    def _image(self, number: int, element: Any) -> Image:
        try:
            return image_of(element)
        except ValueError as error:
            raise BadData(f"{self.source.name}: image {number:,}: {error}") from error

    def left_out(self, kind: PictureLabelKind) -> dict[str, int]:
        """Return what is left out because labels are of another kind."""
        what, others = ("tags", self.tags) if kind == "boxes" else ("shapes", self.shapes)
        return {what: sum(others.values())} if others else {}

    def names(self, kind: PictureLabelKind) -> list[str]:
        """Return the names of the classes that labels have."""
        return list(self.shapes if kind == "boxes" else self.tags)


_CHUNK = 1 << 18


def _files(place: str) -> list[tuple[str, str]]:
    """Return the parts of a place with their files."""
    if place.endswith(".zip"):
        raise Refused(f"{place}: expected the annotations.xml in it; type: unzip {place} annotations.xml")
    folder = Path(place)
    if place == "-" or place.startswith("s3://") or not folder.is_dir():
        return [("", place)]
    if (folder / "annotations.xml").is_file():
        return [("", str(folder / "annotations.xml"))]
    found = sorted(folder.glob("*.xml"))
    if not found:
        raise Refused(f"{place}: expected files of CVAT in this folder, found no *.xml")
    return [(path.name.removesuffix(".xml").removesuffix(".cvat"), str(path)) for path in found]


def _survey(part: str, path: str) -> _File:
    file = _File(part, open_bytes(path))
    count = 0
    for _, image in file.images():
        count += 1
        file.most_tags = max(file.most_tags, len({name for name, _ in image.tags}))
        for counts, names in (
            (file.shapes, (name for name, _ in image.shapes)),
            (file.tags, (name for name, _ in image.tags)),
            (file.lost, iter(image.lost)),
        ):
            for name in names:
                counts[name] = counts.get(name, 0) + 1
    if not count:
        raise BadData(f"{path}: expected CVAT for images 1.1, found no image in it")
    return file


def _kind(files: Sequence[_File]) -> PictureLabelKind:
    """Return what the labels are: as our own files state, or by what is there."""
    stated = {file.meta.label_kind for file in files}
    for kind in _KINDS:
        if stated == {kind}:
            return kind
    if any(file.shapes for file in files) or not any(file.tags for file in files):
        return "boxes"
    return "multi_label" if any(file.most_tags > 1 for file in files) else "single_label"


_KINDS: tuple[PictureLabelKind, ...] = ("single_label", "multi_label", "boxes")


def _table(files: Sequence[_File], kind: PictureLabelKind, given: ClassTable | None) -> ClassTable:
    """Return the class table: ``given``, that of the files, or the sorted names where they list none."""
    tables = {} if given is None else {"--classes": given}
    for file in files:
        stated = all(index is not None for index, _ in file.meta.labels)
        if file.meta.labels and (stated or given is None):
            tables[file.source.name] = _table_of(file, stated)
    if not tables:
        return class_table(enumerate(sorted({name for file in files for name in file.names(kind)})))
    table = agree(tables)
    known = {name for _, name in table.names}
    for file in files:
        for name in file.names(kind):
            if name not in known:
                where = "its labels do" if given is None else f"{', '.join(tables)} does"
                raise BadData(f"{file.source.name}: {where} not list the class {shown(name)}; add it")
    return table


def _table_of(file: _File, stated: bool) -> ClassTable:
    try:
        return class_table(
            (index if stated and index is not None else place, name)
            for place, (index, name) in enumerate(file.meta.labels)
        )
    except BadData as error:
        raise type(error)(f"{file.source.name}: {error}") from error


def _pictures(
    file: _File, kind: PictureLabelKind, indices: Mapping[str, int], prefix: str
) -> Iterator[Picture]:
    file.source.check_unchanged()  # since it was surveyed
    keys = _Keys()
    for number, image in file.images():
        known = partial(
            Picture,
            number if image.line is None else image.line,
            _ref(file, number, image.name, prefix),
            image.size,
            image.depth,
            provenance=image.provenance,
            key=keys.key(image.name),
        )
        if kind == "boxes":
            yield known(boxes=tuple(_indexed(box, indices[name]) for name, box in image.shapes))
            continue
        tags = dict(image.tags)
        confidences = tuple(tags.values())
        classes = tuple(indices[name] for name in tags)
        yield known(classes=classes, confidences=() if set(confidences) <= {None} else confidences)


def _indexed(box: Box, index: int) -> Box:
    return Box(index, box.left, box.top, box.width, box.height, box.confidence, box.outline)


def _ref(file: _File, number: int, name: str, prefix: str) -> str:
    """Return a picture as a source-ref: below ``prefix``, or below the folder that the file states."""
    if name.startswith("s3://"):
        return name
    path = name.replace("\\", "/")
    if leaves_folder(path):
        raise BadData(
            f"{file.source.name}: image {number:,}: expected a name below a folder, found {shown(name)}"
        )
    if prefix:
        return f"{prefix.rstrip('/')}/{path}"
    return file.meta.folder + path
