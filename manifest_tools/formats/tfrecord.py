"""TFRecord of tf.train.Example, with the names of TensorFlow's Object Detection API, which Slim shares.

Labels of boxes are the class index + 1, as the label map beside (NAME.pbtxt) has them: there 0 is the
background. Labels of pictures (``image/class/label``) are the class indices, as in Slim's NAME.labels.txt.
Boxes are fractions of the picture as it is to be looked at, and height and width are those of it. All that a
line says stands as JSON in the feature ``ground_truth``.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from manifest_tools.formats.picture_json import Wording
from manifest_tools.formats.protocol import Files, NotPacked, Packed, WriteOptions, shard_count
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.frame_size import frame_size
from manifest_tools.images.signatures import picture_format
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.tfrecord import Values, check_installed, example, label_map, write_record

_ENDING = ".tfrecord"


def check(data: DataSet) -> None:
    """Raise NotInstalled where there are no checksums."""
    check_installed()


def write(data: DataSet, sink: Files, options: WriteOptions) -> dict[str, Any]:
    """Write a file for each part, or NAME-00000-of-00005.tfrecord and so on, and the names of the classes."""
    check_installed()
    sizes: dict[str, int] = {}
    pictures = sum(_write_part(part, data, sink, options, sizes) for part in data.parts)
    base, ending, names = class_names(data)
    sizes[sink.name(base, ending)] = sink.open(base, ending).write(names)
    return {"pictures": pictures, "files": sizes}


def _write_part(part: str, data: DataSet, sink: Files, options: WriteOptions, sizes: dict[str, int]) -> int:
    whole = None if options.shard else sink.open(part, _ENDING)
    shards = shard_count(part, data, options)
    count = size = 0
    for shard in options.packed(part, partial(pack_pictures, Wording.of(data))):
        count += len(shard.packed)
        if whole:
            size += shard.copy_to(whole)
            continue
        ending = f"-{shard.number:05}-of-{shards:05}{_ENDING}"
        with sink.open(part, ending) as stream:
            sizes[sink.name(part, ending)] = shard.copy_to(stream)
    if whole:
        sizes[sink.name(part, _ENDING)] = size
    return count


def class_names(data: DataSet) -> tuple[str, str, bytes]:
    """Return name, ending and bytes of the file that names the classes; one without parts has no own name."""
    alone = "" in data.parts
    if data.label_kind == "boxes":
        names = label_map((index + 1, name) for index, name in data.table.names)
        return ("" if alone else "label_map"), ".pbtxt", names
    return (
        ("", ".labels.txt", labels_txt(data.table)) if alone else ("labels", ".txt", labels_txt(data.table))
    )


def labels_txt(table: ClassTable) -> bytes:
    """Return the classes as Slim reads them: a line of index and name for each.

    >>> labels_txt(ClassTable(((0, "RH"), (2, "L:H"))))
    b'0:RH\\n2:L:H\\n'
    """
    lines = (
        f"{index}:{' '.join(name.split()) if not name.isprintable() else name}" for index, name in table.names
    )
    return "".join(f"{line}\n" for line in lines).encode()


def pack_pictures(
    wording: Wording, pictures: Iterator[tuple[Picture, bytes]], out: BinaryIO
) -> Iterator[Packed | NotPacked]:
    """Write a record for each picture; its key is the picture's number."""
    offset = 0
    for picture, encoded in pictures:
        try:
            features = features_of(wording, picture, encoded)
        except Unusable as why:
            yield NotPacked(picture.number, why)
            continue
        length = write_record(out, example(features))
        yield Packed(picture.number, str(picture.number), offset, length)
        offset += length


def features_of(wording: Wording, picture: Picture, encoded: bytes) -> dict[str, Values]:
    """Return what an Example says of a picture, by name."""
    width, height = frame_size(encoded)
    features: dict[str, Values] = {
        "image/encoded": [encoded],
        "image/format": [picture_format(encoded).lower().encode()],
        "image/filename": [picture.ref.encode()],
        "image/source_id": [str(picture.number).encode()],
        "image/height": [height],
        "image/width": [width],
        "ground_truth": [wording.text(picture)],
    }
    return features | (
        _boxes(wording, picture, width, height) if wording.kind == "boxes" else _classes(wording, picture)
    )


def _classes(wording: Wording, picture: Picture) -> dict[str, Values]:
    features: dict[str, Values] = {
        "image/class/label": picture.classes,
        "image/class/text": [wording.name(index).encode() for index in picture.classes],
    }
    known = [float(value) for value in picture.confidences if value is not None and 0 <= value <= 1]
    if known and len(known) == len(picture.classes):
        features["image/class/confidence"] = known
    return features


def _boxes(wording: Wording, picture: Picture, width: int, height: int) -> dict[str, Values]:
    boxes = picture.boxes
    return {
        "image/object/bbox/xmin": [box.left / width for box in boxes],
        "image/object/bbox/xmax": [(box.left + box.width) / width for box in boxes],
        "image/object/bbox/ymin": [box.top / height for box in boxes],
        "image/object/bbox/ymax": [(box.top + box.height) / height for box in boxes],
        "image/object/class/label": [box.class_index + 1 for box in boxes],
        "image/object/class/text": [wording.name(box.class_index).encode() for box in boxes],
    }
