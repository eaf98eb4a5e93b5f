import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData
from manifest_tools.formats.csv_cells import as_cell, from_cell
from manifest_tools.formats.csv_table import check, read, write
from manifest_tools.formats.csv_writing import header
from manifest_tools.formats.protocol import Files, ReadOptions
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, Provenance, StreamedPictures
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from manifest_tools.io.sinks import publishing
from tests.data_sets import data_sets, shown
from tests.ground_truth import boxes, lines_of
from tests.ground_truth import write as write_lines
from tests.write_options import for_names_only

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]
NO_OPTIONS = ReadOptions()


def written(data: DataSet, folder: str | Path, ending: str = ".csv") -> dict[str, str]:
    """Write a data set; return the file of each part."""
    with publishing() as publication:
        write(data, Files(publication, f"{folder}/out", ending), for_names_only())
    return dict(zip(data.parts, (output.path for output in publication.published), strict=True))


def one(*found: Picture, kind: Any = "boxes", names: tuple[str, ...] = ("RH", "LH")) -> DataSet:
    return DataSet(ClassTable(tuple(enumerate(names))), kind, {"": StreamedPictures(lambda: found)})


def pictures(place: str, options: ReadOptions = NO_OPTIONS) -> list[Picture]:
    return list(read(place, options).parts[""])


def table(folder: Path, *lines: str) -> str:
    (folder / "a.csv").write_text("\n".join(lines) + "\n")
    return str(folder / "a.csv")


def has_texts(data: DataSet) -> bool:
    """Say whether no origin is an empty text, which a table cannot tell from none."""
    return all(picture.provenance.job_name != "" for part in data.parts.values() for picture in part)


@given(st.text("'=+-@\t\r\n ＝a1é") | st.text())
@example("'=1")
@example("''")
def test_a_cell_comes_back_as_the_text_that_it_was(text: str) -> None:
    cell = as_cell(text)
    assert from_cell(cell) == text
    assert cell.lstrip()[:1] not in tuple("=+-@＝＋－＠")
    assert cell[:1] not in tuple("\t\r\n")


@given(st.text("'=+ a"), st.text("'=+ a"))
def test_no_two_texts_have_one_cell(one: str, other: str) -> None:
    assert (as_cell(one) == as_cell(other)) == (one == other)


@given(
    data_sets("single_label", "multi_label", "boxes").filter(has_texts),
    st.sampled_from([".csv", ".tsv", ".csv.gz"]),
)
def test_what_is_written_is_read_again(data: DataSet, ending: str) -> None:
    with TemporaryDirectory() as folder:
        files = written(data, folder, ending)
        for part, path in files.items():
            found = read(path, ReadOptions(classes=data.table))
            assert shown(found)[""] == shown(data)[part]
            assert (found.table, found.label_kind, found.lost) == (data.table, data.label_kind, {})


def test_a_table_of_boxes_has_a_row_a_box_and_one_for_a_picture_without(tmp_path: Path) -> None:
    names = ("=cmd|' /C calc'!A0", 'quo"te, comma\nline')
    data = one(
        Picture(
            7,
            "s3://raw/left/1.jpg",
            (640, 480),
            3,
            boxes=(Box(1, 1, 2, 3.5, 4, 0.5), Box(0, 0, 0, 1, 1)),
            provenance=Provenance("labeling-job/x", "yes", "2024-03-01"),
        ),
        Picture(9, "s3://raw/2.jpg"),
        names=names,
    )
    (path,) = written(data, tmp_path).values()
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    origin = ["labeling-job/x", "yes", "2024-03-01"]
    size = ["640", "480", "3"]
    assert rows == [
        list(header("boxes")),
        ["7", "s3://raw/left/1.jpg", names[1], "1", "1", "2", "3.5", "4", *size, "0.5", *origin],
        ["7", "s3://raw/left/1.jpg", f"'{names[0]}", "0", "0", "0", "1", "1", *size, "", *origin],
        ["9", "s3://raw/2.jpg", *[""] * 13],
    ]
    assert pictures(path) == list(data.parts[""])


@pytest.mark.parametrize(("names", "marked"), [(("a", "b"), False), (("a", "é"), True)])
def test_excel_is_told_of_utf_8_where_a_class_needs_it(
    tmp_path: Path, names: tuple[str, ...], marked: bool
) -> None:
    data = one(Picture(1, "s3://raw/1.jpg", classes=(1,)), kind="single_label", names=names)
    (path,) = written(data, tmp_path).values()
    assert Path(path).read_bytes().startswith(b"\xef\xbb\xbf") == marked
    assert pictures(path) == list(data.parts[""])


def test_the_same_picture_twice_stays_two(tmp_path: Path) -> None:
    twice = [Picture(number, "s3://raw/1.jpg", boxes=(Box(0, 1, 1, number, 1),)) for number in (1, 2)]
    (path,) = written(one(*twice), tmp_path).values()
    assert pictures(path) == twice


@pytest.mark.parametrize(
    ("header", "row", "size"),
    [
        pytest.param(
            "filename,width,height,class,xmin,ymin,xmax,ymax", "1.jpg,6,4,a,1,2,4,6", (6, 4), id="tf"
        ),
        pytest.param("image,label,left,top,width,height", "1.jpg,a,1,2,3,4", None, id="sizes"),
        pytest.param("path,x1,y1,x2,y2,label", "1.jpg,1,2,4,6,a", None, id="RetinaNet"),
    ],
)
def test_boxes_of_others_are_read(tmp_path: Path, header: str, row: str, size: Any) -> None:
    empty = ",".join("2.jpg" if cell == "1.jpg" else "" for cell in row.split(","))
    first, second = pictures(table(tmp_path, header, row, row, empty))
    assert (first.boxes, first.size) == ((Box(0, 1, 2, 3, 4),) * 2, size)
    assert (second.ref, second.boxes) == ("2.jpg", ())


def test_several_classes_of_others_are_read(tmp_path: Path) -> None:
    found = read(table(tmp_path, "image,classes", "1.jpg,b", "1.jpg,a", "2.jpg,"), NO_OPTIONS)
    assert found.label_kind == "multi_label"
    assert [picture.classes for picture in found.parts[""]] == [(1, 0), ()]


def test_a_width_and_a_height_alone_are_no_box(tmp_path: Path) -> None:
    assert (
        read(table(tmp_path, "image,class,width,height", "1.jpg,a,3,4"), NO_OPTIONS).label_kind
        == "single_label"
    )


BOX = "image,class,left,top,width,height"
OURS = "line,image,class,class-index"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param([BOX, "1.jpg,a,1,1,1,"], "a.csv:2: expected left, top, .* only some", id="half a box"),
        pytest.param([BOX, "1.jpg,a,,,,"], "a.csv:2: expected left, top", id="a class without a box"),
        pytest.param([BOX, "1.jpg,,1,1,1,1"], "expected a class beside the box", id="a box without a class"),
        pytest.param([BOX, "1.jpg,a,x,1,1,1"], "a.csv:2: could not convert", id="no number"),
        pytest.param([BOX, "1.jpg,a,nan,1,1,1"], "expected a number as left, found nan", id="not a number"),
        pytest.param([BOX, "1.jpg,a,1e99,1,1,1"], "expected a number as left, found 1e99", id="huge"),
        pytest.param(
            [f"{BOX},score", "1.jpg,a,1,1,1,1,95"],
            "a score from 0 to 1, found 95",
            id="percent",
        ),
        pytest.param(
            [BOX, "1.jpg,a,1,1,1,1", "2.jpg,,,,,", "1.jpg,a,1,1,1,1"],
            "a.csv:4: rows of '1.jpg' do not follow one another; sort",
            id="scattered rows",
        ),
        pytest.param([OURS, "1,1.jpg,a,"], "expected a class-index beside the class", id="no index"),
        pytest.param([OURS, "1,1.jpg,a,-1"], "a whole number as classindex, found '-1'", id="negative"),
        pytest.param([OURS, "1,1.jpg,a,0", "2,2.jpg,b,0"], "a.csv: class 0 has two names", id="two names"),
    ],
)
def test_a_row_that_cannot_be_is_refused_in_one_line(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(BadData, match=message) as refused:
        pictures(table(tmp_path, *lines))
    assert "\n" not in str(refused.value)


def test_two_tables_that_disagree_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ClassConflict, match="a.csv and --classes disagree"):
        read(table(tmp_path, OURS, "1,1.jpg,a,0"), ReadOptions(classes=ClassTable(((1, "a"),))))


def test_the_command_goes_there_and_back_with_a_class_that_no_picture_shows(
    in_folder: Path, run: Run
) -> None:
    lines = [boxes("left/1", ("RH", 0.5)), boxes("2"), boxes("right/1", ("LH", 0.25), ("RH", 1))]
    manifest = write_lines(in_folder / "train.manifest", *(line[:-1] + b', "worker": 7}' for line in lines))
    Path("classes.txt").write_text("RH\nLH\nnever seen")
    done = run(
        "convert", manifest, "--to", "csv", "-o", "out.csv.gz", "--side-car", "--classes", "classes.txt"
    )
    assert done.exit_code == 0, done.stderr
    assert gzip.decompress(Path("out.csv.gz").read_bytes()).count(b"\n") == 5
    back = run("convert", "--from", "csv", "out.csv.gz", "-o", "back.manifest", "--json")
    assert back.exit_code == 0, back.stderr
    assert lines_of("back.manifest") == lines_of(manifest)
    assert '"never seen"' in back.stdout


def test_a_class_without_a_name_is_refused_for_an_empty_cell_is_no_class(in_folder: Path) -> None:
    with pytest.raises(BadData, match="csv cannot hold class 1, whose name is empty"):
        check(one(Picture(1, "s3://raw/1.jpg"), names=("RH", "")))
