"""The data of a line: ``source-ref`` with the URI of an object, or ``source`` with a text; and its keys."""

from collections.abc import Iterator

import msgspec

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.base.visible import blank_ends, hidden_in_key
from manifest_tools.images.paths import is_below
from manifest_tools.io import s3uri
from manifest_tools.verbs.validate.rule_input import RuleLine
from manifest_tools.verbs.validate.rules.examples import line as example
from manifest_tools.verbs.validate.rules.examples import lines
from manifest_tools.verbs.validate.rules.references import INPUT, JSON, KEYS
from manifest_tools.verbs.validate.rules.rule import rule

# Limits of a labeling job, from LIMITS and INPUT; training accepts longer lines.
LONGEST_LINE = 100_000
LONGEST_ATTRIBUTE = 20_000
DOUBLED = "s3://s3://"
_TEXT = {"source": "Fast delivery"}


@rule(
    "MT107",
    "warning",
    "line",
    breaks=lambda: lines(example(**{f"note{n}": "x" * 19_990 for n in range(6)})),
    keeps=lambda: lines(example(note="x" * 19_990)),
    fix="Remove what the job does not need, or point to it with a key that ends in -ref.",
    source=INPUT,
)
def line_has_a_readable_length(line: RuleLine) -> Iterator[Finding]:
    """A line has up to 100,000 characters, the limit of a labeling job."""
    if line.length > LONGEST_LINE:
        yield Finding(
            "$", f"the line has {line.length:,} characters, a labeling job accepts at most {LONGEST_LINE:,}"
        )


@rule(
    "MT108",
    "warning",
    "line",
    breaks=lambda: lines(example(note="x" * 20_001)),
    keeps=lambda: lines(example(note="x" * 20_000)),
    fix="Remove what the job does not need, or point to it with a key that ends in -ref.",
    source=INPUT,
)
def attributes_have_a_readable_length(line: RuleLine) -> Iterator[Finding]:
    """An attribute has up to 20,000 characters, the limit of a labeling job."""
    if line.length <= LONGEST_ATTRIBUTE:
        return
    for key, value in line.value.items():
        size = len(value) if isinstance(value, str) else len(msgspec.json.encode(value).decode())
        if size > LONGEST_ATTRIBUTE:
            message = f"has {size:,} characters, a labeling job accepts at most {LONGEST_ATTRIBUTE:,}"
            yield Finding(path(key), f"{shown(key)} {message}")


@rule(
    "MT109",
    "warning",
    "line",
    breaks=lambda: '{"source-ref":"s3://lab3-rawdata/1.JPG","source-ref":"s3://lab3-rawdata/2.JPG"}\n',
    keeps=lambda: '{"source-ref":"s3://lab3-rawdata/1.JPG"}\n',
    fix="Decide which one is right, and remove the other.",
    source=JSON,
)
def keys_come_once(line: RuleLine) -> Iterator[Finding]:
    """A key is on a line once: readers disagree which of several counts."""
    for key in line.repeated:
        yield Finding(path(key), f"the key {shown(key)} is on the line more than once")


@rule(
    "MT110",
    "error",
    "line",
    breaks=lambda: '{"source_ref":"s3://lab3-rawdata/IMG_0085.JPG"}\n',
    keeps=lambda: lines(example(), _TEXT),
    fix="Add source-ref with the s3:// URI of the picture, or source with the text itself.",
    source=INPUT,
    never_for=("rekognition",),  # which has a code of its own for it
)
def has_a_source(line: RuleLine) -> Iterator[Finding]:
    """A line has a ``source-ref`` or a ``source``."""
    if line.value.get("source-ref") is None and line.value.get("source") is None:
        near = [key for key in line.value if key.lower().replace("_", "-") in ("source-ref", "source")]
        hint = f"; {shown(near[0])} looks like a misspelling" if near else ""
        yield Finding("$", f"no source-ref and no source{hint}")


@rule(
    "MT111",
    "error",
    "line",
    breaks=lambda: lines(example("/home/lab3/IMG_0085.JPG")),
    keeps=lambda: lines(example(), example("left/IMG_0085.JPG")),
    fix="Write the whole URI, s3://bucket/key, or a path from the folder of the manifest, which is no URI to"
    " SageMaker: mtool rewrite --prefix s3://bucket/folder goes in front of it.",
    source=INPUT,
)
def source_ref_is_an_s3_uri(line: RuleLine) -> Iterator[Finding]:
    """A ``source-ref`` is the URI of an object in S3; without ``--for`` also a path below the manifest."""
    ref = line.value.get("source-ref")
    if ref is None:
        return
    if not isinstance(ref, str):
        yield Finding("$.source-ref", f"source-ref: expected s3://bucket/key, found {shown(ref)}")
        return
    if not line.purpose and is_path(ref):
        return
    try:
        s3uri.parse(ref)
    except ValueError as error:
        yield Finding("$.source-ref", f"source-ref: {error}")


def is_path(ref: str) -> bool:
    """Say whether a source-ref is a path from the folder of the manifest, and no URI."""
    return "://" not in ref and is_below(ref)


@rule(
    "MT112",
    "error",
    "line",
    breaks=lambda: '{"source":3}\n',
    keeps=lambda: lines(_TEXT),
    fix="Write the text itself, as a string.",
    source=INPUT,
)
def source_is_text(line: RuleLine) -> Iterator[Finding]:
    """A ``source`` is text: the data itself."""
    source = line.value.get("source")
    if source is not None and not isinstance(source, str):
        yield Finding("$.source", f"source: expected a text, found {shown(source)}")


@rule(
    "MT115",
    "error",
    "line",
    breaks=lambda: lines(example("s3://s3://lab3-rawdata/IMG_0085.JPG")),
    keeps=lambda: lines(example()),
    fix="mtool validate --fix removes the second one.",
    source=KEYS,
)
def uris_have_one_scheme(line: RuleLine) -> Iterator[Finding]:
    """The URI of an object begins with s3:// once."""
    for key, value in line.value.items():
        if key.endswith("-ref") and isinstance(value, str) and value.startswith(DOUBLED):
            yield Finding(path(key), f"{shown(key)} begins with s3:// twice: {shown(value)}")


@rule(
    "MT116",
    "warning",
    "line",
    breaks=lambda: lines({"source-ref": "s3://lab3-rawdata/1.JPG", "hand\u200b": 0}),
    keeps=lambda: lines({"source-ref": "s3://lab3-rawdata/1.JPG", "hand size": 0}),
    fix="Type the key again: with such a character it is another key to every reader.",
    source=JSON,
)
def keys_can_be_seen(line: RuleLine) -> Iterator[Finding]:
    """A key has no invisible character, and no space before or after it."""
    for key in line.value:
        if is_odd(key) and not key.startswith("$"):
            ends, hidden = blank_ends(key), hidden_in_key(key.strip())
            wrong = (
                f"an invisible character: {hidden_in_key(key)}" if hidden else f"a space at one end: {ends}"
            )
            yield Finding(path(key), f"the key {ascii(key)[:80]} has {wrong}")


@rule(
    "MT117",
    "warning",
    "line",
    breaks=lambda: lines({"source-ref": "s3://lab3-rawdata/1.JPG", "$hand": 0}),
    keeps=lambda: lines({"source-ref": "s3://lab3-rawdata/1.JPG", "hand": 0}),
    fix="Rename the attribute before the manifest goes into a labeling job.",
    source=INPUT,
)
def keys_do_not_begin_with_a_dollar(line: RuleLine) -> Iterator[Finding]:
    """No key begins with a dollar sign, which a labeling job refuses."""
    for key in line.value:
        if key.startswith("$"):
            yield Finding(path(key), f"the key {shown(key)} begins with a dollar sign")


def is_odd(key: str) -> bool:
    """Return whether a rule reports a key: for a space, an invisible character or a dollar sign."""
    return key != key.strip() or not key.isprintable() or key[:1] == "$" or hidden_in_key(key) != ""


RULES = (
    line_has_a_readable_length,
    attributes_have_a_readable_length,
    keys_come_once,
    has_a_source,
    source_ref_is_an_s3_uri,
    source_is_text,
    uris_have_one_scheme,
    keys_can_be_seen,
    keys_do_not_begin_with_a_dollar,
)
