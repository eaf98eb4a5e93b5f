"""Whether hyperparameters go with the data: with its classes, lines, boxes and class names."""

import re
from collections.abc import Iterator
from functools import partial

from manifest_tools import algorithms
from manifest_tools.base.problem import Finding
from manifest_tools.base.text import clipped, counted, path, shown
from manifest_tools.verbs.validate.preflight.channel import Channel
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import (
    hyperparameters,
    list_format,
    num_classes,
    observed_classes,
)
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.job.channels import facts_of
from manifest_tools.verbs.validate.rules.job.hyperparameters import file_of
from manifest_tools.verbs.validate.rules.job_examples import PICTURES, VALIDATION, boxed, with_hyperparameters
from manifest_tools.verbs.validate.rules.references import HYPERPARAMETERS, MXNET_ISSUES, SAGEMAKER_ISSUES
from manifest_tools.verbs.validate.rules.rule import Example, rule

# Words and abbreviations for sides: a mirrored picture of one is a picture of the other.
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
_BUILTIN = ("builtin",)

# What the rows of this file have in common.
_rule = partial(rule, scope="job")


@_rule(
    "MT610",
    "error",
    breaks=lambda: with_hyperparameters(num_classes="1"),
    keeps=with_hyperparameters,
    fix="Set num_classes to the highest class index + 1.",
    source=HYPERPARAMETERS,
    purposes=TRAINING,
)
def num_classes_is_enough(job: PreflightInput) -> Iterator[Finding]:
    """Every class index is below num_classes."""
    given, form = _number(job, "num_classes"), list_format(job)
    if given is None:
        return
    for channel in job.channels:
        above = [index for index in observed_classes(channel, form) if index >= given]
        if above or (form == "multi-hot" and max(channel.widths, default=0) > given):
            line = min((observed_classes(channel, form)[index].first for index in above), default=0)
            yield _too_few(job, given, f"a label has class {max(above, default=given)}", line, channel)
        elif channel.highest >= given:
            what = "the masks have" if channel.record_file is None else "a label has"
            yield _too_few(job, given, f"{what} class {channel.highest}", 0, channel)


def _too_few(job: PreflightInput, given: int, why: str, line: int, channel: Channel) -> Finding:
    advice = f"type -p num_classes={num_classes(job)}"
    return Finding(path(job.names[-1]), f"num_classes={given}, but {why}; {advice}", line, channel.name)


@_rule(
    "MT611",
    "warning",
    breaks=lambda: with_hyperparameters(num_classes="20"),
    keeps=with_hyperparameters,
    fix="Set num_classes to the highest class index + 1.",
    source=HYPERPARAMETERS,
    purposes=TRAINING,
)
def num_classes_is_not_too_many(job: PreflightInput) -> Iterator[Finding]:
    """The number num_classes is not above the highest class index + 1: more outputs learn nothing."""
    given, wanted = _number(job, "num_classes"), num_classes(job)
    if given is not None and wanted is not None and given > wanted:
        message = f"num_classes={given}, but the highest class index is {wanted - 1}"
        advice = f"type -p num_classes={wanted}, unless {given} classes are planned"
        yield Finding(path("num_classes"), f"{message}; {advice}", file=file_of(job))


@_rule(
    "MT612",
    "warning",
    breaks=lambda: with_hyperparameters(num_training_samples="100"),
    keeps=with_hyperparameters,
    fix="Set it to the number of lines with a label; what another number does is undefined.",
    source=HYPERPARAMETERS,
    purposes=TRAINING,
)
def num_training_samples_is_right(job: PreflightInput) -> Iterator[Finding]:
    """The number num_training_samples is that of the lines in train that have a label."""
    given, there = _number(job, "num_training_samples"), job.channels[0].samples if job.channels else 0
    if given is not None and given != there:
        message = f"num_training_samples={given}, but {_trainable(there)}"
        advice = f"type -p num_training_samples={there} (known failures 8 and 41)"
        yield Finding(path("num_training_samples"), f"{message}; {advice}", file=file_of(job))


@_rule(
    "MT613",
    "error",
    breaks=lambda: with_hyperparameters(mini_batch_size=""),
    keeps=with_hyperparameters,
    fix="Set mini_batch_size to at most the number of lines of the smaller file (known failure 23).",
    source=f"{SAGEMAKER_ISSUES}1492",
    purposes=TRAINING,
)
def train_fills_a_batch(job: PreflightInput) -> Iterator[Finding]:
    """The file for training has enough pictures for a batch."""
    batch = _number(job, "mini_batch_size")
    if batch is not None and job.channels and 0 < job.channels[0].samples < batch:
        there = job.channels[0].samples
        message = f"{_called(job, 'mini_batch_size')}, but only {_trainable(there)} (known failure 23)"
        advice = f"type -p mini_batch_size={there}"
        yield Finding(path("mini_batch_size"), f"{message}; {advice}", file=file_of(job))


@_rule(
    "MT614",
    "warning",
    breaks=lambda: with_hyperparameters(mini_batch_size="3"),
    keeps=with_hyperparameters,
    fix="Set mini_batch_size to at most the number of lines of the smaller file (known failure 23).",
    source=f"{SAGEMAKER_ISSUES}1492",
    purposes=TRAINING,
)
def validation_fills_a_batch(job: PreflightInput) -> Iterator[Finding]:
    """The file for validation has enough pictures for a batch: otherwise no metric is computed."""
    name = "mini_batch_size"
    if job.preflight.purpose == "semantic-segmentation":
        name = "validation_mini_batch_size"
    batch = _number(job, name)
    for channel in job.channels[1:2]:
        if batch is not None and 0 < channel.samples < batch:
            message = (
                f"{_called(job, name)}, but this file has {counted(channel.samples, 'line')} with a label"
            )
            advice = f"type -p {name}={channel.samples}, or no metric is computed (known failure 23)"
            yield Finding(path(name), f"{message}; {advice}", file=channel.name)


@_rule(
    "MT615",
    "error",
    breaks=lambda: _full(70),
    keeps=lambda: _full(70, label_width="352"),
    fix="Set label_width to 5 x the most boxes on a picture + 2 (known failures 19 and 34).",
    source=f"{SAGEMAKER_ISSUES}643",
    purposes=("object-detection",),
)
def labels_fit_into_label_width(job: PreflightInput) -> Iterator[Finding]:
    """The boxes of every picture fit into label_width: 5 numbers a box, and 2 more."""
    width = _number(job, "label_width")
    for channel in job.channels:
        needed = _label_width(channel)
        if width is not None and needed > width:
            message = f"{_called(job, 'label_width')}, but a picture has boxes that need {needed}"
            advice = f"type -p label_width={needed} (known failures 19 and 34)"
            yield Finding(path(job.names[-1]), f"{message}; {advice}", channel.most.line, channel.name)


def _label_width(channel: Channel) -> int:
    if channel.record_file is not None:
        return max(channel.record_file.widths, default=0)
    return 5 * int(channel.most.number) + 2


@_rule(
    "MT616",
    "error",
    breaks=lambda: with_hyperparameters(multi_label="1"),
    keeps=lambda: with_hyperparameters(multi_label="0"),
    fix="Set multi_label=1 where labels are lists of classes; leave it out where a label is one class.",
    source=HYPERPARAMETERS,
    purposes=_BUILTIN,
)
def multi_label_is_right(job: PreflightInput) -> Iterator[Finding]:
    """Labels are lists of classes if multi_label=1, and only then."""
    given = _number(job, "multi_label")
    for channel in (one for one in job.channels if one.record_file is None):
        seen, form = (channel.single, "one class") if given else (channel.lists, "a list of classes")
        if seen is not None:
            message = f"{_called(job, 'multi_label')}, but the label is {form}"
            advice = f"type -p multi_label={0 if given else 1}"
            yield Finding(path(job.names[-1]), f"{message}; {advice}", seen.first, channel.name)


@_rule(
    "MT617",
    "warning",
    breaks=lambda: with_hyperparameters(augmentation_type="crop"),
    keeps=with_hyperparameters,
    fix="Leave augmentation_type out: each of its three values mirrors half of the pictures.",
    source=HYPERPARAMETERS,
    purposes=_BUILTIN,
)
def mirrored_classes_stay_apart(job: PreflightInput) -> Iterator[Finding]:
    """No augmentation mirrors the pictures of classes such as left and right."""
    kind = hyperparameters(job.preflight).get("augmentation_type")
    if kind is None:
        return
    for channel in job.channels[:1]:
        facts = facts_of(job, channel)
        names = [pair.name for pair in facts.classes if pair.attribute == job.attribute] if facts else []
        for one, other in mirrored(names):
            effect = f"mirrors pictures: {shown(one)} then looks like {shown(other)}"
            message = f"augmentation_type={clipped(kind)} {effect}"
            yield Finding(path("augmentation_type"), f"{message}; leave it out", file=channel.name)


@_rule(
    "MT618",
    "error",
    breaks=lambda: _small(100),
    keeps=lambda: _small(100, resize="224"),
    fix="Set resize to the longer side of image_shape or more, or leave small pictures out.",
    source=f"{MXNET_ISSUES}4272",
    purposes=_BUILTIN,
)
def pictures_are_large_enough(job: PreflightInput) -> Iterator[Finding]:
    """A picture is as large as image_shape, or is resized first."""
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
                message = f"the picture is {least.number:g} pixels {what}, but image_shape needs {side}"
                advice = f"type -p resize={max(map(int, sides[1:]))} (known failure 25)"
                yield Finding("$.source-ref", f"{message}; {advice}", least.line, channel.name)


def _number(job: PreflightInput, name: str) -> int | None:
    """Return a hyperparameter, or its default, as a number; None where it is none, or has none."""
    one = algorithms.algorithm(ALGORITHM_OF[job.preflight.purpose]).find(name)
    text = hyperparameters(job.preflight).get(name, one.default if one is not None else None)
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None


def _trainable(samples: int) -> str:
    return f"{counted(samples, 'line')} of train {'has' if samples == 1 else 'have'} a label"


def _called(job: PreflightInput, name: str) -> str:
    default = "" if name in hyperparameters(job.preflight) else " (the default)"
    return f"{name}={_number(job, name)}{default}"


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


def _full(count: int, **values: str) -> Example:
    parts = (lines(boxed(count, ref)) for ref in PICTURES[:2])
    return Example(tuple(parts), hyperparameters=values)


def _small(side: int, **values: str) -> Example:
    sized = {"image_size": [{"width": side, "height": 480, "depth": 3}], "annotations": []}
    boxed = {"boxes": sized, "boxes-metadata": {"type": "groundtruth/object-detection", "objects": []}}
    return Example((lines(single(0, PICTURES[0]) | boxed), VALIDATION), "hand", values)


RULES = (
    num_classes_is_enough,
    num_classes_is_not_too_many,
    num_training_samples_is_right,
    train_fills_a_batch,
    validation_fills_a_batch,
    labels_fit_into_label_width,
    multi_label_is_right,
    mirrored_classes_stay_apart,
    pictures_are_large_enough,
)
