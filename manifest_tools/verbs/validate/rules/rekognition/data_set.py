"""What Rekognition Custom Labels refuses in a data set as a whole, for training or for a test."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import counted, listed
from manifest_tools.verbs.validate.preflight.inputs import PreflightInput
from manifest_tools.verbs.validate.rules.examples import lines, several, single
from manifest_tools.verbs.validate.rules.job_examples import PICTURES, TRAIN, boxed
from manifest_tools.verbs.validate.rules.references import REKOGNITION_RULES
from manifest_tools.verbs.validate.rules.rule import Example, rule

_TYPES = {"groundtruth/image-classification", "groundtruth/object-detection"}
MOST_LINES = 250_000
MOST_LABELS = 250
MOST_BYTES = 1 << 30

# What the rows of this file have in common.
_rule = partial(rule, scope="job", purposes=("rekognition",))


@_rule(
    "MT720",
    "error",
    breaks=lambda: lines(single(0, "s3://one-bucket/1.jpg"), single(1, "s3://other-bucket/1.jpg", "LH")),
    keeps=lambda: TRAIN,
    fix="Copy the pictures into one bucket; then mtool rewrite --from s3://OLD --to s3://NEW.",
    source=REKOGNITION_RULES,
)
def pictures_are_in_one_bucket(job: PreflightInput) -> Iterator[Finding]:
    """All pictures of a manifest are in one bucket."""
    for facts in job.files:
        if len(facts.buckets) > 1:
            first = list(facts.buckets.values())[1].first
            found = f"the pictures are in {len(facts.buckets):,} buckets: {listed(facts.buckets)}"
            message = f"ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS: {found}"
            yield Finding("$.source-ref", message, first, facts.name)


@_rule(
    "MT721",
    "error",
    breaks=lambda most=MOST_LINES: "{}\n" * (most + 1),
    keeps=lambda most=MOST_LINES: "{}\n" * most,
    fix="Divide the manifest with mtool split; for classification AWS raises the limit on request.",
    source=REKOGNITION_RULES,
)
def lines_are_not_too_many(job: PreflightInput, most: int = MOST_LINES) -> Iterator[Finding]:
    """A manifest has at most 250,000 lines, and 1 GB."""
    for channel in job.channels:
        if channel.size > MOST_BYTES:
            message = f"expected at most {MOST_BYTES:,} bytes, found {channel.size:,}"
            yield Finding("", f"ERROR_MANIFEST_SIZE_TOO_LARGE: {message}", file=channel.name)
        if channel.lines > most:
            message = f"expected at most {most:,} lines, found {channel.lines:,}"
            yield Finding("", f"ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM: {message}", file=channel.name)


@_rule(
    "MT722",
    "error",
    breaks=lambda: _lines_of_classes(1),
    keeps=lambda: _lines_of_classes(2),
    fix="Add pictures of other classes, or merge classes.",
    source=REKOGNITION_RULES,
)
def classes_are_2_to_250(job: PreflightInput) -> Iterator[Finding]:
    """A manifest has 2 to 250 classes; one with boxes has at least 1."""
    for channel in job.channels[:1]:
        boxes = any(
            kind.type.lower().endswith("/object-detection") for one in job.files[:1] for kind in one.states
        )
        least, there = 1 if boxes else 2, len(channel.names)
        if not least <= there <= MOST_LABELS and channel.lines:
            few = "ERROR_TOO_FEW_LABELS" if there < least else "ERROR_TOO_MANY_LABELS"
            message = f"expected {least} to {MOST_LABELS} classes, found {there:,}"
            yield Finding("", f"{few}: {message}", file=channel.name)


@_rule(
    "MT724",
    "warning",
    breaks=lambda: TRAIN + lines(several([0], {"0": "RH"})),
    keeps=lambda: TRAIN,
    fix="Correct the lines, or leave them out.",
    source=REKOGNITION_RULES,
)
def bad_lines_are_few(job: PreflightInput) -> Iterator[Finding]:
    """At most 20 % of the lines are invalid: Rekognition leaves them out and trains with the rest."""
    for channel in job.channels:
        bad = job.bad_lines.get(channel.name, 0)
        if bad:
            share = 100 * bad / max(channel.lines, 1)
            message = f"{bad:,} of {counted(channel.lines, 'line')} ({share:.0f} %) invalid: "
            if share > 20:
                message += "training stops above 20 % (ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST)"
            else:
                message += "they are left out, and training stops above 20 %"
            yield Finding("", message, file=channel.name)


@_rule(
    "MT725",
    "error",
    breaks=lambda: Example((_lines_of_classes(4), _lines_of_classes(1))),
    keeps=lambda: Example((_lines_of_classes(4), _lines_of_classes(2))),
    fix="mtool split puts lines of every class into every part.",
    source=REKOGNITION_RULES,
)
def labels_overlap(job: PreflightInput) -> Iterator[Finding]:
    """Training and test data have at least half of their classes in common."""
    if len(job.channels) < 2:
        return
    train, test = (set(channel.names) for channel in job.channels[:2])
    most = max(len(train), len(test))
    if most and 2 * len(train & test) < most:
        message = f"less than half of the classes, {len(train & test):,} of {most:,}, are in both files"
        yield Finding("", f"ERROR_INSUFFICIENT_LABEL_OVERLAP: {message}", file=job.channels[1].name)


@_rule(
    "MT726",
    "warning",
    breaks=lambda: TRAIN + lines(boxed(1)),
    keeps=lambda: TRAIN,
    fix="Make a manifest of each kind with mtool filter --label-attribute.",
    source=REKOGNITION_RULES,
)
def a_file_is_of_one_kind(job: PreflightInput) -> Iterator[Finding]:
    """A manifest has labels for whole pictures or boxes, not both: training uses one kind."""
    for facts in job.files:
        kinds = Counter(kind.type.lower() for kind in facts.states if kind.state == "labelled")
        if kinds.keys() >= _TYPES:
            message = "labels for whole pictures and boxes in one manifest: training uses one kind only"
            yield Finding("", message, file=facts.name)


def _lines_of_classes(count: int) -> str:
    names = [f"label {number}" for number in range(count)]
    return lines(*(single(at, PICTURES[0], name) for at, name in enumerate(names)))


RULES = (
    pictures_are_in_one_bucket,
    lines_are_not_too_many,
    classes_are_2_to_250,
    bad_lines_are_few,
    labels_overlap,
    a_file_is_of_one_kind,
)
