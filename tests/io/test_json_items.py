import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData
from manifest_tools.io.json_items import array_items

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"\\[]{},é', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('k"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=5), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_an_array_is_cut_into_its_elements_wherever_it_is_cut_into_chunks(
    values: list[Any], size: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode() + b"\n"
    chunks = (text[start : start + size] for start in range(0, len(text), size))
    assert [json.loads(item) for item in array_items("a.json", chunks)] == values


def test_an_element_is_yielded_before_the_next_chunk_is_asked_for() -> None:
    def chunks() -> Any:
        yield b'[{"a": 1},'
        raise AssertionError("asked for more")

    assert next(array_items("a.json", chunks())) == b'{"a": 1}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"", "expected a whole JSON array, found the end", id="nothing"),
        pytest.param(b" {}", r"expected a JSON array, found '\{\}'", id="an object"),
        pytest.param(b"[1, 2", "found the end of the file in it", id="cut off"),
        pytest.param(b'["a]', "found the end of the file in it", id="an open string"),
        pytest.param(b"[1,,2]", "expected element 2 of a JSON array, found ',2]'", id="two commas"),
        pytest.param(b"[1,]", "expected element 2 of a JSON array, found ']'", id="a comma at the end"),
        pytest.param(b"[1] [2]", r"expected the end after a JSON array, found '\[2\]'", id="two arrays"),
        pytest.param(b"[" * 1000, "elements of at most 100 bytes", id="deep"),
        pytest.param(b'["' + b"x" * 200, "elements of at most 100 bytes", id="long"),
    ],
)
def test_what_is_no_array_is_refused_in_one_line(text: bytes, message: str) -> None:
    with pytest.raises(BadData, match=f"^a.json: .*{message}") as refused:
        list(array_items("a.json", [text], 100))
    assert "\n" not in str(refused.value)
