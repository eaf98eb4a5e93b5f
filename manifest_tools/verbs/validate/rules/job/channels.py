"""What a job's channels hold: whether every line of train and validation becomes a sample."""

from collections.abc import Iterator
from functools import partial

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import counted, listed, path, shown
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.verbs.validate.engine.file_facts import Facts, Occurrences
from manifest_tools.verbs.validate.preflight.channel import Channel
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import fits, fitting_attributes
from manifest_tools.verbs.validate.rules.examples import labelled, line, lines, single
from manifest_tools.verbs.validate.rules.job_examples import (
    FAILED,
    GOOD,
    PICTURES,
    TRAIN,
    VALIDATION,
    boxed,
    with_train_lines,
)
from manifest_tools.verbs.validate.rules.references import (
    AUGMENTED_MANIFEST,
    IMAGE_CLASSIFICATION,
    SAGEMAKER_ISSUES,
)
from manifest_tools.verbs.validate.rules.rule import Example, rule
from manifest_tools.verbs.validate.rules.wording import line_count

_NEAR = 5  # names spelt otherwise that are reported of one attribute
_ENDINGS = (".jpg", ".jpeg", ".png", "")

# What the rows of this file have in common.
_rule = partial(rule, scope="job", keeps=lambda: GOOD, purposes=TRAINING)


@_rule(
    "MT501",
    "error",
    breaks=lambda: Example((TRAIN,)),
    fix="mtool split output.manifest makes train.manifest and validation.manifest; name both.",
    source=IMAGE_CLASSIFICATION,
)
def there_are_two_channels(job: PreflightInput) -> Iterator[Finding]:
    """A training job has two channels, train and validation, with a manifest each."""
    files = [one for one in job.channels if one.record_file is None or one.record_file.kind == "rec"]
    wanted = "expected two files, one for the channel train and one for validation, found"
    if len(files) == 1:
        advice = "divide the manifest with mtool split, and name both parts"
        yield Finding("", f"{wanted} one; {advice}", file=files[0].name)
    elif len(files) > 2:
        yield Finding("", f"{wanted} {len(files)}", file=files[2].name)


@_rule(
    "MT502",
    "error",
    breaks=lambda: Example((TRAIN, lines(FAILED))),
    fix="Name the manifest with the labels; mtool stats shows which attributes it has.",
    source=f"{SAGEMAKER_ISSUES}1283",
)
def a_channel_has_samples(job: PreflightInput) -> Iterator[Finding]:
    """A channel has at least one line with a picture and a label."""
    for channel in manifests(job):
        if job.attribute is not None and not channel.samples:
            row = "" if channel.refused else " (known failure 1)"
            needed = " and ".join(map(shown, job.names))
            message = f"training can use no line of this file: a line needs {needed}{row}"
            yield Finding("", message if channel.lines else "the file has no lines", file=channel.name)


@_rule(
    "MT503",
    "error",
    breaks=lambda: Example(
        (lines(single() | labelled("other", 0, "image-classification", class_name="a")),) * 2
    ),
    fix="Name the label attribute with --label-attribute.",
    source=AUGMENTED_MANIFEST,
)
def it_is_clear_which_label(job: PreflightInput) -> Iterator[Finding]:
    """It is clear which label attribute the model learns from."""
    if job.attribute is None and job.files:
        fitting = fitting_attributes(job.files, job.preflight.purpose)
        algorithm = ALGORITHM_OF[job.preflight.purpose]
        message = f"no label attribute has labels that {algorithm} can learn from"
        if fitting:
            message = f"{algorithm} can learn from several label attributes: {listed(fitting)}"
            message += f"; choose one: type --label-attribute {shown(fitting[0])}, for example"
        yield Finding("", message, file=job.files[0].name)


@_rule(
    "MT504",
    "error",
    breaks=lambda: Example((TRAIN, VALIDATION), label_attribute="Hand"),
    keeps=lambda: Example((TRAIN, VALIDATION), label_attribute="hand"),
    fix="Copy AttributeNames from the lines, exactly as they are spelt there (known failure 1).",
    source=f"{SAGEMAKER_ISSUES}1283",
)
def attribute_names_are_keys(job: PreflightInput) -> Iterator[Finding]:
    """AttributeNames are keys of the lines, spelt exactly as there."""
    for channel in manifests(job):
        for name in job.names:
            near = [(there, seen) for (wanted, there), seen in channel.near.items() if wanted == name]
            for there, seen in near[:_NEAR]:
                message = f"AttributeNames has {shown(name)}, but {line_count(seen)} have {shown(there)}"
                message += " (known failure 1)"
                yield Finding(path(name), message, seen.first, channel.name)
            if _is_nowhere(channel, name) and not near:
                message = f"no line has {shown(name)}, which is one of AttributeNames (known failure 1)"
                yield Finding(path(name), message, file=channel.name)


@_rule(
    "MT505",
    "error",
    breaks=lambda: with_train_lines(FAILED),
    fix="mtool filter --labelled leaves such lines out (known failures 15 and 16).",
    source=f"{SAGEMAKER_ISSUES}2928",
)
def no_line_has_failed(job: PreflightInput) -> Iterator[Finding]:
    """No line of a channel is one whose labeling failed."""
    for channel in manifests(job):
        if channel.failed is not None and job.attribute is not None:
            message = f"{_share(channel, channel.failed)} no label: labeling failed"
            message += " (known failures 15 and 16)"
            yield Finding(path(job.attribute), message, channel.failed.first, channel.name)


@_rule(
    "MT506",
    "error",
    breaks=lambda: with_train_lines(line(PICTURES[4])),
    fix="mtool filter --labelled leaves such lines out (known failure 11).",
    source=AUGMENTED_MANIFEST,
)
def every_line_has_all(job: PreflightInput) -> Iterator[Finding]:
    """Every line has every attribute that is sent: a missing one shifts the records after it."""
    for channel in manifests(job):
        for name, seen in channel.missing.items():
            if not _is_nowhere(channel, name):
                message = f"{_share(channel, seen)} no {shown(name)} (known failure 11)"
                yield Finding(path(name), message, seen.first, channel.name)


@_rule(
    "MT507",
    "error",
    breaks=lambda: Example((lines(boxed(1, PICTURES[0])), lines(boxed(1, PICTURES[1])))),
    fix="Use the algorithm for that type; for a video, write a line for every frame (known failure 12).",
    source=f"{SAGEMAKER_ISSUES}1683",
)
def types_can_be_trained(job: PreflightInput) -> Iterator[Finding]:
    """A label is of a type that the algorithm learns from."""
    algorithm = ALGORITHM_OF[job.preflight.purpose]
    for channel in manifests(job):
        facts = facts_of(job, channel)
        if facts is None or job.attribute is None:
            continue
        for kind, seen in facts.types(job.attribute).items():
            if not label_kind(kind).has_classes or fits(kind, job.preflight.purpose):
                continue
            row = " (known failure 12)" if "video" in kind.lower() else ""
            message = f"{algorithm} cannot learn from labels of the type {shown(kind)}"
            where = path(facts.attributes[job.attribute], "type")
            yield Finding(where, f"{message} (on {line_count(seen)}){row}", seen.first, channel.name)


@_rule(
    "MT509",
    "error",
    breaks=lambda: with_train_lines(single(0, "s3://lab3-rawdata/sequence-1.json")),
    fix="Write a line for every frame, with its own label (known failure 12).",
    source=f"{SAGEMAKER_ISSUES}1682",
)
def pictures_are_no_sequences(job: PreflightInput) -> Iterator[Finding]:
    """A source-ref is a picture, not a file that lists the frames of a video."""
    for channel in manifests(job):
        if (seen := channel.suffixes.get(".json")) is not None:
            message = f"expected pictures, found .json files, which list video frames, on {line_count(seen)}"
            message += " (known failure 12)"
            yield Finding(path(job.names[0]), message, seen.first, channel.name)


@_rule(
    "MT510",
    "warning",
    breaks=lambda: with_train_lines(single(0, "s3://lab3-rawdata/IMG_0001.tif")),
    fix="Convert the pictures to JPEG or PNG; mtool validate --objects checks what they are.",
    source=IMAGE_CLASSIFICATION,
)
def pictures_are_jpeg_or_png(job: PreflightInput) -> Iterator[Finding]:
    """The name of a picture ends in .jpg, .jpeg or .png."""
    for channel in manifests(job):
        for suffix, seen in channel.suffixes.items():
            if suffix not in (*_ENDINGS, ".json"):
                message = f"expected pictures that end in .jpg, .jpeg or .png, found {shown(suffix)}"
                message += f" on {line_count(seen)}"
                yield Finding(path(job.names[0]), message, seen.first, channel.name)


@_rule(
    "MT515",
    "warning",
    breaks=lambda: with_train_lines(single(0, "s3://lab3-rawdata/0001 to 0017.jpg")),
    fix="Rename the objects: use letters, digits and - _ . / only (known failure 9).",
    source="https://github.com/aws/sagemaker-python-sdk/issues/1189",
)
def keys_are_plain(job: PreflightInput) -> Iterator[Finding]:
    """The S3 key of a picture has no spaces, no + or % or other sign of URLs, and ASCII letters only."""
    for channel in manifests(job):
        if channel.odd_keys is not None:
            lines = line_count(channel.odd_keys)
            message = f"keys with a space, a sign such as + or %, or a letter beyond ASCII on {lines}"
            message += " (known failure 9)"
            yield Finding(path(job.names[0]), message, channel.odd_keys.first, channel.name)


@_rule(
    "MT516",
    "warning",
    breaks=lambda: with_train_lines(single(0, "s3://lab4-rawdata/IMG_0001.JPG")),
    fix="Copy the pictures into one bucket; then mtool rewrite --from s3://OLD --to s3://NEW.",
    source=AUGMENTED_MANIFEST,
)
def pictures_are_in_one_bucket(job: PreflightInput) -> Iterator[Finding]:
    """The pictures are in one bucket, which the job's role may read."""
    buckets = {name: (facts, seen) for facts in job.files for name, seen in facts.buckets.items()}
    if len(buckets) > 1:
        facts, seen = list(buckets.values())[-1]
        message = f"the pictures are in {len(buckets):,} buckets: {listed(list(buckets))}"
        advice = "the job's role must have access to all of them, and all must be in the job's region"
        yield Finding("$.source-ref", f"{message}; {advice}", seen.first, facts.name)


def manifests(job: PreflightInput) -> Iterator[Channel]:
    """Yield the channels that are manifests, and not .rec or .lst."""
    return (channel for channel in job.channels if channel.record_file is None)


def facts_of(job: PreflightInput, channel: Channel) -> Facts | None:
    """Return what the lines of a channel's manifest show."""
    return next((facts for facts in job.files if facts.name == channel.name), None)


def _is_nowhere(channel: Channel, name: str) -> bool:
    """Say whether an attribute is on no line; on one whose labeling failed its label would not be."""
    failed = channel.failed.lines if channel.failed is not None else 0
    lacking = channel.missing.get(name)
    return lacking is not None and lacking.lines + failed >= channel.lines


def _share(channel: Channel, seen: Occurrences) -> str:
    """Return how many of a channel's lines have something, as the beginning of a sentence."""
    return f"{seen.lines:,} of {counted(channel.lines, 'line')} {'has' if seen.lines == 1 else 'have'}"


RULES = (
    there_are_two_channels,
    a_channel_has_samples,
    it_is_clear_which_label,
    attribute_names_are_keys,
    no_line_has_failed,
    every_line_has_all,
    types_can_be_trained,
    pictures_are_no_sequences,
    pictures_are_jpeg_or_png,
    keys_are_plain,
    pictures_are_in_one_bucket,
)
