"""Label Studio: a file of tasks a part, and the labelling config of the project beside it.

What people have labelled goes out as annotations, what a model has (``human-annotated: no``) as predictions,
which people then correct. What Label Studio has no field for stands in the data of a task, which it keeps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import counted, shown
from manifest_tools.formats.label_studio_config import config_xml, image_name, outlines_name
from manifest_tools.formats.label_studio_pictures import read
from manifest_tools.formats.label_studio_regions import percent
from manifest_tools.formats.label_studio_tasks import (
    GROUND_TRUTH,
    LOCAL_FILES,
    Answer,
    GroundTruth,
    ImageSize,
    Result,
    Value,
)
from manifest_tools.formats.protocol import Files, WriteOptions
from manifest_tools.formats.safe_names import leaves_folder
from manifest_tools.formats.xml_values import is_held
from manifest_tools.groundtruth.annotations import Batch, Box, DataSet, Picture, PictureLabelKind
from manifest_tools.groundtruth.classes import ClassTable, default_name
from manifest_tools.images.unusable import OUTSIDE, UNNAMEABLE, Unusable

__all__ = ["check", "read", "write"]


def check(data: DataSet) -> None:
    """Raise BadData for a class that no labelling config can name."""
    for _, name in data.table.names:
        if not is_held(name):
            raise BadData(
                f"class {shown(name)}: expected a name without control characters: a labelling config is XML"
            )


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write the tasks of each part, and a labelling config with its classes in the order of the indices."""
    check(data)
    done = [_write_part(part, data, sink, options) for part in data.parts]
    remarks = []
    if pieces := sum(one.pieces for one in done):
        remarks.append(f"{counted(pieces, 'object')} in several pieces: Label Studio has the box around them")
    if any(one.local for one in done):
        remarks.append(
            "pictures on this disk are named as Label Studio's local files: start it with"
            " LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and"
            " LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=FOLDER"
        )
    return {"pictures": sum(one.pictures for one in done), "remarks": remarks}


@dataclass(slots=True)
class _Written:
    """What is in a file of tasks."""

    pictures: int = 0
    outlines: int = 0
    pieces: int = 0
    """Objects whose outline is in several pieces."""

    local: bool = False
    """Whether a picture is named by a path."""


def _write_part(part: str, data: DataSet, sink: Files, options: WriteOptions) -> _Written:
    whole = _Written()
    out = sink.open(part)
    out.write(b"[\n")
    task = partial(_texts, data.table, data.label_kind, data.attribute)
    for texts in data.parts[part].map(task, options.jobs):
        if texts.tasks:
            out.write(b",\n" * bool(whole.pictures) + b",\n".join(texts.tasks))
        for number in texts.numbers:
            options.placed(part, number, str(number))
        for number, why in texts.unusable:
            options.unusable(part, number, why)
        whole.pictures += len(texts.tasks)
        whole.outlines += texts.outlines
        whole.pieces += texts.pieces
        whole.local |= texts.local
    out.write(b"\n]\n")
    config = config_xml(data.attribute, data.label_kind, data.table, bool(whole.outlines))
    sink.open(part, ".config.xml").write(config)
    return whole


@dataclass(slots=True)
class _Texts:
    """The JSON of a batch of pictures."""

    tasks: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    unusable: list[tuple[int, Unusable]] = field(default_factory=list)
    outlines: int = 0
    pieces: int = 0
    local: bool = False


def _texts(table: ClassTable, kind: PictureLabelKind, attribute: str, batch: Batch) -> _Texts:
    names = dict(table.names)
    found = _Texts()
    encode = msgspec.json.Encoder().encode
    for picture in batch.pictures:
        try:
            found.tasks.append(encode(task_of(picture, names, kind, attribute)))
        except Unusable as why:
            found.unusable.append((picture.number, why.with_traceback(None)))
            continue
        found.numbers.append(picture.number)
        found.outlines += sum(len(box.outline) == 1 for box in picture.boxes)
        found.pieces += sum(len(box.outline) > 1 for box in picture.boxes)
        found.local |= not picture.ref.startswith("s3://")
    return found


def task_of(
    picture: Picture, names: Mapping[int, str], kind: PictureLabelKind, attribute: str
) -> dict[str, Any]:
    """Return the task of a picture, as it is imported; raises Unusable for one that no task can name."""
    data = {"image": image_url(picture.ref), GROUND_TRUTH: _ground_truth(picture, names, attribute)}
    task: dict[str, Any] = {"id": picture.number, "data": data}
    if not picture.labelled:
        return task
    results = _regions(picture, names, attribute) if kind == "boxes" else _choices(picture, names, attribute)
    if picture.provenance.human_annotated == "no":
        scores = [one for one in _confidences(picture) if one is not None]
        answer = Answer(results, model_version=picture.provenance.job_name, score=min(scores, default=None))
        return {**task, "predictions": [answer]}
    return {**task, "annotations": [{"result": results}]}


def _confidences(picture: Picture) -> Iterator[float | None]:
    yield from picture.confidences
    yield from (box.confidence for box in picture.boxes)


def image_url(ref: str) -> str:
    """Return how Label Studio names a picture: an object in S3, or a file of its disk.

    >>> image_url("s3://raw/left/1.jpg"), image_url("left/a b.jpg")
    ('s3://raw/left/1.jpg', '/data/local-files/?d=left/a%20b.jpg')
    """
    if ref.startswith("s3://"):
        return ref
    if leaves_folder(ref):
        raise Unusable(OUTSIDE, f"expected a path below a folder, found {shown(ref)}")
    return f"{LOCAL_FILES}?d={quote(ref)}"


def _ground_truth(picture: Picture, names: Mapping[int, str], attribute: str) -> GroundTruth:
    width, height = picture.size or (None, None)
    size = ImageSize(width, height, picture.depth)
    confidences = zip(picture.classes, picture.confidences, strict=False)
    found = {names.get(at, default_name(at)): one for at, one in confidences if one is not None}
    origin = picture.provenance
    return GroundTruth(
        picture.number,
        attribute,
        origin.job_name,
        origin.human_annotated,
        origin.creation_date,
        None if size == ImageSize() else size,
        found or None,
    )


def _choices(picture: Picture, names: Mapping[int, str], attribute: str) -> list[Result]:
    if not picture.classes:
        return []
    chosen = Value(choices=[names.get(index, default_name(index)) for index in picture.classes])
    return [Result(id="1", from_name=attribute, to_name=image_name(attribute), type="choices", value=chosen)]


def _regions(picture: Picture, names: Mapping[int, str], attribute: str) -> list[Result]:
    if not picture.boxes:
        return []
    width, height = picture.size or (0, 0)
    if not (width > 0 and height > 0):
        raise Unusable(
            UNNAMEABLE, "expected the width and height of the picture beside its boxes, which become percents"
        )
    return [
        _region(box, (width, height), names, attribute, str(number))
        for number, box in enumerate(picture.boxes, 1)
    ]


def _region(
    box: Box, size: tuple[float, float], names: Mapping[int, str], attribute: str, number: str
) -> Result:
    named = [names.get(box.class_index, default_name(box.class_index))]
    if len(box.outline) == 1:
        (ring,) = box.outline
        corners = zip(ring[::2], ring[1::2], strict=True)
        points = [(percent(x, size[0]), percent(y, size[1])) for x, y in corners]
        control, kind = outlines_name(attribute), "polygonlabels"
        value = Value(points=points, closed=True, polygonlabels=named)
    else:
        control, kind = attribute, "rectanglelabels"
        value = Value(
            percent(box.left, size[0]),
            percent(box.top, size[1]),
            percent(box.width, size[0]),
            percent(box.height, size[1]),
            0,
            rectanglelabels=named,
        )
    return Result(
        id=number,
        from_name=control,
        to_name=image_name(attribute),
        type=kind,
        original_width=size[0],
        original_height=size[1],
        image_rotation=0,
        value=value,
        score=box.confidence,
    )
