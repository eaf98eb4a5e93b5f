"""A folder a class, as torchvision's ImageFolder, Keras and im2rec --recursive read it."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from manifest_tools.base.text import listed, shown
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

    A class without a picture has an empty folder: readers number classes by the folders that are there, so
    without it every later class would have another number than in the other parts.
    """
    folders = folder_names(data.table)
    remarks = order_remarks(data.table, folders)
    count = 0
    for part in data.parts:
        names: dict[int, UniqueNames] = {}
        for folder in folders.values():
            sink.make_folder("/".join((*filter(None, (part,)), folder)))
        for picture, encoded in options.pictures(part):
            index = picture.classes[0]
            name = _file_name(picture, encoded, options, names.setdefault(index, UniqueNames()))
            path = "/".join((*filter(None, (part,)), folders[index], name))
            if options.source:
                sink.link(path, options.source(part, picture.ref))
            else:
                sink.write(path, encoded)
            count += 1
        remarks += _empty(part, [folders[index] for index in folders if index not in names])
    return {
        "pictures": count,
        "folders": {str(index): folder for index, folder in folders.items()},
        "files": {},
        "remarks": remarks,
    }


def order_remarks(table: ClassTable, folders: Mapping[int, str]) -> list[str]:
    """Return what is to be said where sorted names give classes other numbers than the manifest.

    >>> order_remarks(ClassTable(((0, "a"), (1, "b"))), {0: "a", 1: "b"})
    []
    """
    for number, index in enumerate(sorted(folders, key=folders.__getitem__)):
        if number != index:
            example = f"({shown(table.name(index))} {number}, not {index})"
            return [
                "readers number classes by sorted names, so they get other numbers than in the manifest"
                f" {example}: compare with class_to_idx of torchvision, or class_names of Keras"
            ]
    return []


def _empty(part: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    where = f" in {part}" if part else ""
    return [
        f"no picture{where} of {listed(names)}: an empty folder keeps the numbers of the others;"
        " torchvision's ImageFolder takes it with allow_empty=True"
    ]


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
