"""Rules of a whole file: its classes, by index and by name, and the order in which they come."""

import unicodedata
from collections.abc import Iterator

import numpy as np

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import clipped, path, shown
from manifest_tools.base.visible import blank_ends, folded, hidden_in_name, visible
from manifest_tools.verbs.validate.engine.file_facts import (
    Facts,
    NamedClass,
    Occurrences,
    add_count,
)
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.line.class_names import name_problem
from manifest_tools.verbs.validate.rules.references import (
    AUGMENTED_MANIFEST,
    OURS,
    OUTPUT,
)
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import line_count

# Shorter files are in the order of their classes by chance.
_FEW_LINES = 20
_TWO = "s3://lab3-rawdata/IMG_0086.JPG"


@rule(
    "MT301",
    "error",
    "file",
    breaks=lambda: lines(single(0), single(0, _TWO, "LH")),
    keeps=lambda: lines(single(0), single(1, _TWO, "LH")),
    fix="Find out which lines are right; mtool rewrite --rename-class changes a name.",
    source=OUTPUT,
    never_for=("rekognition",),  # it goes by names and ignores the indices
)
def classes_agree(facts: Facts) -> Iterator[Finding]:
    """One class index has one name, and one name has one index.

    The majority of the lines is taken to be right.
    """
    names, numbers = class_tables(facts)
    for pair, seen in facts.classes.items():
        same_index, same_name = names[pair[:2]], numbers[pair.attribute, pair.name]
        if same_index != pair:
            usual = f"{shown(same_index.name)} on {line_count(facts.classes[same_index])}"
            message = f"class {pair.label} is named {shown(pair.name)} on {line_count(seen)}, but {usual}"
            yield Finding(path(pair.attribute), message, seen.first)
        elif same_name != pair:
            usual = f"class {same_name.label} on {line_count(facts.classes[same_name])}"
            message = f"{shown(pair.name)} is class {pair.label} on {line_count(seen)}, but {usual}"
            yield Finding(path(pair.attribute), message, seen.first)


@rule(
    "MT306",
    "warning",
    "file",
    breaks=lambda: _lines_of_classes("0" * 12 + "1" * 12),
    keeps=lambda: _lines_of_classes("01" * 12),
    fix="mtool split --shuffle writes the lines in random order; or set ShuffleConfig in the training job.",
    source=AUGMENTED_MANIFEST,
)
def classes_are_mixed(facts: Facts) -> Iterator[Finding]:
    """Lines are not sorted by class: training takes them in the order of the file."""
    if not facts.buckets and not facts.texts:
        return  # by paths on a disk, which no job reads
    for name in facts.attributes:
        columns = [keys.labels[name] for keys in facts.keys if name in keys.labels]
        labels = np.concatenate(columns) if columns else np.zeros(0, np.uint64)
        labels = labels[labels != 0]
        changes = int((labels[1:] != labels[:-1]).sum())
        if len(labels) > _FEW_LINES and 0 < changes == len(np.unique(labels)) - 1:
            message = f"the {len(labels):,} lines are sorted by their {changes + 1} classes"
            yield Finding(path(name), f"{message}, and training takes them in this order")


@rule(
    "MT307",
    "warning",
    "file",
    breaks=lambda: lines(single(0, name="cat"), single(1, _TWO, "Cat")),
    keeps=lambda: lines(single(0, name="cat"), single(1, _TWO, "cart")),
    fix="If they are one class, mtool rewrite --rename-class OLD=NEW gives it one name.",
    source=OURS,
)
def names_look_different(facts: Facts) -> Iterator[Finding]:
    """The names of two classes differ in more than blanks, case and Unicode form."""
    usual: dict[tuple[str, str], NamedClass] = {}
    for pair in sorted(facts.classes, key=lambda p: (-facts.classes[p].lines, facts.classes[p].first, p)):
        other = usual.setdefault((pair.attribute, folded(pair.name)), pair)
        if other.name != pair.name:
            seen = facts.classes[pair]
            message = f"class {quoted(pair.name)} on {line_count(seen)} looks like class {quoted(other.name)}"
            where = (
                f"{message} on {line_count(facts.classes[other])}: {how_names_differ(pair.name, other.name)}"
            )
            yield Finding(path(pair.attribute), where, seen.first)


@rule(
    "MT308",
    "warning",
    "file",
    breaks=lambda: lines(single(name="cat ")),
    keeps=lambda: lines(single(name="left hand")),
    fix="mtool rewrite --rename-class OLD=NEW renames the class: to every reader it is another name.",
    source=OURS,
)
def names_can_be_seen(facts: Facts) -> Iterator[Finding]:
    """The name of a class has no blank before or after it, and no invisible character."""
    names: dict[tuple[str, str], Occurrences] = {}
    for pair, seen in facts.classes.items():
        add_count(names, (pair.attribute, pair.name), seen)
    for (attribute, name), seen in names.items():
        ends, hidden = blank_ends(name), hidden_in_name(name.strip())
        if (ends or hidden) and not name_problem(name):  # MT223 tells of those
            wrong = (
                f"an invisible character: {hidden_in_name(name)}" if hidden else f"a blank at one end: {ends}"
            )
            yield Finding(
                path(attribute), f"class {quoted(name)} on {line_count(seen)} has {wrong}", seen.first
            )


def how_names_differ(one: str, other: str) -> str:
    """Say in what two names differ that look alike."""
    if "".join(one.split()) == "".join(other.split()):
        return "they differ in blanks only"
    if one.casefold() == other.casefold():
        return "they differ in upper and lower case only"
    if unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other):
        return "they are one text in two Unicode forms"
    return "they differ only in blanks, case, Unicode form or invisible characters"


def quoted(name: str) -> str:
    """Return a name in quotes, with escapes where something of it cannot be seen."""
    seen = visible(clipped(name))
    return seen if seen.startswith("'") else shown(name)


def _lines_of_classes(order: str) -> str:
    names = ("RH", "LH")
    return lines(*(single(int(k), f"s3://lab3-rawdata/{n}.JPG", names[int(k)]) for n, k in enumerate(order)))


def class_tables(facts: Facts) -> tuple[dict[tuple[str, int], NamedClass], dict[tuple[str, str], NamedClass]]:
    """Return the name that most lines give each index, and the index that most give each name.

    The keys are the attribute and the index, and the attribute and the name.
    """
    names: dict[tuple[str, int], NamedClass] = {}
    numbers: dict[tuple[str, str], NamedClass] = {}
    for pair in sorted(facts.classes, key=lambda p: (-facts.classes[p].lines, facts.classes[p].first, p)):
        names.setdefault((pair.attribute, pair.label), pair)
        numbers.setdefault((pair.attribute, pair.name), pair)
    return names, numbers


RULES = (
    classes_agree,
    classes_are_mixed,
    names_look_different,
    names_can_be_seen,
)
