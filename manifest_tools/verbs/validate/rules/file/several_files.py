"""Rules of several files together, such as one for training and one for validation."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import counted, listed, path, shown
from manifest_tools.base.visible import folded
from manifest_tools.verbs.validate.engine.file_facts import Facts
from manifest_tools.verbs.validate.rules.examples import labelled, single
from manifest_tools.verbs.validate.rules.file.class_tables import class_tables, how_names_differ, quoted
from manifest_tools.verbs.validate.rules.file.repeated_pictures import source_path
from manifest_tools.verbs.validate.rules.job_examples import GOOD, PICTURES, train_and
from manifest_tools.verbs.validate.rules.references import AUGMENTED_MANIFEST
from manifest_tools.verbs.validate.rules.rule import rule


@rule(
    "MT310",
    "error",
    "files",
    breaks=lambda: train_and(labelled("hands", 0, "image-classification", PICTURES[2], class_name="RH")),
    keeps=lambda: GOOD,
    fix="mtool rewrite --rename-attribute OLD=NEW in one of the files.",
    source=AUGMENTED_MANIFEST,
)
def attributes_are_the_same(files: Sequence[Facts]) -> Iterator[Finding]:
    """Files that go into one job have a label attribute in common."""
    return _compare_to_earlier(files, _attributes)


def _attributes(first: Facts, other: Facts) -> Iterator[Finding]:
    if first.attributes and other.attributes and not first.attributes.keys() & other.attributes.keys():
        attributes = f"{listed(other.attributes)} here, {listed(first.attributes)} there"
        yield Finding("", f"no label attribute in common with {first.name}: {attributes}", file=other.name)


@rule(
    "MT311",
    "error",
    "files",
    breaks=lambda: train_and(single(1, PICTURES[2], "RH"), single(0, PICTURES[3], "LH")),
    keeps=lambda: GOOD,
    fix="mtool merge writes one class table for all lines; then divide them again with mtool split.",
    source=AUGMENTED_MANIFEST,
    never_for=("rekognition",),  # it goes by names and ignores the indices
)
def tables_agree(files: Sequence[Facts]) -> Iterator[Finding]:
    """One class index has one name in all files, and one name one index."""
    return _compare_to_earlier(files, _indices_and_names)


def _indices_and_names(first: Facts, other: Facts) -> Iterator[Finding]:
    names, numbers = class_tables(first)
    for pair, seen in other.classes.items():
        name = names.get(pair[:2], pair).name
        number = numbers.get((pair.attribute, pair.name), pair).label
        if name != pair.name:
            here = f"class {pair.label} is named {shown(pair.name)} here"
            message = f"{here}, but {shown(name)} in {first.name}"
            yield Finding(path(pair.attribute), message, seen.first, other.name)
        elif number != pair.label:
            message = f"{shown(pair.name)} is class {pair.label} here, but class {number} in {first.name}"
            yield Finding(path(pair.attribute), message, seen.first, other.name)


@rule(
    "MT312",
    "warning",
    "files",
    breaks=lambda: train_and(single(0, PICTURES[2])),
    keeps=lambda: GOOD,
    fix="mtool split puts lines of every class into every part.",
    source=AUGMENTED_MANIFEST,
)
def classes_are_in_both(files: Sequence[Facts]) -> Iterator[Finding]:
    """A class of one file is in the others too."""
    return _compare_to_earlier(files, _classes)


def _classes(first: Facts, second: Facts) -> Iterator[Finding]:
    for one, other in ((first, second), (second, first)):
        for attribute in one.attributes:
            mine, theirs = _lines_by_name(one, attribute), _lines_by_name(other, attribute)
            alone = [name for name in mine if name not in theirs]
            if not theirs or not alone:
                continue
            those, them = ("class", "it") if len(alone) == 1 else (f"the {len(alone):,} classes", "them")
            lines = sum(mine[name] for name in alone)
            where = f"{'is' if them == 'it' else 'are'} on {counted(lines, one.noun)} here"
            effect = f"a model trained on that file cannot learn {them}"
            if one is first:
                effect = f"that file cannot show whether a model has learnt {them}"
            message = f"{those} {listed(alone)} {where} and on none of {other.name}, so {effect}"
            yield Finding(path(attribute), message, file=one.name)


def _lines_by_name(facts: Facts, attribute: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for pair, seen in facts.classes.items():
        if pair.attribute == attribute:
            found[pair.name] = found.get(pair.name, 0) + seen.lines
    return found


@rule(
    "MT313",
    "error",
    "files",
    breaks=lambda: train_and(single(0, PICTURES[0]), single(1, PICTURES[3], "LH")),
    keeps=lambda: GOOD,
    fix="mtool split keeps all lines of a picture in one part.",
    source=AUGMENTED_MANIFEST,
)
def pictures_are_in_one(files: Sequence[Facts]) -> Iterator[Finding]:
    """A picture, or a text, is in one file only: what a model has learnt cannot test it."""
    return _compare_to_earlier(files, _pictures)


def _pictures(first: Facts, other: Facts) -> Iterator[Finding]:
    both = np.flatnonzero(np.isin(_sources(other), _sources(first)))
    if len(both):
        numbers = np.concatenate([keys.lines for keys in other.keys])
        here = f"{counted(len(both), other.subject)} of this file {'is' if len(both) == 1 else 'are'}"
        where = source_path(other)
        yield Finding(where, f"{here} in {first.name} too", int(numbers[both].min()), other.name)


@rule(
    "MT314",
    "warning",
    "files",
    breaks=lambda: train_and(single(0, PICTURES[2]), single(2, PICTURES[3], "Lh")),
    keeps=lambda: GOOD,
    fix="If they are one class, mtool rewrite --rename-class OLD=NEW gives it one name.",
    source=AUGMENTED_MANIFEST,
)
def names_are_spelt_the_same(files: Sequence[Facts]) -> Iterator[Finding]:
    """Names of classes differ between files in more than blanks, case and Unicode form."""
    return _compare_to_earlier(files, _alike)


def _alike(first: Facts, other: Facts) -> Iterator[Finding]:
    names = {(pair.attribute, folded(pair.name)): pair.name for pair in first.classes}
    same = {(pair.attribute, pair.name) for pair in first.classes}
    for pair, seen in other.classes.items():
        theirs = names.get((pair.attribute, folded(pair.name)), pair.name)
        if theirs != pair.name and (pair.attribute, pair.name) not in same:
            message = f"class {quoted(pair.name)} here looks like class {quoted(theirs)} in {first.name}"
            difference = how_names_differ(pair.name, theirs)
            yield Finding(path(pair.attribute), f"{message}: {difference}", seen.first, other.name)


def _sources(facts: Facts) -> NDArray[np.uint64]:
    every = [keys.sources for keys in facts.keys]
    return np.concatenate(every) if every else np.zeros(0, np.uint64)


def _compare_to_earlier(
    files: Sequence[Facts], compare: Callable[[Facts, Facts], Iterator[Finding]]
) -> Iterator[Finding]:
    """Compare every file to the earlier ones until something is found, and yield that.

    So the findings grow with the number of files, and not with that of their pairs.
    """
    for at, other in enumerate(files):
        findings = (list(compare(first, other)) for first in files[:at])
        yield from next((found for found in findings if found), [])


RULES = (
    attributes_are_the_same,
    tables_agree,
    classes_are_in_both,
    pictures_are_in_one,
    names_are_spelt_the_same,
)
OF_RECORD_FILES = (classes_are_in_both, pictures_are_in_one)
"""The rules that hold for several .rec, or several .lst, as well."""
