"""The lines of a manifest with what a model predicts for their pictures, as one more label.

A line stays as it is, byte for byte; a label attribute and its metadata are added at its end, in the form
of Ground Truth's automated labels. So every word that reads manifests reads the predictions too.
"""

import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from manifest_tools.base.errors import InvalidLine, Refused
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.json_spans import find
from trainers.prediction import Prediction

ATTRIBUTE = "predicted"
SINGLE, MULTI = "groundtruth/image-classification", "groundtruth/image-classification-multilabel"

ManifestLine = tuple[str, bytes]
"""The picture of a line, and the line."""


class _Ref(msgspec.Struct, rename={"source_ref": "source-ref"}):
    source_ref: str | None = None


_DECODER = msgspec.json.Decoder(_Ref)


def numbered_lines(manifest: str) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a manifest with their ends, numbered from 1; one block of lines is in memory."""
    number = 0
    for block in open_manifest(manifest).blocks():
        for line in io.BytesIO(block.read()):
            number += 1
            yield number, line


def source_ref(manifest: str, number: int, line: bytes) -> str:
    """Return the picture of a line, empty for a line without one; raises InvalidLine."""
    if not line.strip():
        return ""
    try:
        return _DECODER.decode(line).source_ref or ""
    except msgspec.MsgspecError as error:
        raise InvalidLine(manifest, number, f"expected a JSON object with source-ref ({error})") from error


def of_manifest(manifest: str, attribute: str) -> Iterator[ManifestLine]:
    """Yield every line with its picture, empty for a line without one; raises Refused or InvalidLine."""
    for number, line in numbered_lines(manifest):
        ref = source_ref(manifest, number, line)
        if ref and (find(line, attribute) or find(line, f"{attribute}-metadata")):
            raise Refused(f"{manifest}:{number}: has {attribute} already; type --attribute with another name")
        yield ref, line


def lines_of_pictures(names: Iterable[str]) -> Iterator[ManifestLine]:
    """Yield a new line for each picture.

    >>> list(lines_of_pictures(["s3://b/k"]))
    [('s3://b/k', b'{"source-ref": "s3://b/k"}\\n')]
    """
    for name in names:
        yield name, json.dumps({"source-ref": name}).encode() + b"\n"


def predicted_label(
    answer: Prediction, table: ClassTable, multi_label: bool, job: str, moment: datetime
) -> tuple[Any, dict[str, Any]]:
    """Return the label and the metadata of a prediction, in Ground Truth's form; ``moment`` is in UTC."""
    common = {
        "job-name": job,
        "human-annotated": "no",
        "creation-date": moment.strftime("%Y-%m-%dT%H:%M:%S.%f"),
    }
    probabilities = answer.probabilities
    if multi_label:
        names = {str(index): table.name(index) for index in answer.classes}
        confidences = {str(index): probabilities[index] for index in answer.classes}
        return list(answer.classes), {
            "class-map": names,
            "confidence-map": confidences,
            "type": MULTI,
            **common,
        }
    index = answer.classes[0]
    name = {"class-name": table.name(index), "confidence": probabilities[index]}
    return index, {**name, "type": SINGLE, **common}


def with_label(line: bytes, attribute: str, label: tuple[Any, dict[str, Any]]) -> bytes:
    """Return the line with a label attribute at its end; every byte that it had stays.

    >>> with_label(b'{"source-ref": "s3://b/k"}\\n', "kind", (1, {}))
    b'{"source-ref": "s3://b/k", "kind": 1, "kind-metadata": {}}\\n'
    """
    value, metadata = label
    added = {attribute: value, f"{attribute}-metadata": metadata}
    try:
        text = json.dumps(added, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, in somebody's class name
        text = json.dumps(added).encode()
    end = line.rindex(b"}")
    return line[:end] + b", " + text[1:-1] + line[end:]


def check_attribute(name: str) -> None:
    """Raise Refused for a name that no label attribute can have."""
    plain = name.replace("-", "").isalnum() and name.isascii() and len(name) <= 127
    if not plain or name.endswith(("-metadata", "-ref")) or name == "source":
        form = "letters, digits and hyphens, not ending in -ref or -metadata"
        raise Refused(f"--attribute: expected {form}; found {name!r:.80}")
