"""The labels of a job's channels: whether the algorithm reads each, and what all say together."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path
from manifest_tools.verbs.validate.preflight.inputs import TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import list_format, num_classes, observed_classes
from manifest_tools.verbs.validate.rules.examples import lines as text_of
from manifest_tools.verbs.validate.rules.examples import single
from manifest_tools.verbs.validate.rules.file.one_file import lines as counted
from manifest_tools.verbs.validate.rules.job.channels import SHOWN, manifests
from manifest_tools.verbs.validate.rules.job_examples import GOOD, PICTURES, VALIDATION, boxed, broken, tagged
from manifest_tools.verbs.validate.rules.references import OUTPUT
from manifest_tools.verbs.validate.rules.rule import Example, Rule, rule


def labels_can_be_read(job: PreflightInput) -> Iterator[Finding]:
    """Every label, sent as a record and read back, is one that the algorithm takes."""
    for channel in manifests(job):
        for why, seen in channel.refused.items():
            times = f" ({counted(seen)})" if seen.lines > 1 else ""
            yield Finding(path(job.names[-1]), f"{why}{times}", seen.first, channel.name)


def labels_are_all_lists_or_none(job: PreflightInput) -> Iterator[Finding]:
    """Either every label is a list of classes, or none is."""
    lists = [(one, one.lists) for one in manifests(job) if one.lists is not None]
    alone = [(one, one.single) for one in manifests(job) if one.single is not None]
    if lists and alone:
        channel, seen = lists[0] if lists[0][1].lines < alone[0][1].lines else alone[0]
        what = ("a list of classes", "one class")
        here, others = what if seen is channel.lists else what[::-1]
        message = f"{here} ({counted(seen)}), where other lines have {others}"
        yield Finding(path(job.names[-1]), message, seen.first, channel.name)


def lists_are_clear(job: PreflightInput) -> Iterator[Finding]:
    """Lists of classes can be read in one way only: as indices, or as a zero or one for each class."""
    channels = [one for one in manifests(job) if one.lists is not None]
    lists = sum(one.lists.lines for one in channels if one.lists)
    widths = {width for one in channels for width in one.widths}
    hot, ids = sum(one.as_hot for one in channels), sum(one.as_ids for one in channels)
    if lists and len(widths) == 1 and hot == ids == lists:
        seen = channels[0].lists
        message = f"all {lists:,} lists are {next(iter(widths))} zeros and ones, which may be indices too"
        advice = "taken for indices, as Ground Truth writes them: label-format=class-id"
        yield Finding(
            path(job.names[-1]), f"{message}; {advice}", seen.first if seen else 0, channels[0].name
        )


def classes_have_no_gaps(job: PreflightInput) -> Iterator[Finding]:
    """Class indices follow one another from 0: the network has an output for each up to the highest."""
    form, count = list_format(job), num_classes(job)
    if count is None or job.preflight.purpose == "semantic-segmentation":
        return
    there = {index for channel in job.channels for index in observed_classes(channel, form)}
    first = [str(index) for index in range(min(count, 10**6)) if index not in there]
    if first:
        few = ", ".join(first[:SHOWN]) + (f" and {len(first) - SHOWN:,} more" if len(first) > SHOWN else "")
        message = f"no line is of class {few}, and num_classes must be {count} all the same"
        yield Finding(path(job.names[-1]), message, file=job.channels[0].name)


def there_are_classes_to_tell_apart(job: PreflightInput) -> Iterator[Finding]:
    """A classifier has two classes or more to tell apart."""
    train = job.channels[0]
    if job.attribute is not None and train.samples and len(observed_classes(train, list_format(job))) == 1:
        yield Finding(
            path(job.attribute), "all lines are of one class, so there is nothing to learn", file=train.name
        )


def pictures_have_labels(job: PreflightInput) -> Iterator[Finding]:
    """A picture has a box, or a class; what an empty list is learnt as is not documented."""
    for channel in manifests(job):
        if channel.empty is not None:
            share = 100 * channel.empty.lines / max(channel.lines, 1)
            message = f"{counted(channel.empty)} of {channel.lines:,} ({share:.0f} %) with an empty list"
            yield Finding(
                path(job.names[-1]), f"{message} (known failure 4)", channel.empty.first, channel.name
            )


def _proven_elsewhere(_: object) -> Iterator[Finding]:
    """The record stream, made with the pictures themselves, can be read back as the algorithm would."""
    return iter(())


_BUILTIN = ("builtin",)
_CLASSIFICATION = "https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html"

RULES: tuple[Rule, ...] = (
    rule(
        "MT508",
        "error",
        "job",
        labels_can_be_read,
        breaks=broken(single("RH", PICTURES[4])),
        keeps=GOOD,
        fix="Write the label in the form of its type: an index, a list of indices, boxes with image_size.",
        source=_CLASSIFICATION,
        purposes=TRAINING,
    ),
    rule(
        "MT511",
        "error",
        "job",
        labels_are_all_lists_or_none,
        breaks=broken(single([0], PICTURES[4])),
        keeps=GOOD,
        fix="Write every label as a list of classes, and set multi_label=1; or none.",
        source=_CLASSIFICATION,
        purposes=_BUILTIN,
    ),
    rule(
        "MT512",
        "warning",
        "job",
        lists_are_clear,
        breaks=Example(tagged([0, 1], [1, 0])),
        keeps=Example(tagged([0, 1], [2])),
        fix="Set label-format=class-id for indices, label-format=multi-hot for zeros and ones.",
        source=_CLASSIFICATION,
        purposes=_BUILTIN,
    ),
    rule(
        "MT513",
        "warning",
        "job",
        classes_have_no_gaps,
        breaks=broken(single(5, PICTURES[4], "BH")),
        keeps=GOOD,
        fix="Set num_classes to the highest index and 1; a class that nobody saw is an output more.",
        source=OUTPUT,
        purposes=("builtin", "object-detection"),
    ),
    rule(
        "MT514",
        "warning",
        "job",
        there_are_classes_to_tell_apart,
        breaks=Example((text_of(single(0, PICTURES[0])), VALIDATION)),
        keeps=GOOD,
        fix="Add pictures of another class; mtool split deals every class out to all parts.",
        source=_CLASSIFICATION,
        purposes=_BUILTIN,
    ),
    rule(
        "MT517",
        "warning",
        "job",
        pictures_have_labels,
        breaks=Example((text_of(boxed(1, PICTURES[0]), boxed(0, PICTURES[1])),) * 2),
        keeps=Example((text_of(boxed(1, PICTURES[0]), boxed(2, PICTURES[1])),) * 2),
        fix="See whether so many are meant; mtool filter leaves them out (known failure 4).",
        source="https://github.com/aws/amazon-sagemaker-examples/issues/643",
        purposes=("object-detection", "builtin"),
    ),
    rule(
        "MT530",
        "error",
        "object",
        _proven_elsewhere,
        breaks=Example(()),
        keeps=Example(()),
        fix="mtool pipe shows the stream; mtool validate --objects looks into the pictures.",
        source=_CLASSIFICATION,
        purposes=TRAINING,
    ),
)
