"""Rules of a whole file: its blank lines, its end, and how many lines a job takes."""

from collections.abc import Iterator

from manifest_tools.base.problem import Finding
from manifest_tools.verbs.validate.engine.file_facts import (
    Facts,
)
from manifest_tools.verbs.validate.rules.examples import line as unlabelled
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.references import (
    JSON_LINES,
    LIMITS,
)
from manifest_tools.verbs.validate.rules.rule import rule

# Objects of a labeling job, from LIMITS; the quota can be raised.
MOST_OBJECTS = 100_000


@rule(
    "MT104",
    "warning",
    "file",
    breaks=lambda: lines(single()) + "\n",
    keeps=lambda: lines(single()),
    fix="mtool validate --fix removes blank lines.",
    source=JSON_LINES,
)
def no_line_is_blank(facts: Facts) -> Iterator[Finding]:
    """A manifest has no blank lines: Rekognition counts each as an invalid object."""
    if facts.blank is not None:
        more = f", the first of {facts.blank.lines:,}" if facts.blank.lines > 1 else ""
        yield Finding("", f"blank line{more}", facts.blank.first)


@rule(
    "MT105",
    "warning",
    "file",
    breaks=lambda: lines(single())[:-1],
    keeps=lambda: lines(single()),
    fix="mtool validate --fix adds the newline.",
    source=JSON_LINES,
)
def the_last_line_ends(facts: Facts) -> Iterator[Finding]:
    """The last line ends with a newline, so that another file can be appended."""
    if not facts.ends:
        yield Finding("", "no newline at the end of the file")


@rule(
    "MT106",
    "warning",
    "file",
    breaks=lambda most=MOST_OBJECTS: lines(unlabelled()) * (most + 1),
    keeps=lambda most=MOST_OBJECTS: lines(unlabelled()) * most,
    fix="Divide the manifest with mtool split, or ask AWS for a higher quota.",
    source=LIMITS,
)
def a_job_takes_as_many(facts: Facts, most: int = MOST_OBJECTS) -> Iterator[Finding]:
    """A file that is to be labelled has up to 100,000 objects, the limit of a labeling job."""
    if facts.objects > most and not facts.attributes:
        message = f"a labeling job takes at most {most:,} objects, this file has {facts.objects:,}"
        yield Finding("", message)


RULES = (
    no_line_is_blank,
    the_last_line_ends,
    a_job_takes_as_many,
)
