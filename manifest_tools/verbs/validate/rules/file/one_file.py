"""Rules of a whole file: its blank lines and its end, and the names, types and classes of its labels."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import clipped, listed, path, shown
from manifest_tools.base.visible import blank_ends, folded, hidden_in_name, visible
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.io import s3uri
from manifest_tools.verbs.validate.engine.file_facts import (
    PLACEHOLDER,
    Facts,
    NamedClass,
    Occurrences,
    add_count,
)
from manifest_tools.verbs.validate.engine.unpaired_metadata import Unpaired, renamings
from manifest_tools.verbs.validate.rules.examples import labelled, lines, single
from manifest_tools.verbs.validate.rules.examples import line as unlabelled
from manifest_tools.verbs.validate.rules.line.class_names import name_problem
from manifest_tools.verbs.validate.rules.references import (
    AUGMENTED_MANIFEST,
    BUCKETS,
    CREATE_LABELING_JOB,
    JSON_LINES,
    KEYS,
    LIMITS,
    OURS,
    OUTPUT,
    REUSE,
)
from manifest_tools.verbs.validate.rules.rule import Example, rule
from manifest_tools.verbs.validate.rules.wording import line_count

# Objects of a labeling job, from LIMITS; the quota can be raised.
MOST_OBJECTS = 100_000
# Shorter files are in the order of their classes by chance.
_FEW_LINES = 20
_ATTRIBUTE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}")
_TWO = "s3://lab3-rawdata/IMG_0086.JPG"


@rule(
    "MT104",
    "warning",
    "file",
    breaks=lambda: lines(single()) + "\n",
    keeps=lambda: lines(single()),
    fix="mtool validate --fix removes blank lines.",
    source=JSON_LINES,
)
def no_line_is_blank(facts: Facts) -> Iterator[Finding]:
    """A manifest has no blank lines: Rekognition counts each as an invalid object."""
    if facts.blank is not None:
        more = f", the first of {facts.blank.lines:,}" if facts.blank.lines > 1 else ""
        yield Finding("", f"blank line{more}", facts.blank.first)


@rule(
    "MT105",
    "warning",
    "file",
    breaks=lambda: lines(single())[:-1],
    keeps=lambda: lines(single()),
    fix="mtool validate --fix adds the newline.",
    source=JSON_LINES,
)
def the_last_line_ends(facts: Facts) -> Iterator[Finding]:
    """The last line ends with a newline, so that another file can be appended."""
    if not facts.ends:
        yield Finding("", "no newline at the end of the file")


@rule(
    "MT106",
    "warning",
    "file",
    breaks=lambda most=MOST_OBJECTS: lines(unlabelled()) * (most + 1),
    keeps=lambda most=MOST_OBJECTS: lines(unlabelled()) * most,
    fix="Divide the manifest with mtool split, or ask AWS for a higher quota.",
    source=LIMITS,
)
def a_job_takes_as_many(facts: Facts, most: int = MOST_OBJECTS) -> Iterator[Finding]:
    """A file that is to be labelled has up to 100,000 objects, the limit of a labeling job."""
    if facts.objects > most and not facts.attributes:
        message = f"a labeling job takes at most {most:,} objects, this file has {facts.objects:,}"
        yield Finding("", message)


@rule(
    "MT113",
    "warning",
    "file",
    breaks=lambda: lines(single(ref="s3://Lab_3/IMG_0085.JPG")),
    keeps=lambda: lines(single()),
    fix="mtool rewrite --move s3://OLD=s3://NEW replaces the bucket.",
    source=BUCKETS,
)
def buckets_are_possible(facts: Facts) -> Iterator[Finding]:
    """A bucket has a name that S3 allows; buckets from before 2018 may have others."""
    for bucket, seen in facts.buckets.items():
        problem = s3uri.bucket_problem(bucket)
        if problem is not None and PLACEHOLDER not in bucket and bucket != "s3:":
            message = f"S3 allows no bucket named {shown(bucket)}: {problem} (on {line_count(seen)})"
            yield Finding("$.source-ref", message, seen.first)


@rule(
    "MT114",
    "error",
    "file",
    breaks=lambda: lines(single(ref="s3://lab#-rawdata/IMG_0085.JPG")),
    keeps=lambda: lines(single()),
    fix="Type: mtool rewrite --lab lab3, with your lab's ID.",
    source=OURS,
)
def no_placeholder(facts: Facts) -> Iterator[Finding]:
    """The placeholder lab# has been replaced by the ID of a lab."""
    if facts.placeholder is not None:
        where = f"the placeholder {PLACEHOLDER} is still on {line_count(facts.placeholder)}"
        yield Finding(
            "", f"{where}; type: mtool rewrite --lab lab3, with your lab's ID", facts.placeholder.first
        )


@rule(
    "MT118",
    "warning",
    "file",
    breaks=lambda: lines(single(ref="s3://lab3-rawdata/left//IMG_0085.JPG")),
    keeps=lambda: lines(single()),
    fix="Rename the objects before they are copied to a disk; the copies are found either way.",
    source=KEYS,
)
def keys_have_no_empty_part(facts: Facts) -> Iterator[Finding]:
    """The key of a picture has no two slashes together, which a copy on a disk makes one."""
    if facts.doubled is not None:
        message = f"two slashes together in the key of the picture (on {line_count(facts.doubled)})"
        yield Finding("$.source-ref", f"{message}; a copy on a disk has one", facts.doubled.first)


@rule(
    "MT212",
    "warning",
    "file",
    breaks=lambda: lines(labelled("left_hand", 0, "image-classification", class_name="RH")),
    keeps=lambda: lines(labelled("left-hand", 0, "image-classification", class_name="RH")),
    fix="mtool rewrite --rename-attribute OLD=NEW renames it; only a labeling job needs such a name.",
    source=CREATE_LABELING_JOB,
    never_for=("rekognition",),  # whose own samples have underscores in them
)
def attributes_have_a_name(facts: Facts) -> Iterator[Finding]:
    """The name of a label attribute has up to 127 letters and digits, with hyphens between them."""
    for name in facts.attributes:
        if not _ATTRIBUTE_NAME.fullmatch(name) and PLACEHOLDER not in name:
            wanted = "expected up to 127 letters and digits, with hyphens between them"
            yield Finding(path(name), f"name of a label attribute: {wanted}, found {shown(name)}")


@rule(
    "MT213",
    "error",
    "file",
    breaks=lambda: lines(
        {key.replace("hand-m", "auto-label-m"): value for key, value in single().items()},
        {key.replace("hand-m", "hand_m"): value for key, value in single().items()},
    ),
    keeps=lambda: lines(single(), unlabelled(hand=0, notes_metadata={})),
    fix="mtool validate --fix renames the metadata after its label.",
    source=OUTPUT,
)
def metadata_is_named_after_its_label(facts: Facts) -> Iterator[Finding]:
    """The key of metadata is that of its label and -metadata."""
    for key, renaming in renamings(facts.unpaired).items():
        for name in renaming.names:
            mine = [one for one in facts.unpaired if one.key == key and renaming.label(one) == name]
            seen = _sum(facts, mine)
            expected = f"expected {shown(name + METADATA)}, found {shown(key)} (on {line_count(seen)})"
            advice = ""
            if not renaming.complete:
                advice = (
                    "; on other lines nothing shows which label it is of, so --fix leaves all as they are"
                )
            yield Finding(path(key), f"key of the metadata of {shown(name)}: {expected}{advice}", seen.first)


@rule(
    "MT217",
    "error",
    "file",
    breaks=lambda: lines({key: value for key, value in single().items() if key != "hand"} | {"page": 1}),
    keeps=lambda: lines(single(), unlabelled(page_metadata={"type": "a scan"})),
    fix="Rename the metadata after its label: the name of the label and -metadata.",
    source=OUTPUT,
)
def metadata_is_of_a_label(facts: Facts) -> Iterator[Finding]:
    """Metadata of Ground Truth's belongs to a label that some line of the file has."""
    for key, renaming in renamings(facts.unpaired).items():
        found = [one for one in facts.unpaired if one.key == key and one.typed]
        if not found or renaming.names or key in facts.attributes.values():
            continue
        seen, label = _sum(facts, found), shown(key.removesuffix(METADATA))
        bare = list(dict.fromkeys(name for one in found for name in one.labels))
        advice = f"; if its label is one of {listed(bare)}, rename {shown(key)} after that" if bare else ""
        message = f"{shown(key)} is on {line_count(seen)}, and its label {label} on none"
        yield Finding(path(key), f"{message}{advice}", seen.first)


def _sum(facts: Facts, chosen: Sequence[Unpaired]) -> Occurrences:
    """Return on which lines some unpaired metadata is."""
    found = [facts.unpaired[one] for one in chosen]
    return Occurrences(min(seen.first for seen in found), sum(seen.lines for seen in found))


@rule(
    "MT214",
    "warning",
    "file",
    breaks=lambda: lines(labelled("kind-ref", 0, "image-classification", class_name="RH")),
    keeps=lambda: lines(
        labelled("mask-ref", "s3://lab3-out/0.png", "semantic-segmentation", internal_color_map={})
    ),
    fix="mtool rewrite --rename-attribute OLD=NEW; training sends the object behind a name in -ref.",
    source=CREATE_LABELING_JOB,
)
def only_uris_end_in_ref(facts: Facts) -> Iterator[Finding]:
    """The name of a label attribute ends in -ref if its labels are URIs, and only then."""
    for name in facts.attributes:
        for type_name, seen in facts.types(name).items():
            kind = label_kind(type_name)
            if kind.has_classes and (kind.label_object is not None) != name.endswith("-ref"):
                wanted = (
                    "a name that ends in -ref" if kind.label_object else "a name that does not end in -ref"
                )
                message = (
                    f"label attribute of type {shown(type_name)}: expected {wanted}, found {shown(name)}"
                )
                yield Finding(path(name), message, seen.first)


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
    "MT304",
    "error",
    "file",
    breaks=lambda: Example((lines(single()),), label_attribute="Hand"),
    keeps=lambda: Example((lines(single()),), label_attribute="hand"),
    fix="Name an attribute that mtool stats shows; upper and lower case are not the same.",
    source=AUGMENTED_MANIFEST,
)
def requested_attribute_is_there(facts: Facts) -> Iterator[Finding]:
    """The label attribute of --label-attribute is on some line."""
    if facts.requested is not None and not facts.requested_lines:
        advice = f"mtool stats {facts.name} shows the attributes of this file"
        yield Finding("", f"no line has the label attribute {shown(facts.requested)}; {advice}")


@rule(
    "MT305",
    "error",
    "file",
    breaks=lambda: lines(single(), single(ref=_TWO, type="groundtruth/text-classification")),
    keeps=lambda: lines(single(), single(ref=_TWO)),
    fix="Keep labels of one type under one name; mtool rewrite --rename-attribute OLD=NEW renames them.",
    source=REUSE,
)
def attributes_have_one_type(facts: Facts) -> Iterator[Finding]:
    """A label attribute has one task type on all lines."""
    for name, metadata_key in facts.attributes.items():
        types = facts.types(name)
        for type_name in list(types)[1:]:
            usual = next(iter(types))
            here = f"{shown(name)} has the type {shown(type_name)} on {line_count(types[type_name])}"
            message = f"{here}, but {shown(usual)} on {line_count(types[usual])}"
            yield Finding(path(metadata_key, "type"), message, types[type_name].first)


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
    no_line_is_blank,
    the_last_line_ends,
    a_job_takes_as_many,
    buckets_are_possible,
    no_placeholder,
    keys_have_no_empty_part,
    attributes_have_a_name,
    metadata_is_named_after_its_label,
    metadata_is_of_a_label,
    only_uris_end_in_ref,
    classes_agree,
    requested_attribute_is_there,
    attributes_have_one_type,
    classes_are_mixed,
    names_look_different,
    names_can_be_seen,
)
