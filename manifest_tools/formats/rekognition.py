"""Manifests of Rekognition Custom Labels: a label attribute for each class of a picture, or boxes.

The number that such a label has says nothing; its class is the ``class-name``. The label attributes of a line
become one: of one class where no line has several, and of several classes else.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import msgspec

from manifest_tools.base.errors import BadData, InvalidLine, Refused
from manifest_tools.base.text import by_state, clipped, counted, listed, shown
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import (
    DataSet,
    Picture,
    PictureLabelKind,
    Provenance,
    StreamedPictures,
)
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, agree, class_table, numbered
from manifest_tools.groundtruth.manifest_pictures import pictures_of
from manifest_tools.groundtruth.record import METADATA, SOURCES
from manifest_tools.groundtruth.rows import reason
from manifest_tools.groundtruth.survey import label_attribute
from manifest_tools.io.sources import Source, open_source

_CLASSES = "groundtruth/image-classification"
_BOXES = "groundtruth/object-detection"


class _Metadata(msgspec.Struct, rename="kebab", gc=False):
    type: str = ""
    class_name: str | None = None
    confidence: int | float | None = None
    job_name: str | None = None
    human_annotated: str | None = None
    creation_date: str | None = None


_line = msgspec.json.Decoder(dict[str, msgspec.Raw])
_metadata = msgspec.json.Decoder(_Metadata)
_text = msgspec.json.Decoder(str)


@dataclass(slots=True)
class _Labelled:
    """A line: its picture, and what its label attributes say, by their names."""

    number: int
    ref: str
    labels: dict[str, _Metadata]


def read(place: str, options: ReadOptions) -> DataSet:
    """Return the pictures of a manifest for Rekognition, with one label attribute.

    Classes are numbered by their sorted names, or as ``options.classes`` has them; those of boxes, and of an
    only label attribute whose numbers are classes, as the manifest says. ``options.label_attribute`` calls
    the new attribute, or says which has the boxes. Raises Refused where classes and boxes could be meant,
    BadData for a line without what Rekognition needs.
    """
    if options.source_prefix:
        raise Refused(f"--source-prefix {options.source_prefix}: a manifest names its pictures; leave it out")
    source = open_source(place)
    found = _survey(source)
    requested = options.label_attribute
    if found.boxes and (not found.classes or requested in found.boxes):
        return _boxes(source, requested, found, options.classes)
    if found.boxes:
        raise Refused(
            f"{source.name}: it has classes ({listed(found.classes)}) and boxes ({listed(found.boxes)}); type"
            f" --label-attribute {clipped(next(iter(found.boxes)))} for its boxes, and `mtool rewrite`"
            " takes them out for its classes"
        )
    if not found.classes:
        raise BadData(f"{source.name}: expected labels of {_CLASSES} or {_BOXES}, found none")
    if len(found.classes) == 1 and requested in (None, *found.classes):
        with contextlib.suppress(ClassConflict):
            return _as_it_is(source, next(iter(found.classes)), "single_label", found, options.classes)
    attribute = requested or _shared_name(list(found.classes))
    check_attribute_name(attribute)
    indices = numbered(sorted(found.names), options.classes)
    kind: PictureLabelKind = "single_label" if found.most == 1 else "multi_label"
    table = class_table((index, name) for name, index in indices.items())
    parts = {"": StreamedPictures(partial(_pictures, source, indices))}
    return DataSet(table, kind, parts, attribute, found.lost, tuple(found.remarks(source.name)))


@dataclass(slots=True)
class _Found:
    """What a manifest has."""

    classes: dict[str, None] = field(default_factory=dict)
    """Label attributes of one class each."""

    boxes: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    most: int = 0
    """Classes on one line."""

    without: int = 0
    lost: dict[str, int] = field(default_factory=dict)

    def remarks(self, place: str) -> Iterator[str]:
        """Yield what the user is told."""
        if self.without:
            yield f"{place}: {counted(self.without, 'line')} without a class, and so without a label"


def _survey(source: Source) -> _Found:
    found = _Found()
    for line in _lines(source):
        for name, metadata in line.labels.items():
            kind = metadata.type.lower()
            if kind == _CLASSES:
                found.classes[name] = None
            elif kind == _BOXES:
                found.boxes[name] = None
            else:
                what = f"labels of type {clipped(metadata.type) or 'unknown'}"
                found.lost[what] = found.lost.get(what, 0) + 1
        names = _names(source, line)
        found.names |= dict.fromkeys(names)
        found.most = max(found.most, len(names))
        found.without += not names
    return found


def _lines(source: Source) -> Iterator[_Labelled]:
    """Yield every line; raises InvalidLine for one that cannot be read."""
    number = 0
    for block in source.blocks():
        lines = block.read().split(b"\n")
        if not lines[-1]:
            lines.pop()
        for line in lines:
            number += 1
            if line.strip():
                yield _labelled(source.name, number, line)


def _labelled(name: str, number: int, line: bytes) -> _Labelled:
    try:
        value = _line.decode(line)
        ref = _text.decode(value.get("source-ref", b'""'))
        labels = {
            key.removesuffix(METADATA): _metadata.decode(text)
            for key, text in value.items()
            if key.endswith(METADATA) and _is_label(key.removesuffix(METADATA), value)
        }
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidLine(name, number, reason(line, error)) from error
    if not ref:
        raise InvalidLine(name, number, "expected a source-ref, found none")
    return _Labelled(number, ref, labels)


def _is_label(name: str, value: Mapping[str, msgspec.Raw]) -> bool:
    return name not in SOURCES and name in value and bytes(value[name]) != b"null"


def _names(source: Source, line: _Labelled) -> dict[str, _Metadata]:
    """Return the classes of a line, each with the metadata of the first attribute that has it."""
    names: dict[str, _Metadata] = {}
    for attribute, metadata in line.labels.items():
        if metadata.type.lower() == _CLASSES:
            if not metadata.class_name:
                why = f"expected a class-name of {shown(attribute)}, found none"
                raise InvalidLine(source.name, line.number, why)
            names.setdefault(metadata.class_name, metadata)
    return names


def _shared_name(names: list[str]) -> str:
    """Return what to call one attribute in place of several.

    >>> _shared_name(["sport0", "sport1"]), _shared_name(["kind"]), _shared_name(["a", "b"])
    ('sport', 'kind', 'label')
    """
    if len(names) == 1:
        return names[0]
    stems = {name.rstrip("0123456789").rstrip("-_") for name in names}
    return stems.pop() or "label" if len(stems) == 1 else "label"


def _pictures(source: Source, indices: Mapping[str, int]) -> Iterator[Picture]:
    source.check_unchanged()  # since it was surveyed
    for line in _lines(source):
        names = _names(source, line)
        first = next(iter(names.values()), _Metadata())
        confidences = tuple(metadata.confidence for metadata in names.values())
        yield Picture(
            line.number,
            line.ref,
            classes=tuple(indices[name] for name in names),
            confidences=() if set(confidences) <= {None} else confidences,
            provenance=Provenance(first.job_name, first.human_annotated, first.creation_date),
            labelled=bool(names),
        )


def _boxes(source: Source, requested: str | None, found: _Found, given: ClassTable | None) -> DataSet:
    only = next(iter(found.boxes)) if len(found.boxes) == 1 else None
    return _as_it_is(source, requested or only, "boxes", found, given)


def _as_it_is(
    source: Source, name: str | None, kind: PictureLabelKind, found: _Found, given: ClassTable | None
) -> DataSet:
    """Return labels whose numbers are classes, as they are elsewhere; raises ClassConflict for others."""
    attribute = label_attribute(source, name)
    pictures = pictures_of(source, attribute)
    table = agree(({} if given is None else {"--classes": given}) | {source.name: pictures.table})
    what = "boxes" if kind == "boxes" else "a label"
    said = f"{source.name}: left out, without {what}: {by_state(pictures.left_out)}"
    remarks = (said,) if pictures.left_out else ()
    return DataSet(table, kind, {"": pictures}, attribute.name, found.lost, remarks)
