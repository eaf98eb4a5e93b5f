"""What can be said only of several files together: a part for training and one for validation, say."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.verbs.validate.engine.file_facts import Facts, NamedClass
from manifest_tools.verbs.validate.rules.examples import labelled, lines, single
from manifest_tools.verbs.validate.rules.references import TRAINING
from manifest_tools.verbs.validate.rules.rule import Example, rule

_SHOWN = 5  # names that a message lists


def attributes_are_the_same(files: Sequence[Facts]) -> Iterator[Finding]:
    """Files that go into one job have a label attribute in common."""
    return _against_an_earlier_one(files, _attributes)


def _attributes(first: Facts, other: Facts) -> Iterator[Finding]:
    if first.attributes and other.attributes and not first.attributes.keys() & other.attributes.keys():
        message = f"expected a label attribute of {first.name}: {_listed(first.attributes)}; "
        yield Finding("", f"{message}found {_listed(other.attributes)}", file=other.name)


def tables_agree(files: Sequence[Facts]) -> Iterator[Finding]:
    """One class index has one name in all files, and one name one index."""
    return _against_an_earlier_one(files, _indices_and_names)


def _indices_and_names(first: Facts, other: Facts) -> Iterator[Finding]:
    names, numbers = _tables(first)
    for pair, seen in other.classes.items():
        name = names.get(pair[:2], pair.name)
        number = numbers.get((pair.attribute, pair.name), pair.label)
        if name != pair.name:
            said = f"class {pair.label} is called {shown(pair.name)}"
            yield Finding(
                path(pair.attribute), f"{said}, but {shown(name)} in {first.name}", seen.first, other.name
            )
        elif number != pair.label:
            message = f"{shown(pair.name)} is class {pair.label}, but class {number} in {first.name}"
            yield Finding(path(pair.attribute), message, seen.first, other.name)


def classes_are_in_both(files: Sequence[Facts]) -> Iterator[Finding]:
    """A class of one file is in the others too."""
    return _against_an_earlier_one(files, _classes)


def _classes(first: Facts, second: Facts) -> Iterator[Finding]:
    for one, other in ((first, second), (second, first)):
        for attribute in one.attributes:
            mine, theirs = _names(one, attribute), _names(other, attribute)
            if theirs and (alone := [name for name in mine if name not in theirs]):
                yield Finding(path(attribute), f"not in {other.name}: {_listed(alone)}", file=one.name)


def pictures_are_in_one(files: Sequence[Facts]) -> Iterator[Finding]:
    """A picture is in one file only: what was learnt cannot be tried on it."""
    return _against_an_earlier_one(files, _pictures)


def _pictures(first: Facts, other: Facts) -> Iterator[Finding]:
    both = np.flatnonzero(np.isin(_sources(other), _sources(first)))
    if len(both):
        numbers = np.concatenate([keys.lines for keys in other.keys])
        message = f"{len(both):,} of its pictures are in {first.name} too"
        yield Finding("$.source-ref", message, int(numbers[both].min()), other.name)


def _against_an_earlier_one(
    files: Sequence[Facts], compare: Callable[[Facts, Facts], Iterator[Finding]]
) -> Iterator[Finding]:
    """Yield of every file what it has against the first earlier one that it has something against.

    So that what is said grows with the files, and not with their pairs.
    """
    for at, other in enumerate(files):
        against = (list(compare(first, other)) for first in files[:at])
        yield from next((found for found in against if found), [])


def _tables(facts: Facts) -> tuple[dict[tuple[str, int], str], dict[tuple[str, str], int]]:
    """Return what most lines call each class, and the index that most give each name."""
    names: dict[tuple[str, int], str] = {}
    numbers: dict[tuple[str, str], int] = {}
    for pair in sorted(facts.classes, key=partial(_weight, facts)):
        names.setdefault(pair[:2], pair.name)
        numbers.setdefault((pair.attribute, pair.name), pair.label)
    return names, numbers


def _weight(facts: Facts, pair: NamedClass) -> tuple[int, int, NamedClass]:
    """What most lines say comes first, whatever order it was found in."""
    seen = facts.classes[pair]
    return -seen.lines, seen.first, pair


def _names(facts: Facts, attribute: str) -> list[str]:
    return list(dict.fromkeys(pair.name for pair in facts.classes if pair.attribute == attribute))


def _sources(facts: Facts) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    every = [keys.sources for keys in facts.keys]
    return np.concatenate(every) if every else np.zeros(0, np.uint64)


def _listed(names: Sequence[str] | dict[str, str]) -> str:
    shown_ = ", ".join(map(shown, list(names)[:_SHOWN]))
    return f"{shown_} and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else shown_


def _files(*files: tuple[dict[str, object], ...]) -> Example:
    return Example(tuple(lines(*file) for file in files))


_PICTURES = tuple(f"s3://lab3-rawdata/IMG_{number:04}.JPG" for number in range(1, 5))
_TRAIN = (single(0, _PICTURES[0]), single(1, _PICTURES[1], "LH"))
_VALIDATION = (single(0, _PICTURES[2]), single(1, _PICTURES[3], "LH"))
_OTHER = labelled("hands", 0, "image-classification", _PICTURES[2], class_name="RH")

RULES = (
    rule(
        "MT310",
        "error",
        "files",
        attributes_are_the_same,
        breaks=_files(_TRAIN, (_OTHER,)),
        keeps=_files(_TRAIN, _VALIDATION),
        fix="mtool rewrite --rename-attribute OLD=NEW in one of the files.",
        source=TRAINING,
    ),
    rule(
        "MT311",
        "error",
        "files",
        tables_agree,
        breaks=_files(_TRAIN, (single(1, _PICTURES[2], "RH"), single(0, _PICTURES[3], "LH"))),
        keeps=_files(_TRAIN, _VALIDATION),
        fix="mtool merge writes one table for all; then mtool split.",
        source=TRAINING,
        never_for=("rekognition",),  # it goes by names, and lets the indices be
    ),
    rule(
        "MT312",
        "warning",
        "files",
        classes_are_in_both,
        breaks=_files(_TRAIN, (single(0, _PICTURES[2]),)),
        keeps=_files(_TRAIN, _VALIDATION),
        fix="mtool split deals every class out to all parts.",
        source=TRAINING,
    ),
    rule(
        "MT313",
        "error",
        "files",
        pictures_are_in_one,
        breaks=_files(_TRAIN, (single(0, _PICTURES[0]), single(1, _PICTURES[3], "LH"))),
        keeps=_files(_TRAIN, _VALIDATION),
        fix="mtool split keeps the lines of a picture together.",
        source=TRAINING,
    ),
)
