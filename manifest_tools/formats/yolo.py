"""YOLO as Ultralytics trains from it: pictures, a label file for each, and ``data.yaml``.

Boxes go to ``images/PART/1.jpg`` and ``labels/PART/1.txt``, with a line ``class x y width height`` each. The
number of a class is its index: ``names`` has a name for every index, also where no line shows it. What YOLO
has no field for stands in ``ground_truth`` of ``data.yaml``, which others pass over.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Any

from manifest_tools.base.text import counted, listed
from manifest_tools.formats.frames import Size, other_shape_remark, same_shape
from manifest_tools.formats.protocol import Copied, WriteOptions
from manifest_tools.formats.safe_names import UniqueNames, file_name_of_own_stem
from manifest_tools.formats.yolo_classes import write_classes
from manifest_tools.formats.yolo_labels import label_text
from manifest_tools.formats.yolo_masks import SegmentTexts
from manifest_tools.formats.yolo_read import read
from manifest_tools.formats.yolo_yaml import as_json, names_block
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.io.folder_sink import Folder

__all__ = ["read", "write"]

_KEYS = {
    "train": ("", "train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
"""Keys of ``data.yaml``, with the names of parts that are meant by each."""


def write(data: DataSet, sink: Folder, options: WriteOptions) -> dict[str, Any]:
    """Write pictures, label files and ``data.yaml``; a picture that shows nothing has an empty label file.

    Pictures of one class each go into folders of their classes.
    """
    if data.label_kind == "single_label":
        return write_classes(data, sink, options)
    folders = part_folders(list(data.parts))
    outlined = any(box.outline for part in data.parts.values() for picture in part for box in picture.boxes)
    seen, colours, count = _Seen(), dict[int, str](), 0
    remarks: list[str] = []
    with TemporaryFile(prefix="mtool-") as spool:
        for part, folder in folders.items():
            texts = None
            if data.label_kind == "segmentation":
                texts = SegmentTexts(colours, spool)
                texts.take(part, options.masks, data.table)
                remarks += texts.remarks(part)
            for picture, copied in _copied(part, folder, sink, options, texts):
                text = texts.text(picture) if texts else seen.boxes_text(picture, copied, outlined)
                sink.write(label_path(copied.path), text)
                count += 1
    keys = yaml_keys(list(folders))
    sink.write("data.yaml", yaml_text(data, folders, keys, colours).encode())
    return {
        "pictures": count,
        "files": {},
        "remarks": [*remarks, *seen.remarks(), *_key_remarks(keys, folders)],
    }


def _copied(
    part: str, folder: str, sink: Folder, options: WriteOptions, texts: SegmentTexts | None
) -> Iterator[tuple[Picture, Copied]]:
    """Yield the pictures of a part as they are copied; the folders of an empty part are there too."""
    below = f"/{folder}" if folder else ""
    for made in ("images", "labels"):
        sink.make_folder(made + below)
    yield from options.copied(part, _Paths(f"images{below}", options.recipe.pass_through, texts).of)


def part_folders(parts: Sequence[str]) -> dict[str, str]:
    """Return the folder of each part below ``images`` and ``labels``.

    No part may be called ``images``: readers find a label file by the last folder of that name.

    >>> part_folders(["train", "images", "labels"])
    {'train': 'train', 'images': 'images part', 'labels': 'labels'}
    """
    return {part: f"{part} part" if part == "images" else part for part in parts}


def label_path(picture: str) -> str:
    """Return the path of a label file from that of its picture.

    >>> label_path("images/train/1.jpg")
    'labels/train/1.txt'
    """
    return f"labels{os.path.splitext(picture)[0].removeprefix('images')}.txt"


@dataclass(slots=True)
class _Paths:
    """Where the pictures of a part go; no two have one label file, whatever their endings."""

    below: str
    as_they_are: bool
    texts: SegmentTexts | None = None
    """Of masks; a picture whose mask cannot be used is not copied."""

    stems: UniqueNames = field(default_factory=UniqueNames)

    def of(self, picture: Picture) -> str:
        """Return the path of a picture from the output folder."""
        if self.texts is not None and not self.texts.has(picture):
            return ""
        name = file_name_of_own_stem(picture.ref, picture.number, self.stems, self.as_they_are)
        return f"{self.below}/{name}"


@dataclass(slots=True)
class _Seen:
    """What is to be said of pictures and boxes."""

    other_shape: int = 0
    corners: int = 0

    def frame(self, picture: Picture, copied: Copied) -> Size:
        """Return the width and height that boxes are parts of: those of the line, where it has any.

        A picture that was shrunk has the same parts. One of another shape is counted.
        """
        if picture.size is None or min(picture.size) <= 0:
            return copied.size
        self.other_shape += not same_shape(picture.size, copied.size)
        return picture.size

    def boxes_text(self, picture: Picture, copied: Copied, outlined: bool) -> bytes:
        """Return the label file of boxes."""
        self.corners += outlined and sum(not box.outline for box in picture.boxes)
        return label_text(picture.boxes, self.frame(picture, copied), outlined).encode()

    def remarks(self) -> list[str]:
        """Return a sentence each."""
        said = []
        if self.other_shape:
            said.append(other_shape_remark(self.other_shape))
        if self.corners:
            said.append(
                f"{counted(self.corners, 'box')} without an outline written as four corners: Ultralytics"
                " takes boxes and outlines in one data set for boxes alone"
            )
        return said


def yaml_keys(parts: Sequence[str]) -> dict[str, str]:
    """Return the key of ``data.yaml`` for each part that has one.

    Where no part is called so, the first other one is to train with.

    >>> yaml_keys(["lab3", "validation"]), yaml_keys([""])
    ({'validation': 'val', 'lab3': 'train'}, {'': 'train'})
    """
    keys: dict[str, str] = {}
    for part in parts:
        key = next((key for key, names in _KEYS.items() if part.lower() in names), None)
        if key is not None and key not in keys.values():
            keys[part] = key
    others = [part for part in parts if part not in keys]
    return keys if "train" in keys.values() or not others else keys | {others[0]: "train"}


def _key_remarks(keys: dict[str, str], folders: dict[str, str]) -> list[str]:
    said = []
    if "val" not in keys.values():
        said.append(
            "data.yaml names the pictures to learn from under val as well, because Ultralytics wants val: its"
            " figures say nothing of new pictures; `mtool split` makes a part for them"
        )
    if others := [part for part in folders if part not in keys]:
        said.append(
            f"data.yaml names no part beside train, val and test, so Ultralytics passes over {listed(others)}"
        )
    return said


def yaml_text(data: DataSet, folders: dict[str, str], keys: dict[str, str], colours: dict[int, str]) -> str:
    """Return ``data.yaml``. Without ``path``, its own folder is where Ultralytics looks.

    ``path: .`` would be the folder in which Ultralytics is started.
    """
    places = {part: f"images/{folder}" if folder else "images" for part, folder in folders.items()}
    named = {key: places[part] for part, key in keys.items()}
    first = named.get("train") or next(iter(places.values()))
    lines = [f"{key}: {as_json(named.get(key, first))}\n" for key in _KEYS if key in named or key != "test"]
    own = {
        "label_attribute": data.attribute,
        "label_kind": data.label_kind,
        "parts": places,
        "class_table": data.table.to_json(),
        **({"colours": {str(index): colour for index, colour in sorted(colours.items())}} if colours else {}),
    }
    names = data.table.labels
    return "".join((*lines, f"nc: {len(names)}\n", names_block(names), f"ground_truth: {as_json(own)}\n"))
