"""Whatever is thrown at a command, it answers with problems or one line: no traceback, hang or escape."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import COMMANDS, FILES, GOOD, LINE, throw

SAMPLES = Path(__file__).parent.parent / "sample_manifests"
REAL = [
    line + b"\n"
    for folder in ("good", "bad")
    for path in sorted((SAMPLES / folder).glob("*.manifest"))
    for line in path.read_bytes().split(b"\n")
    if line.strip() and len(line) < 5000
]
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


@pytest.mark.parametrize("command", COMMANDS)
def test_mutated_lines_are_answered_in_words(tmp_path: Path, command: str) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(mutated())
    def answered(data: bytes) -> None:
        throw(data, COMMANDS[command], tmp_path)

    answered()
