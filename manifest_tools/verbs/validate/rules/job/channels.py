"""What a job's channels hold: whether every line of train and validation becomes a sample."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.groundtruth.label_kinds import label_kind
from manifest_tools.verbs.validate.engine.file_facts import Facts, Occurrences
from manifest_tools.verbs.validate.preflight.channel import Channel
from manifest_tools.verbs.validate.preflight.inputs import ALGORITHM_OF, TRAINING, PreflightInput
from manifest_tools.verbs.validate.preflight.settings import fits, fitting_attributes
from manifest_tools.verbs.validate.rules.examples import labelled, line, single
from manifest_tools.verbs.validate.rules.examples import lines as text_of
from manifest_tools.verbs.validate.rules.file.one_file import lines as counted
from manifest_tools.verbs.validate.rules.job_examples import (
    FAILED,
    GOOD,
    PICTURES,
    TRAIN,
    VALIDATION,
    boxed,
    broken,
)
from manifest_tools.verbs.validate.rules.references import TRAINING as GUIDE
from manifest_tools.verbs.validate.rules.rule import Example, Rule, rule

SHOWN = 5
_READ = (".jpg", ".jpeg", ".png", "")
_ISSUES = "https://github.com/aws/amazon-sagemaker-examples/issues/"
_CLASSIFICATION = "https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html"


def manifests(job: PreflightInput) -> Iterator[Channel]:
    """Yield the channels that are manifests, and not .rec or .lst."""
    return (channel for channel in job.channels if channel.record_file is None)


def facts_of(job: PreflightInput, channel: Channel) -> Facts | None:
    """Return what the lines of a channel's manifest show."""
    return next((facts for facts in job.files if facts.name == channel.name), None)


def there_are_two_channels(job: PreflightInput) -> Iterator[Finding]:
    """A training job has two channels, train and validation: a manifest each."""
    files = [one for one in job.channels if one.record_file is None or one.record_file.kind == "rec"]
    if len(files) == 1:
        message = "expected two manifests, for the channels train and validation, found one"
        yield Finding("", f"{message}; type: mtool split, and name both", file=files[0].name)
    elif len(files) > 2:
        message = f"expected two manifests, for the channels train and validation, found {len(files)}"
        yield Finding("", message, file=files[2].name)


def a_channel_has_samples(job: PreflightInput) -> Iterator[Finding]:
    """A channel has at least one line with a picture and a label."""
    for channel in manifests(job):
        if job.attribute is not None and not channel.samples:
            row = "" if channel.refused else " (known failure 1)"
            what = (
                f"of {counted(Occurrences(1, channel.lines))} none makes a sample of {listed(job.names)}{row}"
            )
            yield Finding("", what if channel.lines else "no lines", file=channel.name)


def it_is_clear_which_label(job: PreflightInput) -> Iterator[Finding]:
    """It is clear which label attribute is trained from."""
    if job.attribute is None and job.files:
        fitting = fitting_attributes(job.files, job.preflight.purpose)
        there = listed(fitting) if fitting else "none"
        choice = f"; type --label-attribute {shown(fitting[0])}, or another" if fitting else ""
        message = f"expected one label attribute for {ALGORITHM_OF[job.preflight.purpose]}, found {there}"
        yield Finding("", message + choice, file=job.files[0].name)


def attribute_names_are_keys(job: PreflightInput) -> Iterator[Finding]:
    """AttributeNames are keys of the lines, letter by letter."""
    for channel in manifests(job):
        for name in job.names:
            near = [(there, seen) for (wanted, there), seen in channel.near.items() if wanted == name]
            for there, seen in near[:SHOWN]:
                message = f"{shown(there)} in place of {shown(name)} on {counted(seen)} (known failure 1)"
                yield Finding(path(name), message, seen.first, channel.name)
            if _is_nowhere(channel, name) and not near:
                message = f"no line has {shown(name)}, which AttributeNames lists (known failure 1)"
                yield Finding(path(name), message, file=channel.name)


def no_line_has_failed(job: PreflightInput) -> Iterator[Finding]:
    """No line of a channel is one whose labeling failed."""
    for channel in manifests(job):
        if channel.failed is not None and job.attribute is not None:
            share = f"{channel.failed.lines:,} of {channel.lines:,} lines"
            message = f"the labeling of {share} failed, so they have no label (known failures 15 and 16)"
            yield Finding(path(job.attribute), message, channel.failed.first, channel.name)


def every_line_has_all(job: PreflightInput) -> Iterator[Finding]:
    """Every line has every attribute that is sent: a record that is missing shifts the rest."""
    for channel in manifests(job):
        for name, seen in channel.missing.items():
            if not _is_nowhere(channel, name):
                message = f"{seen.lines:,} of {channel.lines:,} lines lack {shown(name)} (known failure 11)"
                yield Finding(path(name), message, seen.first, channel.name)


def _is_nowhere(channel: Channel, name: str) -> bool:
    """Say whether an attribute is on no line; on one whose labeling failed its label would not be."""
    failed = channel.failed.lines if channel.failed is not None else 0
    lacking = channel.missing.get(name)
    return lacking is not None and lacking.lines + failed >= channel.lines


def types_can_be_trained(job: PreflightInput) -> Iterator[Finding]:
    """A label is of a type that the algorithm learns from."""
    algorithm = ALGORITHM_OF[job.preflight.purpose]
    for channel in manifests(job):
        facts = facts_of(job, channel)
        for kind, seen in (facts.types(job.attribute) if facts and job.attribute else {}).items():
            if not label_kind(kind).has_classes or fits(kind, job.preflight.purpose):
                continue
            row = " (known failure 12)" if "video" in kind.lower() else ""
            message = f"{algorithm} cannot learn from {shown(kind)} ({counted(seen)}){row}"
            yield Finding(path(facts.attributes[job.attribute], "type"), message, seen.first, channel.name)  # type: ignore[union-attr,index]


def pictures_are_no_sequences(job: PreflightInput) -> Iterator[Finding]:
    """A source-ref is a picture, not a file that lists the frames of a video."""
    for channel in manifests(job):
        if (seen := channel.suffixes.get(".json")) is not None:
            message = f"expected a picture, found a sequence of frames ({counted(seen)}) (known failure 12)"
            yield Finding(path(job.names[0]), message, seen.first, channel.name)


def pictures_are_jpeg_or_png(job: PreflightInput) -> Iterator[Finding]:
    """A picture is a JPEG or PNG by its name."""
    for channel in manifests(job):
        for suffix, seen in channel.suffixes.items():
            if suffix not in (*_READ, ".json"):
                message = f"expected .jpg, .jpeg or .png, found {shown(suffix)} ({counted(seen)})"
                yield Finding(path(job.names[0]), message, seen.first, channel.name)


def keys_are_plain(job: PreflightInput) -> Iterator[Finding]:
    """S3 keys have no blanks, no signs of URLs such as + and %, and no letters beyond ASCII."""
    for channel in manifests(job):
        if channel.odd_keys is not None:
            message = (
                f"a blank, a sign of URLs or a letter beyond ASCII in the key ({counted(channel.odd_keys)})"
            )
            yield Finding(
                path(job.names[0]), f"{message} (known failure 9)", channel.odd_keys.first, channel.name
            )


def pictures_are_in_one_bucket(job: PreflightInput) -> Iterator[Finding]:
    """The pictures are in one bucket, which the job's role has to be let into."""
    buckets = {name: (facts, seen) for facts in job.files for name, seen in facts.buckets.items()}
    if len(buckets) > 1:
        facts, seen = list(buckets.values())[-1]
        message = f"the pictures are in {len(buckets):,} buckets: {listed(list(buckets))}"
        advice = "the job's role must be let into each, and all must be in the job's region"
        yield Finding("$.source-ref", f"{message}; {advice}", seen.first, facts.name)


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return the first names for a message, and how many more there are."""
    few = ", ".join(map(shown, names[:SHOWN]))
    return few + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


RULES: tuple[Rule, ...] = (
    rule(
        "MT501",
        "error",
        "job",
        there_are_two_channels,
        breaks=Example((TRAIN,)),
        keeps=GOOD,
        fix="mtool split output.manifest makes train.manifest and validation.manifest; name both.",
        source=_CLASSIFICATION,
        purposes=TRAINING,
    ),
    rule(
        "MT502",
        "error",
        "job",
        a_channel_has_samples,
        breaks=Example((TRAIN, text_of(FAILED))),
        keeps=GOOD,
        fix="Name the manifest with the labels; mtool stats shows which attributes it has.",
        source=f"{_ISSUES}1283",
        purposes=TRAINING,
    ),
    rule(
        "MT503",
        "error",
        "job",
        it_is_clear_which_label,
        breaks=Example(
            (text_of(single() | labelled("other", 0, "image-classification", class_name="a")),) * 2
        ),
        keeps=GOOD,
        fix="Name it with --label-attribute.",
        source=GUIDE,
        purposes=TRAINING,
    ),
    rule(
        "MT504",
        "error",
        "job",
        attribute_names_are_keys,
        breaks=Example((TRAIN, VALIDATION), label_attribute="Hand"),
        keeps=Example((TRAIN, VALIDATION), label_attribute="hand"),
        fix="Take AttributeNames from the lines, letter by letter (known failure 1).",
        source=f"{_ISSUES}1283",
        purposes=TRAINING,
    ),
    rule(
        "MT505",
        "error",
        "job",
        no_line_has_failed,
        breaks=broken(FAILED),
        keeps=GOOD,
        fix="mtool filter --labelled leaves such lines out (known failures 15 and 16).",
        source=f"{_ISSUES}2928",
        purposes=TRAINING,
    ),
    rule(
        "MT506",
        "error",
        "job",
        every_line_has_all,
        breaks=broken(line(PICTURES[4])),
        keeps=GOOD,
        fix="mtool filter --labelled leaves such lines out (known failure 11).",
        source=GUIDE,
        purposes=TRAINING,
    ),
    rule(
        "MT507",
        "error",
        "job",
        types_can_be_trained,
        breaks=Example((text_of(boxed(1, PICTURES[0])), text_of(boxed(1, PICTURES[1])))),
        keeps=GOOD,
        fix="Take the algorithm of that type; of a video, write a line for every frame (known failure 12).",
        source=f"{_ISSUES}1683",
        purposes=TRAINING,
    ),
    rule(
        "MT509",
        "error",
        "job",
        pictures_are_no_sequences,
        breaks=broken(single(0, "s3://lab3-rawdata/sequence-1.json")),
        keeps=GOOD,
        fix="Write a line for every frame, with its own label (known failure 12).",
        source=f"{_ISSUES}1682",
        purposes=TRAINING,
    ),
    rule(
        "MT510",
        "warning",
        "job",
        pictures_are_jpeg_or_png,
        breaks=broken(single(0, "s3://lab3-rawdata/IMG_0001.tif")),
        keeps=GOOD,
        fix="Convert the pictures to JPEG or PNG; mtool validate --objects looks into them.",
        source=_CLASSIFICATION,
        purposes=TRAINING,
    ),
    rule(
        "MT515",
        "warning",
        "job",
        keys_are_plain,
        breaks=broken(single(0, "s3://lab3-rawdata/0001 to 0017.jpg")),
        keeps=GOOD,
        fix="Give the objects keys of letters, digits and - _ . / (known failure 9).",
        source="https://github.com/aws/sagemaker-python-sdk/issues/1189",
        purposes=TRAINING,
    ),
    rule(
        "MT516",
        "warning",
        "job",
        pictures_are_in_one_bucket,
        breaks=broken(single(0, "s3://lab4-rawdata/IMG_0001.JPG")),
        keeps=GOOD,
        fix="Copy the pictures together, and mtool rewrite --from s3://OLD --to s3://NEW.",
        source=GUIDE,
        purposes=TRAINING,
    ),
)
