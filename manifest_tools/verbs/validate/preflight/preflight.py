"""Would a service take these manifests, with these settings: what the job should have, and the proof of it.

``validate(..., preflight=...)`` runs the rules; here are the settings that follow from the data, what a file
of hyperparameters or a request says, and the record stream with the pictures in it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.base.parallel import run
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import path, shown
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.groundtruth.pipe_mode.lines import Checked, NumberedLine, in_order
from manifest_tools.groundtruth.pipe_mode.payloads import REF, Read, payloads, read_object, texts
from manifest_tools.groundtruth.pipe_mode.samples import LabelFormat, NotASample, read_pipe
from manifest_tools.images.paths import paths_of
from manifest_tools.io.recordio import frame
from manifest_tools.io.sources import Source, decompressed
from manifest_tools.verbs.validate.preflight.inputs import PURPOSES, Preflight, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import (
    Settings,
    hyperparameters,
    list_format,
    num_classes,
    settings,
)

__all__ = [
    "PROVEN",
    "PURPOSES",
    "Preflight",
    "Settings",
    "hyperparameters",
    "prove_stream",
    "read_hyperparameters",
    "read_request",
    "settings",
    "smallest",
]

PROVEN = "MT530"
"""The code of what only the stream with the pictures in it shows."""

_READERS = 16  # threads that read pictures
_LARGEST_FILE = 4 << 20  # bytes of hyperparameters or of a request


def read_hyperparameters(file: str | None = None, pairs: Iterable[str] = ()) -> dict[str, str]:
    """Return the hyperparameters of a JSON file and of ``NAME=VALUE`` pairs, which count for more.

    The file holds an object of values, or a whole request that has them inside. Numbers and booleans become
    the strings that a request takes. Raises Refused for a file that is not there or holds something else.
    """
    value = {} if file is None else _object(file)
    if is_request(value):
        table: dict[str, Any] = hyperparameters(Preflight("", {}, value))
    else:
        table = value
    found = {name: _text(name, inner, file) for name, inner in table.items()}
    return found | dict(_pair(pair) for pair in pairs)


def read_request(file: str) -> dict[str, Any] | None:
    """Return the request that a JSON file holds, or None where it holds hyperparameters alone."""
    value = _object(file)
    return value if is_request(value) else None


def is_request(value: Any) -> bool:
    """Say whether an object is a request of SageMaker's, and not a table of hyperparameters.

    >>> is_request({"TrainingJobName": "birds"}), is_request({"num_classes": "2"})
    (True, False)
    """
    return isinstance(value, dict) and any(key[:1].isupper() for key in value)


def _object(file: str) -> dict[str, Any]:
    try:
        with Path(file).open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
        value = json.loads(data) if len(data) <= _LARGEST_FILE else None
    except OSError as error:
        raise Refused(f"{file}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{file}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refused(f'{file}: expected an object such as {{"num_classes": "2"}}, or a request')
    return value


def _text(name: str, value: Any, file: str | None) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(f"{file}: {name}: expected a text or a number, found {shown(value)}")
    return str(value)


def _pair(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not name or not equals:
        raise Refused(f"-p {pair}: expected NAME=VALUE, such as num_classes=2")
    return name, value


def smallest(preflight: Preflight) -> tuple[int, int] | None:
    """Return the width and height below which a picture is too small for the job, for ``check_objects``.

    None where pictures are resized first.
    """
    values = hyperparameters(preflight)
    sides = values.get("image_shape", "3,224,224").replace(" ", "").split(",")
    if preflight.purpose != "builtin" or "resize" in values or len(sides) != 3:
        return None
    if not all(side.isascii() and side.isdecimal() and len(side) < 6 for side in sides):
        return None
    return int(sides[2]), int(sides[1])


def _not_here(uri: str) -> bytes:
    raise ValueError(f"{shown(uri)} is not on this disk; type --images s3://bucket/prefix=FOLDER")


def prove_stream(
    manifest: str, job: PreflightInput, *, images: Sequence[str] = (), fetch: Read = _not_here
) -> Iterator[Problem]:
    """Yield, with the code PROVEN, what is wrong with the stream that Pipe mode would send of a manifest.

    Each line's records are made of its picture, and of its mask, framed and read back as the algorithm
    does. ``images`` says where they lie, see ``image_paths``; ``fetch``, such as ``s3.read``, gets others.
    Lines without a label are left out: the rules have found them. Raises Refused where the job has no label
    attribute.
    """
    if job.attribute is None:
        raise Refused(f"{manifest}: it is not clear which label to learn; type --label-attribute NAME")
    source = decompressed(open_manifest(manifest))
    where = paths_of(source, images, _refs(source, job.names))
    read = partial(read_object, where, fetch, [])  # mtool pipe says how many are stored turned
    check = partial(_check_sample, job.names, read, *_format(job))
    with ThreadPoolExecutor(_READERS) as executor:  # reading is waiting, above all for S3
        for number, why in run(check, in_order(source), executor, ahead=2 * _READERS):
            if why:
                yield Problem(PROVEN, "error", source.name, number, path(job.names[0]), why)


def _refs(source: Source, names: tuple[str, ...]) -> list[str]:
    """Return the lowest and the highest object of the manifest, all that ``image_paths`` looks at."""
    ends = Checked(0)
    for _, line in in_order(source):
        for ref in _objects(line, names):
            ends.add(ref)
    return ends.refs


def _objects(line: bytes, names: tuple[str, ...]) -> list[str]:
    """Return the URIs that the records of a line are made of; none where it has not all attributes."""
    try:
        values = texts(line, names)
    except ValueError:
        return []
    return [text for name, text in zip(names, values, strict=True) if name.endswith(REF)]


def _format(job: PreflightInput) -> tuple[LabelFormat, int | None]:
    """Return how the labels of the job are read, and the number of classes."""
    given = hyperparameters(job.preflight).get("num_classes", "")
    count = int(given) if given.isascii() and given.isdecimal() and len(given) < 9 else num_classes(job)
    if job.preflight.purpose == "object-detection":
        return "boxes", count
    if job.preflight.purpose == "semantic-segmentation":
        return "mask", None
    return list_format(job) or "class-index", count


def _check_sample(
    names: tuple[str, ...], read: Read, label_format: LabelFormat, count: int | None, numbered: NumberedLine
) -> tuple[int, str]:
    """Return the number of a line, and why its stream is no sample, or nothing."""
    number, line = numbered
    try:
        if not _objects(line, names):
            return number, ""
        stream = BytesIO(b"".join(map(frame, payloads(line, names, read))))
        (sample,) = read_pipe(stream, names, label_format, count)
    except NotASample as error:
        return number, error.reason
    except (ValueError, BadData) as error:
        return number, str(error)
    return number, "" if sample.picture else "expected a picture, found nothing"
