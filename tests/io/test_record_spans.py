import io
import struct
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.io.record_spans import Damage, Span, walk
from manifest_tools.io.recordio import LONGEST, MAGIC, CorruptRecord, frame, read_records
from tests.io.test_recordio import payloads


def found(data: bytes) -> list[Span | Damage]:
    return list(walk(io.BytesIO(data), len(data)))


def kept(data: bytes) -> list[bytes]:
    """Return the payloads of the records that are found."""
    spans = [one for one in found(data) if isinstance(one, Span)]
    return [payload for one in spans for payload in read_records(io.BytesIO(data[one.offset : one.end]))]


def head(flag: int, length: int) -> bytes:
    return struct.pack("<4sI", MAGIC, flag << 29 | length)


@given(st.lists(payloads, max_size=6))
def test_the_records_of_a_whole_file_follow_each_other(written: list[bytes]) -> None:
    spans = found(b"".join(map(frame, written)))
    assert [(one.offset, one.end, one.head) for one in spans if isinstance(one, Span)] == [
        (len(b"".join(map(frame, written[:at]))), len(b"".join(map(frame, written[: at + 1]))), one[:24])
        for at, one in enumerate(written)
    ]


@given(st.lists(payloads, min_size=1, max_size=6), st.data())
def test_a_torn_file_keeps_every_record_before_the_tear(written: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(map(frame, written))
    cut = data.draw(st.integers(0, len(whole) - 1))
    ends = [len(b"".join(map(frame, written[:at]))) for at in range(len(written) + 1)]
    last = max(end for end in ends if end <= cut)
    torn = found(whole[:cut])
    assert kept(whole[:cut]) == written[: ends.index(last)]
    assert [one[:2] for one in torn if isinstance(one, Damage)] == [(last, cut)] * (last < cut)


@given(st.lists(payloads, max_size=4), st.lists(payloads, max_size=4), st.binary(min_size=1, max_size=40))
def test_what_stands_between_records_is_skipped(
    before: list[bytes], behind: list[bytes], between: bytes
) -> None:
    between = between.replace(MAGIC[:1], b"")  # no beginning of a record, also not half of one
    data = b"".join(map(frame, before)) + between + b"".join(map(frame, behind))
    assert kept(data) == before + behind


@given(st.binary(max_size=200).map(lambda data: data.replace(b"\0\0", MAGIC)))
def test_whatever_the_bytes_all_of_them_are_a_record_or_damage(data: bytes) -> None:
    ranges = [(one.offset, one.end) for one in found(data)]
    assert ranges == [] if not data else (ranges[0][0], ranges[-1][1]) == (0, len(data))
    assert all(one[1] == other[0] and one[0] < one[1] for one, other in pairwise(ranges))


@given(st.binary(max_size=200).map(lambda data: data.replace(b"\0\0", MAGIC)))
def test_a_file_without_damage_is_one_that_can_be_read(data: bytes) -> None:
    try:
        payloads_of = list(read_records(io.BytesIO(data)))
    except CorruptRecord:
        assert any(isinstance(one, Damage) for one in found(data))
    else:
        assert kept(data) == payloads_of


def test_a_length_that_leads_nowhere_costs_its_own_record_alone() -> None:
    good = [bytes([at]) * 40 for at in range(4)]
    framed = [frame(one) for one in good]
    framed[1] = head(0, 100) + framed[1][8:]  # it reaches into the third record, and ends in its middle
    data = b"".join(framed)
    assert kept(data) == [good[0], good[2], good[3]]
    (damage,) = (one for one in found(data) if isinstance(one, Damage))
    assert (damage.offset, damage.end) == (48, 96)
    assert "its length is wrong" in damage.reason


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(head(0, 500_000_000) + b"abc", id="whole"),
        pytest.param(head(1, 500_000_000) + head(2, 500_000_000), id="in parts"),
    ],
)
def test_a_lie_about_a_length_takes_no_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        assert [type(one) for one in found(data)] == [Damage]
        with pytest.raises(CorruptRecord):
            list(read_records(io.BytesIO(data)))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_file_of_nothing_but_beginnings_is_walked_once(kind: int) -> None:
    stream = io.BytesIO((head(1, 0) + head(kind, LONGEST)) * 5000)
    assert [type(one) for one in walk(stream, len(stream.getvalue()))] == [Damage]


def test_parts_that_are_too_many_for_a_record_are_damage() -> None:
    class Endless(io.RawIOBase):
        """A file of 2 GB: every 200 MB a part begins."""

        at = 0
        step = 208_000_000

        def seek(self, offset: int, whence: int = 0, /) -> int:
            self.at = offset
            return offset

        def read(self, size: int = -1, /) -> bytes:
            at, self.at = self.at, self.at + size
            begins = at % self.step == 0
            return (head(2 if at else 1, self.step - 8) + bytes(size))[:size] if begins else bytes(size)

    (damage,) = walk(Endless(), 3 * Endless.step)  # type: ignore[arg-type]
    assert isinstance(damage, Damage)
    assert "a record has at most 536,870,911 bytes" in damage.reason
