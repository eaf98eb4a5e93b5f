"""Pictures for a command: found here or fetched, read into data sets, and what is wrong with them shown."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from manifest_tools.cli.shared.screen import clean, note, progress

if TYPE_CHECKING:
    from manifest_tools.base.problem import Problem
    from manifest_tools.verbs.convert.pictures import Fetch
    from manifest_tools.verbs.convert.plan import ConversionPlan
    from trainers.dataset import Dataset

_SHOWN = 20  # problems; the rest are counted


def data_sets(
    plans: "Sequence[ConversionPlan]", jobs: int | None, quiet: bool
) -> tuple[tuple["Dataset", "Dataset"], bool]:
    """Return both data sets, and whether pictures had to be left out of them."""
    first, second = (read_data(plan, jobs, quiet) for plan in plans)
    return (first[0], second[0]), first[1] or second[1]


def read_data(plan: "ConversionPlan", jobs: int | None, quiet: bool) -> tuple["Dataset", bool]:
    """Return the data set of a plan, and whether pictures had to be left out of it, after saying which."""
    from manifest_tools.verbs.convert.convert import NothingUsable
    from trainers.prepare import dataset

    fetch = pictures_of(plan, quiet)
    try:
        data, problems = dataset(plan, jobs=jobs, fetch=fetch, progress=progress)
    except NothingUsable as error:
        show_problems(error.problems)
        raise
    show_problems(problems)
    return data, bool(problems)


def pictures_of(plan: "ConversionPlan", quiet: bool = False) -> "Fetch | None":
    """Return what fetches the pictures that are not here, or None; says before any work what that means.

    Raises Refused where no picture at all can be had.
    """
    from manifest_tools.verbs.convert.missing_pictures import fetcher, missing

    fetch = fetcher(plan)
    text = missing(plan, fetch is not None)
    if text and not quiet:
        note(clean(text))
    return fetch


def show_problems(problems: "Sequence[Problem]") -> None:
    """Print the first problems, and how many there are of each code."""
    for problem in problems[:_SHOWN]:
        note(clean(str(problem)))
    if len(problems) > _SHOWN:
        counts = Counter(problem.code for problem in problems)
        listed = ", ".join(f"{count:,} {code}" for code, count in sorted(counts.items()))
        note(f"... {len(problems) - _SHOWN:,} more; in all {listed}")
