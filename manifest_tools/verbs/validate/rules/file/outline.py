"""What a file is like as a whole: blank lines, its end, the names and types of its labels, their order."""

import re
from collections.abc import Iterator

import numpy as np

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.verbs.validate.engine.file_facts import PLACEHOLDER, Facts
from manifest_tools.verbs.validate.rules.examples import labelled, lines, single
from manifest_tools.verbs.validate.rules.examples import line as example
from manifest_tools.verbs.validate.rules.file.one_file import lines as counted
from manifest_tools.verbs.validate.rules.references import API, JSON_LINES, LIMITS, REUSE, TRAINING
from manifest_tools.verbs.validate.rules.rule import rule

# Objects of a labeling job, from LIMITS; the quota can be raised.
MOST_OBJECTS = 100_000
# Shorter files are in the order of their classes by chance.
_FEW_LINES = 20

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}")


def no_line_is_blank(facts: Facts) -> Iterator[Finding]:
    """A manifest has no blank lines: Rekognition counts each as an invalid object."""
    if facts.blank is not None:
        yield Finding("", f"a blank line ({counted(facts.blank)})", facts.blank.first)


def the_last_line_ends(facts: Facts) -> Iterator[Finding]:
    """The last line ends with a newline, so that a file can be appended to it."""
    if not facts.ends:
        yield Finding("", "no newline at the end of the file")


def a_job_takes_as_many(facts: Facts) -> Iterator[Finding]:
    """A labeling job takes up to 100,000 objects."""
    if facts.objects > MOST_OBJECTS and not facts.attributes:
        yield Finding(
            "", f"expected at most {MOST_OBJECTS:,} objects to be labelled, found {facts.objects:,}"
        )


def attributes_have_a_name(facts: Facts) -> Iterator[Finding]:
    """A label attribute is called by up to 127 letters, digits and inner hyphens."""
    for name in facts.attributes:
        if not _NAME.fullmatch(name) and PLACEHOLDER not in name:
            yield Finding(path(name), f"no labeling job would take the label attribute {shown(name)}")


def refs_are_called_so(facts: Facts) -> Iterator[Finding]:
    """A label that is a URI is called -ref, and no other label is."""
    for name in facts.attributes:
        for type_name, seen in facts.types(name).items():
            kind = label_kind(type_name)
            if kind.has_classes and (kind.label_object is not None) != name.endswith("-ref"):
                wanted = "a name that ends in -ref" if kind.label_object else "a name without -ref"
                message = f"{shown(type_name)} asks for {wanted}, found {shown(name)}"
                yield Finding(path(name), message, seen.first)


def attributes_have_one_type(facts: Facts) -> Iterator[Finding]:
    """A label attribute has one task type on all lines."""
    for name, metadata_key in facts.attributes.items():
        types = facts.types(name)
        for type_name in list(types)[1:]:
            usual = next(iter(types))
            here = types[type_name]
            message = (
                f"type {shown(type_name)} ({counted(here)}), but {shown(usual)} on {counted(types[usual])}"
            )
            yield Finding(path(metadata_key, "type"), message, here.first)


def classes_are_mixed(facts: Facts) -> Iterator[Finding]:
    """Lines are not sorted by class: training takes them in the order of the file."""
    for name in facts.attributes:
        columns = [keys.labels[name] for keys in facts.keys if name in keys.labels]
        labels = np.concatenate(columns) if columns else np.zeros(0, np.uint64)
        labels = labels[labels != 0]
        changes = int((labels[1:] != labels[:-1]).sum())
        if len(labels) > _FEW_LINES and 0 < changes == len(np.unique(labels)) - 1:
            yield Finding(path(name), f"{len(labels):,} lines are sorted by class, in {changes + 1} runs")


_MASK = labelled("mask-ref", "s3://lab3-out/0.png", "semantic-segmentation", internal_color_map={})
_TWO = "s3://lab3-rawdata/IMG_0086.JPG"


def _many(order: str) -> str:
    names = ("RH", "LH")
    return lines(*(single(int(k), f"s3://lab3-rawdata/{n}.JPG", names[int(k)]) for n, k in enumerate(order)))


RULES = (
    rule(
        "MT104",
        "warning",
        "file",
        no_line_is_blank,
        breaks=lines(single()) + "\n",
        keeps=lines(single()),
        fix="mtool validate --fix takes them out.",
        source=JSON_LINES,
    ),
    rule(
        "MT105",
        "warning",
        "file",
        the_last_line_ends,
        breaks=lines(single())[:-1],
        keeps=lines(single()),
        fix="mtool validate --fix adds it.",
        source=JSON_LINES,
    ),
    rule(
        "MT106",
        "warning",
        "file",
        a_job_takes_as_many,
        breaks=lines(example()) * (MOST_OBJECTS + 1),
        keeps=lines(example()),
        fix="mtool split parts the manifest; or ask AWS for a higher quota.",
        source=LIMITS,
    ),
    rule(
        "MT212",
        "warning",
        "file",
        attributes_have_a_name,
        breaks=lines(labelled("left_hand", 0, "image-classification", class_name="RH")),
        keeps=lines(labelled("left-hand", 0, "image-classification", class_name="RH")),
        fix="mtool rewrite --rename-attribute gives it another name.",
        source=API,
    ),
    rule(
        "MT214",
        "warning",
        "file",
        refs_are_called_so,
        breaks=lines(labelled("kind-ref", 0, "image-classification", class_name="RH")),
        keeps=lines(_MASK),
        fix="mtool rewrite --rename-attribute; in training -ref says that an object's bytes are sent.",
        source=API,
    ),
    rule(
        "MT305",
        "error",
        "file",
        attributes_have_one_type,
        breaks=lines(single(), single(ref=_TWO, type="groundtruth/text-classification")),
        keeps=lines(single(), single(ref=_TWO)),
        fix="Keep lines of one type under one name; mtool rewrite --rename-attribute mends one file.",
        source=REUSE,
    ),
    rule(
        "MT306",
        "warning",
        "file",
        classes_are_mixed,
        breaks=_many("0" * 12 + "1" * 12),
        keeps=_many("01" * 12),
        fix="mtool split --shuffle writes the lines mixed; or set ShuffleConfig in the training job.",
        source=TRAINING,
    ),
)
