"""Pictures for a command: found here or fetched, read into data sets, and written as PNG."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from manifest_tools.base.text import by_state
from manifest_tools.cli.shared.screen import clean, note, progress, warn

if TYPE_CHECKING:
    from manifest_tools.base.problem import Problem
    from manifest_tools.groundtruth.conflict_policy import ConflictPolicy
    from manifest_tools.io.sinks import Published
    from manifest_tools.verbs.convert.opening import Fetch
    from manifest_tools.verbs.convert.plan import ConversionPlan
    from trainers.dataset import Dataset
    from trainers.prepare import PlannedPair

T = TypeVar("T")

_SHOWN = 20  # problems; the rest are counted
_EVERY = 30.0  # seconds


def data_sets(
    plans: "Sequence[ConversionPlan]", jobs: int | None
) -> tuple[tuple["Dataset", "Dataset"], bool]:
    """Return both data sets, and whether pictures had to be left out of them."""
    first, second = (read_data(plan, jobs) for plan in plans)
    return (first[0], second[0]), bool(first[1] or second[1])


def read_data(plan: "ConversionPlan", jobs: int | None) -> "tuple[Dataset, tuple[Problem, ...]]":
    """Return the data set of a plan, and why pictures had to be left out of it, after saying so."""
    from manifest_tools.verbs.convert.result import NothingUsable
    from trainers.prepare import dataset

    note_left_out(plan)
    fetch = pictures_of(plan)
    try:
        data, problems = dataset(plan, jobs=jobs, fetch=fetch, progress=picture_progress)
    except NothingUsable as error:
        show_problems(error.problems)
        raise
    show_problems(problems)
    return data, problems


def picture_progress(items: Iterable[T], total: int | None, what: str, every: float = _EVERY) -> Iterator[T]:
    """Show progress as ``screen.progress`` does; where no terminal is, as a line from time to time."""
    last = time.monotonic()
    for count, item in enumerate(progress(items, total, what), 1):
        yield item
        if not sys.stderr.isatty() and time.monotonic() - last >= every:
            last = time.monotonic()
            note(f"{what} made ready: {count:,}" + (f" of {total:,}" if total else ""))


def note_left_out(plan: "ConversionPlan") -> None:
    """Say how many lines of a manifest have no label, and are not used therefore."""
    if plan.left_out:
        note(f"{clean(plan.manifest)}: lines without a label, left out: {by_state(plan.left_out)}")


def pictures_of(plan: "ConversionPlan", cache: str | None = None) -> "Fetch | None":
    """Return what fetches the pictures that are not here, or None; says before any work what that means.

    ``cache`` is the folder where they are kept.
    Raises Refused where no picture at all can be had.
    """
    from manifest_tools.verbs.convert.missing_pictures import fetcher, missing

    fetch = fetcher(plan, cache)
    text = missing(plan, fetch is not None, cache)
    if text:
        note(clean(text))
    return fetch


def contradictions(pair: "PlannedPair", policy: "ConflictPolicy") -> list[str]:
    """Return a remark for each manifest that has lines of one picture with different classes."""
    remarks = []
    for plan in (pair.train, pair.validation):
        if plan.contradictions is not None:
            what = "left out" if policy == "drop" else "learnt from; type --conflicts drop to leave them out"
            remarks.append(clean(f"{plan.manifest}: {plan.contradictions.summary()}; all of them are {what}"))
    return remarks


def write_picture(
    option: str, path: str, content: bytes, *, force: bool, kms_key: str | None = None
) -> "Published":
    """Write a PNG; raises Exists, naming the option, where a file with other content exists."""
    return write_pages(option, path, [content], force=force, kms_key=kms_key)[0]


def write_pages(
    option: str, path: str, pages: Iterable[bytes], *, force: bool, kms_key: str | None = None
) -> "list[Published]":
    """Write the pages of a contact sheet, all or none; raises Exists as ``write_picture``."""
    from manifest_tools.images.contact_sheet import page_path
    from manifest_tools.io.sinks import publishing

    with publishing(force=force, kms_key=kms_key) as publication:
        for number, content in enumerate(pages, 1):
            page = page_path(path, number)
            publication.options[page] = option
            publication.open(page).write(content)
    return publication.published


def show_problems(problems: "Sequence[Problem]", counts: Mapping[str, int] | None = None) -> None:
    """Print the first problems, and how many there are of each code; ``counts`` says it of more of them."""
    for problem in problems[:_SHOWN]:
        warn(clean(str(problem)))
    counts = counts or Counter(problem.code for problem in problems)
    if sum(counts.values()) > _SHOWN:
        listed = ", ".join(f"{count:,} {code}" for code, count in sorted(counts.items()))
        warn(f"... {sum(counts.values()) - _SHOWN:,} more; in all {listed}")
