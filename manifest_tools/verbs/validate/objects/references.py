"""What a line points to: its source-ref, and everything under a key that ends in ``-ref``."""

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

Kind = LabelObject | SourceObject | Literal["json"]

# What a name's ending says where no type does; anything else is taken for a picture.
_BY_ENDING: dict[str, Kind] = {
    **dict.fromkeys((".mp4", ".ogg", ".webm", ".mov", ".avi", ".mkv"), "clip"),
    **dict.fromkeys((".bin", ".pcd", ".ply", ".las", ".laz", ".txt", ".csv", ".pdf", ".xml"), "data"),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".zip", ".gz", ".npy", ".parquet"), "data"),
    ".json": "json",
    ".zlib": "zlib",
}


class Pointer(NamedTuple):
    """A key of a line, as a JSON path, and the object that it names."""

    path: str
    ref: str
    kind: Kind
    class_map: tuple[str, ...] | None = None
    """The class ids that the metadata of a label lists, None where it has no list."""


class Declared(NamedTuple):
    """The size that the ``image_size`` of a label gives the picture, and where it stands."""

    path: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Pointing:
    """A line, by its number from 1, and what it points to; the source-ref comes first, where there is one."""

    line: int
    pointers: tuple[Pointer, ...]
    declared: tuple[Declared, ...] = ()


def pointings(source: Source, told: str | None) -> Iterator[Pointing]:
    """Yield every line that points to something; lines that cannot be read are for the rules to report.

    ``told`` leaves out all labels but one.
    """
    first = 1
    for block in source.blocks():
        data = block.read()
        starts, ends = line_offsets(data)
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True), first):
            found = pointing(number, data[start:end], told)
            if found is not None:
                yield found
        first += len(starts)


def pointing(number: int, line: bytes, told: str | None) -> Pointing | None:
    """Return what one line points to, or None."""
    value = _decoded(line)
    if not isinstance(value, dict):
        return None
    labels = {one.name: one for one in attributes_of(value) if told in (None, one.name)}
    pointers = (*_source(value, labels), *_refs(value, labels, told))
    return Pointing(number, pointers, tuple(_declared(value, labels))) if pointers else None


def _decoded(line: bytes) -> Any:
    """Return what a line says, or None; the rules say what is wrong with it."""
    try:
        try:
            return _decode(line)
        except msgspec.ValidationError:
            return json.loads(line)  # a number that is too large for a machine is JSON all the same
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _source(value: Mapping[str, Any], labels: Mapping[str, Attribute]) -> Iterator[Pointer]:
    ref = value.get(SOURCE)
    if isinstance(ref, str) and ref:
        types = (task_type(one.type) for one in labels.values())
        kind = next((one.source for one in types if one and one.source != "picture"), None)
        yield Pointer(path(SOURCE), ref, kind or _BY_ENDING.get(_ending(ref), "picture"))


def _refs(value: Mapping[str, Any], labels: Mapping[str, Attribute], told: str | None) -> Iterator[Pointer]:
    for key, ref in value.items():
        if not key.endswith(_REF) or key == SOURCE or told not in (None, key) or not isinstance(ref, str):
            continue
        label = labels.get(key)
        kind = None if label is None else label_kind(label.type).label_object
        if ref.startswith(_S3) or kind is not None:
            listed = None if label is None else _class_map(value[label.metadata_key])
            yield Pointer(path(key), ref, kind or _BY_ENDING.get(_ending(ref), "data"), listed)


def _class_map(metadata: Mapping[str, Any]) -> tuple[str, ...] | None:
    found = metadata.get("class-map", metadata.get("class_map"))
    return tuple(found) if isinstance(found, dict) else None


def _declared(value: Mapping[str, Any], labels: Mapping[str, Attribute]) -> Iterator[Declared]:
    for name in labels:
        label = value.get(name)
        sizes = label.get("image_size") if isinstance(label, dict) else None
        size = sizes[0] if isinstance(sizes, list) and sizes else None
        if isinstance(size, dict):
            width, height = _pixels(size.get("width")), _pixels(size.get("height"))
            if width is not None and height is not None:
                yield Declared(path(name, "image_size", 0), width, height)


def _pixels(value: Any) -> float | None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 32
    return value if right else None


def _ending(ref: str) -> str:
    name = ref.rpartition("/")[2]
    return name[name.rfind(".") :].lower() if "." in name else ""
