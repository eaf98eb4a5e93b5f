"""JSON as other programs write it: strategies for lines, and a slow reader that knows where things stand."""

import json
import re
from typing import Any

from hypothesis import strategies as st

from manifest_tools.io.json_spans import Span

# Rich enough to be odd, few enough to be drawn fast: a line is put together from these.
spaces = st.sampled_from(["", "", " ", "  ", "\t", " \r "])
NUMBERS = ("0", "-0", "1.10", "1e5", "1E-05", "-2.500", "123456789012345678901234567890", "0.0")

words = st.one_of(
    st.sampled_from(["", "a", "b", "source-ref", "kind", "kind-metadata", "s3://lab#/x", "}{][,:", 'a"b\\']),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
_ESCAPES = {'"': ['\\"', "\\u0022"], "\\": ["\\\\", "\\u005c"], "/": ["/", "\\/"], "\n": ["\\n"]}


@st.composite
def encoded_strings(draw: st.DrawFn, what: st.SearchStrategy[str] = words) -> str:
    """Draw a JSON string with its quotes, each character as it is or by one of its escapes."""
    spelling = []
    for character in draw(what):
        code = "".join(f"\\u{unit:04x}" for unit in _units(character))
        forms = _ESCAPES.get(character, [code] if character < " " else [character, character, code])
        spelling.append(draw(st.sampled_from(forms)))
    return f'"{"".join(spelling)}"'


def _units(character: str) -> list[int]:
    encoded = character.encode("utf-16-be")
    return [int.from_bytes(encoded[at : at + 2], "big") for at in range(0, len(encoded), 2)]


keys = st.sampled_from(
    [
        '""',
        '"a"',
        '"\\u0061"',
        '"a"',
        '"source-ref"',
        '"kind\\u002dmetadata"',
        '"}{][,:"',
        '"lab#-\\/\\"\\\\"',
        '"caf\u00e9 \U0001f600 \u2028"',
        '"\\ud83d\\ude00\\n"',
    ]
)
_flat = ["[]", "{}", "[ ]", "{ }", "true", "false", "null", *NUMBERS]
_nested = [
    '[1 ,[2,"]"] ]',
    '{"a": 1.10,"a" :{"b": []}}',
    '{ "s3://lab#/x":"lab#" }',
    "[{},[[ ]],{}]",
    '["\\\\","\\"", "\\\\\\""]',
]
values = st.sampled_from(_flat + _nested) | keys


def _container(parts: st.SearchStrategy[tuple[str, ...]], brackets: str) -> st.SearchStrategy[bytes]:
    inside = st.lists(parts.map("".join), max_size=5).map(",".join)
    return inside.map(lambda text: f"{brackets[0]}{text}{brackets[1]}".encode())


arrays = _container(st.tuples(spaces, values, spaces), "[]")
objects = _container(st.tuples(spaces, keys, spaces, st.just(":"), spaces, values, spaces), "{}")


def pairs_of(line: bytes) -> Any:
    """Decode with every object as a list of pairs, duplicates kept, and every number as it is written."""
    return json.loads(line, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number)


class Number(str):
    """The spelling of a number."""


class Pairs(list[tuple[str, Any]]):
    """The members of an object in order; unequal to an array of pairs."""


def slow_value_end(line: bytes, at: int) -> int:
    """Return where the value that begins at ``at`` ends, read by the standard library's own decoder."""
    text = line[at:].decode()
    _, end = json.JSONDecoder().raw_decode(text)
    return at + len(text[:end].encode())


def split_lines(content: bytes) -> list[bytes]:
    """Return the lines with their newlines; a carriage return alone, or another separator, ends none."""
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def cut(line: bytes, span: Span) -> bytes:
    """Return the bytes of a span."""
    return line[span.start : span.end]
