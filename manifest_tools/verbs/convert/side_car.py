"""The side-car: the manifests beside an output of theirs, and where in the output each of their lines is.

A format holds pictures and labels, and rarely more. So the manifest of every part stands beside the output as
it was, byte for byte, and a JSON Lines file says what the format calls the picture of each line. On the way
back a line whose label is still what was written is taken from there; one that got another label in the
meantime keeps everything but the label; pictures that have gone leave no line, and new ones get one.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from manifest_tools.base.bounded_lines import LONGEST_LINE, bounded_lines
from manifest_tools.base.errors import BadData
from manifest_tools.formats.table import FORMATS, Format, base_name, name_of_shards
from manifest_tools.groundtruth.attributes import LabelAttribute
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.sinks import Publication
from manifest_tools.io.sources import Source

_KEYS = ".side-car.jsonl"
_MANIFEST = ".side-car{}.manifest"
_VERSION = 1
_ONLY_SHARD = "-00000-of-00001"  # is the whole part; of several shards one alone is not


class Head(msgspec.Struct, kw_only=True):
    """The first line of a side-car."""

    side_car: int
    format: str
    label_attribute: str
    metadata_key: str
    type: str
    parts: list[str]
    classes: Any
    clip: bool = False
    """Whether boxes were cut off at the edges of their pictures."""


@dataclass(frozen=True, slots=True)
class SideCar:
    """A side-car that was found."""

    base: str
    """Its path without an ending."""

    head: Head

    @property
    def path(self) -> str:
        """The file with the keys."""
        return self.base + _KEYS

    @property
    def table(self) -> ClassTable:
        """The class table of all parts."""
        return ClassTable.from_json(self.head.classes)

    @property
    def attribute(self) -> LabelAttribute:
        """The label attribute that was converted."""
        head = self.head
        return LabelAttribute(head.label_attribute, head.metadata_key, head.type, requested=True)

    def manifest(self, part: str) -> str:
        """Return the manifest of a part as it was."""
        return self.base + _manifest_ending(part)

    def keys(self, part: str) -> Iterator[tuple[int, str]]:
        """Yield the line number and key of every picture of a part that is in the output."""
        with open(self.path, "rb") as file:
            file.readline(LONGEST_LINE)
            for number, line in enumerate(bounded_lines(file, self.path), 2):
                try:
                    found, at, key = _entry.decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise BadData(f"{self.path}:{number}: expected [part, line, key]; {error}") from error
                if found == part:
                    yield at, key


_entry = msgspec.json.Decoder(tuple[str, int, str])


def _manifest_ending(part: str) -> str:
    return _MANIFEST.format(f".{part}" if part else "")


def find_side_car(row: Format, place: str) -> tuple[SideCar, str] | None:
    """Return the side-car of a data set on this disk, and which of its parts stands there, ``""`` for all."""
    if place == "-" or place.startswith("s3://"):
        return None
    if row.output == "folder" and os.path.isfile(place):  # such as the data.yaml of YOLO
        place = os.path.dirname(place) or os.getcwd()
    base = base_name(row, place.rstrip("/"))[0]
    if row.shards and not os.path.exists(place):
        base = name_of_shards(base)
    above, name = os.path.split(base.removesuffix(_ONLY_SHARD))
    # Parquet's parts lie in a folder of the folder.
    for candidate, part in ((base, ""), (above, name), (os.path.dirname(above), name)):
        head = _head(candidate + _KEYS) if candidate else None
        if head is not None and FORMATS.get(head.format) is row and (not part or part in head.parts):
            return SideCar(candidate, head), part
    return None


def _head(path: str) -> Head | None:
    try:
        with open(path, "rb") as file:
            first = file.readline(LONGEST_LINE)
    except OSError:
        return None
    try:
        head = msgspec.json.decode(first, type=Head)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadData(f"{path}: expected a side-car; {error}; remove it to go on without") from error
    if head.side_car != _VERSION:
        raise BadData(f"{path}: a side-car of version {head.side_car}, which this mtool does not read")
    return head


@dataclass(slots=True)
class SideCarWriter:
    """A side-car being written, part after part, in order of the lines."""

    stream: BinaryIO

    @classmethod
    def open(
        cls, publication: Publication, output: str, head: Head, sources: Sequence[tuple[str, Source]]
    ) -> "SideCarWriter":
        """Write the head, and the manifest of each part as it is."""
        stream = publication.open(output + _KEYS)
        stream.write(msgspec.json.encode(head) + b"\n")
        for part, source in sources:
            with_bytes = publication.open(output + _manifest_ending(part))
            for block in source.blocks():
                with_bytes.write(block.read())
        return cls(stream)

    def placed(self, part: str, number: int, key: str) -> None:
        """Note what the format calls the picture of a line."""
        self.stream.write(msgspec.json.encode((part, number, key)) + b"\n")
