"""What can be said only of a whole file: classes that disagree, pictures that come twice, buckets."""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from manifest_tools import s3uri
from manifest_tools.found import Found, path, shown
from manifest_tools.rules.examples import labelled, single
from manifest_tools.rules.examples import line as example
from manifest_tools.rules.examples import lines as text_of
from manifest_tools.rules.facts import PLACEHOLDER, SEVERAL, Facts, Keys, Pair, Seen, repeats
from manifest_tools.rules.papers import API, BUCKETS, JSON_LINES, LIMITS, OURS, OUTPUT, REUSE, TRAINING
from manifest_tools.rules.rule import Example, rule
from manifest_tools.tasks import OTHERS, room_of

# Objects of a labeling job, from LIMITS; the quota can be raised.
MOST_OBJECTS = 100_000
# Shorter files are in the order of their classes by chance.
_FEW_LINES = 20

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}")
# The rooms of task types whose label attribute has to end in -ref.
_REFS = ("segmentation", "sequences", "point_cloud_segmentation")


def no_line_is_blank(facts: Facts) -> Iterator[Found]:
    """A manifest has no blank lines: Rekognition counts each as an invalid object."""
    if facts.blank is not None:
        yield Found("", f"a blank line ({lines(facts.blank)})", facts.blank.first)


def the_last_line_ends(facts: Facts) -> Iterator[Found]:
    """The last line ends with a newline, so that a file can be appended to it."""
    if not facts.ends:
        yield Found("", "no newline at the end of the file")


def a_job_takes_as_many(facts: Facts) -> Iterator[Found]:
    """A labeling job takes up to 100,000 objects."""
    if facts.objects > MOST_OBJECTS and not facts.attributes:
        yield Found("", f"expected at most {MOST_OBJECTS:,} objects to be labelled, found {facts.objects:,}")


def attributes_have_a_name(facts: Facts) -> Iterator[Found]:
    """A label attribute is called by up to 127 letters, digits and inner hyphens."""
    for name in facts.attributes:
        if not _NAME.fullmatch(name) and PLACEHOLDER not in name:
            yield Found(path(name), f"no labeling job would take the label attribute {shown(name)}")


def refs_are_called_so(facts: Facts) -> Iterator[Found]:
    """A label that is a URI is called -ref, and no other label is."""
    for name in facts.attributes:
        for kind, seen in facts.types(name).items():
            room = room_of(kind)
            if room != OTHERS and (room in _REFS) != name.endswith("-ref"):
                wanted = "a name that ends in -ref" if room in _REFS else "a name without -ref"
                message = f"{shown(kind)} asks for {wanted}, found {shown(name)}"
                yield Found(path(name), message, seen.first)


def attributes_have_one_type(facts: Facts) -> Iterator[Found]:
    """A label attribute has one task type on all lines."""
    for name, metadata_key in facts.attributes.items():
        types = facts.types(name)
        for kind in list(types)[1:]:
            usual = next(iter(types))
            message = (
                f"type {shown(kind)} ({lines(types[kind])}), but {shown(usual)} on {lines(types[usual])}"
            )
            yield Found(path(metadata_key, "type"), message, types[kind].first)


def classes_are_mixed(facts: Facts) -> Iterator[Found]:
    """Lines are not sorted by class: training takes them in the order of the file."""
    for name in facts.attributes:
        columns = [keys.labels[name] for keys in facts.keys if name in keys.labels]
        labels = np.concatenate(columns) if columns else np.zeros(0, np.uint64)
        labels = labels[labels != 0]
        changes = int((labels[1:] != labels[:-1]).sum())
        if len(labels) > _FEW_LINES and 0 < changes == len(np.unique(labels)) - 1:
            yield Found(path(name), f"{len(labels):,} lines are sorted by class, in {changes + 1} runs")


def buckets_are_possible(facts: Facts) -> Iterator[Found]:
    """A bucket has a name that S3 takes; those from before 2018 may have others."""
    for bucket, seen in facts.buckets.items():
        problem = s3uri.bucket_problem(bucket)
        if problem is not None and PLACEHOLDER not in bucket and bucket != "s3:":
            message = f"no bucket can be called {shown(bucket)}: {problem} ({lines(seen)})"
            yield Found("$.source-ref", message, seen.first)


def no_placeholder(facts: Facts) -> Iterator[Found]:
    """The placeholder for the lab has been replaced by a lab ID."""
    if facts.placeholder is not None:
        advice = "type: mtool rewrite --lab lab3, with your lab's ID"
        yield Found(
            "", f"{PLACEHOLDER} is left in ({lines(facts.placeholder)}); {advice}", facts.placeholder.first
        )


def told_attribute_is_there(facts: Facts) -> Iterator[Found]:
    """The label attribute that was asked for is on some line."""
    if facts.told is not None and not facts.told_lines:
        there = ", ".join(map(shown, sorted(facts.attributes)[:8])) or "none"
        yield Found("", f"no line has the label attribute {shown(facts.told)}; label attributes: {there}")


def classes_agree(facts: Facts) -> Iterator[Found]:
    """One class index has one name, and one name has one index.

    What most lines say is taken for right.
    """
    names: dict[tuple[str, int], Pair] = {}
    numbers: dict[tuple[str, str], Pair] = {}
    for pair in sorted(
        facts.classes, key=lambda pair: (-facts.classes[pair].lines, facts.classes[pair].first)
    ):
        names.setdefault((pair.attribute, pair.label), pair)
        numbers.setdefault((pair.attribute, pair.name), pair)
    for pair, seen in facts.classes.items():
        same_index, same_name = names[pair[:2]], numbers[pair.attribute, pair.name]
        here = lines(seen)
        if same_index != pair:
            usual = f"{shown(same_index.name)} on {lines(facts.classes[same_index])}"
            message = f"class {pair.label} is called {shown(pair.name)} ({here}), but {usual}"
            yield Found(path(pair.attribute), message, seen.first)
        elif same_name != pair:
            usual = f"class {same_name.label} on {lines(facts.classes[same_name])}"
            message = f"{shown(pair.name)} is class {pair.label} ({here}), but {usual}"
            yield Found(path(pair.attribute), message, seen.first)


def a_source_comes_once(facts: Facts) -> Iterator[Found]:
    """A picture stands on one line only."""
    keys = repeats(facts)
    if keys is None:
        return
    first = _first_of_group(keys.sources)
    again = first != np.arange(len(first))
    for name in keys.labels:
        again &= ~_conflicts(keys.labels[name], keys.sources)[0]
    for at in _by_line(keys, again):
        yield Found(
            "$.source-ref", f"the same source-ref as on line {keys.lines[first[at]]}", int(keys.lines[at])
        )


def a_source_has_one_label(facts: Facts) -> Iterator[Found]:
    """A picture that stands on several lines has the same label on all of them."""
    keys = repeats(facts)
    for name in keys.labels if keys is not None else ():
        assert keys is not None
        wrong, usual = _conflicts(keys.labels[name], keys.sources)
        for at in _by_line(keys, wrong):
            there = int(keys.lines[usual[at]])
            what = _difference(int(keys.labels[name][at]), int(keys.labels[name][usual[at]]), there)
            yield Found(path(name), f"{what}, for the same source-ref", int(keys.lines[at]))


def _by_line(keys: Keys, chosen: NDArray[np.bool_]) -> list[int]:
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


def lines(seen: Seen) -> str:
    """Return on how many lines something stands.

    >>> lines(Seen(3, 1)), lines(Seen(3, 1200))
    ('1 line', '1,200 lines')
    """
    return f"{seen.lines:,} line{'' if seen.lines == 1 else 's'}"


_ONE, _TWO = "s3://lab3-rawdata/IMG_0085.JPG", "s3://lab3-rawdata/IMG_0086.JPG"
_MASK = labelled("mask-ref", "s3://lab3-out/0.png", "semantic-segmentation", internal_color_map={})


def _many(order: str) -> str:
    names = ("RH", "LH")
    return text_of(
        *(single(int(k), f"s3://lab3-rawdata/{n}.JPG", names[int(k)]) for n, k in enumerate(order))
    )


RULES = (
    rule(
        "MT104",
        "warning",
        "file",
        no_line_is_blank,
        breaks=text_of(single()) + "\n",
        keeps=text_of(single()),
        fix="mtool validate --fix takes them out.",
        source=JSON_LINES,
    ),
    rule(
        "MT105",
        "warning",
        "file",
        the_last_line_ends,
        breaks=text_of(single())[:-1],
        keeps=text_of(single()),
        fix="mtool validate --fix adds it.",
        source=JSON_LINES,
    ),
    rule(
        "MT106",
        "warning",
        "file",
        a_job_takes_as_many,
        breaks=text_of(example()) * (MOST_OBJECTS + 1),
        keeps=text_of(example()),
        fix="mtool split parts the manifest; or ask AWS for a higher quota.",
        source=LIMITS,
    ),
    rule(
        "MT113",
        "warning",
        "file",
        buckets_are_possible,
        breaks=text_of(single(ref="s3://Lab_3/IMG_0085.JPG")),
        keeps=text_of(single()),
        fix="mtool rewrite --from s3://OLD --to s3://NEW puts another bucket in its place.",
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
        "MT212",
        "warning",
        "file",
        attributes_have_a_name,
        breaks=text_of(labelled("left_hand", 0, "image-classification", class_name="RH")),
        keeps=text_of(labelled("left-hand", 0, "image-classification", class_name="RH")),
        fix="mtool rewrite --rename-attribute gives it another name.",
        source=API,
    ),
    rule(
        "MT214",
        "warning",
        "file",
        refs_are_called_so,
        breaks=text_of(labelled("kind-ref", 0, "image-classification", class_name="RH")),
        keeps=text_of(_MASK),
        fix="mtool rewrite --rename-attribute; in training -ref says that an object's bytes are sent.",
        source=API,
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
    rule(
        "MT305",
        "error",
        "file",
        attributes_have_one_type,
        breaks=text_of(single(), single(ref=_TWO, type="groundtruth/text-classification")),
        keeps=text_of(single(), single(ref=_TWO)),
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
