"""Whatever a .rec holds, each word behind ``rec`` answers in words: no traceback, no hang."""

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_tools.io.recordio import MAGIC, ImageRecord, frame, pack
from tests.hostile import COMMANDS, throw
from tests.record_files import PICTURES, image_records

WORDS = [name for name in COMMANDS if name.startswith("rec ")]
WHOLE = b"".join(frame(pack(one)) for one in image_records(3))
FILES = {
    "a lie about a length": struct.pack("<4sI", MAGIC, 500_000_000) + bytes(100),
    "a lie behind good records": WHOLE + struct.pack("<4sI", MAGIC, 500_000_000),
    "parts without end": (struct.pack("<4sI", MAGIC, 1 << 29) + struct.pack("<4sI", MAGIC, 2 << 29)) * 5000,
    "4 billion labels": frame(struct.pack("<IfQQ", 2**32 - 1, 0, 1, 0) + b"x"),
    "labels that are no numbers": frame(
        pack(ImageRecord(1, (float("nan"), float("inf")), PICTURES[0], True))
    ),
    "a number of 64 bits": frame(struct.pack("<IfQQ", 0, 0, 2**64 - 1, 2**64 - 1) + PICTURES[0]),
    "a picture of many pixels": frame(
        pack(ImageRecord(1, (0.0,), PICTURES[0].replace(struct.pack(">HH", 20, 30), b"\xff\xff\xff\xff")))
    ),
    "empty records": frame(b"") * 1000,
    "magics": MAGIC * 10_000,
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("what", FILES)
def test_a_hostile_file_is_answered_in_words(tmp_path: Path, what: str, word: str) -> None:
    throw(FILES[what], COMMANDS[word], tmp_path)


@pytest.mark.parametrize("word", WORDS)
def test_mutated_records_are_answered_in_words(tmp_path: Path, word: str) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def answered(data: st.DataObject) -> None:
        spoilt = bytearray(WHOLE)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(spoilt) - 1) if spoilt else st.just(0))
            end = at + data.draw(st.integers(0, 12))
            spoilt[at:end] = data.draw(st.one_of(st.just(MAGIC), st.binary(max_size=8)))
        throw(bytes(spoilt), COMMANDS[word], tmp_path)

    answered()
