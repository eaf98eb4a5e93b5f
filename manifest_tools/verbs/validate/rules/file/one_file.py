"""What can be said only of a whole file: classes that disagree, pictures that come twice, buckets."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.io import s3uri
from manifest_tools.verbs.validate.engine.file_facts import (
    PLACEHOLDER,
    SEVERAL,
    Facts,
    LineKeys,
    NamedClass,
    Occurrences,
    repeated_sources,
)
from manifest_tools.verbs.validate.rules.examples import lines as text_of
from manifest_tools.verbs.validate.rules.examples import single
from manifest_tools.verbs.validate.rules.references import BUCKETS, OURS, OUTPUT, REUSE, TRAINING
from manifest_tools.verbs.validate.rules.rule import Example, rule


def buckets_are_possible(facts: Facts) -> Iterator[Finding]:
    """A bucket has a name that S3 takes; those from before 2018 may have others."""
    for bucket, seen in facts.buckets.items():
        problem = s3uri.bucket_problem(bucket)
        if problem is not None and PLACEHOLDER not in bucket and bucket != "s3:":
            message = f"no bucket can be called {shown(bucket)}: {problem} ({lines(seen)})"
            yield Finding("$.source-ref", message, seen.first)


def no_placeholder(facts: Facts) -> Iterator[Finding]:
    """The placeholder for the lab has been replaced by a lab ID."""
    if facts.placeholder is not None:
        advice = "type: mtool rewrite --lab lab3, with your lab's ID"
        yield Finding(
            "", f"{PLACEHOLDER} is left in ({lines(facts.placeholder)}); {advice}", facts.placeholder.first
        )


def told_attribute_is_there(facts: Facts) -> Iterator[Finding]:
    """The label attribute that was asked for is on some line."""
    if facts.requested is not None and not facts.requested_lines:
        advice = f"mtool stats {facts.name} shows those it has"
        yield Finding("", f"no line has the label attribute {shown(facts.requested)}; {advice}")


def classes_agree(facts: Facts) -> Iterator[Finding]:
    """One class index has one name, and one name has one index.

    What most lines say is taken for right.
    """
    names: dict[tuple[str, int], NamedClass] = {}
    numbers: dict[tuple[str, str], NamedClass] = {}
    for pair in sorted(
        facts.classes, key=lambda pair: (-facts.classes[pair].lines, facts.classes[pair].first, pair)
    ):
        names.setdefault((pair.attribute, pair.label), pair)
        numbers.setdefault((pair.attribute, pair.name), pair)
    for pair, seen in facts.classes.items():
        same_index, same_name = names[pair[:2]], numbers[pair.attribute, pair.name]
        here = lines(seen)
        if same_index != pair:
            usual = f"{shown(same_index.name)} on {lines(facts.classes[same_index])}"
            message = f"class {pair.label} is called {shown(pair.name)} ({here}), but {usual}"
            yield Finding(path(pair.attribute), message, seen.first)
        elif same_name != pair:
            usual = f"class {same_name.label} on {lines(facts.classes[same_name])}"
            message = f"{shown(pair.name)} is class {pair.label} ({here}), but {usual}"
            yield Finding(path(pair.attribute), message, seen.first)


def a_source_comes_once(facts: Facts) -> Iterator[Finding]:
    """A picture stands on one line only."""
    keys = repeated_sources(facts)
    if keys is None:
        return
    first = _first_of_group(keys.sources)
    again = first != np.arange(len(first))
    for name in keys.labels:
        again &= ~_conflicts(keys.labels[name], keys.sources)[0]
    for at in _by_line(keys, again):
        yield Finding(
            "$.source-ref", f"the same source-ref as on line {keys.lines[first[at]]}", int(keys.lines[at])
        )


def a_source_has_one_label(facts: Facts) -> Iterator[Finding]:
    """A picture that stands on several lines has the same label on all of them."""
    keys = repeated_sources(facts)
    for name in keys.labels if keys is not None else ():
        assert keys is not None
        wrong, usual = _conflicts(keys.labels[name], keys.sources)
        for at in _by_line(keys, wrong):
            there = int(keys.lines[usual[at]])
            what = _difference(int(keys.labels[name][at]), int(keys.labels[name][usual[at]]), there)
            yield Finding(path(name), f"{what}, for the same source-ref", int(keys.lines[at]))


def _by_line(keys: LineKeys, chosen: NDArray[np.bool_]) -> list[int]:
    places = np.flatnonzero(chosen)
    found: list[int] = places[np.argsort(keys.lines[places], kind="stable")].tolist()
    return found


def _first_of_group(sources: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return for every place of a sorted array the first place with the same value."""
    return np.searchsorted(sources, sources, side="left")


def _conflicts(
    labels: NDArray[np.uint64], sources: NDArray[np.uint64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Say where a label is another than the first label of the same source, and where that one stands."""
    usual = np.arange(len(sources))
    labelled = np.flatnonzero(labels)
    usual[labelled] = labelled[_first_of_group(sources[labelled])]
    return labels != labels[usual], usual


def _difference(here: int, there: int, line: int) -> str:
    if (here | there) & SEVERAL:
        return f"other classes than on line {line}"
    return f"class {here - 1}, but {there - 1} on line {line}"


def lines(seen: Occurrences) -> str:
    """Return on how many lines something stands.

    >>> lines(Seen(3, 1)), lines(Seen(3, 1200))
    ('1 line', '1,200 lines')
    """
    return f"{seen.lines:,} line{'' if seen.lines == 1 else 's'}"


_ONE, _TWO = "s3://lab3-rawdata/IMG_0085.JPG", "s3://lab3-rawdata/IMG_0086.JPG"


RULES = (
    rule(
        "MT113",
        "warning",
        "file",
        buckets_are_possible,
        breaks=text_of(single(ref="s3://Lab_3/IMG_0085.JPG")),
        keeps=text_of(single()),
        fix="mtool rewrite --move s3://OLD=s3://NEW puts another bucket in its place.",
        source=BUCKETS,
    ),
    rule(
        "MT114",
        "error",
        "file",
        no_placeholder,
        breaks=text_of(single(ref="s3://lab#-rawdata/IMG_0085.JPG")),
        keeps=text_of(single()),
        fix="mtool rewrite --lab lab3, with your lab's ID.",
        source=OURS,
    ),
    rule(
        "MT301",
        "error",
        "file",
        classes_agree,
        breaks=text_of(single(0), single(0, _TWO, "LH")),
        keeps=text_of(single(0), single(1, _TWO, "LH")),
        fix="Find out which lines are right; mtool rewrite --rename-class mends a name.",
        source=OUTPUT,
        never_for=("rekognition",),  # it goes by names, and lets the indices be
    ),
    rule(
        "MT302",
        "warning",
        "file",
        a_source_comes_once,
        breaks=text_of(single(), single()),
        keeps=text_of(single(), single(ref=_TWO)),
        fix="mtool merge keeps one line of each picture.",
        source=REUSE,
    ),
    rule(
        "MT303",
        "error",
        "file",
        a_source_has_one_label,
        breaks=text_of(single(0), single(1, name="LH")),
        keeps=text_of(single(0), single(1, _TWO, "LH")),
        fix="mtool merge --on-conflict newest decides by date; or highest-confidence, or vote.",
        source=REUSE,
    ),
    rule(
        "MT304",
        "error",
        "file",
        told_attribute_is_there,
        breaks=Example((text_of(single()),), label_attribute="Hand"),
        keeps=Example((text_of(single()),), label_attribute="hand"),
        fix="Name an attribute that mtool stats shows; upper and lower case are not the same.",
        source=TRAINING,
    ),
)
