"""Lists the records of a ``.rec``: numbers, labels, and what the headers of the pictures say."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.images.headers import ImageHeader, read_header
from manifest_tools.images.partial_reads import reader_of
from manifest_tools.images.signatures import describe
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.record_spans import payload_of
from manifest_tools.io.recordio import unpack
from manifest_tools.verbs.rec.records import list_beside, open_records, whole


@dataclass(frozen=True, slots=True)
class Listed:
    """One record, as its headers show it."""

    number: int
    """Counts from 1."""

    offset: int
    """Its first byte in the file."""

    size: int
    """Bytes of the picture, or of all where no header can be read."""

    id: int | None = None
    """The number that it gives itself; None where its header cannot be read."""

    labels: tuple[float, ...] = ()
    format: str = ""
    """Pillow's name of the picture's format; empty where it is no picture."""

    width: int = 0
    """Pixels as stored; 0 where the header does not tell."""

    height: int = 0
    name: str = ""
    """The path that the ``.lst`` beside it has for its number."""

    found: str = ""
    """What it holds in place of a picture that can be read; empty otherwise."""


def rec_list(file: AnyPath, *, limit: int | None = None) -> Iterator[Listed]:
    """Yield what the headers of each record say, of the first ``limit`` records or of all.

    No picture is decoded. Names come from the ``.lst`` of its name, where one is on this disk. Raises Refused
    for what is no file, BadData where the framing is damaged.
    """
    name = as_text(file)
    rows = list_beside(name)
    with open_records(name) as opened:
        for number, span in enumerate(islice(whole(opened), limit), 1):
            listed = _listed(number, span.offset, payload_of(opened.stream, span))
            row = rows.row(listed.id) if rows is not None else None
            yield listed if row is None else replace(listed, name=row.path)


def _listed(number: int, offset: int, payload: bytes) -> Listed:
    try:
        record = unpack(payload)
    except ValueError as error:
        return Listed(number, offset, len(payload), found=str(error))
    header, found = _header(record.picture)
    size = len(record.picture)
    return Listed(
        number,
        offset,
        size,
        record.id,
        record.labels,
        header.format,
        header.width,
        header.height,
        found=found,
    )


def _header(picture: bytes) -> tuple[ImageHeader, str]:
    """Return what the header of a picture says, and what is wrong with it."""
    if not picture:
        return ImageHeader(""), "no picture"
    try:
        return read_header(reader_of(picture)), ""
    except Unusable as error:
        return ImageHeader(""), error.message or describe(picture, len(picture))
