"""What a line points to: ``source-ref`` with the URI of an object, or ``source`` with the data itself."""

import re
from collections.abc import Iterator

import msgspec

from manifest_tools.base.problem import Finding
from manifest_tools.base.text import path, shown
from manifest_tools.io import s3uri
from manifest_tools.verbs.validate.rule_input import RuleLine
from manifest_tools.verbs.validate.rules.examples import line as example
from manifest_tools.verbs.validate.rules.examples import lines
from manifest_tools.verbs.validate.rules.references import INPUT, JSON, KEYS
from manifest_tools.verbs.validate.rules.rule import rule

# Labelling input, from LIMITS and INPUT; a file that only goes into training may be longer.
LONGEST_LINE = 100_000
LONGEST_ATTRIBUTE = 20_000

DOUBLED = "s3://s3://"
# What prints, but cannot be seen: soft hyphens, joiners, marks of direction, the byte-order mark.
_INVISIBLE = re.compile(
    "[\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u3000\u3164\ufeff\uffa0]"
)


def has_a_source(line: RuleLine) -> Iterator[Finding]:
    """A line has a ``source-ref`` or a ``source``."""
    if line.value.get("source-ref") is None and line.value.get("source") is None:
        near = [key for key in line.value if key.lower().replace("_", "-") in ("source-ref", "source")]
        yield Finding("$", "no source-ref and no source" + (f", but {shown(near[0])}" if near else ""))


def source_ref_is_an_s3_uri(line: RuleLine) -> Iterator[Finding]:
    """A ``source-ref`` is the URI of an object in S3."""
    ref = line.value.get("source-ref")
    if ref is None:
        return
    if not isinstance(ref, str):
        yield Finding("$.source-ref", f"expected s3://bucket/key, found {shown(ref)}")
        return
    try:
        s3uri.parse(ref)
    except ValueError as error:
        yield Finding("$.source-ref", str(error))


def source_is_text(line: RuleLine) -> Iterator[Finding]:
    """A ``source`` is text: the data itself."""
    source = line.value.get("source")
    if source is not None and not isinstance(source, str):
        yield Finding("$.source", f"expected text, found {shown(source)}")


def uris_have_one_scheme(line: RuleLine) -> Iterator[Finding]:
    """The URI of an object begins with s3:// once."""
    for key, value in line.value.items():
        if key.endswith("-ref") and isinstance(value, str) and value.startswith(DOUBLED):
            yield Finding(path(key), f"s3:// stands there twice: {shown(value)}")


def line_has_a_readable_length(line: RuleLine) -> Iterator[Finding]:
    """A labeling job takes lines of up to 100,000 characters."""
    if line.length > LONGEST_LINE:
        yield Finding("$", f"expected at most {LONGEST_LINE:,} characters, found {line.length:,}")


def attributes_have_a_readable_length(line: RuleLine) -> Iterator[Finding]:
    """A labeling job takes attributes of up to 20,000 characters."""
    if line.length <= LONGEST_ATTRIBUTE:
        return
    for key, value in line.value.items():
        size = len(value) if isinstance(value, str) else len(msgspec.json.encode(value).decode())
        if size > LONGEST_ATTRIBUTE:
            yield Finding(path(key), f"expected at most {LONGEST_ATTRIBUTE:,} characters, found {size:,}")


def keys_can_be_seen(line: RuleLine) -> Iterator[Finding]:
    """A key has no invisible character in it, and no blank around it."""
    for key in line.value:
        if is_odd(key) and not key.startswith("$"):
            yield Finding(path(key), f"a blank or an invisible character is in the key {ascii(key)[:80]}")


def is_odd(key: str) -> bool:
    """Say whether a rule has something to say of a key: a blank, an invisible character, a dollar sign."""
    return key != key.strip() or not key.isprintable() or key[:1] == "$" or bool(_INVISIBLE.search(key))


def keys_come_once(line: RuleLine) -> Iterator[Finding]:
    """A key stands on a line once: of several, readers take one or another."""
    for key in line.repeated:
        yield Finding(path(key), f"the key {shown(key)} is there more than once")


def keys_do_not_begin_with_a_dollar(line: RuleLine) -> Iterator[Finding]:
    """No attribute of a labeling job's input begins with a dollar sign."""
    for key in line.value:
        if key.startswith("$"):
            yield Finding(path(key), f"{shown(key)} begins with a dollar sign")


_TEXT = {"source": "Fast delivery"}
RULES = (
    rule(
        "MT107",
        "warning",
        "line",
        line_has_a_readable_length,
        breaks=lines(example(**{f"note{n}": "x" * 19_990 for n in range(6)})),
        keeps=lines(example(note="x" * 19_990)),
        fix="Take out what the job does not need, or point to it with a key that ends in -ref.",
        source=INPUT,
    ),
    rule(
        "MT108",
        "warning",
        "line",
        attributes_have_a_readable_length,
        breaks=lines(example(note="x" * 20_001)),
        keeps=lines(example(note="x" * 20_000)),
        fix="Take out what the job does not need, or point to it with a key that ends in -ref.",
        source=INPUT,
    ),
    rule(
        "MT109",
        "warning",
        "line",
        keys_come_once,
        breaks='{"source-ref":"s3://lab3-rawdata/1.JPG","source-ref":"s3://lab3-rawdata/2.JPG"}\n',
        keeps='{"source-ref":"s3://lab3-rawdata/1.JPG"}\n',
        fix="Decide which one holds, and take the other out.",
        source=JSON,
    ),
    rule(
        "MT110",
        "error",
        "line",
        has_a_source,
        breaks='{"source_ref":"s3://lab3-rawdata/IMG_0085.JPG"}\n',
        keeps=lines(example(), _TEXT),
        fix="Add source-ref with the s3:// URI of the picture, or source with the text itself.",
        source=INPUT,
    ),
    rule(
        "MT111",
        "error",
        "line",
        source_ref_is_an_s3_uri,
        breaks=lines(example("IMG_0085.JPG")),
        keeps=lines(example()),
        fix="Write the whole URI: s3://bucket/key.",
        source=INPUT,
    ),
    rule(
        "MT112",
        "error",
        "line",
        source_is_text,
        breaks='{"source":3}\n',
        keeps=lines(_TEXT),
        fix="Put the text itself there, as a string.",
        source=INPUT,
    ),
    rule(
        "MT115",
        "error",
        "line",
        uris_have_one_scheme,
        breaks=lines(example("s3://s3://lab3-rawdata/IMG_0085.JPG")),
        keeps=lines(example()),
        fix="mtool validate --fix takes the second one out.",
        source=KEYS,
    ),
    rule(
        "MT116",
        "warning",
        "line",
        keys_can_be_seen,
        breaks=lines({"source-ref": "s3://lab3-rawdata/1.JPG", "hand\u200b": 0}),
        keeps=lines({"source-ref": "s3://lab3-rawdata/1.JPG", "hand size": 0}),
        fix="Write the key anew; what looks the same is another attribute to every reader.",
        source=JSON,
    ),
    rule(
        "MT117",
        "warning",
        "line",
        keys_do_not_begin_with_a_dollar,
        breaks=lines({"source-ref": "s3://lab3-rawdata/1.JPG", "$hand": 0}),
        keeps=lines({"source-ref": "s3://lab3-rawdata/1.JPG", "hand": 0}),
        fix="Give the attribute another name before it goes into a labeling job.",
        source=INPUT,
    ),
)
