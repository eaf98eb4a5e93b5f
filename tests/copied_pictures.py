"""What a writer that copies pictures is given in a test of its own, without a conversion around it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from manifest_tools.formats.protocol import Copied, PathOf, WriteOptions
from manifest_tools.formats.safe_names import ANY_ENDING
from manifest_tools.groundtruth.annotations import DataSet, Picture
from manifest_tools.io.folder_sink import FolderSink
from tests.pictures import jpeg
from tests.write_options import for_names_only


def for_copies(data: DataSet, sink: FolderSink) -> WriteOptions:
    """Return the options of a format that copies pictures: what is copied is a JPEG of the picture's size."""

    def copied(part: str, path_of: PathOf) -> Iterator[tuple[Picture, Copied]]:
        for picture in data.parts[part]:
            path, size = path_of(picture), picture_size(picture)
            if path.endswith(ANY_ENDING):
                path = path.removesuffix(ANY_ENDING) + ".jpg"
            content = _blank(*size)
            sink.write(path, content)
            yield picture, Copied(path, size, len(content))

    return replace(for_names_only(), copied=copied)


def picture_size(picture: Picture) -> tuple[int, int]:
    """Return the size of the copy of a picture: its own, or a usual one."""
    width, height = picture.size or (60, 40)
    return int(width), int(height)


@lru_cache
def _blank(width: int, height: int) -> bytes:
    return jpeg(7, (width, height))
