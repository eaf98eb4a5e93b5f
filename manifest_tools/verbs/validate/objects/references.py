"""The objects that a line names: its source-ref, and everything under a key that ends in ``-ref``."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec

from manifest_tools.base.text import path
from manifest_tools.groundtruth.attributes import Attribute, attributes_of
from manifest_tools.groundtruth.label_kinds import LabelObject, SourceObject, label_kind, task_type
from manifest_tools.groundtruth.rows import line_offsets
from manifest_tools.io.sources import Source

_decode = msgspec.json.Decoder().decode

SOURCE = "source-ref"
_REF = "-ref"
_S3 = "s3://"

ObjectKind = LabelObject | SourceObject | Literal["json"]

# What a name's ending says where no type does; anything else is taken for a picture.
_BY_ENDING: dict[str, ObjectKind] = {
    **dict.fromkeys((".mp4", ".ogg", ".webm", ".mov", ".avi", ".mkv"), "clip"),
    **dict.fromkeys((".bin", ".pcd", ".ply", ".las", ".laz", ".txt", ".csv", ".pdf", ".xml"), "data"),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".zip", ".gz", ".npy", ".parquet"), "data"),
    ".json": "json",
    ".zlib": "zlib",
}


class Reference(NamedTuple):
    """An object that a line names."""

    path: str
    """The JSON path of the key that names it."""

    ref: str
    """Its URI, or its path from the folder of the manifest."""

    kind: ObjectKind
    """What it is used as."""

    class_map: tuple[str, ...] | None = None
    """The class ids that the metadata of a label lists, None where it has no list."""


class DeclaredSize(NamedTuple):
    """The size that a label gives the picture, in pixels."""

    path: str
    """The JSON path of the ``image_size``."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class LineReferences:
    """The objects that a line names."""

    line: int
    """The number of the line, from 1."""

    references: tuple[Reference, ...]
    """The objects; the source-ref comes first, where there is one."""

    sizes: tuple[DeclaredSize, ...] = ()
    """The sizes that labels give the picture."""


def read_references(source: Source, requested: str | None) -> Iterator[LineReferences]:
    """Yield the objects of every line that names any; what cannot be read is left to the rules.

    ``requested`` is the only label attribute whose objects are wanted; None for all.
    """
    first = 1
    for block in source.blocks():
        data = block.read()
        starts, ends = line_offsets(data)
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True), first):
            found = line_references(number, data[start:end], requested)
            if found is not None:
                yield found
        first += len(starts)


def line_references(number: int, line: bytes, requested: str | None) -> LineReferences | None:
    """Return the objects that one line names, or None where it names none."""
    value = _decoded(line)
    if not isinstance(value, dict):
        return None
    labels = {one.name: one for one in attributes_of(value) if requested in (None, one.name)}
    references = (*_source(value, labels), *_refs(value, labels, requested))
    return LineReferences(number, references, tuple(_declared_sizes(value, labels))) if references else None


def _decoded(line: bytes) -> Any:
    """Return what a line says, or None; the rules say what is wrong with it."""
    try:
        try:
            return _decode(line)
        except msgspec.ValidationError:
            return json.loads(line)  # a number that is too large for a machine is JSON all the same
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _source(value: Mapping[str, Any], labels: Mapping[str, Attribute]) -> Iterator[Reference]:
    ref = value.get(SOURCE)
    if isinstance(ref, str) and ref:
        types = (task_type(one.type) for one in labels.values())
        kind = next((one.source for one in types if one and one.source != "picture"), None)
        yield Reference(path(SOURCE), ref, kind or _BY_ENDING.get(_ending(ref), "picture"))


def _refs(
    value: Mapping[str, Any], labels: Mapping[str, Attribute], requested: str | None
) -> Iterator[Reference]:
    for key, ref in value.items():
        if (
            not key.endswith(_REF)
            or key == SOURCE
            or requested not in (None, key)
            or not isinstance(ref, str)
        ):
            continue
        label = labels.get(key)
        kind = None if label is None else label_kind(label.type).label_object
        if ref.startswith(_S3) or kind is not None:
            listed = None if label is None else _class_map(value[label.metadata_key])
            yield Reference(path(key), ref, kind or _BY_ENDING.get(_ending(ref), "data"), listed)


def _class_map(metadata: Mapping[str, Any]) -> tuple[str, ...] | None:
    found = metadata.get("class-map", metadata.get("class_map"))
    return tuple(found) if isinstance(found, dict) else None


def _declared_sizes(value: Mapping[str, Any], labels: Mapping[str, Attribute]) -> Iterator[DeclaredSize]:
    for name in labels:
        label = value.get(name)
        sizes = label.get("image_size") if isinstance(label, dict) else None
        size = sizes[0] if isinstance(sizes, list) and sizes else None
        if isinstance(size, dict):
            width, height = _pixels(size.get("width")), _pixels(size.get("height"))
            if width is not None and height is not None:
                yield DeclaredSize(path(name, "image_size", 0), width, height)


def _pixels(value: Any) -> float | None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 32
    return value if right else None


def _ending(ref: str) -> str:
    name = ref.rpartition("/")[2]
    return name[name.rfind(".") :].lower() if "." in name else ""
