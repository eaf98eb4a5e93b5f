"""The stream of pictures under every format: found or fetched, made ready, in the order of the lines."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from manifest_tools.base.parallel import Jobs, Progress, run
from manifest_tools.base.problem import Problem
from manifest_tools.formats import ConversionPlan
from manifest_tools.groundtruth.example_columns import Example
from manifest_tools.images.paths import ImagePaths, read_file
from manifest_tools.images.shrink import Recipe, prepare
from manifest_tools.images.unusable import MISSING, Unusable
from manifest_tools.io.s3_errors import Denied, NotThere

Fetch = Callable[[str], bytes]
"""Returns the object of an S3 URI, or enough of it to see that it is larger than ``MAX_BYTES``."""

_FETCHERS = 16  # threads that fetch, where `-j` does not say: they wait more than they work


def usable(
    plan: ConversionPlan, problems: list[Problem], fetch: Fetch | None, jobs: Jobs, progress: Progress
) -> Iterator[tuple[Example, bytes]]:
    """Yield the pictures that can be used, with their lines; append to ``problems`` why others cannot."""
    examples = plan.examples.examples
    made = progress(_made(plan, fetch, jobs), len(examples), "pictures")
    for example, picture in zip(examples, made, strict=True):
        if isinstance(picture, Unusable):
            problems.append(plan.problem(example, picture))
        else:
            yield example, picture


def _made(plan: ConversionPlan, fetch: Fetch | None, jobs: Jobs) -> Iterator[bytes | Unusable]:
    fetch = fetch if plan.to_fetch else None
    task = partial(make, plan.image_paths, plan.recipe, fetch)
    refs = (example.ref for example in plan.examples.examples)
    if fetch is not None:
        # Pillow works outside the interpreter's lock, and fetching is waiting: threads will do.
        threads = jobs if isinstance(jobs, int) else _FETCHERS
        with ThreadPoolExecutor(threads) as executor:
            yield from run(task, refs, executor, ahead=2 * threads)
    else:
        # Bytes that stay as they are have no business in a pipe between processes.
        yield from run(task, refs, 1 if plan.recipe.pass_through else jobs)


def make(places: ImagePaths, recipe: Recipe, fetch: Fetch | None, ref: str) -> bytes | Unusable:
    """Return the picture of ``ref``, ready to be written, or why it cannot be."""
    try:
        return prepare(_read(places, fetch, ref), recipe)
    except Unusable as why:
        return why.with_traceback(None)


def _read(places: ImagePaths, fetch: Fetch | None, ref: str) -> bytes:
    if places.covers(ref):
        return read_file(places.find(ref))
    if fetch is None:
        raise Unusable(MISSING, f"{ref} is not on this disk; type --images FOLDER")
    try:
        return fetch(ref)
    except (NotThere, Denied) as error:
        if isinstance(error, NotThere) and error.what == "bucket":
            raise
        raise Unusable(MISSING, str(error)) from error
