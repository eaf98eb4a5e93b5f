import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.groundtruth.record import Peek, state
from manifest_tools.groundtruth.rows import BadLine, Rows, line_offsets, read_rows
from manifest_tools.groundtruth.scan import scan
from manifest_tools.io.sources import Block, Source
from tests.json_lines import split_lines

PEEK = Peek("kind", "kind-metadata", "index", ("class-name", "confidence"), ("source-ref",))

ROWS = (
    b'{"source-ref":"s3://b/1.jpg","kind":0,"kind-metadata":{"class-name":"RH","confidence":0.5}}',
    b'{ "kind" : 1 , "source-ref" : "s3://b/2.jpg", "kind-metadata":{"confidence":1.10e-1} }',
    b'{"source-ref":"s3://b/3.jpg"}',
    b'{"source-ref":"s3://b/4.jpg","kind-metadata":{"failure-reason":"no answer"}}',
    b'{"source-ref":"s3://b/5.jpg","kind":null,"kind-metadata":null}',
    b'{"kind":3,"kind":"7","n":123456789012345678901234567890,"x":1.10,"x":[{}]}',
    b'{"k\\u0069nd": 2, "kind\\u002dmetadata": {"class\\u002dname": "caf\\u00e9"}}',
    '{"source-ref": "s3://b/é 😀.jpg", "": 1, "kind": 1}'.encode(),
    b'{"kind": 4, "note": "}\\n{", "other": {"kind": 9}}',
    b"{}",
)
BLANKS = (b"", b" ", b"\t ", b"\r")

lines = st.lists(
    st.tuples(st.sampled_from(ROWS + BLANKS), st.sampled_from([b"\n", b"\r\n", b" \n"])).map(b"".join),
    max_size=14,
)
# Without blank lines and with nothing behind the last bracket a block is decoded all at once.
tidy = st.lists(
    st.tuples(st.sampled_from(ROWS), st.sampled_from([b"\n", b"\r\n"])).map(b"".join), min_size=1, max_size=14
)


def cut(content: bytes, size: int) -> list[Block]:
    """Return the content in blocks, as a file of it is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.manifest")
        path.write_bytes(content)
        blocks = Source("a.manifest", str(path), len(content)).blocks(size)
        return [Block(b.uri, b.start, b.end, b.read()) for b in blocks]


def decoded_lines(rows: Rows, first: int) -> list[tuple[int, bytes, Any]]:
    """Return number, bytes and fields of every row."""
    return [
        (first + int(number), rows.line(at), fields(row))
        for at, (number, row) in enumerate(zip(rows.numbers, rows.rows, strict=True))
    ]


def fields(row: Any) -> Any:
    metadata = row.metadata and (
        row.metadata.class_name,
        row.metadata.confidence,
        row.metadata.failure_reason,
    )
    return (row.source_ref, row.label, metadata)


def slowly(content: bytes) -> list[tuple[int, bytes, Any]]:
    """Return the same, line by line with the standard library."""
    found = []
    for number, line in enumerate(split_lines(content)):
        if line.strip():
            value = json.loads(line)
            metadata = value.get("kind-metadata")
            if metadata is not None:
                metadata = tuple(metadata.get(key) for key in ("class-name", "confidence", "failure-reason"))
            found.append((number, line, (value.get("source-ref"), value.get("kind"), metadata)))
    return found


def unended(parts: list[bytes], ended: bool) -> bytes:
    content = b"".join(parts)
    return content if ended else content.removesuffix(b"\n").removesuffix(b"\r")


@given(lines | tidy, st.booleans(), st.integers(1, 400))
def test_blocks_of_any_size_give_what_json_gives_line_by_line(
    parts: list[bytes], ended: bool, size: int
) -> None:
    content = unended(parts, ended)
    found, first = [], 0
    for block in cut(content, size):
        rows = read_rows(block.read(), PEEK)
        found += decoded_lines(rows, first)
        first += rows.lines
    assert found == slowly(content)
    assert first == len(split_lines(content))


@given(lines | tidy, st.booleans())
def test_lines_are_where_their_bytes_are(parts: list[bytes], ended: bool) -> None:
    content = unended(parts, ended)
    starts, ends = line_offsets(content)
    cuts = zip(starts.tolist(), ends.tolist(), strict=True)
    assert [content[a:b] for a, b in cuts] == split_lines(content)


def test_a_carriage_return_alone_ends_no_line() -> None:
    with pytest.raises(BadLine, match="not JSON"):
        read_rows(b'{"kind": 1}\r{"kind": 2}\n', PEEK)


@given(tidy, tidy, st.integers(1, 400))
def test_the_first_bad_line_is_named_whatever_the_blocks(
    before: list[bytes], after: list[bytes], size: int
) -> None:
    content = b"".join([*before, b'{"kind": 1}{"kind": 2}\n', *after])
    first = 0
    with pytest.raises(BadLine) as raised:
        for block in cut(content, size):
            first += read_rows(block.read(), PEEK).lines
    assert first + raised.value.number == len(before)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"kind": {\n}}\n{"a": 1}{"b": 2}\n', id="an object over two lines, two on the next"),
        pytest.param(b'{"a": [{}\n,{}]}\n{"kind": 1}{}\n', id="an array over two lines"),
        pytest.param(b'{"a": "x}\n{y"}\n{"b": 1}{"c": 2}\n', id="a string over two lines"),
        pytest.param(b'{"a": 1}{"b": 2}\n{"c": 3}\n{"d": {}\n}\n', id="two objects, then one over two lines"),
    ],
)
def test_as_many_objects_as_lines_is_not_yet_one_a_line(content: bytes) -> None:
    with pytest.raises(BadLine):
        read_rows(content, PEEK)


DEEP = b"[" * 100_000 + b"]" * 100_000

UNREADABLE = [
    pytest.param(b"\xef\xbb\xbf{}", "begins with a byte-order mark", id="a byte-order mark"),
    pytest.param(b'{"a": 1}\0', "not JSON", id="a NUL behind it"),
    pytest.param(b"\0" * 20, "not JSON", id="NULs, as a broken disk leaves them"),
    pytest.param(b'{"a": "x\0y"}', "not JSON", id="a NUL in a string"),
    pytest.param(b'{"source-ref": "caf\xe9"}', "not UTF-8: byte 0xe9", id="Latin-1"),
    pytest.param(b'{"source-ref": "\xed\xa0\x80"}', "not UTF-8", id="half a surrogate pair in UTF-8"),
    pytest.param(b'{"source-ref": "\\ud800"}', "not JSON", id="half a surrogate pair as an escape"),
    pytest.param(b'{"a": NaN}', "not JSON", id="NaN"),
    pytest.param(b'{"a": -Infinity}', "not JSON", id="infinity"),
    pytest.param(b'{"a": 01}', "not JSON", id="a zero in front"),
    pytest.param(b'{"a": .5}', "not JSON", id="no zero in front of a point"),
    pytest.param(b'{"a": ' + DEEP + b"}", "nested too deeply", id="100,000 brackets"),
    pytest.param(b'{"a": ' + b"[" * 100_000, "not JSON|nested too deeply", id="100,000 open brackets"),
    pytest.param(b"{'a': 1}", "single quotes, as Python prints a dict", id="a Python dict"),
    pytest.param(b'{"a": 1,}', "not JSON", id="a comma too many"),
    pytest.param(b'{"a": 1', "not JSON", id="cut short"),
    pytest.param(b'{"a": 1} {"b": 2}', "not JSON", id="two on a line"),
    pytest.param(b"[1, 2]", "expected object, found array", id="an array"),
    pytest.param(b"null", "expected object, found null", id="null"),
    pytest.param(b'"text"', "expected object, found str", id="a string"),
    pytest.param(b"7", "expected object, found int", id="a number"),
    pytest.param(b"hello", "not JSON", id="a word"),
    pytest.param(b"a,b,c", "not JSON", id="CSV"),
    pytest.param(b'{"kind": true}', "expected int | str | null, found bool - at $.kind", id="a label true"),
    pytest.param(b'{"kind": 1.0}', "found float - at $.kind", id="a label 1.0"),
    pytest.param(b'{"kind": [1]}', "found array - at $.kind", id="a list for an index"),
    pytest.param(b'{"kind-metadata": []}', "found array - at $.kind-metadata", id="metadata a list"),
    pytest.param(b'{"kind-metadata": "x"}', "found str - at $.kind-metadata", id="metadata a string"),
    pytest.param(b'{"kind-metadata": {"confidence": "1"}}', "found str - at", id="a confidence as text"),
    pytest.param(b'{"kind-metadata": {"confidence": 1e400}}', "out of range", id="a confidence too large"),
    pytest.param(b'{"source-ref": 5}', "found int - at $.source-ref", id="a source that is a number"),
]


@pytest.mark.parametrize(("line", "why"), UNREADABLE)
@pytest.mark.parametrize("spacing", [pytest.param(b"", id="tidy"), pytest.param(b"\n", id="blank")])
def test_a_line_that_cannot_be_read_says_which_and_why(line: bytes, why: str, spacing: bytes) -> None:
    content = ROWS[0] + b"\n" + spacing + line + b"\n" + ROWS[0] + b"\n"
    with pytest.raises(BadLine) as raised:
        read_rows(content, PEEK)
    assert raised.value.number == 1 + len(spacing)
    assert (
        any(part in raised.value.reason for part in why.split("|"))
        if "not JSON|" in why
        else (why in raised.value.reason)
    )
    assert "\n" not in raised.value.reason
    assert len(raised.value.reason) < 300


READABLE = [
    pytest.param(b'{"kind": 1, "x": 1e400}', 1, "labelled", id="a number too large, elsewhere"),
    pytest.param(b'{"kind": 1, "x": ' + b"9" * 400 + b"}", 1, "labelled", id="400 digits, elsewhere"),
    pytest.param(b'{"kind": "1"}', "1", "labelled", id="an index as a string"),
    pytest.param(b'{"kind": 0}', 0, "labelled", id="index 0 is a label"),
    pytest.param(b'{"kind": ""}', "", "labelled", id="an empty string is a label to look at"),
    pytest.param(b'{"kind": 1, "kind": 2}', 2, "labelled", id="of two labels the last"),
    pytest.param(b'{"kind": 1, "kind": null}', None, "unlabelled", id="of two labels the last, a null"),
    pytest.param(b'{"k\\u0069nd": 5}', 5, "labelled", id="a key with an escape"),
    pytest.param(
        b'{"kind": 1, "kind-metadata": {"failure-reason": "x"}}', 1, "labelled", id="label and reason"
    ),
    pytest.param(b'{"kind": null}', None, "unlabelled", id="a null"),
    pytest.param(b'{"": 1}', None, "unlabelled", id="an empty key"),
    pytest.param(b'{"Kind": 1}', None, "unlabelled", id="another case is another key"),
    pytest.param(b'{"other": {"kind": 1}}', None, "unlabelled", id="the same key deeper"),
    pytest.param(b'{"kind-metadata": {}}', None, "unlabelled", id="metadata that says nothing"),
    pytest.param(b'{"kind-metadata": null}', None, "unlabelled", id="metadata null"),
    pytest.param(
        b'{"kind": null, "kind-metadata": {"failure-reason": "timed out"}}',
        None,
        "failed",
        id="null and a reason",
    ),
    pytest.param(b'{"kind-metadata": {"failure-reason": ""}}', None, "failed", id="an empty reason"),
    pytest.param(
        b'{"kind-metadata": {"failure-reason": null}}', None, "unlabelled", id="a reason that is null"
    ),
    pytest.param(
        b'{"kind\\u002dmetadata": {"failure\\u002dreason": "x"}}',
        None,
        "failed",
        id="a reason behind escapes",
    ),
]


@pytest.mark.parametrize(("line", "label", "kind"), READABLE)
def test_what_became_of_a_line(line: bytes, label: object, kind: str) -> None:
    row = read_rows(line, PEEK).rows[0]
    assert (row.label, state(row)) == (label, kind)


def test_a_line_of_20_megabytes() -> None:
    line = b'{"kind": 1, "x": "' + b"x" * 20_000_000 + b'"}\n'
    rows = read_rows(line + ROWS[0], PEEK)
    assert (rows.lines, rows.rows[0].label, len(rows.line(0))) == (2, 1, len(line))


EXCLUSIVE = Peek("kind", "kind-metadata", "index", (), (), exclusive=True)
HOME = b'{"kind": 1, "kind-metadata": {}}\n'


@pytest.mark.parametrize(
    ("line", "others"),
    [
        pytest.param(HOME, set(), id="its own"),
        pytest.param(b'{"source-ref": "s3://b/k"}\n', set(), id="none"),
        pytest.param(b'{"b": 1, "b-metadata": {}}\n', {"b"}, id="another"),
        pytest.param(b'{"b-metadata": {"failure-reason": "x"}}\n', {"b"}, id="another that failed"),
        pytest.param(b'{"b\\u002dmetadata": {}, "b": 1}\n', {"b"}, id="another whose key is escaped"),
        pytest.param(b'{"b-metadat\\u0061": {}, "b": 1}\n', {"b"}, id="another escaped at its end"),
        pytest.param(
            b'{"kind-metadata": null, "b-metadata": {}, "b": 1}\n',
            {"b"},
            id="another in the place of its own",
        ),
        pytest.param(b'{"kind-metadata": {}, "kind-metadata": {}}\n', set(), id="its own twice"),
        pytest.param(b'{"x": "b-metadata", "y": "\\\\"}\n', set(), id="a value that is spelt like a key"),
        pytest.param(b'{"source-ref-metadata": {}}\n', set(), id="metadata of the input"),
        pytest.param(b'{"b-metadata": "text"}\n', set(), id="metadata that is no object"),
        pytest.param(b'{"b-metadata": {}}\n', set(), id="metadata of something else"),
        pytest.param(b'{"x": {"b-metadata": {}}}\n', set(), id="another one deeper is none"),
    ],
)
def test_another_label_attribute_is_noticed(line: bytes, others: set[str]) -> None:
    assert read_rows(HOME + line + HOME, EXCLUSIVE).others == others


def test_an_attribute_that_was_told_is_not_compared_with_others() -> None:
    requested = Peek("kind", "kind-metadata", "index")
    assert read_rows(b'{"b": 1, "b-metadata": {}}', requested).others == frozenset()


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(b'{"b-metadata": 1, "x": 1e400}\n', id="a number out of range"),
        pytest.param(b'{"b-metadata": 1, "x": "\xff"}\n', id="bytes that are no UTF-8"),
        pytest.param(b'{"b-metadata": 1}\r\n \n', id="a blank line"),
    ],
)
def test_a_look_for_other_attributes_stumbles_over_nothing(odd: bytes) -> None:
    """Such a line is read where nobody asks for the odd value, so it must be here too, or named."""
    try:
        assert read_rows(HOME + odd, EXCLUSIVE).others == frozenset()
    except BadLine as bad:
        assert bad.number == 1


@given(lines | tidy, st.integers(1, 400))
def test_the_numbers_of_blocks_go_on_where_the_last_one_ended(parts: list[bytes], size: int) -> None:
    content = b"".join(parts)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.manifest")
        path.write_bytes(content)
        source = Source("a.manifest", str(path), len(content))
        found = [
            (first + int(number), rows.line(at))
            for first, rows in scan(source, _read, jobs=1, size=size)
            for at, number in enumerate(rows.numbers)
        ]
    numbered = enumerate(split_lines(content), start=1)
    assert found == [(number, line) for number, line in numbered if line.strip()]


def _read(block: Block) -> Rows:
    return read_rows(block.read(), PEEK)
