"""A trained model as files: the ``model.tar.gz`` that train writes and everybody else reads.

Its names are the built-in algorithm's (``image-classification-NNNN.params``,
``image-classification-symbol.json``, ``model-shapes.json``); ``classes.json`` is ours and says what the
others do not: the class table, and how a picture becomes the network's input. An archive may come from
anywhere. So it is read into memory, file by file, under limits, and never unpacked on the disk.
"""

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from manifest_tools.base.errors import BadData, MtoolError
from manifest_tools.groundtruth.classes import ClassTable, class_table, default_name
from trainers.bad_model import BadModel
from trainers.mxnet_files.graph import SYMBOL
from trainers.mxnet_files.network import picture_side, read_network
from trainers.registry import BUILTIN, PREDICTORS
from trainers.tar_file import Gunzip, read_tar

ARCHIVE = "model.tar.gz"
CARD = "classes.json"

NAMELESS = "its classes have no names: no classes.json is in it; type --classes FILE"

# The largest network here (resnet152_v2) is 240 MB; several checkpoints may lie side by side.
MAX_BYTES = 2 << 30
MAX_MEMBERS = 64
_MOST_CARD = 16 << 20  # bytes; 100,000 classes with their names have 5 MB

# The files of a folder that are a model's.
_ENDINGS = (".json", *(ending for row in PREDICTORS.values() for ending in row.endings))


@dataclass(frozen=True, slots=True)
class Model:
    """A trained network, with all that a prediction needs."""

    predictor: str
    """What predicts with it, a key of ``trainers.registry.PREDICTORS``; classes.json calls it the trainer."""

    network: str
    """The name of the network, as its maker calls it."""

    image_size: int
    """Side of the square picture that it takes, in pixels."""

    table: ClassTable
    """The classes of its probabilities."""

    multi_label: bool
    """Whether each class has a probability of its own; else those of all classes sum to 1."""

    attribute: str
    """The label attribute that it was trained on."""

    files: Mapping[str, bytes]
    """The files of the archive by name, without classes.json."""

    def card(self) -> dict[str, Any]:
        """Return what classes.json says."""
        return {
            **self.table.to_json(),
            "label-attribute": self.attribute,
            "multi-label": self.multi_label,
            "network": self.network,
            "trainer": self.predictor,
            "input": {
                "side": self.image_size,
                "channels": "RGB",
                "values": "0 to 255; the network subtracts its mean and divides by itself",
                "fit": "shorter edge resized to the side, then the centre is cut out",
            },
            "output": "one probability a class" + (", each by itself" if self.multi_label else ""),
        }


def write_model(model: Model, stream: BinaryIO) -> None:
    """Write the model as a tar file without times and owners: equal models are equal bytes."""
    files = {**model.files, CARD: json.dumps(model.card(), indent=2).encode() + b"\n"}
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))


def is_model(path: str) -> bool:
    """Say whether a path is that of a model, in a folder or in an archive, and not of weights alone."""
    return path.endswith((".tar.gz", ".tgz")) or Path(path).is_dir()


def read_model(path: str, classes: ClassTable | None = None) -> Model:
    """Return the model in a folder, or in a model.tar.gz, on this disk or in S3.

    A model of the built-in algorithm has no classes.json: its classes have numbers, and the names of
    ``classes`` where given. Raises BadModel for what is no model, MtoolError where nothing is there,
    ClassConflict for other names than the model's own.
    """
    model = _read(path)
    if classes is None:
        return model
    return replace(
        model, table=name_classes(class_table([*model.table.names, *classes.names]), model.table.num_classes)
    )


def name_classes(table: ClassTable, count: int) -> ClassTable:
    """Return the table of a model that has ``count`` classes; a class that it does not name gets its number.

    Raises BadData for a table with more classes.
    """
    if table.num_classes > count:
        raise BadData(
            f"the class table has {table.num_classes:,} classes, but the model has {count:,}; type"
            " --classes FILE with the model's own"
        )
    last = [] if table.num_classes == count else [(count - 1, default_name(count - 1))]
    return class_table([*table.names, *last])


def is_nameless(table: ClassTable) -> bool:
    """Say whether the classes of a table have numbers alone."""
    return all(name == default_name(index) for index, name in table.names)


def _read(path: str) -> Model:
    if path.startswith("s3://"):
        return _read_object(path if path.endswith(".tar.gz") else inside(path, ARCHIVE))
    place = Path(path)
    if place.is_dir() and (place / ARCHIVE).exists():
        place = place / ARCHIVE
    if place.is_dir():
        return _model(path, _read_folder(path, place))
    if not place.exists():
        raise MtoolError(
            f"{path}: expected a model, found nothing there; type `mtool train` first, or --model PATH"
        )
    with place.open("rb") as stream:
        return _model(str(place), read_archive(str(place), stream))


def inside(folder: str, name: str) -> str:
    """Return the path or URI of a file in the folder of a model.

    >>> inside("s3://lab3-models/one/", "model.tar.gz")
    's3://lab3-models/one/model.tar.gz'
    """
    return f"{folder.rstrip('/')}/{name}" if folder.startswith("s3://") else str(Path(folder) / name)


def _read_object(uri: str) -> Model:
    from manifest_tools.io import s3

    with s3.open_stream(uri) as stream:
        return _model(uri, read_archive(uri, stream))


def read_archive(
    source: str, stream: BinaryIO, *, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS
) -> dict[str, bytes]:
    """Return the files of a gzipped tar by name; raises BadModel for anything but plain files.

    No more than ``max_bytes`` are ever unpacked, whatever the archive promises.
    """
    unpacked = Gunzip(source, stream, max_bytes)
    files = dict(read_tar(source, unpacked, max_members))
    while unpacked.read(1 << 16):  # the checksum stands at the end
        pass
    return files


def _read_folder(source: str, folder: Path) -> dict[str, bytes]:
    files = [file for file in folder.iterdir() if file.name.endswith(_ENDINGS) and file.is_file()]
    if sum(file.stat().st_size for file in files) > MAX_BYTES:
        raise BadModel(source, "refused: its files have more bytes than a model has")
    return {file.name: file.read_bytes() for file in files}


def read_card(source: str, data: bytes) -> Any:
    """Return what a classes.json says; raises BadModel, naming ``source``, for one that is no JSON."""
    if len(data) > _MOST_CARD:
        raise BadModel(source, f"expected a {CARD} of at most {_MOST_CARD:,} bytes, found {len(data):,}")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadModel(source, f"{CARD} cannot be read ({error!r})") from error


def _model(source: str, files: dict[str, bytes]) -> Model:
    if CARD not in files and SYMBOL in files:
        return _builtin_model(source, files)
    if CARD not in files:
        raise BadModel(source, f"expected a model, found no {CARD} in it, which names its classes")
    card = read_card(source, files.pop(CARD))
    try:
        return Model(
            predictor=_text(card["trainer"]),
            network=_text(card["network"]),
            image_size=_side(card["input"]["side"]),
            table=ClassTable.from_json(card),
            multi_label=card["multi-label"] is True,
            attribute=_text(card["label-attribute"]),
            files=files,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadModel(source, f"{CARD} cannot be read ({error!r})") from error


def _builtin_model(source: str, files: dict[str, bytes]) -> Model:
    """Return a model as the built-in algorithm leaves it: graph and weights say what there is to know."""
    side = picture_side(source, files)
    network = read_network(source, files, side)
    return Model(
        predictor=BUILTIN,
        network=f"resnet{network.layers}",
        image_size=side,
        table=name_classes(ClassTable(), network.classes),
        multi_label=network.multi_label,
        attribute="label",
        files=files,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {value!r}")
    return value


def _side(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 4_096:
        raise ValueError(f"expected a side of 1 to 4,096 pixels, found {value!r}")
    return value
