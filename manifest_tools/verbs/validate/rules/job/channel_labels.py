"""The labels of a job's channels: whether the algorithm reads each, and what all say together."""

from collections.abc import Iterator
from functools import partial

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import counted, listed, path, shown
from manifest_tools.verbs.validate.preflight.inputs import TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import list_format, num_classes, observed_classes
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.job.channels import manifests
from manifest_tools.verbs.validate.rules.job_examples import (
    GOOD,
    PICTURES,
    VALIDATION,
    boxed,
    multi_label_files,
    with_train_lines,
)
from manifest_tools.verbs.validate.rules.references import IMAGE_CLASSIFICATION, OUTPUT, SAGEMAKER_ISSUES
from manifest_tools.verbs.validate.rules.rule import Example, rule
from manifest_tools.verbs.validate.rules.wording import line_count

_BUILTIN = ("builtin",)

# What the rows of this file have in common.
_rule = partial(rule, scope="job", keeps=lambda: GOOD)


@_rule(
    "MT508",
    "error",
    breaks=lambda: with_train_lines(single("RH", PICTURES[4])),
    fix="Write the label in the form of its type: an index, a list of indices, boxes with image_size.",
    source=IMAGE_CLASSIFICATION,
    purposes=TRAINING,
)
def labels_can_be_read(job: PreflightInput) -> Iterator[Finding]:
    """Every label, sent as a record and read back, is one that the algorithm accepts."""
    for channel in manifests(job):
        for why, seen in channel.refused.items():
            times = f" (on {line_count(seen)})" if seen.lines > 1 else ""
            message = f"{shown(job.names[-1])}: {why}{times}"
            yield Finding(path(job.names[-1]), message, seen.first, channel.name)


@_rule(
    "MT511",
    "error",
    breaks=lambda: with_train_lines(single([0], PICTURES[4])),
    fix="Write all labels as lists of classes and set multi_label=1, or write none as a list.",
    source=IMAGE_CLASSIFICATION,
    purposes=_BUILTIN,
)
def labels_are_all_lists_or_none(job: PreflightInput) -> Iterator[Finding]:
    """Either every label is a list of classes, or none is."""
    lists = [(one, one.lists) for one in manifests(job) if one.lists is not None]
    alone = [(one, one.single) for one in manifests(job) if one.single is not None]
    if lists and alone:
        channel, seen = lists[0] if lists[0][1].lines < alone[0][1].lines else alone[0]
        forms = ("a list of classes", "one class")
        here, others = forms if seen is channel.lists else forms[::-1]
        message = f"the label is {here} on {line_count(seen)}, and {others} on the others"
        yield Finding(path(job.names[-1]), message, seen.first, channel.name)


@_rule(
    "MT512",
    "warning",
    breaks=lambda: Example(multi_label_files([0, 1], [1, 0])),
    keeps=lambda: Example(multi_label_files([0, 1], [2])),
    fix="Set label-format=class-id for class indices, label-format=multi-hot for a 0 or 1 for each class.",
    source=IMAGE_CLASSIFICATION,
    purposes=_BUILTIN,
)
def lists_are_clear(job: PreflightInput) -> Iterator[Finding]:
    """Lists of classes can be read in one way only: as class indices, or as a 0 or 1 for each class."""
    channels = [one for one in manifests(job) if one.lists is not None]
    lists = sum(one.lists.lines for one in channels if one.lists)
    widths = {width for one in channels for width in one.widths}
    hot, ids = sum(one.as_hot for one in channels), sum(one.as_ids for one in channels)
    if lists and len(widths) == 1 and hot == ids == lists:
        seen = channels[0].lists
        message = f"all {lists:,} lists have {next(iter(widths))} numbers, each 0 or 1"
        advice = "they are read as class indices (class-id), not as a flag for each class (multi-hot)"
        where = path(job.names[-1])
        yield Finding(where, f"{message}; {advice}", seen.first if seen else 0, channels[0].name)


@_rule(
    "MT513",
    "warning",
    breaks=lambda: with_train_lines(single(5, PICTURES[4], "BH")),
    fix="Set num_classes to the highest class index + 1; a class without lines costs one output.",
    source=OUTPUT,
    purposes=("builtin", "object-detection"),
)
def classes_have_no_gaps(job: PreflightInput) -> Iterator[Finding]:
    """Class indices have no gaps: the network has an output for every index up to the highest."""
    form, count = list_format(job), num_classes(job)
    if count is None or job.preflight.purpose == "semantic-segmentation":
        return
    there = {index for channel in job.channels for index in observed_classes(channel, form)}
    absent = [index for index in range(min(count, 10**6)) if index not in there]
    if absent:
        message = (
            f"no line has class {listed(absent)}, but num_classes must be {count}, the highest index + 1"
        )
        yield Finding(path(job.names[-1]), message, file=job.channels[0].name)


@_rule(
    "MT514",
    "warning",
    breaks=lambda: Example((lines(single(0, PICTURES[0])), VALIDATION)),
    fix="Add pictures of another class; mtool split puts lines of every class into every part.",
    source=IMAGE_CLASSIFICATION,
    purposes=_BUILTIN,
)
def there_are_classes_to_tell_apart(job: PreflightInput) -> Iterator[Finding]:
    """A classifier has two or more classes to distinguish."""
    train = job.channels[0]
    if job.attribute is not None and train.samples and len(observed_classes(train, list_format(job))) == 1:
        message = "all lines have the same class, so there is nothing to learn"
        yield Finding(path(job.attribute), message, file=train.name)


@_rule(
    "MT517",
    "warning",
    breaks=lambda: Example((lines(boxed(1, PICTURES[0]), boxed(0, PICTURES[1])),) * 2),
    keeps=lambda: Example((lines(boxed(1, PICTURES[0]), boxed(2, PICTURES[1])),) * 2),
    fix="Check whether so many are meant; mtool filter leaves them out (known failure 4).",
    source=f"{SAGEMAKER_ISSUES}643",
    purposes=("object-detection", "builtin"),
)
def pictures_have_labels(job: PreflightInput) -> Iterator[Finding]:
    """A picture has a box or a class: no page says what a model learns from an empty list."""
    for channel in manifests(job):
        if channel.empty is not None:
            share = 100 * channel.empty.lines / max(channel.lines, 1)
            lines = f"{channel.empty.lines:,} of {counted(channel.lines, 'line')} ({share:.0f} %)"
            message = f"{lines} {'has' if channel.empty.lines == 1 else 'have'} an empty list as label"
            message += " (known failure 4)"
            yield Finding(path(job.names[-1]), message, channel.empty.first, channel.name)


@rule(
    "MT530",
    "error",
    "object",
    breaks=lambda: Example(()),
    keeps=lambda: Example(()),
    fix="mtool pipe shows the stream; mtool validate --objects checks the pictures.",
    source=IMAGE_CLASSIFICATION,
    purposes=TRAINING,
)
def stream_can_be_read(_: object) -> Iterator[Finding]:
    """The record stream with the pictures in it can be read as the algorithm reads it."""
    return iter(())


RULES = (
    labels_can_be_read,
    labels_are_all_lists_or_none,
    lists_are_clear,
    classes_have_no_gaps,
    there_are_classes_to_tell_apart,
    pictures_have_labels,
    stream_can_be_read,
)
