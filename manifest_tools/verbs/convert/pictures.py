"""The stream of pictures under every format: cut into pieces, made by workers, in the order of the lines."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import Protocol, TypeVar

from manifest_tools.base.parallel import Jobs, Progress, no_progress, run
from manifest_tools.formats.protocol import Copied, Pack, PathOf, Shard
from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.folder_sink import Folder
from manifest_tools.verbs.convert.finished import CopiedPieces, Finished, PackedPieces
from manifest_tools.verbs.convert.left_out_pictures import LeftOutPictures
from manifest_tools.verbs.convert.opening import Fetch, LeftOut, Opening
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
)
from manifest_tools.verbs.convert.plan import ConversionPlan
from manifest_tools.verbs.convert.workspace import Workspace

P = TypeVar("P", Piece, Copies)
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

_MASKS = 16  # of a piece: what is made of a mask goes from process to process
_PACKERS = 2  # pieces that are packed at a time where pictures are fetched: the one while the other begins


class _PieceTask(Protocol[T_contra, R_co]):
    """Makes a piece; where it fetches, in threads of an executor that all pieces share."""

    def __call__(self, piece: T_contra, /, *, executor: Executor | None = None) -> R_co: ...


def _copies(number: int, pictures: Sequence[Picture], path_of: PathOf) -> Copies:
    """Return a piece of the pictures that have a place."""
    placed = [(picture, path) for picture in pictures if (path := path_of(picture))]
    return Copies(number, [picture for picture, _ in placed], [path for _, path in placed])


@dataclass(slots=True)
class PictureWork:
    """The pictures of one conversion: found or fetched, made ready, and packed or copied."""

    plans: Mapping[str, ConversionPlan]
    """By part."""

    placed: Callable[[str, int, str], None]
    """Told part, number and key of every picture that is in the output."""

    space: Workspace | None = None
    """Where pieces are made, and written down when they are finished; None where no picture is opened."""

    folder: Folder | None = None
    """Where pictures are copied to."""

    fetch: Fetch | None = None
    jobs: Jobs = None
    ahead: int | None = None
    """Pieces that are in work at a time; None for a few for each worker."""

    kms_key: str | None = None
    """Encrypts pieces in S3."""

    progress: Progress = no_progress
    left_out: LeftOutPictures = field(default_factory=LeftOutPictures)
    counts: PictureCounts = field(default_factory=PictureCounts)

    def unusable(self, part: str, number: int, why: Unusable) -> None:
        """Report why a picture is left out."""
        self._leave_out(part, LeftOut(number, "", why.code, why.message, "write"))

    def _leave_out(self, part: str, found: LeftOut) -> None:
        self.left_out.add(self.plans[part], found)

    def packed(self, part: str, pack: Pack) -> Iterator[Shard]:
        """Yield the pictures of a part in shards, see ``WriteOptions``."""
        assert self.space is not None
        plan, finished = self.plans[part], PackedPieces(self.space, self._number(part))
        task = partial(pack_piece, self._opening(plan), pack, finished.name, kms_key=self.kms_key)
        size = plan.shard or pictures_a_piece(plan.count)
        pieces = (Piece(number, found) for number, found in enumerate(cut(plan.lines, size)))
        for piece, made in self._each(plan, task, pieces, finished):
            self._take(part, made)
            for packed in made.packed:
                self.placed(part, packed.number, packed.key)
            shard = finished.shard(piece.number, made)
            yield shard
            finished.moved(shard)

    def copied(self, part: str, path_of: PathOf) -> Iterator[tuple[Picture, Copied]]:
        """Yield the pictures of a part as they are copied into the folder, see ``WriteOptions``."""
        assert self.space is not None and self.folder is not None
        plan, folder = self.plans[part], self.folder
        finished = CopiedPieces(self.space, self._number(part), folder)
        task = partial(copy_piece, self._opening(plan), folder, plan.link)
        size = pictures_a_piece(plan.count)
        pieces = (_copies(number, found, path_of) for number, found in enumerate(cut(plan.lines, size)))
        for piece, made in self._each(plan, task, pieces, finished):
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
        for piece, made in self._each(plan, over, pieces, Finished()):
            for picture, found in zip(piece.pictures, made, strict=True):
                if isinstance(found, LeftOut):
                    self._leave_out(part, found)
                else:
                    yield picture, found

    def _opening(self, plan: ConversionPlan) -> Opening:
        return Opening(plan.image_paths, plan.recipe, self.fetch if plan.to_fetch else None)

    def _number(self, part: str) -> int:
        return list(self.plans).index(part)

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
        finished: Finished[R],
    ) -> Iterator[tuple[P, R]]:
        """Yield each piece and what a task makes of it, or has made, in order, with progress."""
        waiting: deque[tuple[P, R | None]] = deque()

        def send() -> Iterator[P]:
            for piece in pieces:
                done = finished.made(piece.number)
                waiting.append((piece, done))
                yield piece.sent() if done is None else piece.nothing()

        def pictures() -> Iterator[tuple[P, R] | None]:
            for made in self._run(plan, task, send()):
                piece, done = waiting.popleft()
                if done is None:
                    finished.finish(piece.number, made)
                yield piece, made if done is None else done
                yield from repeat(None, len(piece.pictures) - 1)

        yield from filter(None, self.progress(pictures(), plan.count, "pictures"))

    def _run(self, plan: ConversionPlan, task: _PieceTask[P, R], pieces: Iterable[P]) -> Iterator[R]:
        waits = (self.fetch and plan.to_fetch) or (self.folder and self.folder.is_far)
        if not waits or not isinstance(self.jobs, int | None):
            yield from run(task, pieces, self.jobs, self.ahead)
            return
        # Fetching and writing to S3 are waiting, and Pillow works outside the interpreter's lock: threads do.
        threads = self.jobs or FETCHERS
        with ThreadPoolExecutor(threads) as fetchers, ThreadPoolExecutor(_PACKERS) as packers:
            yield from run(partial(task, executor=fetchers), pieces, packers, ahead=_PACKERS + 1)
