"""Ultralytics' layout for one class a picture: ``train``, ``val`` and ``test`` with a folder a class."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from manifest_tools.base.errors import Refused
from manifest_tools.base.text import counted, shown
from manifest_tools.formats.class_folders import (
    Found,
    classes_of,
    copy_by_class,
    folder_names,
    parts_in,
    scan,
)
from manifest_tools.formats.picture_files import start_of_refs
from manifest_tools.formats.protocol import ReadOptions, WriteOptions
from manifest_tools.formats.yolo_layout import Layout
from manifest_tools.formats.yolo_yaml import as_json, names_block
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.attributes import check_attribute_name
from manifest_tools.groundtruth.classes import ClassTable, class_table, numbered
from manifest_tools.io.folder_sink import Folder

# Names that Ultralytics looks for; other parts are called as they are.
_AS_IT_WANTS = {"": "train", "training": "train", "dev": "val", "testing": "test"}

# ---- writing ----


def write_classes(data: DataSet, sink: Folder, options: WriteOptions) -> dict[str, Any]:
    """Write the pictures of each part below the folders of their classes, and what they are called."""
    called = part_names(list(data.parts))
    folders = folder_names(data.table)
    count = 0
    for part, folder in called.items():
        for _ in copy_by_class(part, f"{folder}/", folders, sink, options):
            count += 1
    own = {
        "label_attribute": data.attribute,
        "label_kind": data.label_kind,
        "parts": called,
        "class_table": data.table.to_json(),
    }
    text = f"nc: {data.table.num_classes}\n{names_block(data.table.labels)}ground_truth: {as_json(own)}\n"
    sink.write("data.yaml", text.encode())
    remarks = [*_order_remarks(data.table, folders), *_part_remarks(set(called.values()))]
    return {"pictures": count, "files": {}, "remarks": remarks}


def part_names(parts: list[str]) -> dict[str, str]:
    """Return the folder of each part.

    >>> part_names(["training", "validation"]), part_names([""])
    ({'training': 'train', 'validation': 'validation'}, {'': 'train'})
    """
    wanted = {part: _AS_IT_WANTS.get(part.lower(), part) for part in parts}
    taken = [*parts, *wanted.values()]
    return {part: part if part and taken.count(folder) > 1 else folder for part, folder in wanted.items()}


def _order_remarks(table: ClassTable, folders: Mapping[int, str]) -> Iterator[str]:
    for number, index in enumerate(sorted(folders, key=folders.__getitem__)):
        if number != index:
            yield (
                "Ultralytics numbers classes by sorted names, so model.names has other numbers than the"
                f" manifest ({shown(table.name(index))} {number}, not {index}): go by the names"
            )
            return


def _part_remarks(folders: set[str]) -> Iterator[str]:
    if not folders & {"val", "validation", "valid"}:
        yield "Ultralytics wants a part to validate with, a folder val; `mtool split` makes one"
    if "train" not in folders:
        yield "Ultralytics wants a part to train with, a folder train; call one of the manifests so"


# ---- reading ----


def read_classes(place: str, layout: Layout | None, options: ReadOptions) -> DataSet:
    """Return the pictures of parts with a folder for each class; ``layout`` is what we wrote ourselves.

    Classes are numbered by their sorted names, as Ultralytics does it, or as a table has them. Raises Refused
    for a folder that is not laid out so.
    """
    root = layout.root if layout else place
    parts = _parts(root, layout)
    if not parts:
        raise Refused(
            f"{place}: expected data.yaml, folders images and labels, or train with a folder for each class,"
            " found none; a folder for each class alone is read with --from folder"
        )
    own = layout.table if layout else None
    given = options.classes or own
    called = {folder: given.name(index) for index, folder in folder_names(given).items()} if given else {}
    names = {called.get(folder, folder) for _, found in parts.values() for folder in classes_of(found)}
    indices = numbered(sorted(names), given)
    attribute = options.label_attribute or (layout and layout.attribute) or "label"
    check_attribute_name(attribute)
    start = start_of_refs(place if os.path.isdir(place) else "", options.source_prefix)
    streams = {
        part: StreamedPictures(partial(_Reader(f"{folder}/", start, found, called).pictures, indices))
        for part, (folder, found) in parts.items()
    }
    table = class_table((*(given or ClassTable()).names, *((index, name) for name, index in indices.items())))
    loose = sum(len(found.loose) for _, found in parts.values())
    remarks = (f"{place}: {counted(loose, 'picture')} in no folder of a class, without a label",)
    return DataSet(table, "single_label", streams, attribute, remarks=remarks if loose else ())


def _parts(root: str, layout: Layout | None) -> dict[str, tuple[str, Found]]:
    """Return folder and pictures of each part."""
    if layout is None:
        return {part: (part, found) for part, found in parts_in(scan(root)).items()}
    folders = {part: place for part, (place,) in layout.parts.items()}
    missing = [folder for folder in folders.values() if not os.path.isdir(os.path.join(root, folder))]
    if missing:
        raise Refused(f"{layout.where}: expected the folder {missing[0]} beside it, found none")
    return {part: (folder, scan(os.path.join(root, folder))) for part, folder in folders.items()}


@dataclass(frozen=True, slots=True)
class _Reader:
    """The pictures of a part, read anew for every pass."""

    below: str
    start: str
    found: Found
    called: Mapping[str, str]
    """Folder -> name of its class, where that is another one."""

    def pictures(self, indices: Mapping[str, int]) -> Iterator[Picture]:
        """Yield the loose pictures, then those of each class."""
        loose = (("", path) for path in self.found.loose)
        sorted_in = ((folder, path) for folder, paths in sorted(self.found.classes.items()) for path in paths)
        for number, (folder, path) in enumerate(chain(loose, sorted_in), 1):
            key = self.below + path
            classes = (indices[self.called.get(folder, folder)],) if folder else ()
            yield Picture(number, self.start + key, classes=classes, key=key)
