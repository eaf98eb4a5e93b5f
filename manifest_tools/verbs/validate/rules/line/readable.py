"""Whether a line can be read at all: UTF-8, JSON, an object. Only the first problem of a line is reported."""

from collections.abc import Iterator

from manifest_tools.base.errors import NotAManifest
from manifest_tools.base.problem import Finding
from manifest_tools.groundtruth.rows import decode
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.references import INPUT, JSON
from manifest_tools.verbs.validate.rules.rule import rule

_FIRST = lines(single())


@rule(
    "MT100",
    "error",
    "open",
    breaks=lambda: '[{"prefix": "s3://lab3-rawdata/"}, "IMG_0085.JPG"]\n',
    keeps=lambda: _FIRST,
    fix="Name the augmented manifest; a ManifestFile with S3 keys has no labels.",
    source=INPUT,
)
def is_a_manifest(error: NotAManifest) -> Iterator[Finding]:
    """A manifest has one JSON object on each line, and at least one line."""
    yield Finding("", str(error).removeprefix(f"{error.source}: "))


@rule(
    "MT101",
    "error",
    "bytes",
    breaks=lambda: _FIRST + '{"source": "caf\udce9"}\n',
    keeps=lambda: _FIRST + '{"source": "café"}\n',
    fix="Save the file as UTF-8; iconv -f latin1 -t utf-8 does it for Western European text.",
    source=INPUT,
)
def is_utf8(line: bytes) -> Iterator[Finding]:
    """A line is UTF-8 throughout."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        yield Finding(
            "", f"not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1} of the line"
        )


@rule(
    "MT102",
    "error",
    "bytes",
    breaks=lambda: _FIRST + "{'source-ref': 's3://lab3-rawdata/IMG_0086.JPG'}\n",
    keeps=lambda: _FIRST + '{"source-ref": "s3://lab3-rawdata/IMG_0086.JPG"}\n',
    fix="Write lines with a JSON library, not with print or repr.",
    source=JSON,
)
def is_json(line: bytes) -> Iterator[Finding]:
    """A line is one JSON value, and nothing else."""
    try:
        decode(line)
    except ValueError as error:
        yield Finding("", str(error))


@rule(
    "MT103",
    "error",
    "bytes",
    breaks=lambda: _FIRST + '"s3://lab3-rawdata/IMG_0086.JPG"\n',
    keeps=lambda: _FIRST + '{"source-ref": "s3://lab3-rawdata/IMG_0086.JPG"}\n',
    fix="Write an object with the value under its key, such as source-ref for a picture.",
    source=INPUT,
)
def is_an_object(line: bytes) -> Iterator[Finding]:
    """A line is a JSON object, and no other JSON value."""
    value = decode(line)
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
        yield Finding("$", f"expected a JSON object, found {kind.get(type(value), 'a number')}")


RULES = (
    is_a_manifest,
    is_utf8,
    is_json,
    is_an_object,
)
