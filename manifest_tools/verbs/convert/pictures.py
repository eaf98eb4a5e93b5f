"""The stream of pictures under every format: found or fetched, made ready, in the order of the lines."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, tee
from typing import BinaryIO, TypeVar, cast

from manifest_tools.base.parallel import Jobs, Progress, cores, no_progress, run
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import counted
from manifest_tools.formats.protocol import Copied, NotPacked, Pack, Packed, PathOf, Shard
from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.images.paths import ImagePaths, read_file
from manifest_tools.images.shrink import Prepared, Recipe, prepare
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io.folder_sink import FolderSink
from manifest_tools.io.s3_errors import Denied, NotThere
from manifest_tools.verbs.convert.plan import ConversionPlan

T = TypeVar("T")
R = TypeVar("R")

Fetch = Callable[[str], bytes]
"""Returns the object of an S3 URI, or enough of it to see that it is larger than ``MAX_BYTES``."""

_PIECE = 256  # pictures that are packed at a time where a part is not cut into shards
_FETCHERS = 16  # threads that fetch, where `-j` does not say: they wait more than they work


@dataclass(slots=True)
class PictureCounts:
    """How many pictures readers may take for something else."""

    turned: int = 0
    """Stored turned, with a flag that not every reader obeys."""

    shallow: int = 0
    """Of 16 bits a colour, with no value of more than 12."""

    def add(self, picture: "Prepared | _CopyMade") -> None:
        """Count a picture."""
        self.turned += picture.is_turned
        self.shallow += picture.is_shallow

    def remarks(self, pass_through: bool) -> list[str]:
        """Return what is to be said of them, a sentence each."""
        found = [f"{turned_remark(self.turned)}; type --upright to turn them"] if self.turned else []
        if self.shallow:
            pictures = f"{counted(self.shallow, 'picture')} of 16 bits with no value of more than 12"
            found.append(
                f"{pictures}: black to readers that keep the upper 8 bits, such as OpenCV; to scale them,"
                " type --resize N"
                if pass_through
                else f"{pictures}: scaled, so that they are not black"
            )
        return found


def turned_remark(count: int) -> str:
    """Return what readers make of pictures that are stored turned."""
    return (
        f"{counted(count, 'picture')} stored turned, with an EXIF flag: OpenCV turns them upright, MXNet's"
        " reader of RecordIO turns JPEGs alone, Pillow (torchvision) and TensorFlow turn none"
    )


@dataclass(slots=True)
class PictureWork:
    """The pictures of one conversion: found or fetched, made ready, and packed or copied."""

    plans: Mapping[str, ConversionPlan]
    """By part."""

    placed: Callable[[str, int, str], None]
    """Told part, number and key of every picture that is in the output."""

    folder: FolderSink | None = None
    """Where pictures are copied to."""

    fetch: Fetch | None = None
    jobs: Jobs = None
    progress: Progress = no_progress
    problems: list[Problem] = field(default_factory=list)
    """Why pictures are left out."""

    counts: PictureCounts = field(default_factory=PictureCounts)

    def unusable(self, part: str, number: int, why: Unusable, ref: str = "") -> None:
        """Report why a picture is left out."""
        self.problems.append(self.plans[part].problem(number, why, ref))

    def packed(self, part: str, pack: Pack) -> Iterator[Shard]:
        """Yield the pictures of a part in shards, see ``WriteOptions``."""
        plan = self.plans[part]
        size = plan.shard or _PIECE
        task = partial(ready, plan.image_paths, plan.recipe, self._fetch(plan))
        made = zip(plan.lines, self._each(plan, task, plan.lines), strict=True)
        for number, group in groupby(enumerate(made), lambda item: item[0] // size):
            with tempfile.NamedTemporaryFile(prefix="mtool-") as out:
                usable = self._usable(part, (item for _, item in group))
                found = list(self._in_shard(part, pack(usable, cast(BinaryIO, out))))
                out.flush()
                yield Shard(number, found, out.name)

    def _usable(
        self, part: str, made: Iterable[tuple[Picture, Prepared | Unusable]]
    ) -> Iterator[tuple[Picture, bytes]]:
        for picture, found in made:
            if isinstance(found, Unusable):
                self.unusable(part, picture.number, found, picture.ref)
            else:
                self.counts.add(found)
                yield picture, found.data

    def _in_shard(self, part: str, found: Iterable[Packed | NotPacked]) -> Iterator[Packed]:
        for picture in found:
            if isinstance(picture, NotPacked):
                self.unusable(part, picture.number, picture.why)
            else:
                self.placed(part, picture.number, picture.key)
                yield picture

    def copied(self, part: str, path_of: PathOf) -> Iterator[tuple[Picture, Copied]]:
        """Yield the pictures of a part as they are copied into the folder, see ``WriteOptions``."""
        plan, folder = self.plans[part], self.folder
        assert folder is not None
        task = partial(_copy, plan.image_paths, plan.recipe, self._fetch(plan), folder, plan.link)
        paths = map(path_of, plan.lines)
        items, again = tee(zip(plan.lines, paths, strict=True))
        for (picture, path), found in zip(again, self._each(plan, task, items), strict=True):
            if isinstance(found, Unusable):
                self.unusable(part, picture.number, found, picture.ref)
            else:
                self.counts.add(found)
                self.placed(part, picture.number, path)
                yield picture, Copied(path, found.size, found.length)

    def masks(self, part: str, task: Callable[[Picture, bytes], R]) -> Iterator[tuple[Picture, R]]:
        """Yield what a task makes of each picture and its mask, see ``WriteOptions``."""
        plan = self.plans[part]
        over = partial(_mask, plan.image_paths, self._fetch(plan), task)
        for picture, found in zip(plan.lines, self._each(plan, over, plan.lines), strict=True):
            if isinstance(found, Unusable):
                self.unusable(part, picture.number, found, picture.ref)
            else:
                yield picture, found

    def _fetch(self, plan: ConversionPlan) -> Fetch | None:
        return self.fetch if plan.to_fetch else None

    def _each(self, plan: ConversionPlan, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield what a task makes of each picture of a plan, in order, with progress."""
        return self.progress(self._run(plan, task, items), plan.count, "pictures")

    def _run(self, plan: ConversionPlan, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        fetch = self._fetch(plan)
        if fetch is None and not plan.recipe.pass_through:
            yield from run(task, items, self.jobs)
            return
        # Pillow works outside the interpreter's lock, and fetching is waiting: threads will do. And
        # bytes that stay as they are have no business in a pipe between processes.
        usual = cores() if fetch is None else _FETCHERS
        threads = self.jobs if isinstance(self.jobs, int) else usual
        with ThreadPoolExecutor(threads) as executor:
            yield from run(task, items, executor, ahead=2 * threads)


def ready(
    image_paths: ImagePaths, recipe: Recipe, fetch: Fetch | None, picture: Picture
) -> Prepared | Unusable:
    """Return a picture, ready to be written, or why it cannot be."""
    try:
        return prepare(_bytes_of(image_paths, fetch, picture), recipe)
    except Unusable as why:
        return why.with_traceback(None)


@dataclass(frozen=True, slots=True)
class _CopyMade:
    """What is known of a picture after it was copied."""

    size: tuple[int, int]
    length: int
    is_turned: bool
    is_shallow: bool


def _copy(
    image_paths: ImagePaths,
    recipe: Recipe,
    fetch: Fetch | None,
    folder: FolderSink,
    link: bool,
    item: tuple[Picture, str],
) -> _CopyMade | Unusable:
    picture, path = item
    found = ready(image_paths, recipe, fetch, picture)
    if isinstance(found, Unusable):
        return found
    if link:
        folder.link(path, image_paths.find(picture.ref))
    else:
        folder.write(path, found.data)
    return _CopyMade(found.size, len(found.data), found.is_turned, found.is_shallow)


def _mask(
    image_paths: ImagePaths, fetch: Fetch | None, task: Callable[[Picture, bytes], R], picture: Picture
) -> R | Unusable:
    try:
        mask = picture.mask
        if mask is None or not (mask.ref or mask.content):
            raise Unusable(MISSING, "expected a mask, found none")
        data = mask.content() if mask.content else picture_bytes(image_paths, fetch, mask.ref)
        return task(picture, data)
    except Unusable as why:
        return why.with_traceback(None)


def _bytes_of(image_paths: ImagePaths, fetch: Fetch | None, picture: Picture) -> bytes:
    return picture.content() if picture.content else picture_bytes(image_paths, fetch, picture.ref)


def picture_bytes(image_paths: ImagePaths, fetch: Fetch | None, ref: str) -> bytes:
    """Return the bytes of a picture, of this disk or fetched; raises Unusable for one that is not there."""
    if image_paths.covers(ref):
        return read_file(image_paths.find(ref))
    if fetch is None:
        raise Unusable(MISSING, f"{ref} is not on this disk; type --images FOLDER")
    try:
        return fetch(ref)
    except (NotThere, Denied) as error:
        if isinstance(error, NotThere) and error.what == "bucket":
            raise
        raise Unusable(MISSING, str(error)) from error
