from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats import lst
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.verbs.convert.from_format import convert_from
from manifest_tools.verbs.validate.check import validate
from tests.pictures import jpeg


def lines(path: Path, *rows: str) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows), "utf-8")
    return path


def read(place: object, **options: Any) -> DataSet:
    return lst.read(str(place), ReadOptions(**options))


def pictures(data: DataSet, part: str = "") -> list[Picture]:
    return list(data.parts[part])


def test_a_label_is_a_class(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.lst", "5\t2.000000\tb/2.jpg", "", "7\t0\t./ü #%.jpg")
    data = read(path)
    assert [(one.number, one.ref, one.classes, one.key) for one in pictures(data)] == [
        (1, "b/2.jpg", (2,), "5"),
        (2, "ü #%.jpg", (0,), "7"),
    ]
    assert (data.label_kind, dict(data.table.names)) == ("single_label", {0: "class 0", 2: "class 2"})
    assert [one.ref for one in pictures(read(path, source_prefix="s3://b/raw"))] == [
        "s3://b/raw/b/2.jpg",
        "s3://b/raw/ü #%.jpg",
    ]


def test_labels_are_a_flag_for_each_class(tmp_path: Path) -> None:
    data = read(lines(tmp_path / "a.lst", "0\t1\t0\t1\t1.jpg", "1\t0\t0\t0\t2.jpg"))
    assert (data.label_kind, [one.classes for one in pictures(data)]) == ("multi_label", [(0, 2), ()])
    assert data.table.num_classes == 3


def test_boxes_are_fractions_of_the_size_in_their_header(tmp_path: Path) -> None:
    data = read(lines(tmp_path / "a.lst", "0\t4\t5\t320\t240\t1\t0.1\t0.2\t0.5\t0.6\t1.jpg"))
    (found,) = pictures(data)
    assert (found.size, found.boxes) == ((320, 240), (Box(1, 32, 48, 128, 96),))


def test_or_of_the_picture_where_it_lies(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.lst", "0\t2\t5\t1\t0.1\t0.25\t0.333333\t1\tx/1.jpg")
    with pytest.raises(BadData, match=r"a.lst:1: expected the size of the picture.*x/1.jpg; found neither"):
        pictures(read(path))
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1.jpg").write_bytes(jpeg(1, (300, 200)))
    (found,) = pictures(read(path))
    assert (found.size, found.depth, found.boxes) == ((300, 200), 3, (Box(1, 30, 50, 70, 150),))


def test_the_cases_of_the_field_are_read(cases: Path) -> None:
    data = read(cases / "detection-header-4-5" / "h45.lst")
    assert [len(one.boxes) for one in pictures(data)] == [1, 2, 1, 2]
    assert read(cases / "multi-label-rec" / "t.lst").label_kind == "multi_label"
    assert read(cases / "rec-against-lst" / "m.lst").label_kind == "single_label"
    assert set(read(cases / "detection-class-too-high" / "c7.lst").table.labels) >= {"class 7"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(["0 0 1.jpg"], "a.lst:1: .*blanks in place of tabs", id="blanks"),
        pytest.param(["0\t0\t1.jpg", "1\tcat\t2.jpg"], "a.lst:2: expected a number as a label", id="name"),
        pytest.param(["0\t0\t1.jpg", "1\t0.5\t2.jpg"], "a.lst:2: expected the index of a class", id="half"),
        pytest.param(["0\t0\t1\t1.jpg", "1\t1\t2.jpg"], "a.lst:2: expected 2 labels as before", id="widths"),
        pytest.param([], "expected rows with a picture, found none", id="nothing"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(BadData, match=message):
        read(lines(tmp_path / "a.lst", *rows))


@pytest.mark.parametrize("name", ["../1.jpg", "a/../../1.jpg"])
def test_a_path_that_leads_out_is_no_picture(tmp_path: Path, name: str) -> None:
    data = read(lines(tmp_path / "a.lst", f"0\t0\t{name}"))
    with pytest.raises(BadData, match="a.lst:1: expected a path below the list's folder"):
        pictures(data)


def test_the_lists_of_a_folder_are_its_parts(tmp_path: Path) -> None:
    lines(tmp_path / "train.lst", "0\t0\t1.jpg", "1\t1\t2.jpg")
    lines(tmp_path / "val.lst", "0\t1\t3.jpg")
    data = read(tmp_path)
    assert {part: [one.ref for one in pictures(data, part)] for part in data.parts} == {
        "train": [f"{tmp_path.name}/1.jpg", f"{tmp_path.name}/2.jpg"],
        "val": [f"{tmp_path.name}/3.jpg"],
    }
    with pytest.raises(Refused, match=r"a \.lst file"):
        read(tmp_path / "none.lst")


def test_numbers_that_repeat_are_no_keys(tmp_path: Path) -> None:
    found = pictures(read(lines(tmp_path / "a.lst", "0\t0\t1.jpg", "0\t1\t2.jpg")))
    assert [one.key for one in found] == ["", ""]


def test_a_table_gives_the_classes_their_names(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.lst", "0\t1\t1.jpg")
    table = ClassTable(((0, "RH"), (1, "LH")))
    assert read(path, classes=table).table == table


def test_a_list_becomes_a_manifest_that_has_no_problem(in_folder: Path) -> None:
    lines(Path("a.lst"), "0\t0\tx/1.jpg", "1\t1\tx/2.jpg")
    Path("classes.txt").write_text("RH\nLH\n")
    done = convert_from("a.lst", "lst", source_prefix="s3://raw", classes="classes.txt")
    assert [one.path for one in done.outputs] == ["a.manifest"]
    assert not list(validate("a.manifest"))
    assert '"class-name":"LH"' in Path("a.manifest").read_text()
