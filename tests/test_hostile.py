"""Whatever is thrown at a command, it answers with problems or one line: no traceback, hang or escape."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import COMMANDS, FILES, GOOD, LINE, throw


def is_object(line: bytes) -> bool:
    """Say whether a line is a JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


SAMPLES = Path(__file__).parent.parent / "sample_manifests"
REAL = [
    line + b"\n"
    for folder in ("good", "bad")
    for path in sorted((SAMPLES / folder).glob("*.manifest"))
    for line in path.read_bytes().split(b"\n")
    if line.strip() and len(line) < 5000
]
OBJECTS = [line for line in REAL if is_object(line)]
PIECES = [
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\n",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"null",
        b"NaN",
    ),
    *(b"\\ud800", b"\\u001b[31m", b"\x1b[31m", b"-metadata", b"source-ref", b"s3://", b"1e999", b"9" * 400),
    *(b"lab#", b"groundtruth/object-detection", b"class-map", b"annotations", b"\xe2\x80\xae", b"\r"),
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("what", FILES)
def test_a_hostile_file_is_answered_in_words(tmp_path: Path, what: str, command: str) -> None:
    throw(FILES[what], COMMANDS[command], tmp_path)


@pytest.mark.parametrize("command", ["validate", "stats", "split", "filter by confidence", "rewrite --lab"])
def test_a_line_of_100_mb_is_answered_in_words(tmp_path: Path, command: str) -> None:
    line = LINE[:-1].encode() + b',"note":"' + b"x" * 100_000_000 + b'"}\n'
    told = throw(GOOD + b"\n" + line, COMMANDS[command], tmp_path)
    assert len(told) < 10_000


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw some lines as people have them, with bytes put in, taken out, doubled."""
    data = b"".join(draw(st.lists(st.sampled_from(REAL), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 12)))
        put = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4), st.just(data[at : at + 60])))
        data = data[:at] + put + data[end:]
    return data


ODD: list[Any] = [True, False, None, 0, -1, 1.5, 10**30, "", "x", [], {}, [[]], [{}], {"0": []}, {"a": True}]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every array or object in a value with each of its indices or keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *_places(value[key])]]


@st.composite
def retyped(draw: st.DrawFn) -> bytes:
    """Draw some lines as people have them, in which some values are of another type."""
    lines = [json.loads(line) for line in draw(st.lists(st.sampled_from(OBJECTS), min_size=1, max_size=2))]
    for line in lines:
        for _ in range(draw(st.integers(0, 2))):
            if places := _places(line):
                inside, key = draw(st.sampled_from(places))
                inside[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.mark.parametrize("command", COMMANDS)
def test_values_of_another_type_are_answered_in_words(tmp_path: Path, command: str) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(retyped())
    def answered(data: bytes) -> None:
        throw(data, COMMANDS[command], tmp_path)

    answered()


@pytest.mark.parametrize("command", COMMANDS)
def test_mutated_lines_are_answered_in_words(tmp_path: Path, command: str) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(mutated())
    def answered(data: bytes) -> None:
        throw(data, COMMANDS[command], tmp_path)

    answered()
