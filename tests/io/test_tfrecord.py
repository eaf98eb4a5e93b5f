import io
import struct

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.io.tfrecord import Values, example, label_map, masked_crc, write_record
from tests.tfrecords import features_in, records_in

features = st.dictionaries(
    st.text(max_size=5),
    st.lists(st.binary(max_size=300), min_size=1, max_size=3)
    | st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=3)
    | st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=3),
    max_size=4,
)


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_records_are_framed_as_tensorflow_frames_them(texts: list[bytes]) -> None:
    out = io.BytesIO()
    for text in texts:
        assert write_record(out, text) == len(text) + 16
    assert records_in(out.getvalue()) == texts


@given(features)
def test_an_example_decodes_to_what_was_encoded(wanted: dict[str, Values]) -> None:
    assert features_in(example(wanted)) == wanted


@given(features)
def test_the_order_of_features_is_that_of_their_names(wanted: dict[str, Values]) -> None:
    backwards = dict(reversed(wanted.items()))
    assert example(backwards) == example(wanted)


def test_a_feature_without_values_is_left_out() -> None:
    assert example({"a": [], "b": [1]}) == example({"b": [1]})


def test_a_checksum_is_masked() -> None:
    crc = google_crc32c.value(b"123456789")
    assert crc == 0xE3069283
    assert masked_crc(b"123456789") == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param('a "b" \\', '"a \\"b\\" \\\\"', id="quotes"),
        pytest.param("é 犬", '"é 犬"', id="letters of the world"),
        pytest.param("a\nb\x00\x7f", '"a\\nb\\000\\177"', id="what would end a line"),
    ],
)
def test_a_label_map_quotes_names(name: str, written: str) -> None:
    assert label_map([(1, name)]).decode() == f"item {{\n  id: 1\n  name: {written}\n}}\n"


def test_a_record_begins_with_its_length() -> None:
    out = io.BytesIO()
    write_record(out, b"abc")
    assert struct.unpack("<Q", out.getvalue()[:8]) == (3,)
