"""Rules of pictures and texts that are on several lines of a file, with the same label or another one."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path
from manifest_tools.verbs.validate.engine.file_facts import SEVERAL, Facts, LineKeys, repeated_sources
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.references import REUSE
from manifest_tools.verbs.validate.rules.rule import rule

_TWO = "s3://lab3-rawdata/IMG_0086.JPG"


@rule(
    "MT302",
    "warning",
    "file",
    breaks=lambda: lines(single(), single()),
    keeps=lambda: lines(single(), single(ref=_TWO)),
    fix="mtool merge keeps one line of each picture.",
    source=REUSE,
)
def a_source_comes_once(facts: Facts) -> Iterator[Finding]:
    """A picture, or a text, is on one line only."""
    keys = repeated_sources(facts)
    if keys is None:
        return
    first = _first_of_group(keys.sources)
    again = first != np.arange(len(first))
    for name in keys.labels:
        again &= ~_conflicts(keys.labels[name], keys.sources)[0]
    for at in _by_line(keys, again):
        same = ", with the same label" if any(column[at] for column in keys.labels.values()) else ""
        message = f"{_again(facts, int(keys.lines[first[at]]))}{same}"
        yield Finding(source_path(facts), message, int(keys.lines[at]))


@rule(
    "MT303",
    "error",
    "file",
    breaks=lambda: lines(single(0), single(1, name="LH")),
    keeps=lambda: lines(single(0), single(1, _TWO, "LH")),
    fix="mtool merge --on-conflict newest decides by date; or highest-confidence, or vote.",
    source=REUSE,
)
def a_source_has_one_label(facts: Facts) -> Iterator[Finding]:
    """A picture, or a text, that is on several lines has the same label on all of them."""
    keys = repeated_sources(facts)
    for name in keys.labels if keys is not None else ():
        assert keys is not None
        wrong, usual = _conflicts(keys.labels[name], keys.sources)
        for at in _by_line(keys, wrong):
            difference = _difference(int(keys.labels[name][at]), int(keys.labels[name][usual[at]]))
            message = f"{_again(facts, int(keys.lines[usual[at]]))}, but {difference}"
            yield Finding(path(name), message, int(keys.lines[at]))


def source_path(facts: Facts) -> str:
    """Return the path to the sources that are compared."""
    return "$.source" if facts.subject == "text" else "$.source-ref"


def _again(facts: Facts, line: int) -> str:
    return f"the {facts.subject} of {facts.noun} {line} again"


def _difference(here: int, there: int) -> str:
    if (here | there) & SEVERAL:
        return "with other classes"
    return f"here it is class {here - 1} and there class {there - 1}"


def _by_line(keys: LineKeys, chosen: NDArray[np.bool_]) -> list[int]:
    """Return the chosen positions in the order of their lines."""
    positions = np.flatnonzero(chosen)
    found: list[int] = positions[np.argsort(keys.lines[positions], kind="stable")].tolist()
    return found


def _first_of_group(sources: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return for every position of a sorted array the first position with the same value."""
    return np.searchsorted(sources, sources, side="left")


def _conflicts(
    labels: NDArray[np.uint64], sources: NDArray[np.uint64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return where a label differs from the first label of the same source, and the position of that one."""
    usual = np.arange(len(sources))
    labelled = np.flatnonzero(labels)
    usual[labelled] = labelled[_first_of_group(sources[labelled])]
    return labels != labels[usual], usual


RULES = (a_source_comes_once, a_source_has_one_label)
