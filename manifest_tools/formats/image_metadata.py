"""Hugging Face's ``metadata.jsonl``: a line for each picture of a folder, with what its path does not say."""

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from manifest_tools.base.errors import BadData
from manifest_tools.base.text import shown
from manifest_tools.groundtruth.annotations import Picture, Provenance
from manifest_tools.groundtruth.rows import reason

_LONGEST = 1 << 20  # bytes of a line


class Row(msgspec.Struct, omit_defaults=True, gc=False):
    """A line; of other programs it may have other types."""

    file_name: str
    label: Any = None
    """The name of the class."""

    confidence: Any = None
    job_name: Any = msgspec.field(default=None, name="job-name")
    human_annotated: Any = msgspec.field(default=None, name="human-annotated")
    creation_date: Any = msgspec.field(default=None, name="creation-date")

    @property
    def class_name(self) -> str:
        """The label as the name of a class; empty where it is none."""
        is_number = isinstance(self.label, int) and not isinstance(self.label, bool)
        return self.label if isinstance(self.label, str) else str(self.label) if is_number else ""

    @property
    def confidences(self) -> tuple[float, ...]:
        """The confidence of the one class, if there is one."""
        is_number = isinstance(self.confidence, int | float) and not isinstance(self.confidence, bool)
        return (self.confidence,) if is_number else ()

    @property
    def provenance(self) -> Provenance:
        """Where the label comes from."""
        return Provenance(_text(self.job_name), _text(self.human_annotated), _text(self.creation_date))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def row_line(path: str, name: str, picture: Picture) -> bytes:
    """Return the line of a picture, whose path is from the folder of the file."""
    found = picture.provenance
    confidence = next(iter(picture.confidences), None)
    row = Row(path, name, confidence, found.job_name, found.human_annotated, found.creation_date)
    return msgspec.json.encode(row) + b"\n"


_decoder = msgspec.json.Decoder(Row)


@dataclass(slots=True)
class Metadata:
    """The lines of a file by their pictures: only where each begins is kept, and they are read again."""

    path: str = ""
    """Of the file; empty for none."""

    starts: dict[str, "array[int]"] = field(default_factory=dict)
    """Folder -> where the line of each of its pictures begins, in their order; -1 for none."""

    names: dict[str, set[str]] = field(default_factory=dict)
    """Folder -> the classes that the lines of its pictures name."""

    named: dict[str, int] = field(default_factory=dict)
    """Folder -> how many of its pictures have a line that names a class."""

    unknown: int = 0
    """Lines of pictures that are not there."""

    def row(self, file: BinaryIO | None, folder: str, place: int) -> Row | None:
        """Return the line of a picture: of the one at ``place`` in its folder."""
        start = self.starts[folder][place] if file is not None else -1
        if file is None or start < 0:
            return None
        file.seek(start)
        return _decoder.decode(file.readline())


def read_metadata(path: str, pictures: Mapping[str, Sequence[str]]) -> Metadata:
    """Return what is known of a file, given the pictures of each folder in order: ``""`` has the loose ones.

    Raises BadData for a line that is no object with a ``file_name``.
    """
    found = Metadata(path, {folder: array("q", [-1]) * len(paths) for folder, paths in pictures.items()})
    for where, start, row in _rows(path):
        name = os.path.normpath(row.file_name.replace("\\", "/"))
        folder, slash, _ = name.partition("/")
        folder = folder if slash else ""
        paths = pictures.get(folder, ())
        place = bisect_left(paths, name)
        if place == len(paths) or paths[place] != name:
            found.unknown += 1
            continue
        if found.starts[folder][place] >= 0:
            raise BadData(f"{where}: {shown(row.file_name)} is there twice")
        found.starts[folder][place] = start
        if row.class_name:
            found.named[folder] = found.named.get(folder, 0) + 1
            found.names.setdefault(folder, set()).add(row.class_name)
    return found


def _rows(path: str) -> Iterator[tuple[str, int, Row]]:
    """Yield every line that is not blank, what messages call it, and where it begins."""
    start = number = 0
    with open(path, "rb") as file:
        while line := file.readline(_LONGEST):
            number += 1
            if line.strip():
                where = f"{path}:{number}"
                yield where, start, _decoded(where, line)
            start += len(line)


def _decoded(where: str, line: bytes) -> Row:
    if len(line) == _LONGEST:
        raise BadData(f"{where}: expected lines of less than {_LONGEST:,} bytes")
    try:
        row = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadData(f"{where}: expected a line of metadata.jsonl; {reason(line, error)}") from error
    if "\0" in row.file_name:
        raise BadData(f"{where}: expected a file_name, found {shown(row.file_name)}")
    return row
