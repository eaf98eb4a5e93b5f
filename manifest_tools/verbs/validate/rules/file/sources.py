"""Rules of a whole file: the buckets and keys that its lines name."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import shown
from manifest_tools.io import s3uri
from manifest_tools.verbs.validate.engine.file_facts import (
    PLACEHOLDER,
    Facts,
)
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.references import (
    BUCKETS,
    KEYS,
    OURS,
)
from manifest_tools.verbs.validate.rules.rule import rule
from manifest_tools.verbs.validate.rules.wording import line_count


@rule(
    "MT113",
    "warning",
    "file",
    breaks=lambda: lines(single(ref="s3://Lab_3/IMG_0085.JPG")),
    keeps=lambda: lines(single()),
    fix="mtool rewrite --move s3://OLD=s3://NEW replaces the bucket.",
    source=BUCKETS,
)
def buckets_are_possible(facts: Facts) -> Iterator[Finding]:
    """A bucket has a name that S3 allows; buckets from before 2018 may have others."""
    for bucket, seen in facts.buckets.items():
        problem = s3uri.bucket_problem(bucket)
        if problem is not None and PLACEHOLDER not in bucket and bucket != "s3:":
            message = f"S3 allows no bucket named {shown(bucket)}: {problem} (on {line_count(seen)})"
            yield Finding("$.source-ref", message, seen.first)


@rule(
    "MT114",
    "error",
    "file",
    breaks=lambda: lines(single(ref="s3://lab#-rawdata/IMG_0085.JPG")),
    keeps=lambda: lines(single()),
    fix="Type: mtool rewrite --lab lab3, with your lab's ID.",
    source=OURS,
)
def no_placeholder(facts: Facts) -> Iterator[Finding]:
    """The placeholder lab# has been replaced by the ID of a lab."""
    if facts.placeholder is not None:
        where = f"the placeholder {PLACEHOLDER} is still on {line_count(facts.placeholder)}"
        yield Finding(
            "", f"{where}; type: mtool rewrite --lab lab3, with your lab's ID", facts.placeholder.first
        )


@rule(
    "MT118",
    "warning",
    "file",
    breaks=lambda: lines(single(ref="s3://lab3-rawdata/left//IMG_0085.JPG")),
    keeps=lambda: lines(single()),
    fix="Rename the objects before they are copied to a disk; the copies are found either way.",
    source=KEYS,
)
def keys_have_no_empty_part(facts: Facts) -> Iterator[Finding]:
    """The key of a picture has no two slashes together, which a copy on a disk makes one."""
    if facts.doubled is not None:
        message = f"two slashes together in the key of the picture (on {line_count(facts.doubled)})"
        yield Finding("$.source-ref", f"{message}; a copy on a disk has one", facts.doubled.first)


RULES = (
    buckets_are_possible,
    no_placeholder,
    keys_have_no_empty_part,
)
