import io
import struct
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_tools.io.recordio import (
    LONGEST,
    MAGIC,
    CorruptRecord,
    ImageRecord,
    aligned_magics,
    frame,
    lst_line,
    pack,
    read_records,
    unpack,
)

# Payloads in which the magic stands at every sort of place: whole, halved, twice in a row, displaced.
PIECES = [MAGIC, MAGIC[:2], MAGIC[2:], b"\0", b"abcd", b"abc", b""]
payloads = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=9)), max_size=12).map(b"".join)

# Hypothesis and a temporary folder get along where every example writes the file anew.
once_more = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def recordio(mxnet: Any) -> Any:
    return mxnet.recordio


def reference_frame(data: bytes) -> bytes:
    """The framing word by word, as the format's description has it."""
    cuts = [at for at in range(0, len(data) // 4 * 4, 4) if data[at : at + 4] == MAGIC]
    out, start = b"", 0
    for number, cut in enumerate(cuts):
        out += struct.pack("<4sI", MAGIC, (2 if number else 1) << 29 | (cut - start)) + data[start:cut]
        start = cut + 4
    out += struct.pack("<4sI", MAGIC, (3 if cuts else 0) << 29 | (len(data) - start)) + data[start:]
    return out + b"\0" * (-len(data) % 4)


@given(st.lists(payloads, max_size=5))
def test_what_was_written_is_read_back(written: list[bytes]) -> None:
    assert list(read_records(io.BytesIO(b"".join(map(frame, written))))) == written


@given(payloads)
def test_the_framing_is_that_of_the_description(payload: bytes) -> None:
    assert frame(payload) == reference_frame(payload)


@given(payloads)
def test_no_word_of_a_payload_spells_the_magic_in_the_file(payload: bytes) -> None:
    framed = frame(payload)
    assert len(framed) % 4 == 0
    assert len(list(aligned_magics(framed))) == len(list(aligned_magics(payload))) + 1


@pytest.mark.parametrize(
    ("payload", "flags"),
    [
        pytest.param(b"abc", [0], id="a payload without the magic is whole"),
        pytest.param(b"." + MAGIC + b"...", [0], id="at an odd offset the magic stays"),
        pytest.param(MAGIC, [1, 3], id="the magic alone is two empty parts"),
        pytest.param(b"abcd" + MAGIC * 2 + b"e", [1, 2, 3], id="two in a row have an empty part between"),
    ],
)
def test_a_payload_is_cut_at_its_aligned_magics(payload: bytes, flags: list[int]) -> None:
    framed = frame(payload)
    words = [struct.unpack_from("<I", framed, at + 4)[0] for at in aligned_magics(framed)]
    assert [word >> 29 for word in words] == flags


def test_a_record_of_two_to_the_29_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 536,870,911 bytes"):
        frame(bytes(LONGEST + 1))


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        pytest.param(b"\x0a\x23\xd7", 0, "inside a record's header", id="cut off in a header"),
        pytest.param(
            frame(b"abcd") + frame(b"abcdef")[:-1], 12, "expected 8 bytes", id="cut off in the data"
        ),
        pytest.param(frame(b"abcd") + b"12345678", 12, "expected the magic", id="no magic where one must be"),
        pytest.param(struct.pack("<4sI", MAGIC, 5 << 29), 0, "kind 0 to 3, found 5", id="an unknown kind"),
        pytest.param(
            struct.pack("<4sI", MAGIC, 3 << 29), 0, "out of order", id="a last part without a first"
        ),
        pytest.param(
            struct.pack("<4sI", MAGIC, 1 << 29) + frame(b""), 8, "out of order", id="a whole in parts"
        ),
        pytest.param(struct.pack("<4sI", MAGIC, 1 << 29), 8, "several parts", id="parts without a last one"),
    ],
)
def test_damage_is_found_at_its_byte(data: bytes, offset: int, reason: str) -> None:
    with pytest.raises(CorruptRecord, match=f"x.rec: byte {offset}: .*{reason}"):
        list(read_records(io.BytesIO(data), "x.rec"))


labels = st.floats(width=32, allow_nan=False)


@given(st.integers(0, 2**64 - 1), st.lists(labels, min_size=1, max_size=5), payloads, st.booleans())
def test_an_image_record_is_unpacked_as_it_was_packed(
    number: int, values: list[float], picture: bytes, vector: bool
) -> None:
    record = ImageRecord(number, tuple(values), picture, vector or len(values) > 1)
    assert unpack(pack(record)) == record


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"x" * 23, id="shorter than a header"),
        pytest.param(struct.pack("<IfQQ", 3, 0, 1, 0) + bytes(8), id="more labels than bytes"),
    ],
)
def test_what_is_too_short_is_no_image_record(payload: bytes) -> None:
    with pytest.raises(ValueError, match="bytes"):
        unpack(payload)


@pytest.mark.parametrize("path", ["a\tb.jpg", "a\nb.jpg", " a.jpg", "a.jpg ", "", "a\rb"])
def test_a_name_that_im2rec_would_read_otherwise_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="a .lst cannot hold"):
        lst_line(1, [0], path)


def test_a_list_line_has_every_label() -> None:
    assert lst_line(3, [1.0, 0.0], "a.jpg") == "3\t1.000000\t0.000000\ta.jpg\n"


@once_more
@given(written=st.lists(payloads, min_size=1, max_size=5))
def test_mxnet_reads_what_we_write(recordio: Any, tmp_path: Path, written: list[bytes]) -> None:
    path = tmp_path / "ours.rec"
    path.write_bytes(b"".join(map(frame, written)))
    reader = recordio.MXRecordIO(str(path), "r")
    # MXNet gives None both for an empty record and for the end; the others come in order.
    found = [reader.read() for _ in written]
    reader.close()
    assert [payload or b"" for payload in found] == written


@once_more
@given(written=st.lists(payloads, min_size=1, max_size=5))
def test_we_write_the_very_bytes_of_mxnet(recordio: Any, tmp_path: Path, written: list[bytes]) -> None:
    path = tmp_path / "theirs.rec"
    writer = recordio.MXRecordIO(str(path), "w")
    for payload in written:
        writer.write(payload)
    writer.close()
    assert path.read_bytes() == b"".join(map(frame, written))
    with path.open("rb") as stream:
        assert list(read_records(stream)) == written


@given(st.integers(0, 2**31), st.lists(labels, min_size=1, max_size=4), st.booleans(), payloads)
def test_headers_are_the_very_bytes_of_mxnet(
    recordio: Any, number: int, values: list[float], vector: bool, picture: bytes
) -> None:
    vector = vector or len(values) > 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MXNet calls NumPy's tostring()
        header = recordio.IRHeader(0, values if vector else values[0], number, 0)
        theirs = recordio.pack(header, picture)
    assert pack(ImageRecord(number, tuple(values), picture, vector)) == theirs
