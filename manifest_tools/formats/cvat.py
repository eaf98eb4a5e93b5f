"""CVAT for images 1.1: one XML file a part, with boxes and polygons, or tags for classes.

A picture is called by its path below the folder that all share, as in a task of CVAT: by it CVAT finds the
frame that labels are imported to.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import counted, shown
from manifest_tools.formats.cvat_read import Keys, read
from manifest_tools.formats.cvat_xml import TAIL, head, image_text
from manifest_tools.formats.protocol import Files, WriteOptions
from manifest_tools.formats.safe_names import leaves_folder
from manifest_tools.formats.xml_values import is_held
from manifest_tools.groundtruth.annotations import Batch, DataSet, Picture
from manifest_tools.images.paths import common_folder
from manifest_tools.images.unusable import OUTSIDE, UNNAMEABLE, Unusable

__all__ = ["check", "read", "write"]


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
    keys = Keys()
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
