"""What is wrong with the header or the picture of single records, found by worker processes."""

import io
from dataclasses import dataclass

from manifest_tools.images.integrity import check_picture
from manifest_tools.images.signatures import describe, picture_format
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.recordio import ImageRecord, read_records, unpack
from manifest_tools.verbs.rec.records import Run

NO_PICTURE, DESCRIPTION = "MT804", "MT807"

# The built-in algorithm, and MXNet as SageMaker builds it, read these.
_READ = ("JPEG", "PNG")


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a worker found in a run of records."""

    problems: list[tuple[int, str, str]]
    """Number, code and message."""

    labels: list[tuple[int, int, tuple[float, ...]]]
    """Number, id and labels of records with a picture; empty where nothing compares them."""

    size: int
    """Bytes."""


def inspect(decode: bool, compared: bool, run_of: Run) -> Inspected:
    """Return what is wrong with a run of records; the task of a worker."""
    data = run_of.block.read()
    problems: list[tuple[int, str, str]] = []
    labels: list[tuple[int, int, tuple[float, ...]]] = []
    for number, payload in enumerate(read_records(io.BytesIO(data), run_of.block.uri), run_of.first):
        try:
            record = unpack(payload)
        except ValueError as error:
            problems.append((number, NO_PICTURE, str(error)))
            continue
        code, message = _trouble(number, record, decode)
        if code:
            problems.append((number, code, message))
        if compared and code != DESCRIPTION:
            labels.append((number, record.id, record.labels))
    return Inspected(problems, labels, len(data))


def _trouble(number: int, record: ImageRecord, decode: bool) -> tuple[str, str]:
    """Return code and message where a record holds no picture that its readers take, empty ones otherwise."""
    picture = record.picture
    if describes_others(number, record):
        return DESCRIPTION, "the first record has no picture: it describes the others"
    if picture_format(picture) not in _READ:
        what = describe(picture, len(picture)) if picture else "nothing"
        return NO_PICTURE, f"expected a JPEG or PNG after the labels, found {what}"
    try:
        if decode:
            check_picture(picture)
    except Unusable as error:
        return error.code, error.message
    return "", ""


def describes_others(number: int, record: ImageRecord) -> bool:
    """Say whether the first record describes the others: its labels are ranges, without a picture."""
    return number == 1 and record.id == 0 and not record.picture and len(record.labels) > 1
