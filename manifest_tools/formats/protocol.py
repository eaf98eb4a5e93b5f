"""What formats share: where they write, what they are given to write with, what they may be told to read."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias, TypeVar

from manifest_tools.base.local_files import copy_bytes, copy_stream

if TYPE_CHECKING:
    from manifest_tools.base.parallel import Jobs
    from manifest_tools.groundtruth.annotations import Batch, DataSet, Picture
    from manifest_tools.groundtruth.classes import ClassTable
    from manifest_tools.images.shrink import Recipe
    from manifest_tools.images.unusable import Unusable
    from manifest_tools.io.sinks import Publication

R = TypeVar("R")


@dataclass(slots=True)
class Files:
    """Where a format of some files for each part writes them."""

    publication: "Publication"
    output: str
    """The name without an ending: of the files, or of the folder of the parts, which is there."""

    ending: str
    """What the main file of a part ends in."""

    def open(self, part: str, ending: str = "") -> BinaryIO:
        """Return a stream to write a file of a part with; without ``ending`` it is the main file."""
        return self.publication.open(self._path(part) + (ending or self.ending))

    def begin_with(self, shard: "Shard", part: str, ending: str) -> BinaryIO:
        """Return a stream that writes a file behind the bytes of a shard, which are there without a copy."""
        path = self._path(part) + ending
        stream = self.publication.begin_with(path, shard.path) if shard.is_whole_file else None
        if stream is None:
            stream = self.publication.open(path)
            shard.copy_to(stream)
        else:
            shard.places.append(Place(stream.name, 0))
        return stream

    def name(self, part: str, ending: str) -> str:
        """Return the path of a file from the folder in which ``output`` stands."""
        return self._path(part).removeprefix(self.output.rpartition("/")[0] + "/") + ending

    def _path(self, part: str) -> str:
        return f"{self.output}/{part}" if part else self.output


@dataclass(frozen=True, slots=True)
class Packed:
    """A picture that stands in a shard."""

    number: int
    """The picture's own."""

    key: str
    """What the format calls it, as ``Picture.key`` has it when it is read."""

    offset: int
    """Of its first byte, from the beginning of the shard."""

    length: int
    line: str = ""
    """What a file beside the shard says of it."""


@dataclass(frozen=True, slots=True)
class NotPacked:
    """A picture that the format itself could not take."""

    number: int
    why: "Unusable"


Pack: TypeAlias = "Callable[[Iterator[tuple[Picture, bytes]], BinaryIO], Iterator[Packed | NotPacked]]"
"""Writes pictures, with their bytes, into a shard; picklable, for it runs on other processes and machines."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes are that were written."""

    path: str
    offset: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Pictures that follow one another, packed; their bytes lie in a file until they are wanted."""

    number: int
    """From 0; a part that is not cut into shards still comes in several, to be put one behind the other."""

    packed: Sequence[Packed]
    path: str
    offset: int = 0
    """Where in the file they begin."""

    length: int | None = None
    """Bytes; None for all to the end of the file."""

    is_whole_file: bool = False
    """Whether the file has these bytes alone, and may go."""

    places: list[Place] = field(default_factory=list)
    """Where on this disk they were written to."""

    def copy_to(self, stream: BinaryIO) -> int:
        """Write the bytes to a stream, and return how many they are."""
        if self.path.startswith("s3://"):
            return self._copy_object(stream)
        place = _place_in(stream)
        with open(self.path, "rb") as file:
            length = os.fstat(file.fileno()).st_size - self.offset if self.length is None else self.length
            file.seek(self.offset)
            copy_bytes(file, stream, length)
        if place:
            stream.flush()
            self.places.append(place)
        return length

    def _copy_object(self, stream: BinaryIO) -> int:
        from manifest_tools.io import s3

        if isinstance(stream, s3.ObjectStream):
            return stream.copy_from(self.path)
        with s3.open_stream(self.path) as found:
            return copy_stream(found, stream)


def _place_in(stream: BinaryIO) -> Place | None:
    """Return where in a file of this disk a stream writes next; None for any other stream."""
    if not isinstance(stream, io.BufferedWriter) or not os.path.isfile(stream.name):
        return None
    return Place(str(stream.name), stream.tell())


@dataclass(frozen=True, slots=True)
class Copied:
    """A picture that was copied into the output folder."""

    path: str
    """From the output folder, with slashes."""

    size: tuple[int, int]
    """Width and height in pixels, of the picture as it is to be looked at: turned by its EXIF flag."""

    length: int
    """Bytes."""


PathOf: TypeAlias = "Callable[[Picture], str]"
"""Where a picture is to be copied to, below the output folder, its ending included (``safe_names.file_name``
makes such names), or nothing for one that is left out, of which somebody else says why; called once a
picture, in order, before the picture is opened."""


class OverMasks(Protocol):
    """Yields what ``task`` makes of each picture of a part and its mask's PNG, in order.

    A mask that cannot be used, or of which ``task`` raises Unusable, is reported and left out. ``task`` is
    picklable.
    """

    def __call__(  # noqa: D102
        self, part: str, task: "Callable[[Picture, bytes], R]"
    ) -> "Iterator[tuple[Picture, R]]": ...


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a writer is given beside the data set."""

    packed: "Callable[[str, Pack], Iterator[Shard]]"
    """Part -> its pictures in shards; pictures that cannot be used are reported."""

    copied: "Callable[[str, PathOf], Iterator[tuple[Picture, Copied]]]"
    """Part -> its pictures, each copied, or linked, into the output folder; others are reported."""

    masks: OverMasks

    unusable: "Callable[[str, int, Unusable], None]"
    """Reports why the picture of a part, given by its number, is left out."""

    placed: "Callable[[str, int, str], None]"
    """Part, number and key of a picture -> nothing; told in order of each that is in the output.

    ``packed`` and ``copied`` tell it themselves, of a copied picture with the path as its key.
    """

    recipe: "Recipe"
    """What becomes of the bytes of a picture."""

    jobs: "Jobs" = None
    shard: int | None = None
    """How many pictures a file has at most: each shard of ``packed`` is one then. None: one file a part."""

    beside: bool = False
    """Whether a format that packs pictures is only to name them: then ``packed`` is not asked."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader may be given beside the place."""

    source_prefix: str = ""
    """The prefix in S3 where the pictures lie, such as ``s3://bucket/prefix``."""

    label_attribute: str | None = None
    """The label attribute to be; None takes the one that the place names, or ``label``."""

    classes: "ClassTable | None" = None
    """The indices that classes are to have, by their names."""


def shard_count(part: str, data: "DataSet", options: WriteOptions) -> int:
    """Return how many shards a part will have, for names that say it: its pictures are counted before."""
    if options.shard is None:
        return 1
    return -(-sum(data.parts[part].map(_pictures_in, options.jobs)) // options.shard)


def _pictures_in(batch: "Batch") -> int:
    return len(batch.pictures)
