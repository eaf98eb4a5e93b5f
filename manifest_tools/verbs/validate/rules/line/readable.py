"""Whether a line can be read at all: UTF-8, JSON, an object. The first of these that speaks ends the line."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from manifest_tools.base.errors import NotAManifest
from manifest_tools.groundtruth.rows import reason
from manifest_tools.verbs.validate.line import Found
from manifest_tools.verbs.validate.rules.examples import lines, single
from manifest_tools.verbs.validate.rules.references import INPUT, JSON
from manifest_tools.verbs.validate.rules.rule import rule

_decode = msgspec.json.Decoder().decode


def is_a_manifest(error: NotAManifest) -> Iterator[Found]:
    """A file holds one JSON object a line, and is no picture, no array and not empty."""
    yield Found("", str(error).removeprefix(f"{error.source}: "))


def is_utf8(line: bytes) -> Iterator[Found]:
    """A line is UTF-8 throughout."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        yield Found("", f"not UTF-8: byte 0x{line[error.start]:02x} at place {error.start + 1} of the line")


def is_json(line: bytes) -> Iterator[Found]:
    """A line is one JSON value and nothing else."""
    try:
        decode(line)
    except ValueError as error:
        yield Found("", str(error))


def is_an_object(line: bytes) -> Iterator[Found]:
    """A line is an object, not another JSON value."""
    value = decode(line)
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
        yield Found("$", f"expected an object, found {kind.get(type(value), 'a number')}")


def decode(line: bytes) -> Any:
    """Return what a line says; raises ValueError with the reason for what is not JSON.

    A number that is too large for a machine is JSON all the same.
    """
    try:
        return _decode(line)
    except msgspec.ValidationError:
        return _decode_large(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(reason(line, error)) from error


def _decode_large(line: bytes) -> Any:
    try:
        return json.loads(line.decode(), parse_int=_large, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error


def _large(digits: str) -> int | float:
    return int(digits) if len(digits) < 4000 else float(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


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
