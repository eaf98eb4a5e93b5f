"""FiftyOne's own import layouts: pictures in ``data``, and ``labels.json`` with the classes in index order.

Classes make a FiftyOneImageClassificationDataset, boxes a FiftyOneImageDetectionDataset.
A label names its class by its place among the classes, and its picture by the name without an ending.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from manifest_tools.base.text import counted
from manifest_tools.formats.frames import other_shape_remark, same_shape
from manifest_tools.formats.protocol import Copied, WriteOptions
from manifest_tools.formats.safe_names import UniqueNames, file_name_of_own_stem
from manifest_tools.groundtruth.annotations import DataSet, Picture, PictureLabelKind
from manifest_tools.io.folder_sink import Folder


def write(data: DataSet, sink: Folder, options: WriteOptions) -> dict[str, Any]:
    """Write pictures and labels, in a folder for each part where there are several."""
    seen = _Seen()
    count = sum(_write_part(part, data, sink, options, seen) for part in data.parts)
    return {"pictures": count, "files": {}, "remarks": [_how_to_load(data), *seen.remarks()]}


def _how_to_load(data: DataSet) -> str:
    kind = "Detection" if data.label_kind == "boxes" else "Classification"
    part = "/PART" if list(data.parts) != [""] else ""
    return (
        f'FiftyOne loads it with fo.Dataset.from_dir(dataset_dir="FOLDER{part}",'
        f" dataset_type=fo.types.FiftyOneImage{kind}Dataset)"
    )


def _write_part(part: str, data: DataSet, sink: Folder, options: WriteOptions, seen: "_Seen") -> int:
    """Write the labels as the pictures come; memory does not grow with them."""
    below = f"{part}/" if part else ""
    sink.make_folder(f"{below}data")
    paths = _Paths(f"{below}data", options.recipe.pass_through)
    encode = msgspec.json.Encoder().encode
    count = 0
    with sink.open(f"{below}labels.json") as out:
        out.write(b'{"classes":' + encode(data.table.labels) + b',"labels":{')
        for picture, copied in options.copied(part, paths.of):
            key = os.path.splitext(copied.path)[0].removeprefix(f"{below}data/")
            label = label_of(picture, data.label_kind, seen.frame(picture, copied, data.label_kind))
            out.write((b",\n" if count else b"\n") + encode(key) + b":" + encode(label))
            count += 1
        out.write(b"\n}}\n")
    return count


@dataclass(slots=True)
class _Paths:
    """Where the pictures of a part go; no two have one name but for their endings, which labels leave out."""

    below: str
    as_they_are: bool
    stems: UniqueNames = field(default_factory=UniqueNames)

    def of(self, picture: Picture) -> str:
        """Return the path of a picture from the output folder."""
        name = file_name_of_own_stem(picture.ref, picture.number, self.stems, self.as_they_are)
        return f"{self.below}/{name}"


@dataclass(slots=True)
class _Seen:
    """What is to be said of pictures and boxes."""

    other_shape: int = 0
    outlines: int = 0

    def frame(self, picture: Picture, copied: Copied, kind: PictureLabelKind) -> tuple[float, float]:
        """Return the size that boxes are shares of: that of the line, where it has any."""
        self.outlines += sum(bool(box.outline) for box in picture.boxes)
        if kind != "boxes" or picture.size is None or min(picture.size) <= 0:
            return copied.size
        self.other_shape += not same_shape(picture.size, copied.size)
        return picture.size

    def remarks(self) -> Iterator[str]:
        """Yield a sentence each."""
        if self.other_shape:
            yield other_shape_remark(self.other_shape)
        if self.outlines:
            yield f"{counted(self.outlines, 'object')} with an outline: FiftyOne gets the box around it"


def label_of(picture: Picture, kind: PictureLabelKind, size: tuple[float, float]) -> Any:
    """Return the label of a picture: one, a list of them, or of boxes as shares of its size.

    >>> label_of(Picture(1, "1.jpg", classes=(2,), confidences=(0.5,)), "single_label", (8, 8))
    {'label': 2, 'confidence': 0.5}
    """
    found = picture.provenance
    origin = {
        "job_name": found.job_name,
        "human_annotated": found.human_annotated,
        "creation_date": found.creation_date,
    }
    attributes = {key: text for key, text in origin.items() if text is not None}
    if kind == "boxes":
        width, height = size
        return [
            _known(box.class_index, box.confidence, attributes)
            | {"bounding_box": [box.left / width, box.top / height, box.width / width, box.height / height]}
            for box in picture.boxes
        ]
    confidences = picture.confidences or (None,) * len(picture.classes)
    labels = [_known(*pair, attributes) for pair in zip(picture.classes, confidences, strict=True)]
    return labels[0] if kind == "single_label" else labels


def _known(index: int, confidence: float | None, attributes: dict[str, str]) -> dict[str, Any]:
    label: dict[str, Any] = {"label": index}
    if confidence is not None:
        label["confidence"] = confidence
    return label | ({"attributes": attributes} if attributes else {})
