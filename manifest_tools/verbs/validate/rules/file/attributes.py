"""Rules of a whole file: the names and types of its label attributes, and their metadata."""

import re
from collections.abc import Iterator, Sequence

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import listed, path, shown
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.groundtruth.record import METADATA
from manifest_tools.verbs.validate.engine.file_facts import (
    PLACEHOLDER,
    Facts,
    Occurrences,
)
from manifest_tools.verbs.validate.engine.unpaired_metadata import Unpaired, renamings
from manifest_tools.verbs.validate.rules.examples import labelled, lines, single
from manifest_tools.verbs.validate.rules.examples import line as unlabelled
from manifest_tools.verbs.validate.rules.references import (
    AUGMENTED_MANIFEST,
    CREATE_LABELING_JOB,
    OUTPUT,
    REUSE,
)
from manifest_tools.verbs.validate.rules.rule import Example, rule
from manifest_tools.verbs.validate.rules.wording import line_count

_ATTRIBUTE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}")
_TWO = "s3://lab3-rawdata/IMG_0086.JPG"


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


RULES = (
    attributes_have_a_name,
    metadata_is_named_after_its_label,
    metadata_is_of_a_label,
    only_uris_end_in_ref,
    requested_attribute_is_there,
    attributes_have_one_type,
)
