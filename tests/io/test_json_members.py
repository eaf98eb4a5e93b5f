import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData
from manifest_tools.io.json_members import Elements, object_members
from tests.io.test_json_items import VALUES

arrays = st.lists(VALUES, max_size=5)
objects = st.dictionaries(st.text('k"\\é', max_size=3), VALUES, max_size=4)


@given(arrays, objects, st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_an_object_is_cut_into_its_members_wherever_it_is_cut_into_chunks(
    array: list[Any], others: dict[str, Any], size: int, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(others | {"an array": array}, indent=indent, ensure_ascii=ascii_only).encode() + b"\n"
    chunks = (text[start : start + size] for start in range(0, len(text), size))
    found: list[Any] = []
    values = {}
    for member in object_members("a.json", chunks, ["an array"]):
        if isinstance(member, Elements):
            pieces = json.loads(member.text)
            spans = zip(member.starts.tolist(), member.ends.tolist(), strict=True)
            assert [json.loads(text[start:end]) for start, end in spans] == pieces
            found += pieces
        else:
            values[json.loads(f'"{member.key}"')] = json.loads(member.text)
    assert (found, values) == (array, others)


RECORDS = st.fixed_dictionaries({"a": VALUES, "}, {": st.text('},{ "\\', max_size=6)})


@given(st.lists(RECORDS, min_size=2, max_size=9), st.integers(30, 400), st.sampled_from([None, 0, 2]))
@pytest.mark.parametrize("separator", [",", ", ", " ,\n\t", None])
def test_objects_in_an_array_are_cut_where_others_are(
    separator: str | None, records: list[Any], size: int, indent: int | None
) -> None:
    blanks = [", ", ",", " , "]  # in turn, where there is no one separator
    texts = [json.dumps(record, indent=indent) for record in records]
    array = texts[0] + "".join((separator or blanks[at % 3]) + one for at, one in enumerate(texts[1:]))
    text = f'{{"a": [ {array} ], "b": [{array}]}}'.encode()
    chunks = (text[start : start + size] for start in range(0, len(text), size))
    found: dict[str, list[Any]] = {"a": [], "b": []}
    for member in object_members("a.json", chunks, ["a", "b"]):
        assert isinstance(member, Elements)
        spans = zip(member.starts.tolist(), member.ends.tolist(), strict=True)
        assert [json.loads(text[start:end]) for start, end in spans] == json.loads(member.text)
        between = zip(member.ends[:-1].tolist(), member.starts[1:].tolist(), strict=True)
        assert {text[end:start].strip() for end, start in between} <= {b","}
        found[member.key] += json.loads(member.text)
    assert found == {"a": records, "b": records}


def test_elements_are_yielded_before_the_next_chunk_is_asked_for() -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"a": [{"b": 1},'
        raise AssertionError("asked for more")

    found = next(object_members("a.json", chunks(), ["a"]))
    assert found.text == b'[{"b": 1}]'


def test_many_small_members_take_no_time_for_what_follows_them() -> None:
    text = b"{" + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}"
    assert sum(1 for _ in object_members("a.json", [text], [])) == 100_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"", "found the end of the file in it", id="nothing"),
        pytest.param(b"[]", r"expected an object at byte 0, found \[\]", id="an array"),
        pytest.param(b'{"a": [1, 2', "found the end of the file in it", id="cut off"),
        pytest.param(
            b'{"a": {}}', "expected a to be an array at byte 6", id="an object in place of the array"
        ),
        pytest.param(b'{"a": [], "a": []}', "a is there twice", id="the array twice"),
        pytest.param(b'{"a": [1}', r"expected the end of a at byte 8, found \}", id="another bracket"),
        pytest.param(b'{"b" 1}', "expected a colon at byte 5, found 1", id="no colon"),
        pytest.param(b"{1: 2}", "expected a key at byte 1, found 1", id="no key"),
        pytest.param(b"{} {}", r"expected the end of the file at byte 3, found \{\}", id="two objects"),
        pytest.param(b'{"b": ' + b"[" * 1000, "values of at most 100 bytes", id="deep"),
        pytest.param(b'{"a": ["' + b"x" * 200, "values of at most 100 bytes", id="a long element"),
        pytest.param(b'{"' + b"x" * 10**5, "expected a key at byte 1", id="a long key"),
        pytest.param(b"\xef\xbb\xbf{}", "found a byte-order mark", id="a byte-order mark"),
    ],
)
def test_what_is_no_object_is_refused_in_one_line(text: bytes, message: str) -> None:
    with pytest.raises(BadData, match=f"^a.json: .*{message}") as refused:
        list(object_members("a.json", [text], ["a"], 100))
    assert "\n" not in str(refused.value)
