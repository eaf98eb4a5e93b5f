"""Writes the pictures of a ``.rec`` into a folder, with a list of their labels."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from manifest_tools.base.arguments import AnyPath, as_text
from manifest_tools.base.errors import BadData
from manifest_tools.base.parallel import Progress, no_progress
from manifest_tools.base.version import __version__
from manifest_tools.formats.safe_names import UniqueNames, leaves_folder, safe_name
from manifest_tools.images.signatures import suffix_of
from manifest_tools.io.folder_sink import FolderSink, folder_sink
from manifest_tools.io.record_list import LIST, RecordList, stem
from manifest_tools.io.record_spans import payload_of
from manifest_tools.io.recordio import ImageRecord, lst_line, unpack
from manifest_tools.io.seekable import Opened
from manifest_tools.io.sinks import Published, publishing
from manifest_tools.verbs.rec.picture_trouble import describes_others
from manifest_tools.verbs.rec.records import list_beside, open_records, whole

_DEEPEST = 8  # folders in each other that a list may ask for
_LONGEST_ENDING = 8


@dataclass(frozen=True, slots=True)
class Extracted:
    """Pictures that were written."""

    file: str
    folder: str
    list: str
    """The ``.lst`` in the folder, by which im2rec packs the same records again."""

    pictures: int
    renamed: int
    """Pictures whose name in the list beside the file could not be that of a file, or was taken."""

    left_out: int
    """Records without a picture that mtool knows."""

    outputs: tuple[Published, ...] = ()


def rec_extract(
    file: AnyPath, output: AnyPath | None = None, *, force: bool = False, transfer: Progress = no_progress
) -> Extracted:
    """Write the pictures of a ``.rec`` into the folder ``output``, as they are, and a list of their labels.

    A picture has the path that the ``.lst`` of the file's name has for its number, or its number and the
    usual ending. None for ``output`` is the file's name without ending. Nothing leaves the folder, whatever
    the list says; the folder appears whole. Raises BadData for a damaged file, or one without a picture.
    """
    name = as_text(file)
    folder = stem(name) if output is None else as_text(output).rstrip("/") or "/"
    report = f"{folder}.json"
    with (
        publishing(force=force) as publication,
        open_records(name) as opened,
        folder_sink(folder, publication, report=report, is_ours=_is_ours(report)) as sink,
    ):
        listed = safe_name(stem(name).rpartition("/")[2]) + LIST
        found = _Extraction(sink, list_beside(name), listed)
        for _ in transfer(found.sizes(opened), opened.size, "extracting"):
            pass
        if not found.pictures:
            raise BadData(f"{name}: no record has a picture, so nothing was written")
        told = {"made_by": f"mtool rec extract {__version__}", "records": name, "pictures": found.pictures}
        publication.open(report).write(json.dumps(told, indent=2).encode() + b"\n")
    counts = (found.pictures, found.renamed, found.left_out)
    return Extracted(name, folder, f"{folder}/{listed}", *counts, tuple(publication.published))


def _is_ours(report: str) -> bool:
    """Say whether a report is of pictures that were extracted."""
    try:
        with open(report, "rb") as file:
            return bool(json.loads(file.read(1 << 16))["made_by"].startswith("mtool rec extract"))
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return False


class _Extraction:
    """Pictures on their way into a folder."""

    def __init__(self, sink: FolderSink, rows: RecordList | None, list_name: str) -> None:
        self._sink, self._rows = sink, rows
        self._names = UniqueNames()
        self._names.unique(list_name, "", 0)
        self._list = (sink.root / list_name).open("wb")
        self.pictures = self.renamed = self.left_out = 0

    def sizes(self, opened: Opened) -> Iterator[int]:
        """Write picture after picture, and yield how many bytes each record has."""
        with self._list:
            for number, span in enumerate(whole(opened), 1):
                self._add(number, payload_of(opened.stream, span))
                yield span.end - span.offset

    def _add(self, number: int, payload: bytes) -> None:
        try:
            record = unpack(payload)
        except ValueError:
            self.left_out += 1
            return
        if not suffix_of(record.picture):
            self.left_out += not describes_others(number, record)
            return
        row = self._rows.row(record.id) if self._rows is not None else None
        name = self._write(record, number, row.path if row is not None else "")
        self._list.write(lst_line(record.id, record.labels, name).encode())
        self.renamed += row is not None and name != row.path
        self.pictures += 1

    def _write(self, record: ImageRecord, number: int, path: str) -> str:
        """Write a picture, and return the name that it got."""
        usual = f"{record.id}{suffix_of(record.picture)}"
        for wanted in filter(None, (_inside(path), usual)):
            stem_of, ending = os.path.splitext(wanted)
            name = self._names.unique(stem_of, ending, number)
            try:
                self._sink.write(name, record.picture)
            except (
                OSError
            ):  # a folder has this name, a file that of its folder, or the system finds it too long
                if wanted == usual:
                    raise
            else:
                return name
        raise AssertionError("the usual name is written, or raises")


def _inside(path: str) -> str:
    """Return a path of a list as one inside a folder, on every system; empty for none."""
    if not path:
        return ""
    parts = [path] if leaves_folder(path) else [part for part in path.split("/") if part not in ("", ".")]
    *folders, name = map(_safe, parts or [path])
    return "/".join((*folders[:_DEEPEST], name))


def _safe(part: str) -> str:
    name, ending = os.path.splitext(part)
    if safe_name(part) == part or not ending[1:].isalnum() or len(ending) > _LONGEST_ENDING:
        return safe_name(part)
    return safe_name(name) + ending
