"""The pieces of a part that are finished: written down as they come, and found again after a kill."""

import contextlib
import os
from dataclasses import dataclass
from typing import Generic, TypeVar

from manifest_tools.formats.protocol import Place, Shard
from manifest_tools.io import s3
from manifest_tools.io.folder_sink import Folder, FolderSink
from manifest_tools.verbs.convert.pieces import Made, piece_path
from manifest_tools.verbs.convert.workspace import Workspace

R = TypeVar("R")


class Finished(Generic[R]):
    """Pieces that are made anew every time, and of which nothing is remembered."""

    def made(self, number: int) -> R | None:
        """Return what became of a piece, or None where it is not finished."""
        return None

    def finish(self, number: int, made: R) -> None:
        """Remember what became of a piece."""


@dataclass(frozen=True, slots=True)
class PackedPieces(Finished[Made]):
    """Pieces that were packed: each into a file of its own, from where its bytes go on."""

    space: Workspace
    part: int
    """The number of the part, from 0."""

    @property
    def name(self) -> str:
        """How the names of the files of pieces begin."""
        return f"{self.space.far or self.space.folder}/{self.part}"

    def made(self, number: int) -> Made | None:
        """Return what became of a piece, or None where it is not finished, or its bytes are gone."""
        found = self.space.ledger.made((self.part, number))
        if found is None:
            return None
        place = self._place(number)
        if place.path.startswith("s3://"):
            there = s3.find(place.path)
            return found if there and there.size == found.length else None
        try:
            return found if os.path.getsize(place.path) >= place.offset + found.length else None
        except OSError:
            return None

    def finish(self, number: int, made: Made) -> None:
        """Write down what became of a piece."""
        self.space.ledger.moved.pop((self.part, number), None)
        self.space.ledger.finish((self.part, number), made)

    def shard(self, number: int, made: Made) -> Shard:
        """Return a piece as a format sees it."""
        place = self._place(number)
        own = place.path == piece_path(self.name, number) and not self.space.far
        return Shard(number, made.packed, place.path, place.offset, made.length, own)

    def moved(self, shard: Shard) -> None:
        """Write down where the bytes of a shard went, and remove its file."""
        if shard.places:
            self.space.ledger.move((self.part, shard.number), shard.places[-1])
        if shard.is_whole_file and (shard.places or not self.space.keeps):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(shard.path)

    def _place(self, number: int) -> Place:
        own = Place(piece_path(self.name, number), 0)
        return self.space.ledger.moved.get((self.part, number), own)


@dataclass(frozen=True, slots=True)
class CopiedPieces(Finished[Made]):
    """Pieces that were copied into the folder that will be the output."""

    space: Workspace
    part: int
    folder: Folder

    def made(self, number: int) -> Made | None:
        """Return what became of a piece, or None where it is not finished, or a file of it is gone."""
        found, folder = self.space.ledger.made((self.part, number)), self.folder
        if not isinstance(folder, FolderSink):
            return None
        try:
            there = found is not None and all(
                os.path.getsize(folder.local_path(one[0])) == one[3] for one in found.copied if one
            )
        except OSError:
            return None
        return found if there else None

    def finish(self, number: int, made: Made) -> None:
        """Write down what became of a piece."""
        self.space.ledger.finish((self.part, number), made)
