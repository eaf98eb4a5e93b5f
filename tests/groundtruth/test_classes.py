import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, agree, class_table, read_class_table

if TYPE_CHECKING:
    from typer.testing import Result

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
tables = (
    st.dictionaries(st.integers(0, 40), texts, max_size=8)
    .filter(lambda names: len(set(names.values())) == len(names))
    .map(lambda names: class_table(names.items()))
)


@given(tables)
def test_json_gives_the_table_back(table: ClassTable) -> None:
    assert ClassTable.from_json(json.loads(json.dumps(table.to_json()))) == table


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(table: ClassTable, order: Any) -> None:
    pairs = [*table.names, *table.names]
    order.shuffle(pairs)
    assert class_table(pairs) == table
    assert class_table(pairs).digest == table.digest


@given(tables, tables)
def test_digests_are_equal_for_equal_tables_only(one: ClassTable, other: ClassTable) -> None:
    assert (one.digest == other.digest) == (one == other)


@given(tables)
def test_gaps_and_names_fill_the_table_up_to_the_highest_index(table: ClassTable) -> None:
    shown = [index for index, _ in table.names]
    assert sorted([*shown, *table.gaps]) == list(range(table.num_classes))
    assert table.labels == tuple(table.name(index) for index in range(table.num_classes))
    assert table.num_classes == (max(shown) + 1 if shown else 0)


@given(tables)
def test_names_are_those_that_were_given(table: ClassTable) -> None:
    assert all(table.name(index) == name for index, name in table.names)
    assert all(table.name(index) == f"class {index}" for index in table.gaps)


@given(tables)
def test_a_table_agrees_with_itself_and_with_a_part_of_it(table: ClassTable) -> None:
    assert agree({"a": table, "b": ClassTable(table.names[::2]), "c": table}) == table


def test_tables_that_show_different_classes_are_put_together() -> None:
    assert agree({"a": class_table([(0, "RH")]), "b": class_table([(1, "LH")])}) == class_table(
        [(0, "RH"), (1, "LH")]
    )


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        pytest.param([(0, "RH"), (0, "LH")], "class 0 has two names: 'RH' and 'LH'", id="two names"),
        pytest.param([(0, "RH"), (1, "RH")], "class 'RH' has two indices: 0 and 1", id="two indices"),
        pytest.param([(0, "RH"), (1, "LH"), (0, "rh")], "two names: 'RH' and 'rh'", id="case counts"),
        pytest.param([(0, "\x1b[2J\n"), (0, "x")], r"two names: '\x1b[2J\n' and 'x'", id="terminal escapes"),
    ],
)
def test_what_disagrees_is_refused_in_one_line(pairs: list[tuple[int, str]], message: str) -> None:
    with pytest.raises(ClassConflict) as raised:
        class_table(pairs)
    assert message in str(raised.value)
    assert str(raised.value).isprintable()
    assert raised.value.exit_code == 1


def test_of_several_files_the_two_that_disagree_are_named() -> None:
    files = {"a": class_table([(0, "RH")]), "b": class_table([(1, "LH")]), "c": class_table([(1, "left")])}
    with pytest.raises(ClassConflict, match="^c and b disagree: class 1 has two names: 'LH' and 'left'$"):
        agree(files)


RL = class_table([(0, "RH"), (1, "LH")])


@pytest.mark.parametrize(
    ("content", "table"),
    [
        pytest.param(b'{"0": "RH", "1": "LH"}', RL, id="a bare object"),
        pytest.param(b'["RH", "LH"]', RL, id="a list"),
        pytest.param(json.dumps(RL.to_json()).encode(), RL, id="what split.json has"),
        pytest.param(b'\n {"classes": {"1": "LH", "0": "RH"}}', RL, id="blanks before, another order"),
        pytest.param(b"RH\nLH\n", RL, id="a name a line"),
        pytest.param(b"RH\nLH", RL, id="no final newline"),
        pytest.param(b"RH\r\nLH\r\n", RL, id="line ends of Windows"),
        pytest.param(b"RH\nLH\n\n\n", RL, id="blank lines at the end"),
        pytest.param(b"\xef\xbb\xbfRH\nLH\n", RL, id="a byte-order mark"),
        pytest.param(b'\xef\xbb\xbf["RH", "LH"]', RL, id="JSON behind a byte-order mark"),
        pytest.param(
            "a\u2028b\nc\x0cd\n".encode(), class_table([(0, "a\u2028b"), (1, "c\x0cd")]), id="separators"
        ),
        pytest.param(b"", ClassTable(), id="an empty file"),
        pytest.param(b"{}", ClassTable(), id="an empty object"),
        pytest.param(b'{"3": "x"}', class_table([(3, "x")]), id="gaps"),
        pytest.param(
            b"left hand\nright hand\n", class_table([(0, "left hand"), (1, "right hand")]), id="spaces"
        ),
    ],
)
def test_a_file_of_classes(in_folder: Path, content: bytes, table: ClassTable) -> None:
    Path("classes").write_bytes(content)
    assert read_class_table("classes") == table


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"classes": ', id="cut short"),
        pytest.param(b'{"classes": 3}', id="classes that are a number"),
        pytest.param(b'{"RH": 0}', id="the other way round"),
        pytest.param(b'{"-1": "RH"}', id="an index below 0"),
        pytest.param(b'{"0": null}', id="a name that is none"),
        pytest.param(b'["RH", 1]', id="a list with a number"),
        pytest.param(b'["RH", "RH"]', id="one name twice"),
        pytest.param(b"RH\nRH\n", id="one line twice"),
        pytest.param(b"\xff\xfeR\0H\0", id="UTF-16, as PowerShell writes it"),
        pytest.param(b'{"' + b"9" * 5000 + b'": "x"}', id="an index of 5,000 digits"),
        pytest.param(b"[" * 100_000, id="100,000 brackets"),
        pytest.param(b"\xff\xd8\xff\xe0", id="a picture"),
        pytest.param(bytes(65 << 20), id="65 MB"),
    ],
)
def test_a_file_that_is_no_table_is_said_to_be_none(in_folder: Path, content: bytes) -> None:
    Path("classes").write_bytes(content)
    with pytest.raises(BadData) as raised:
        read_class_table("classes")
    assert str(raised.value).startswith("classes: ")
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 1


def test_an_index_that_no_table_could_have_is_refused() -> None:
    with pytest.raises(BadData):
        ClassTable.from_json({"99999999999999": "x"})


@pytest.mark.parametrize("name", ["nowhere", "folder"])
def test_a_table_that_is_not_there_ends_a_command_in_one_line(
    in_folder: Path, run: "Callable[..., Result]", name: str
) -> None:
    Path("folder").mkdir()
    Path("a.manifest").write_bytes(b'{"source-ref": "s3://b/k", "k": 0, "k-metadata": {}}\n')
    result = run("split", "a.manifest", "--classes", name)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert name in result.stderr
