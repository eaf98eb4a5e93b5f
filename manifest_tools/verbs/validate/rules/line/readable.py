"""Whether a line can be read at all: UTF-8, JSON, an object. The first of these that speaks ends the line."""

from collections.abc import Iterator

from manifest_tools.base.errors import NotAManifest
from manifest_tools.base.problem import Finding
from manifest_tools.groundtruth.rows import decode
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.references import INPUT, JSON
from manifest_tools.verbs.validate.rules.rule import rule


def is_a_manifest(error: NotAManifest) -> Iterator[Finding]:
    """A file holds one JSON object a line, and is no picture, no array and not empty."""
    yield Finding("", str(error).removeprefix(f"{error.source}: "))


def is_utf8(line: bytes) -> Iterator[Finding]:
    """A line is UTF-8 throughout."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        yield Finding("", f"not UTF-8: byte 0x{line[error.start]:02x} at place {error.start + 1} of the line")


def is_json(line: bytes) -> Iterator[Finding]:
    """A line is one JSON value and nothing else."""
    try:
        decode(line)
    except ValueError as error:
        yield Finding("", str(error))


def is_an_object(line: bytes) -> Iterator[Finding]:
    """A line is an object, not another JSON value."""
    value = decode(line)
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
        yield Finding("$", f"expected an object, found {kind.get(type(value), 'a number')}")


_FIRST = lines(single())
RULES = (
    rule(
        "MT100",
        "error",
        "open",
        is_a_manifest,
        breaks='[{"prefix": "s3://lab3-rawdata/"}, "IMG_0085.JPG"]\n',
        keeps=_FIRST,
        fix="Name the augmented manifest itself; a ManifestFile of S3 keys has no labels.",
        source=INPUT,
    ),
    rule(
        "MT101",
        "error",
        "bytes",
        is_utf8,
        breaks=_FIRST + '{"source": "caf\udce9"}\n',
        keeps=_FIRST + '{"source": "café"}\n',
        fix="Save the file as UTF-8; iconv -f latin1 -t utf-8 does it for Western European text.",
        source=INPUT,
    ),
    rule(
        "MT102",
        "error",
        "bytes",
        is_json,
        breaks=_FIRST + "{'source-ref': 's3://lab3-rawdata/IMG_0086.JPG'}\n",
        keeps=_FIRST + '{"source-ref": "s3://lab3-rawdata/IMG_0086.JPG"}\n',
        fix="Write lines with a JSON library, not with print or repr.",
        source=JSON,
    ),
    rule(
        "MT103",
        "error",
        "bytes",
        is_an_object,
        breaks=_FIRST + '"s3://lab3-rawdata/IMG_0086.JPG"\n',
        keeps=_FIRST + '{"source-ref": "s3://lab3-rawdata/IMG_0086.JPG"}\n',
        fix="Put the value under its key, source-ref for a picture.",
        source=INPUT,
    ),
)
