"""A folder a class, as torchvision's ImageFolder, Keras and im2rec --recursive read it."""

import os
from typing import Any

from manifest_tools.formats import WriteOptions
from manifest_tools.formats.safe_names import UniqueNames, safe_name
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.signatures import suffix_of
from manifest_tools.io.folder_sink import FolderSink

# Endings that the readers of such folders take for a picture; others are given one.
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def write(data: DataSet, sink: FolderSink, options: WriteOptions) -> dict[str, Any]:
    """Write every picture under its class, below a folder for each part where there are several.

    A class without pictures has no folder: ImageFolder stops at an empty one.
    """
    folders = folder_names(data.table)
    shown: set[int] = set()
    count = 0
    for part in data.parts:
        names: dict[int, UniqueNames] = {}
        for picture, encoded in options.pictures(part):
            index = picture.classes[0]
            name = _file_name(picture, encoded, options, names.setdefault(index, UniqueNames()))
            path = "/".join((*filter(None, (part,)), folders[index], name))
            if options.source:
                sink.link(path, options.source(part, picture.ref))
            else:
                sink.write(path, encoded)
            count += 1
        shown |= names.keys()
    return {
        "pictures": count,
        "folders": {str(index): folders[index] for index in sorted(shown)},
        "files": {},
    }


def folder_names(table: ClassTable) -> dict[int, str]:
    """Return a safe name for every class, no two alike on any system, in order of index."""
    names = UniqueNames()
    return {index: names.unique(safe_name(name, f"class {index}"), "", index) for index, name in table.names}


def _file_name(picture: Picture, encoded: bytes, options: WriteOptions, names: UniqueNames) -> str:
    stem, ending = os.path.splitext(picture.ref.rpartition("/")[2])
    if not options.recipe.pass_through:
        ending = ".jpg"
    elif ending.lower() not in _PICTURES:
        stem, ending = stem + ending, suffix_of(encoded)
    return names.unique(safe_name(stem), ending, picture.number)
