"""The stream of pictures under every format: found or fetched, made ready, in the order of the lines."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from manifest_tools.base.parallel import Jobs, Progress, run
from manifest_tools.base.problem import Problem
from manifest_tools.base.text import counted
from manifest_tools.groundtruth.annotations import Picture
from manifest_tools.images.paths import ImagePaths, read_file
from manifest_tools.images.shrink import Prepared, Recipe, prepare
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io.s3_errors import Denied, NotThere
from manifest_tools.verbs.convert.plan import ConversionPlan

Fetch = Callable[[str], bytes]
"""Returns the object of an S3 URI, or enough of it to see that it is larger than ``MAX_BYTES``."""

_FETCHERS = 16  # threads that fetch, where `-j` does not say: they wait more than they work


@dataclass(slots=True)
class PictureCounts:
    """How many pictures readers may take for something else."""

    turned: int = 0
    """Stored turned, with a flag that not every reader obeys."""

    shallow: int = 0
    """Of 16 bits a colour, with no value of more than 12."""

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


def usable(
    plan: ConversionPlan,
    problems: list[Problem],
    counts: PictureCounts,
    fetch: Fetch | None,
    jobs: Jobs,
    progress: Progress,
) -> Iterator[tuple[Picture, bytes]]:
    """Yield the pictures that can be used, with their bytes; append to ``problems`` why others cannot."""
    made = progress(_made(plan, fetch, jobs), plan.count, "pictures")
    for picture, encoded in zip(plan.lines, made, strict=True):
        if isinstance(encoded, Unusable):
            problems.append(plan.problem(picture.number, encoded, picture.ref))
        else:
            counts.turned += encoded.is_turned
            counts.shallow += encoded.is_shallow
            yield picture, encoded.data


def _made(plan: ConversionPlan, fetch: Fetch | None, jobs: Jobs) -> Iterator[Prepared | Unusable]:
    fetch = fetch if plan.to_fetch else None
    task = partial(make, plan.image_paths, plan.recipe, fetch)
    refs = (picture.ref for picture in plan.lines)
    if fetch is not None or plan.recipe.pass_through:
        # Pillow works outside the interpreter's lock, and fetching is waiting: threads will do. And
        # bytes that stay as they are have no business in a pipe between processes.
        usual = (os.cpu_count() or 1) if fetch is None else _FETCHERS
        threads = jobs if isinstance(jobs, int) else usual
        with ThreadPoolExecutor(threads) as executor:
            yield from run(task, refs, executor, ahead=2 * threads)
    else:
        yield from run(task, refs, jobs)


def make(image_paths: ImagePaths, recipe: Recipe, fetch: Fetch | None, ref: str) -> Prepared | Unusable:
    """Return the picture of ``ref``, ready to be written, or why it cannot be."""
    try:
        return prepare(picture_bytes(image_paths, fetch, ref), recipe)
    except Unusable as why:
        return why.with_traceback(None)


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
