"""Lines of a manifest from pictures, for every format that is read: with Ground Truth's keys in its order."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from manifest_tools.groundtruth.annotations import TYPE_OF_KIND, DataSet, Mask, Picture, PictureLabelKind
from manifest_tools.groundtruth.classes import default_name
from manifest_tools.groundtruth.record import METADATA

# As in the files of labelling jobs, which differ from task type to task type.
_ORDER: dict[PictureLabelKind, tuple[str, ...]] = {
    "single_label": ("confidence", "job-name", "class-name", "human-annotated", "creation-date", "type"),
    "multi_label": ("job-name", "class-map", "human-annotated", "creation-date", "confidence-map", "type"),
    "boxes": ("objects", "class-map", "type", "human-annotated", "creation-date", "job-name"),
    "segmentation": ("internal-color-map", "type", "human-annotated", "creation-date", "job-name"),
}


def manifest_lines(data: DataSet, pictures: Iterable[Picture]) -> Iterator[bytes]:
    """Yield the line of a manifest for each picture of ``data``, with its newline.

    The line of a picture that is not labelled has no label, nor has one without a class where others have
    one.
    """
    names = _Names(data.table.names)
    write, order = _WRITERS[data.label_kind], _ORDER[data.label_kind]
    encode = msgspec.json.Encoder().encode
    for picture in pictures:
        if not picture.labelled or (data.label_kind == "single_label" and not picture.classes):
            yield encode({"source-ref": picture.ref}) + b"\n"
            continue
        label, found = write(picture, names)
        found |= {
            "type": TYPE_OF_KIND[data.label_kind],
            "job-name": picture.provenance.job_name,
            "human-annotated": picture.provenance.human_annotated,
            "creation-date": picture.provenance.creation_date,
        }
        metadata = _known({key: found.get(key) for key in order})
        line = {"source-ref": picture.ref, data.attribute: label, data.attribute + METADATA: metadata}
        yield encode(line) + b"\n"


class _Names(dict[int, str]):
    """The names of a class table; a class without a name is called by its number."""

    def __missing__(self, index: int) -> str:
        return default_name(index)


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {key: value for key, value in fields.items() if value is not None}


_Written = tuple[Any, dict[str, Any]]
"""A label, and the fields of its metadata that depend on the kind of label."""


def _write_class(picture: Picture, names: Mapping[int, str]) -> _Written:
    (index,) = picture.classes
    return index, {"confidence": next(iter(picture.confidences), None), "class-name": names[index]}


def _write_classes(picture: Picture, names: Mapping[int, str]) -> _Written:
    keys = list(map(str, picture.classes))
    confidences = _known(dict(zip(keys, picture.confidences, strict=False)))
    class_map = {key: names[index] for key, index in zip(keys, picture.classes, strict=True)}
    return picture.classes, {"class-map": class_map, "confidence-map": confidences or None}


def _write_boxes(picture: Picture, names: Mapping[int, str]) -> _Written:
    width, height = picture.size or (None, None)
    annotations = [
        {
            "class_id": box.class_index,
            "top": box.top,
            "left": box.left,
            "height": box.height,
            "width": box.width,
        }
        for box in picture.boxes
    ]
    label = {
        "image_size": [_known({"width": width, "height": height, "depth": picture.depth})],
        "annotations": annotations,
    }
    shown = sorted({box.class_index for box in picture.boxes})
    return label, {
        "objects": [_known({"confidence": box.confidence}) for box in picture.boxes],
        "class-map": {str(index): names[index] for index in shown},
    }


def _write_mask(picture: Picture, names: Mapping[int, str]) -> _Written:
    mask = picture.mask or Mask("")
    colours = {
        str(index): _known({"class-name": names[index], "hex-color": colour, "confidence": mask.confidence})
        for index, colour in mask.colours
    }
    return mask.ref, {"internal-color-map": colours}


_WRITERS: dict[PictureLabelKind, Callable[[Picture, Mapping[int, str]], _Written]] = {
    "single_label": _write_class,
    "multi_label": _write_classes,
    "boxes": _write_boxes,
    "segmentation": _write_mask,
}
