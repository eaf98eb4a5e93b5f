import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.io.json_spans import (
    Span,
    characters_span,
    decode_string,
    encode_string,
    find,
    items,
    keep_elements,
    members,
    replacements,
    splice,
    string_spans,
    value_span,
)
from tests.json_lines import Number, arrays, cut, encoded_strings, objects, pairs_of, slow_value_end, values

ODD = (
    b'{ "a" : 1.10,"a":123456789012345678901234567890 ,\t"a": "\\u0061\\/" ,'
    b' "":null, "\xc3\xa9": [ 1 ,[ ] ] }\r\n'
)


@given(objects)
def test_members_are_what_the_standard_decoder_finds_in_order_with_duplicates(line: bytes) -> None:
    found = [(decode_string(line, m.key), pairs_of(cut(line, m.value))) for m in members(line)]
    assert found == list(pairs_of(line))


@given(arrays)
def test_items_are_what_the_standard_decoder_finds_in_order(line: bytes) -> None:
    assert [pairs_of(cut(line, item)) for item in items(line, 0)] == pairs_of(line)


@given(values, st.sampled_from([b"", b"{", b'"x":']), st.sampled_from([b"", b",", b" ", b"}", b"]"]))
def test_a_value_ends_where_the_standard_decoder_says(value: str, before: bytes, after: bytes) -> None:
    line = before + value.encode() + after
    assert value_span(line, len(before)) == (len(before), slow_value_end(line, len(before)))


@given(encoded_strings())
def test_text_is_what_the_standard_decoder_reads_however_it_is_escaped(string: str) -> None:
    line = string.encode()
    assert decode_string(line, Span(0, len(line))) == json.loads(string)


@given(st.text(st.characters()))
def test_what_is_spelt_is_read_back_and_is_always_utf8(value: str) -> None:
    spelling = encode_string(value)
    assert json.loads(spelling.decode()) == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_character_is_escaped_that_json_lets_stand(value: str) -> None:
    plain = all(c >= " " and c not in '"\\' for c in value)
    assert not plain or encode_string(value) == b'"' + value.encode() + b'"'


@given(objects)
def test_without_edits_the_very_same_object_comes_back(line: bytes) -> None:
    assert splice(line, []) is line


@given(objects)
def test_edits_that_put_in_what_is_there_give_the_same_bytes(line: bytes) -> None:
    edits = [(span, cut(line, span)) for member in members(line) for span in member]
    assert splice(line, edits) == line


@given(objects, st.randoms(use_true_random=False))
def test_edits_may_come_in_any_order(line: bytes, order: random.Random) -> None:
    edits = [(member.value, b"%d" % n) for n, member in enumerate(members(line))]
    shuffled = list(edits)
    order.shuffle(shuffled)
    assert splice(line, shuffled) == splice(line, edits)


@given(objects.filter(lambda line: any(members(line))), st.data(), values)
def test_an_edit_changes_its_value_and_nothing_else(line: bytes, data: st.DataObject, new: str) -> None:
    found = list(members(line))
    at = data.draw(st.integers(0, len(found) - 1))
    chosen = found[at].value
    edited = splice(line, [(chosen, new.encode())])
    assert edited[: chosen.start] == line[: chosen.start]
    assert edited[chosen.start + len(new.encode()) :] == line[chosen.end :]
    after = [(decode_string(edited, m.key), cut(edited, m.value)) for m in members(edited)]
    expected = [(decode_string(line, m.key), cut(line, m.value)) for m in found]
    expected[at] = (expected[at][0], new.encode())
    assert after == expected


@pytest.mark.parametrize(
    ("at", "edited"),
    [
        pytest.param(0, ODD.replace(b"1.10", b"X"), id="the first of three keys that are the same"),
        pytest.param(1, ODD.replace(b"123456789012345678901234567890", b"X"), id="a 30-digit integer"),
        pytest.param(2, ODD.replace(b'"\\u0061\\/"', b"X"), id="a string of escapes"),
        pytest.param(3, ODD.replace(b"null", b"X"), id="the value of an empty key"),
        pytest.param(4, ODD.replace(b"[ 1 ,[ ] ]", b"X"), id="an array in an array"),
    ],
)
def test_every_other_byte_of_an_odd_line_stays(at: int, edited: bytes) -> None:
    assert splice(ODD, [(list(members(ODD))[at].value, b"X")]) == edited


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        splice(b"0123456789", [(Span(2, 6), b"a"), (Span(5, 7), b"b")])


def test_edits_that_touch_are_none_that_overlap() -> None:
    assert splice(b"0123", [(Span(1, 2), b"a"), (Span(2, 3), b"b")]) == b"0ab3"


@given(objects)
def test_every_string_is_found_once(line: bytes) -> None:
    assert [decode_string(line, span) for span in string_spans(line)] == _strings_of(pairs_of(line))


def _strings_of(value: object) -> list[str]:
    """Return keys and string values in order, as pairs_of gives them."""
    if isinstance(value, tuple):
        return [value[0], *_strings_of(value[1])]
    if isinstance(value, list):
        return [found for one in value for found in _strings_of(one)]
    return [value] if isinstance(value, str) and not isinstance(value, Number) else []


def test_find_gives_all_duplicates_at_every_depth() -> None:
    line = b'{"m": {"k": 1, "k": 2}, "m": 7, "m": {"k": 3}, "n": {"k": 4}}'
    assert [cut(line, m.value) for m in find(line, "m", "k")] == [b"1", b"2", b"3"]
    assert [cut(line, m.value) for m in find(line, "m")] == [b'{"k": 1, "k": 2}', b"7", b'{"k": 3}']


def test_find_knows_a_key_that_is_written_with_escapes() -> None:
    line = b'{"lab1\\u002dmetadata": 5}'
    assert [cut(line, m.value) for m in find(line, "lab1-metadata")] == [b"5"]


def test_find_gives_nothing_where_there_is_no_object() -> None:
    assert find(b'{"m": [1], "n": "x"}', "m", "k") == []


@given(objects)
def test_every_member_is_found_by_its_key(line: bytes) -> None:
    for member in members(line):
        assert member in find(line, decode_string(line, member.key))


def test_deep_nesting_is_no_recursion() -> None:
    line = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b', "b": 1}'
    assert [decode_string(line, m.key) for m in members(line)] == ["a", "b"]


def test_a_long_string_is_read_in_one_go() -> None:
    line = b'{"a": "' + b"x\\\\" * 2_000_000 + b'", "b": 1}'
    assert [len(cut(line, m.value)) for m in members(line)] == [6_000_002, 1]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[1]", id="an array"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"a"', id="no colon"),
        pytest.param(b'{"a":', id="no value"),
        pytest.param(b'{"a": 1', id="no end"),
        pytest.param(b'{"a": [1', id="no end of an array"),
        pytest.param(b'{"a": "x', id="no end of a string"),
        pytest.param(b'{"a": "x\\"}', id="an escaped last quote"),
        pytest.param(b'{"a" 1}', id="a missing colon"),
        pytest.param(b'{"a": 1 "b": 2}', id="a missing comma"),
        pytest.param(b"{'a': 1}", id="single quotes"),
        pytest.param(b"{,}", id="a comma alone"),
        pytest.param(b'{"a":,}', id="a comma for a value"),
        pytest.param(b'{1: "a"}', id="a key that is no string"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte-order mark"),
    ],
)
def test_what_is_no_object_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match="byte"):
        list(members(line))


@given(st.binary(max_size=30) | st.text('{}[]",:\\a1 ', max_size=14).map(str.encode))
def test_nothing_but_a_value_error_comes_of_any_bytes(line: bytes) -> None:
    try:
        for member in members(line):
            decode_string(line, member.key)
    except ValueError:
        pass


@given(arrays, st.data())
def test_keeping_elements_keeps_just_those_each_byte_for_byte(line: bytes, data: st.DataObject) -> None:
    elements = list(items(line, 0))
    keep = data.draw(st.lists(st.booleans(), min_size=len(elements), max_size=len(elements)))
    edited = splice(line, [keep_elements(line, Span(0, len(line)), elements, keep)])
    kept = [cut(line, span) for span, wanted in zip(elements, keep, strict=True) if wanted]
    assert [cut(edited, span) for span in items(edited, 0)] == kept


@given(arrays)
def test_keeping_all_elements_changes_nothing(line: bytes) -> None:
    elements = list(items(line, 0))
    if elements:
        edited = splice(line, [keep_elements(line, Span(0, len(line)), elements, [True] * len(elements))])
        assert edited == line


@pytest.mark.parametrize(
    ("line", "keep", "edited"),
    [
        pytest.param(b"[1 ,  2,3]", [True, True, False], b"[1 ,  2]", id="the last goes"),
        pytest.param(b"[1 ,  2,3]", [False, True, True], b"[2,3]", id="the first goes"),
        pytest.param(b"[ 1,2 ]", [False, False], b"[]", id="all go"),
        pytest.param(b"[ 1 ]", [True], b"[ 1 ]", id="the only one stays"),
        pytest.param(
            b"[1, 2,3, 4]", [True, False, True, True], b"[1,3, 4]", id="neighbours keep their space"
        ),
    ],
)
def test_what_stood_before_a_kept_element_still_stands_there(
    line: bytes, keep: list[bool], edited: bytes
) -> None:
    elements = list(items(line, 0))
    assert splice(line, [keep_elements(line, Span(0, len(line)), elements, keep)]) == edited


letters = st.sampled_from(["lab#", "l", "#", "\u00e9", "\U0001f600", "/", '"', "\\", "\n", "\u2028"])
strings_of_lab = encoded_strings(st.lists(letters, max_size=6).map("".join)).map(str.encode)


@given(strings_of_lab, st.data())
def test_a_part_of_a_string_is_found_where_it_is_spelt(string: bytes, data: st.DataObject) -> None:
    whole = Span(0, len(string))
    text = decode_string(string, whole)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    part = characters_span(string, whole, start, end)
    assert json.loads(b'"' + cut(string, part) + b'"', strict=False) == text[start:end]
    assert json.loads(string[: part.start] + b'"', strict=False) == text[:start]


@given(
    strings_of_lab,
    st.sampled_from(["lab#", "l", "\u00e9", '"', "#l"]),
    st.sampled_from(["lab3", "", 'a"b\\', "l"]),
)
def test_a_replacement_reads_as_if_the_text_had_been_replaced(string: bytes, old: str, new: str) -> None:
    whole = Span(0, len(string))
    edited = splice(string, replacements(string, whole, old, new))
    assert json.loads(edited) == decode_string(string, whole).replace(old, new)


@given(objects)
def test_replacements_reach_every_string_and_nothing_else(line: bytes) -> None:
    edited = splice(
        line, [edit for span in string_spans(line) for edit in replacements(line, span, "lab#", "lab3")]
    )
    assert edited == line.replace(b"lab#", b"lab3")


@pytest.mark.parametrize(
    ("string", "edited"),
    [
        pytest.param(rb'"s3:\/\/lab#-raw\/a"', rb'"s3:\/\/lab3-raw\/a"', id="slashes with backslashes"),
        pytest.param(rb'"caf\u00e9 lab#"', rb'"caf\u00e9 lab3"', id="an accent as an escape"),
        pytest.param(rb'"lab# \ud83d\uDE00"', rb'"lab3 \ud83d\uDE00"', id="a pair of surrogates"),
        pytest.param(rb'"\ud83d\ude00lab#\\"', rb'"\ud83d\ude00lab3\\"', id="a pair before it"),
        pytest.param(rb'"\\u0041lab#"', rb'"\\u0041lab3"', id="a backslash that begins no escape"),
        pytest.param(rb'"l\u0061b#lab#"', rb'"lab3lab3"', id="one with an escape in it"),
        pytest.param('"é😀lab#\u2028"'.encode(), '"é😀lab3\u2028"'.encode(), id="letters of several bytes"),
        pytest.param(
            '"é\\n😀lab#é"'.encode(), '"é\\n😀lab3é"'.encode(), id="letters of several bytes, escapes"
        ),
    ],
)
def test_escapes_beside_the_change_stay_as_they_came(string: bytes, edited: bytes) -> None:
    whole = Span(0, len(string))
    assert splice(string, replacements(string, whole, "lab#", "lab3")) == edited
