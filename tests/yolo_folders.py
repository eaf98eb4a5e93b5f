"""Folders of YOLO, written by us."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.yolo import write
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.folder_sink import FolderSink
from tests.copied_pictures import for_copies
from tests.pictures import jpeg

NO_OPTIONS = ReadOptions()
TABLE = ClassTable(((0, "RH"), (1, "LH")))


def written(data: DataSet, folder: str | Path) -> dict[str, Any]:
    sink = FolderSink(Path(folder))
    return write(data, sink, for_copies(data, sink))


def boxes(*found: Picture, table: ClassTable = TABLE, **parts: Sequence[Picture]) -> DataSet:
    given = {part: StreamedPictures(list(pictures).copy) for part, pictures in parts.items()}
    return DataSet(table, "boxes", given or {"": StreamedPictures(list(found).copy)})


def keys(data: DataSet, part: str) -> list[str]:
    """Return where the pictures of a part were written, in their order."""
    with TemporaryDirectory() as folder:
        sink = FolderSink(Path(folder))
        options = for_copies(data, sink)
        found: list[str] = []

        def copied(part: str, path_of: Any) -> Any:
            for picture, made in options.copied(part, path_of):
                found.append(f"{part}\n{made.path}")
                yield picture, made

        write(data, sink, dataclasses.replace(options, copied=copied))
        return [path.partition("\n")[2] for path in found if path.startswith(f"{part}\n")]


PICTURE = jpeg(1)  # 60 x 40
