"""What Rekognition Custom Labels refuses of a data set as a whole, for training or for a test."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import shown
from manifest_tools.verbs.validate.preflight.inputs import PreflightInput
from manifest_tools.verbs.validate.rules.examples import lines, several, single
from manifest_tools.verbs.validate.rules.job_examples import PICTURES, TRAIN, boxed
from manifest_tools.verbs.validate.rules.references import REKOGNITION_RULES
from manifest_tools.verbs.validate.rules.rule import Example, Rule, rule

_PURPOSE = ("rekognition",)
_TYPES = {"groundtruth/image-classification", "groundtruth/object-detection"}

MOST_LINES = 250_000


MOST_LABELS = 250


MOST_BYTES = 1 << 30


def pictures_are_in_one_bucket(job: PreflightInput) -> Iterator[Finding]:
    """All pictures are in one bucket."""
    for facts in job.files:
        if len(facts.buckets) > 1:
            names = ", ".join(map(shown, list(facts.buckets)[:5]))
            first = list(facts.buckets.values())[1].first
            message = f"ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS: {len(facts.buckets):,} buckets: {names}"
            yield Finding("$.source-ref", message, first, facts.name)


def lines_are_not_too_many(job: PreflightInput) -> Iterator[Finding]:
    """A data set has at most 250,000 lines, and 1 GB."""
    for channel in job.channels:
        if channel.size > MOST_BYTES:
            message = f"expected at most {MOST_BYTES:,} bytes, found {channel.size:,}"
            yield Finding("", f"ERROR_MANIFEST_SIZE_TOO_LARGE: {message}", file=channel.name)
        if channel.lines > MOST_LINES:
            message = f"expected at most {MOST_LINES:,} lines, found {channel.lines:,}"
            yield Finding("", f"ERROR_MANIFEST_ROWS_EXCEEDS_MAXIMUM: {message}", file=channel.name)


def labels_are_as_many_as_taken(job: PreflightInput) -> Iterator[Finding]:
    """A data set has 2 to 250 labels, and one with boxes at least 1."""
    for channel in job.channels[:1]:
        boxes = any(
            kind.type.lower().endswith("/object-detection") for one in job.files[:1] for kind in one.states
        )
        least, there = 1 if boxes else 2, len(channel.names)
        if not least <= there <= MOST_LABELS and channel.lines:
            few = "ERROR_TOO_FEW_LABELS" if there < least else "ERROR_TOO_MANY_LABELS"
            message = f"expected {least} to {MOST_LABELS} labels, found {there:,}"
            yield Finding("", f"{few}: {message}", file=channel.name)


def bad_lines_are_few(job: PreflightInput) -> Iterator[Finding]:
    """At most a fifth of the lines is wrong: so many are left out, and training goes on."""
    for channel in job.channels:
        bad = job.bad_lines.get(channel.name, 0)
        if bad:
            share = 100 * bad / max(channel.lines, 1)
            verdict = (
                "more than the 20 % that are left out, so training stops"
                if share > 20
                else "these are left out"
            )
            message = f"{bad:,} of {channel.lines:,} lines ({share:.0f} %) are wrong: {verdict}"
            yield Finding(
                "", f"{message} (ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST from 20 %)", file=channel.name
            )


def labels_overlap(job: PreflightInput) -> Iterator[Finding]:
    """Training and test data have at least half of their labels in common."""
    if len(job.channels) < 2:
        return
    train, test = (set(channel.names) for channel in job.channels[:2])
    most = max(len(train), len(test))
    if most and 2 * len(train & test) < most:
        message = f"{len(train & test):,} of {most:,} labels are in both, less than half"
        yield Finding("", f"ERROR_INSUFFICIENT_LABEL_OVERLAP: {message}", file=job.channels[1].name)


def a_file_is_of_one_kind(job: PreflightInput) -> Iterator[Finding]:
    """A manifest has labels of pictures or boxes, not both: training takes one of them."""
    for facts in job.files:
        kinds = Counter(kind.type.lower() for kind in facts.states if kind.state == "labelled")
        if kinds.keys() >= _TYPES:
            yield Finding(
                "", "labels of whole pictures beside boxes: training picks one kind", file=facts.name
            )


def _many(count: int) -> str:
    names = [f"label {number}" for number in range(count)]
    return lines(*(single(at, PICTURES[0], name) for at, name in enumerate(names)))


_ROWS: tuple[tuple[Any, ...], ...] = (
    (
        "MT720",
        "error",
        pictures_are_in_one_bucket,
        lines(single(0, "s3://one-bucket/1.jpg"), single(1, "s3://other-bucket/1.jpg", "LH")),
        TRAIN,
        "Copy the pictures into one bucket, and mtool rewrite --from s3://OLD --to s3://NEW.",
        REKOGNITION_RULES,
    ),
    (
        "MT721",
        "error",
        lines_are_not_too_many,
        "{}\n" * (MOST_LINES + 1),
        TRAIN,
        "mtool split parts the manifest; for classification AWS raises the limit on request.",
        REKOGNITION_RULES,
    ),
    (
        "MT722",
        "error",
        labels_are_as_many_as_taken,
        _many(1),
        _many(2),
        "Add pictures of another label, or merge labels.",
        REKOGNITION_RULES,
    ),
    (
        "MT724",
        "warning",
        bad_lines_are_few,
        TRAIN + lines(several([0], {"0": "RH"})),
        TRAIN,
        "Mend the lines, or leave them out.",
        REKOGNITION_RULES,
    ),
    (
        "MT725",
        "error",
        labels_overlap,
        Example((_many(4), _many(1))),
        Example((_many(4), _many(2))),
        "mtool split deals every class out to all parts.",
        REKOGNITION_RULES,
    ),
    (
        "MT726",
        "warning",
        a_file_is_of_one_kind,
        TRAIN + lines(boxed(1)),
        TRAIN,
        "mtool filter by attribute makes a manifest of each kind.",
        REKOGNITION_RULES,
    ),
)

RULES: tuple[Rule, ...] = tuple(
    rule(code, severity, "job", check, breaks=breaks, keeps=keeps, fix=fix, source=source, purposes=_PURPOSE)
    for code, severity, check, breaks, keeps, fix, source in _ROWS
)
