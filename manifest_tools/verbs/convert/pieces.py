"""The unit of work: a piece of a part, some pictures that one worker opens and writes, away from all others.

Which pictures make a piece depends on their number alone, never on who works. No bytes of a picture leave the
worker but into the file that it writes; what comes back is small.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeAlias, TypeVar, cast

import msgspec

from manifest_tools.base.local_files import process_prefix
from manifest_tools.base.parallel import run
from manifest_tools.formats.protocol import NotPacked, Pack, Packed
from manifest_tools.formats.safe_names import ANY_ENDING
from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.images.shrink import Prepared
from manifest_tools.images.signatures import suffix_of
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io.folder_sink import Folder, writing
from manifest_tools.verbs.convert.opening import LeftOut, Opening, left_out, to_open

T = TypeVar("T")
R = TypeVar("R")

FETCHERS = 16
"""Threads that fetch, where `-j` does not say: they wait more than they work."""

_FEWEST, _MOST = 8, 256  # pictures of a piece where a part is not cut into shards
_PIECES = 32  # of a part, as long as these have neither fewer nor more pictures


class Made(msgspec.Struct):
    """What became of the pictures of a piece."""

    left_out: list[LeftOut] = msgspec.field(default_factory=list)
    turned: int = 0
    """Pictures that are stored turned."""

    shallow: int = 0
    """Pictures of 16 bits a colour, with no value of more than 12."""

    packed: list[Packed] = msgspec.field(default_factory=list)
    length: int = 0
    """Bytes of the file that the pictures were packed into."""

    copied: list[tuple[str, int, int, int] | None] = msgspec.field(default_factory=list)
    """Path, width, height and bytes of every picture that was copied; None for one that is left out."""

    def add(self, found: Prepared) -> None:
        """Count a picture."""
        self.turned += found.is_turned
        self.shallow += found.is_shallow


def pictures_a_piece(count: int) -> int:
    """Return how many pictures a piece has: few of a small part, so that there is work for several.

    >>> [pictures_a_piece(count) for count in (0, 100, 2_000, 1_000_000)]
    [8, 8, 63, 256]
    """
    return min(max(-(-count // _PIECES), _FEWEST), _MOST)


def cut(items: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in pieces.

    >>> list(cut("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    source = iter(items)
    while found := list(islice(source, size)):
        yield found


@dataclass(frozen=True, slots=True)
class Piece:
    """Pictures that follow one another."""

    number: int
    """From 0."""

    pictures: Sequence[Picture]

    def sent(self) -> "Piece":
        """Return what a worker is to see."""
        return self

    def nothing(self) -> "Piece":
        """Return a piece of which nothing is to do."""
        return Piece(self.number, ())


Spread: TypeAlias = Callable[[Callable[[Picture], R], Iterable[Picture]], Iterator[R]]
"""Yields what a task makes of each picture, in order."""


@contextlib.contextmanager
def _spread(opening: Opening, executor: Executor | None) -> Iterator[Spread[Prepared | LeftOut]]:
    """Yield what opens the pictures of a piece: one by one, or many at a time where they are fetched."""
    if opening.fetch is None:
        yield map
    elif executor:
        yield partial(run, jobs=executor, ahead=FETCHERS)
    else:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(FETCHERS) as own:
            yield partial(run, jobs=own, ahead=FETCHERS)


def pack_piece(
    opening: Opening,
    pack: Pack,
    name: str,
    piece: Piece,
    kms_key: str | None = None,
    executor: Executor | None = None,
) -> Made:
    """Pack the pictures of a piece into the file ``name`` with its number; it appears whole or not at all.

    One in S3 is written on this disk, and uploaded. Where another worker makes the same, the bytes are alike.
    """
    if not piece.pictures:
        return Made()
    path = piece_path(name, piece.number)
    if not path.startswith("s3://"):
        temporary = f"{path}-{secrets.token_hex(8)}"
        made = _packed(opening, pack, temporary, piece, executor)
        os.replace(temporary, path)
        return made
    from manifest_tools.io import s3

    with tempfile.TemporaryDirectory(prefix=process_prefix()) as folder:
        temporary = os.path.join(folder, "piece")
        made = _packed(opening, pack, temporary, piece, executor)
        s3.upload(temporary, path, kms_key=kms_key)
    return made


def _packed(opening: Opening, pack: Pack, path: str, piece: Piece, executor: Executor | None) -> Made:
    made = Made()
    with _spread(opening, executor) as spread, open(path, "wb") as out:
        found = zip(piece.pictures, spread(opening.ready, piece.pictures), strict=True)
        refs = {picture.number: picture for picture in piece.pictures}
        for picture in pack(_usable(made, found), out):
            if isinstance(picture, NotPacked):
                made.left_out.append(left_out(refs[picture.number], picture.why, "pack"))
            else:
                made.packed.append(picture)
        made.length = out.tell()
    return made


def piece_path(name: str, number: int) -> str:
    """Return the path of the file of a piece."""
    return f"{name}-{number:07}"


def _usable(
    made: Made, found: Iterable[tuple[Picture, Prepared | LeftOut]]
) -> Iterator[tuple[Picture, bytes]]:
    for picture, one in found:
        if isinstance(one, LeftOut):
            made.left_out.append(one)
        else:
            made.add(one)
            yield picture, one.data


@dataclass(frozen=True, slots=True)
class Copies:
    """Pictures that follow one another, each with its path from the output folder."""

    number: int
    pictures: Sequence[Picture]
    paths: Sequence[str]

    def sent(self) -> "Copies":
        """Return what a worker is to see: without the labels, that goes faster."""
        return Copies(self.number, list(map(to_open, self.pictures)), self.paths)

    def nothing(self) -> "Copies":
        """Return a piece of which nothing is to do."""
        return Copies(self.number, (), ())


def copy_piece(
    opening: Opening, folder: Folder, link: bool, piece: Copies, executor: Executor | None = None
) -> Made:
    """Copy, or link, the pictures of a piece into a folder."""
    made = Made()
    with _spread(opening, executor) as spread, writing(folder, executor) as write:
        ready = spread(opening.ready, piece.pictures)
        for picture, path, found in zip(piece.pictures, piece.paths, ready, strict=True):
            if isinstance(found, LeftOut):
                made.left_out.append(found)
                made.copied.append(None)
                continue
            if path.endswith(ANY_ENDING):
                path = path.removesuffix(ANY_ENDING) + suffix_of(found.data)
            if link:
                folder.link(path, opening.image_paths.find(picture.ref))
            else:
                write(path, found.data)
            made.add(found)
            made.copied.append((path, *found.size, len(found.data)))
    return made


def over_masks(
    opening: Opening, task: Callable[[Picture, bytes], R], piece: Piece, executor: Executor | None = None
) -> list[R | LeftOut]:
    """Return what a task makes of every picture of a piece and its mask."""
    one = cast("Callable[[Picture], R | LeftOut]", partial(_over_mask, opening, task))
    with _spread(opening, executor) as spread:
        return list(cast("Spread[R | LeftOut]", spread)(one, piece.pictures))


def _over_mask(opening: Opening, task: Callable[[Picture, bytes], R], picture: Picture) -> R | LeftOut:
    try:
        mask = picture.mask
        if mask is None or not (mask.ref or mask.content):
            raise Unusable(MISSING, "expected a mask, found none")
        return task(picture, mask.content() if mask.content else opening.read(mask.ref))
    except Unusable as why:
        return left_out(picture, why, "mask")
