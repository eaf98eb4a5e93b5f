"""The stream of pictures under every format: cut into pieces, made by workers, in the order of the lines."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import Protocol, TypeVar

from manifest_tools.base.parallel import Jobs, Progress, no_progress, run
from manifest_tools.base.problem import Problem
from manifest_tools.formats.protocol import Copied, Pack, PathOf, Shard
from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.folder_sink import FolderSink
from manifest_tools.verbs.convert.opening import Fetch, LeftOut, Opening, to_open
from manifest_tools.verbs.convert.picture_counts import PictureCounts
from manifest_tools.verbs.convert.pieces import (
    FETCHERS,
    Copies,
    Made,
    Piece,
    copy_piece,
    cut,
    over_masks,
    pack_piece,
    pictures_a_piece,
    piece_path,
)
from manifest_tools.verbs.convert.plan import ConversionPlan

P = TypeVar("P", Piece, Copies)
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

_MASKS = 16  # of a piece: what is made of a mask goes from process to process
_PACKERS = 2  # pieces that are packed at a time where pictures are fetched: the one while the other begins


class _PieceTask(Protocol[T_contra, R_co]):
    """Makes a piece; where it fetches, in threads of an executor that all pieces share."""

    def __call__(self, piece: T_contra, /, *, executor: Executor | None = None) -> R_co: ...


def _as_it_is(piece: P) -> P:
    return piece


def _without_labels(piece: Copies) -> Copies:
    return Copies(list(map(to_open, piece.pictures)), piece.paths)


@dataclass(slots=True)
class PictureWork:
    """The pictures of one conversion: found or fetched, made ready, and packed or copied."""

    plans: Mapping[str, ConversionPlan]
    """By part."""

    placed: Callable[[str, int, str], None]
    """Told part, number and key of every picture that is in the output."""

    pieces: str = ""
    """The folder for the files of pieces; on one file system with the output, where that is on this disk."""

    folder: FolderSink | None = None
    """Where pictures are copied to."""

    fetch: Fetch | None = None
    jobs: Jobs = None
    progress: Progress = no_progress
    problems: list[Problem] = field(default_factory=list)
    """Why pictures are left out."""

    counts: PictureCounts = field(default_factory=PictureCounts)

    def unusable(self, part: str, number: int, why: Unusable) -> None:
        """Report why a picture is left out."""
        self._leave_out(part, LeftOut(number, "", why.code, why.message, "write"))

    def _leave_out(self, part: str, found: LeftOut) -> None:
        self.problems.append(self.plans[part].problem(found.number, found.why, found.ref))

    def packed(self, part: str, pack: Pack) -> Iterator[Shard]:
        """Yield the pictures of a part in shards, see ``WriteOptions``."""
        plan = self.plans[part]
        name = os.path.join(self.pieces, str(list(self.plans).index(part)))
        task = partial(pack_piece, self._opening(plan), pack, name)
        size = plan.shard or pictures_a_piece(plan.count)
        pieces = (Piece(number, found) for number, found in enumerate(cut(plan.lines, size)))
        for piece, made in self._each(plan, task, pieces):
            self._take(part, made)
            for packed in made.packed:
                self.placed(part, packed.number, packed.key)
            path = piece_path(name, piece.number)
            yield Shard(piece.number, made.packed, path)
            os.unlink(path)

    def copied(self, part: str, path_of: PathOf) -> Iterator[tuple[Picture, Copied]]:
        """Yield the pictures of a part as they are copied into the folder, see ``WriteOptions``."""
        plan, folder = self.plans[part], self.folder
        assert folder is not None
        task = partial(copy_piece, self._opening(plan), folder, plan.link)
        size = pictures_a_piece(plan.count)
        pieces = (Copies(found, list(map(path_of, found))) for found in cut(plan.lines, size))
        for piece, made in self._each(plan, task, pieces, _without_labels):
            self._take(part, made)
            for picture, found in zip(piece.pictures, made.copied, strict=True):
                if found:
                    path, width, height, length = found
                    self.placed(part, picture.number, path)
                    yield picture, Copied(path, (width, height), length)

    def masks(self, part: str, task: Callable[[Picture, bytes], R]) -> Iterator[tuple[Picture, R]]:
        """Yield what a task makes of each picture and its mask, see ``WriteOptions``."""
        plan = self.plans[part]
        over: _PieceTask[Piece, list[R | LeftOut]] = partial(over_masks, self._opening(plan), task)
        pieces = (Piece(number, found) for number, found in enumerate(cut(plan.lines, _MASKS)))
        for piece, made in self._each(plan, over, pieces):
            for picture, found in zip(piece.pictures, made, strict=True):
                if isinstance(found, LeftOut):
                    self._leave_out(part, found)
                else:
                    yield picture, found

    def _opening(self, plan: ConversionPlan) -> Opening:
        return Opening(plan.image_paths, plan.recipe, self.fetch if plan.to_fetch else None)

    def _take(self, part: str, made: Made) -> None:
        """Remember what is to be said of the pictures of a piece."""
        self.counts.add(made.turned, made.shallow)
        for found in made.left_out:
            self._leave_out(part, found)

    def _each(
        self,
        plan: ConversionPlan,
        task: _PieceTask[P, R],
        pieces: Iterable[P],
        sent: Callable[[P], P] = _as_it_is,
    ) -> Iterator[tuple[P, R]]:
        """Yield each piece and what a task makes of what is ``sent`` of it, in order, with progress."""
        waiting: deque[P] = deque()

        def send() -> Iterator[P]:
            for piece in pieces:
                waiting.append(piece)
                yield sent(piece)

        def pictures() -> Iterator[tuple[P, R] | None]:
            for made in self._run(plan, task, send()):
                piece = waiting.popleft()
                yield piece, made
                yield from repeat(None, len(piece.pictures) - 1)

        yield from filter(None, self.progress(pictures(), plan.count, "pictures"))

    def _run(self, plan: ConversionPlan, task: _PieceTask[P, R], pieces: Iterable[P]) -> Iterator[R]:
        fetches = self.fetch is not None and plan.to_fetch
        if not fetches or not isinstance(self.jobs, int | None):
            yield from run(task, pieces, self.jobs)
            return
        # Fetching is waiting, and Pillow works outside the interpreter's lock: threads will do.
        threads = self.jobs or FETCHERS
        with ThreadPoolExecutor(threads) as fetchers, ThreadPoolExecutor(_PACKERS) as packers:
            yield from run(partial(task, executor=fetchers), pieces, packers, ahead=_PACKERS + 1)
