import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import InvalidLine, Refused
from manifest_tools.formats.open_manifest import read_examples
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable, class_table
from manifest_tools.groundtruth.example_columns import Example
from manifest_tools.io.sources import HEAD

SINGLE = "groundtruth/image-classification"
NAMES = ("RH", "LH", "other")


def single(number: int, label: Any) -> dict[str, Any]:
    found = {"source-ref": f"s3://b/{number}.jpg"}
    if label is None:
        return found
    if label == "failed":
        return found | {"k-metadata": {"type": SINGLE, "failure-reason": "x"}}
    return found | {"k": label, "k-metadata": {"type": SINGLE, "class-name": NAMES[int(label)]}}


def multi(number: int, labels: Sequence[int]) -> dict[str, Any]:
    named = {str(index): NAMES[index] for index in labels}
    metadata = {"type": f"{SINGLE}-multilabel", "class-map": named}
    return {"source-ref": f"s3://b/{number}.jpg", "k": list(labels), "k-metadata": metadata}


def manifest(folder: Path, rows: Sequence[Any]) -> str:
    path = folder / "a.manifest"
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return str(path)


@given(st.lists(st.sampled_from([0, 1, 2, "0", "1", None, "failed"]), max_size=12))
def test_every_line_is_an_example_or_left_out_for_its_reason(
    tmp_path_factory: pytest.TempPathFactory, labels: list[Any]
) -> None:
    labels = [0, *labels]
    name = manifest(tmp_path_factory.getbasetemp(), [single(n, label) for n, label in enumerate(labels)])
    found = read_examples(name, jobs=1)
    assert list(found.examples) == [
        Example(n + 1, f"s3://b/{n}.jpg", (int(label),))
        for n, label in enumerate(labels)
        if label not in (None, "failed")
    ]
    counts = {"failed": labels.count("failed"), "unlabelled": labels.count(None)}
    assert found.left_out == {reason: count for reason, count in counts.items() if count}
    assert found.table == class_table(
        (example.classes[0], NAMES[example.classes[0]]) for example in found.examples
    )
    assert not found.multi_label


@given(st.lists(st.lists(st.integers(0, 2), unique=True), min_size=1, max_size=8))
def test_a_line_of_several_classes_keeps_their_order(
    tmp_path_factory: pytest.TempPathFactory, labels: list[list[int]]
) -> None:
    name = manifest(tmp_path_factory.getbasetemp(), [multi(n, label) for n, label in enumerate(labels)])
    found = read_examples(name, jobs=1)
    assert [example.classes for example in found.examples] == [tuple(label) for label in labels]
    assert found.multi_label


def many(folder: Path) -> str:
    rows = [single(number, (0, 1, "2", None, "failed")[number % 5]) for number in range(60_000)]
    return manifest(folder, rows)


def test_any_number_of_jobs_gives_the_same(tmp_path: Path) -> None:
    name = many(tmp_path)
    one, two = read_examples(name, jobs=1), read_examples(name, jobs=2)
    assert (one.table, one.left_out) == (two.table, two.left_out)
    assert list(one.examples) == list(two.examples)
    assert [example.number for example in list(one.examples)[-2:]] == [59_997, 59_998]
    assert [example.ref for example in list(one.examples)[-2:]] == ["s3://b/59996.jpg", "s3://b/59997.jpg"]


def test_blank_lines_are_counted_in_numbers_and_in_nothing_else(tmp_path: Path) -> None:
    found = read_examples(manifest(tmp_path, ["\n", single(1, 0), " \r\n", "\n", single(2, 1)]))
    assert [example.number for example in found.examples] == [2, 5]
    assert found.left_out == {}


def test_a_class_without_a_name_is_called_by_its_number(tmp_path: Path) -> None:
    rows = [{"k": 3, "k-metadata": {"type": SINGLE}}, {"k": 1, "k-metadata": {"class-name": "LH"}}]
    assert read_examples(manifest(tmp_path, rows)).table.names == ((1, "LH"), (3, "class 3"))


def test_a_given_table_names_what_no_line_shows(tmp_path: Path) -> None:
    given_table = class_table([(0, "RH"), (5, "never seen")])
    found = read_examples(manifest(tmp_path, [single(1, 1)]), classes=given_table)
    assert found.table.names == ((0, "RH"), (1, "LH"), (5, "never seen"))


@pytest.mark.parametrize(
    ("rows", "given_table"),
    [
        pytest.param(
            [single(1, 0), {"k": 0, "k-metadata": {"class-name": "x"}}], ClassTable(), id="two names"
        ),
        pytest.param(
            [single(1, 0), {"k": 5, "k-metadata": {"class-name": "RH"}}], ClassTable(), id="two indices"
        ),
        pytest.param(
            [multi(1, [0]), multi(2, [0]) | {"k-metadata": {"class-map": {"0": "x"}}}],
            ClassTable(),
            id="class-maps",
        ),
    ],
)
def test_tables_that_disagree_are_refused(tmp_path: Path, rows: list[Any], given_table: ClassTable) -> None:
    name = manifest(tmp_path, rows)
    with pytest.raises(ClassConflict) as raised:
        read_examples(name, classes=given_table)
    assert str(raised.value).startswith(f"{name}: class ")
    assert str(raised.value).endswith(f"type: mtool validate {name}")


def test_a_given_table_that_disagrees_is_named(tmp_path: Path) -> None:
    name = manifest(tmp_path, [single(1, 0)])
    with pytest.raises(ClassConflict) as raised:
        read_examples(name, classes=class_table([(0, "LH")]))
    assert str(raised.value) == f"{name} and --classes disagree: class 0 has two names: 'LH' and 'RH'"


@pytest.mark.parametrize(
    ("label", "why"),
    [
        pytest.param(-1, "expected a class index from 0, found -1", id="below 0"),
        pytest.param("RH", "expected a class index from 0, found 'RH'", id="a name"),
        pytest.param(True, "expected int | str | null, found bool", id="a truth value"),
        pytest.param(1.0, "found float", id="a float"),
        pytest.param(10**30, "expected a class index from 0", id="30 digits"),
        pytest.param([0], "found array", id="a list"),
        pytest.param({"annotations": []}, "found object", id="an object"),
    ],
)
@pytest.mark.parametrize("far", [False, True], ids=["in the head", "beyond the head"])
def test_a_label_that_is_none_has_its_line(tmp_path: Path, label: Any, why: str, far: bool) -> None:
    before = [single(number, 0) for number in range(HEAD // 50 if far else 3)]
    bad = {"k": label, "k-metadata": {"type": SINGLE}}
    with pytest.raises(InvalidLine) as raised:
        read_examples(manifest(tmp_path, [*before, "\n", bad]))
    assert raised.value.number == len(before) + 2
    assert why in raised.value.reason


def test_a_type_without_classes_is_refused(tmp_path: Path) -> None:
    rows = [{"k": {"annotations": []}, "k-metadata": {"type": "groundtruth/object-detection"}}]
    with pytest.raises(
        Refused, match="expected a label of one class or several, found k of type object-detection"
    ):
        read_examples(manifest(tmp_path, rows))


def test_another_attribute_further_down_is_refused(tmp_path: Path) -> None:
    rows = [single(number, 0) for number in range(HEAD // 50)]
    with pytest.raises(Refused, match=r"it has the label attributes k \(.*, z \("):
        read_examples(manifest(tmp_path, [*rows, {"z": 1, "z-metadata": {}}]))


def test_the_attribute_that_was_told_is_read_beside_another(tmp_path: Path) -> None:
    row = single(1, 0) | {"z": 4, "z-metadata": {"type": SINGLE, "class-name": "four"}}
    assert read_examples(manifest(tmp_path, [row]), "z").table.names == ((4, "four"),)


def test_the_real_workshop_file(corpus: Path) -> None:
    found = read_examples(str(corpus / "workshop-output.manifest"))
    assert len(found.examples) == 69
    assert sorted(name for _, name in found.table.names) == ["LH", "RH"]
