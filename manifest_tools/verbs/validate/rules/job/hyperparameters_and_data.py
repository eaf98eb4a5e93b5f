"""Whether hyperparameters go with the data: with its classes, lines, boxes and class names."""

import re
from collections.abc import Iterator

from manifest_tools import algorithms
from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.verbs.validate.preflight.channel import Channel
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import (
    hyperparameters,
    list_format,
    num_classes,
    observed_classes,
)
from manifest_tools.verbs.validate.rules.examples import lines as text_of
from manifest_tools.verbs.validate.rules.examples import single
from manifest_tools.verbs.validate.rules.job.channels import facts_of
from manifest_tools.verbs.validate.rules.job.hyperparameters import file_of
from manifest_tools.verbs.validate.rules.job_examples import PICTURES, VALIDATION, boxed, told
from manifest_tools.verbs.validate.rules.rule import Example, Rule, rule

_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html"
_ISSUES = "https://github.com/aws/amazon-sagemaker-examples/issues/"

# What tells two hands apart, in words and in short; mirroring a picture turns one into the other.
_SIDES = (
    ("left", "right"),
    ("l", "r"),
    ("lh", "rh"),
    ("lhs", "rhs"),
    ("links", "rechts"),
    ("gauche", "droite"),
    ("izquierda", "derecha"),
    ("izquierdo", "derecho"),
    ("sinistra", "destra"),
    ("clockwise", "counterclockwise"),
    ("cw", "ccw"),
)


_MIRROR = {one: other for pair in _SIDES for one, other in (pair, pair[::-1])}


_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+")


def _number(job: PreflightInput, name: str) -> int | None:
    """Return a hyperparameter, or its default, as a number; None where it is none, or has none."""
    one = algorithms.algorithm(ALGORITHM_OF[job.preflight.purpose]).find(name)
    text = hyperparameters(job.preflight).get(name, one.default if one is not None else None)
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None


def _called(job: PreflightInput, name: str) -> str:
    default = "" if name in hyperparameters(job.preflight) else ", the default"
    return f"{name}={_number(job, name)}{default}"


def num_classes_is_enough(job: PreflightInput) -> Iterator[Finding]:
    """Every class index is below num_classes."""
    given, form = _number(job, "num_classes"), list_format(job)
    if given is None:
        return
    for channel in job.channels:
        above = [index for index in observed_classes(channel, form) if index >= given]
        if above or (form == "multi-hot" and max(channel.widths, default=0) > given):
            line = min((observed_classes(channel, form)[index].first for index in above), default=0)
            message = f"num_classes={given}, but there is a class {max(above, default=given)}"
            yield Finding(
                path(job.names[-1]), f"{message}; type -p num_classes={num_classes(job)}", line, channel.name
            )
        elif channel.highest >= given:
            message = f"num_classes={given}, but masks have a class {channel.highest}"
            yield Finding(
                path(job.names[-1]), f"{message}; type -p num_classes={num_classes(job)}", 0, channel.name
            )


def num_classes_is_not_too_many(job: PreflightInput) -> Iterator[Finding]:
    """The highest class index and 1 is num_classes: an output more learns nothing."""
    given, wanted = _number(job, "num_classes"), num_classes(job)
    if given is not None and wanted is not None and given > wanted:
        message = f"num_classes={given}, and the highest class index is {wanted - 1}"
        advice = f"type -p num_classes={wanted}, unless the job's list of categories is that long"
        yield Finding(path("num_classes"), f"{message}; {advice}", file=file_of(job))


def num_training_samples_is_right(job: PreflightInput) -> Iterator[Finding]:
    """There are as many lines to train from as num_training_samples says."""
    given, there = _number(job, "num_training_samples"), job.channels[0].samples if job.channels else 0
    if given is not None and given != there:
        message = f"num_training_samples={given}, and {there:,} lines can be trained from"
        advice = f"type -p num_training_samples={there} (known failures 8 and 41)"
        yield Finding(path("num_training_samples"), f"{message}; {advice}", file=file_of(job))


def train_fills_a_batch(job: PreflightInput) -> Iterator[Finding]:
    """The training part has as many pictures as a batch takes."""
    batch = _number(job, "mini_batch_size")
    if batch is not None and job.channels and 0 < job.channels[0].samples < batch:
        there = job.channels[0].samples
        message = (
            f"{_called(job, 'mini_batch_size')}, and {there:,} lines can be trained from (known failure 23)"
        )
        yield Finding(
            path("mini_batch_size"), f"{message}; type -p mini_batch_size={there}", file=file_of(job)
        )


def validation_fills_a_batch(job: PreflightInput) -> Iterator[Finding]:
    """The validation part has as many pictures as a batch takes: else there is no metric."""
    name = "mini_batch_size"
    if job.preflight.purpose == "semantic-segmentation":
        name = "validation_mini_batch_size"
    batch = _number(job, name)
    for channel in job.channels[1:2]:
        if batch is not None and 0 < channel.samples < batch:
            message = f"{_called(job, name)}, and validation has {channel.samples:,} samples"
            advice = f"type -p {name}={channel.samples}, or no metric appears (known failure 23)"
            yield Finding(path(name), f"{message}; {advice}", file=channel.name)


def labels_fit_into_label_width(job: PreflightInput) -> Iterator[Finding]:
    """The boxes of every picture fit into label_width: five numbers each, and two."""
    width = _number(job, "label_width")
    for channel in job.channels:
        needed = _label_width(channel)
        if width is not None and needed > width:
            message = f"{_called(job, 'label_width')}, and a picture with its boxes needs {needed}"
            advice = f"type -p label_width={needed} (known failures 19 and 34)"
            yield Finding(path(job.names[-1]), f"{message}; {advice}", channel.most.line, channel.name)


def _label_width(channel: Channel) -> int:
    if channel.record_file is not None:
        return max(channel.record_file.widths, default=0)
    return 5 * int(channel.most.number) + 2


def several_labels_are_told(job: PreflightInput) -> Iterator[Finding]:
    """Labels are lists of classes with multi_label=1, and only then."""
    given = _number(job, "multi_label")
    for channel in (one for one in job.channels if one.record_file is None):
        seen, what, wanted = (
            (channel.single, "one class", 0) if given else (channel.lists, "a list of classes", 1)
        )
        if seen is not None:
            message = f"{_called(job, 'multi_label')}, and the label is {what}"
            yield Finding(
                path(job.names[-1]), f"{message}; type -p multi_label={wanted}", seen.first, channel.name
            )


def mirrored_classes_stay_apart(job: PreflightInput) -> Iterator[Finding]:
    """No augmentation mirrors pictures whose classes are left and right of one another."""
    kind = hyperparameters(job.preflight).get("augmentation_type")
    if kind is None:
        return
    for channel in job.channels[:1]:
        facts = facts_of(job, channel)
        names = [pair.name for pair in facts.classes if pair.attribute == job.attribute] if facts else []
        for one, other in mirrored(names):
            message = f"augmentation_type={shown(kind)} mirrors pictures: {shown(one)} becomes {shown(other)}"
            yield Finding(path("augmentation_type"), f"{message}; leave it out", file=channel.name)


def mirrored(names: list[str]) -> list[tuple[str, str]]:
    """Return the class names that a mirror turns into one another, each pair once.

    >>> mirrored(["RH", "LH", "scratch"]), mirrored(["leftHand", "right_hand"]), mirrored(["bright"])
    ([('RH', 'LH')], [('leftHand', 'right_hand')], [])
    """
    words = {name: tuple(word.lower() for word in _WORD.findall(name)) for name in dict.fromkeys(names)}
    there = {word: name for name, word in words.items()}
    found: dict[frozenset[str], tuple[str, str]] = {}
    for name, mine in words.items():
        other = there.get(tuple(_MIRROR.get(word, word) for word in mine))
        if other is not None and other != name and any(word in _MIRROR for word in mine):
            found.setdefault(frozenset((name, other)), (name, other))
    return list(found.values())


def pictures_are_large_enough(job: PreflightInput) -> Iterator[Finding]:
    """A picture is no smaller than image_shape, or is resized first."""
    values = hyperparameters(job.preflight)
    sides = values.get("image_shape", "3,224,224").replace(" ", "").split(",")
    if (
        "resize" in values
        or len(sides) != 3
        or not all(side.isascii() and side.isdecimal() for side in sides)
    ):
        return
    for channel in job.channels:
        for least, side, what in ((channel.narrowest, sides[2], "wide"), (channel.lowest, sides[1], "high")):
            if least is not None and len(side) < 6 and least.number < int(side):
                message = f"a picture {least.number:g} pixels {what}, and image_shape asks for {side}"
                advice = f"type -p resize={max(map(int, sides[1:]))} (known failure 25)"
                yield Finding("$.source-ref", f"{message}; {advice}", least.line, channel.name)


_BUILTIN = ("builtin",)


def _full(count: int, **values: str) -> Example:
    parts = (text_of(boxed(count, ref)) for ref in PICTURES[:2])
    return Example(tuple(parts), hyperparameters=values)


def _small(side: int, **values: str) -> Example:
    sized = {"image_size": [{"width": side, "height": 480, "depth": 3}], "annotations": []}
    boxed = {"boxes": sized, "boxes-metadata": {"type": "groundtruth/object-detection", "objects": []}}
    return Example((text_of(single(0, PICTURES[0]) | boxed), VALIDATION), "hand", values)


RULES: tuple[Rule, ...] = (
    rule(
        "MT610",
        "error",
        "job",
        num_classes_is_enough,
        breaks=told(num_classes="1"),
        keeps=told(),
        fix="Set num_classes to the highest index and 1.",
        source=_PAGE,
        purposes=TRAINING,
    ),
    rule(
        "MT611",
        "warning",
        "job",
        num_classes_is_not_too_many,
        breaks=told(num_classes="20"),
        keeps=told(),
        fix="Set num_classes to the highest index and 1.",
        source=_PAGE,
        purposes=TRAINING,
    ),
    rule(
        "MT612",
        "warning",
        "job",
        num_training_samples_is_right,
        breaks=told(num_training_samples="100"),
        keeps=told(),
        fix="Set it to the lines that have a label; what follows from another number is undefined.",
        source=_PAGE,
        purposes=TRAINING,
    ),
    rule(
        "MT613",
        "error",
        "job",
        train_fills_a_batch,
        breaks=told(mini_batch_size=""),
        keeps=told(),
        fix="Set mini_batch_size to at most the lines of the smaller part (known failure 23).",
        source=f"{_ISSUES}1492",
        purposes=TRAINING,
    ),
    rule(
        "MT614",
        "warning",
        "job",
        validation_fills_a_batch,
        breaks=told(mini_batch_size="3"),
        keeps=told(),
        fix="Set mini_batch_size to at most the lines of the smaller part (known failure 23).",
        source=f"{_ISSUES}1492",
        purposes=TRAINING,
    ),
    rule(
        "MT615",
        "error",
        "job",
        labels_fit_into_label_width,
        breaks=_full(70),
        keeps=_full(70, label_width="352"),
        fix="Set label_width to 5 times the boxes of the fullest picture, and 2 (known failures 19 and 34).",
        source=f"{_ISSUES}643",
        purposes=("object-detection",),
    ),
    rule(
        "MT616",
        "error",
        "job",
        several_labels_are_told,
        breaks=told(multi_label="1"),
        keeps=told(multi_label="0"),
        fix="Set multi_label=1 for lists of classes, and 0, or nothing, for one class.",
        source=_PAGE,
        purposes=_BUILTIN,
    ),
    rule(
        "MT617",
        "warning",
        "job",
        mirrored_classes_stay_apart,
        breaks=told(augmentation_type="crop"),
        keeps=told(),
        fix="Leave augmentation_type out: all three kinds mirror half of the pictures.",
        source=_PAGE,
        purposes=_BUILTIN,
    ),
    rule(
        "MT618",
        "error",
        "job",
        pictures_are_large_enough,
        breaks=_small(100),
        keeps=_small(100, resize="224"),
        fix="Set resize to at least the longer side of image_shape, or leave small pictures out.",
        source="https://github.com/apache/mxnet/issues/4272",
        purposes=_BUILTIN,
    ),
)
