"""Reads files of CVAT for images 1.1, picture by picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from manifest_tools.base.digest_set import DigestSet
from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.text import shown
from manifest_tools.formats.cvat_xml import Image, Meta, image_of, meta_of
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.safe_names import leaves_folder
from manifest_tools.formats.xml_values import XmlEvents
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, PictureLabelKind, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, agree, class_table
from manifest_tools.io.sources import Source, open_bytes


class Keys:
    """Gives each picture of a part a key of its own: its name, counted where it is there again."""

    def __init__(self) -> None:
        self._given = DigestSet()
        self._counts: dict[str, int] = {}

    def key(self, name: str) -> str:
        """Return the key of the next picture of a name."""
        key = name
        while not self._given.add(key):
            self._counts[name] = self._counts.get(name, 1) + 1
            key = f"{name} ({self._counts[name]})"
        return key


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
    if not count and not file.meta.label_kind:  # ours may be a part without a picture
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
    keys = Keys()
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
