import csv
import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.formats.csv_cells import from_cell
from manifest_tools.formats.csv_table import COLUMNS, read
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from tests.ground_truth import boxes, write
from tests.pictures import jpeg

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for block in open_manifest(name).blocks() for line in block.read().splitlines()]


def labels(name: str) -> list[tuple[str, int | None, str | None]]:
    found = lines(name)
    return [
        (one["source-ref"], one.get("label"), one.get("label-metadata", {}).get("class-name"))
        for one in found
    ]


def table(text: str | bytes, name: str = "a.csv") -> str:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name


TWO = [("raw/1.jpg", 1, "ripe"), ("raw/2.jpg", 0, "green")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("image,label\nraw/1.jpg,ripe\nraw/2.jpg,green\n", id="as pandas writes it"),
        pytest.param("\ufeffImage;Class Name\r\nraw/1.jpg;ripe\r\nraw/2.jpg;green\r\n", id="as Excel does"),
        pytest.param("id\tFILE_NAME\tcategory\n1\traw/1.jpg\tripe\n2\traw/2.jpg\tgreen\n", id="tabs"),
        pytest.param(
            'label,"path"\n"ripe","raw/1.jpg"\n\n green , raw\\2.jpg', id="quotes, blanks, backslashes"
        ),
        pytest.param("path,label,class\n./raw/1.jpg,7,ripe\nraw//2.jpg,8,green\n", id="names before numbers"),
    ],
)
def test_a_header_says_where_pictures_and_classes_are(in_folder: Path, text: str) -> None:
    assert labels(table(text)) == TWO


@pytest.mark.parametrize(
    ("name", "pack"), [("a.tsv", bytes), ("a.tsv.gz", gzip.compress)], ids=["plain", "packed"]
)
def test_the_ending_says_what_divides(in_folder: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    assert labels(table(pack(b"image\tlabel,x\traw\n1.jpg\t7\t8\n"), name)) == [("1.jpg", None, None)]


def test_numbers_are_sorted_by_their_size(in_folder: Path) -> None:
    assert labels(table("image,target\n1.jpg,10\n2.jpg,9\n")) == [("1.jpg", 1, "10"), ("2.jpg", 0, "9")]


def test_a_row_without_a_class_has_no_label(in_folder: Path) -> None:
    assert lines(table("image,label\n1.jpg,\n2.jpg,ripe\n"))[0] == {"source-ref": "1.jpg"}


def test_pictures_may_be_in_s3_or_named_from_the_root(in_folder: Path) -> None:
    text = f"image,label\ns3://b/1.jpg,a\n{in_folder}/raw/2.jpg,b\n"
    assert [ref for ref, *_ in labels(table(text))] == ["s3://b/1.jpg", "raw/2.jpg"]


@pytest.fixture
def told() -> Iterator[None]:
    COLUMNS.tell("Foto", "art")
    yield
    COLUMNS.tell(None, None)


@pytest.mark.usefixtures("told")
def test_columns_may_be_told(in_folder: Path) -> None:
    assert labels(table("image,Foto,art,label\n0.jpg,1.jpg,ripe,x\n")) == [("1.jpg", 0, "ripe")]
    with pytest.raises(Refused, match="--picture-column Foto: no such column; found 'image', 'label'"):
        open_manifest(table("image,label\n1.jpg,ripe\n"))


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        pytest.param(
            "1.jpg,ripe\n", Refused, "expected a header .* found '1.jpg', 'ripe'; type", id="no header"
        ),
        pytest.param("", Refused, "found nothing in this file$", id="nothing"),
        pytest.param(
            "image,label\n1.jpg\n", BadData, "a.csv:2: expected 2 fields, .* found 1", id="a short row"
        ),
        pytest.param(
            "image,label\n,ripe\n", BadData, "a.csv:2: expected an s3:// URI or a path", id="no name"
        ),
        pytest.param(
            "image\n../1.jpg\n", BadData, "below the table's folder, found '../1.jpg'", id="a way out"
        ),
        pytest.param("image\n/etc/passwd\n", BadData, "below the table's folder", id="a path from the root"),
        pytest.param('image,label\n1.jpg,"ripe\n', BadData, "a.csv:2: unexpected end", id="an open quote"),
        pytest.param("image,label\n1\0.jpg,a\n", BadData, "a.csv:2", id="a null byte"),
        pytest.param(
            b"image\ncaf\xe9.jpg\n", BadData, "a.csv:2: not UTF-8; save it as CSV UTF-8", id="Latin-1"
        ),
        pytest.param("image\n1.jpg\n".encode("utf-16"), BadData, "a.csv:1: not UTF-8", id="UTF-16"),
        pytest.param(f"image\n{'x' * 200_000}\n", BadData, "a.csv:2: field larger than", id="a huge field"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_in_one_line(
    in_folder: Path, text: str | bytes, kind: type[MtoolError], message: str
) -> None:
    with pytest.raises(kind, match=message) as refused:
        lines(table(text))
    assert "\n" not in str(refused.value)


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.from_regex(r"[a-z]{1,3}\.jpg", fullmatch=True), CELLS)), st.sampled_from(",;\t|")
)
def test_whatever_the_csv_module_writes_is_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=delimiter).writerows([("image", "label"), *rows])
        found = [(ref, name or "") for ref, _, name in labels(str(path))]
    assert found == [(ref, from_cell(name)) for ref, name in rows]


def test_words_take_a_table_and_its_columns(in_folder: Path, run: Run) -> None:
    Path("raw").mkdir()
    for number in range(8):
        Path(f"raw/{number}.jpg").write_bytes(jpeg(number))
    table("pic,kind\n" + "".join(f"raw/{number}.jpg,{number % 2}\n" for number in range(8)), "all.csv")
    refused = run("split", "all.csv")
    assert refused.exit_code == 2
    assert "type: mtool --picture-column NAME --class-column NAME WORD all.csv" in refused.stderr
    assert run("--picture-column", "pic", "--class-column", "kind", "split", "all.csv").exit_code == 0
    assert run("convert", "train.manifest", "--to", "recordio").exit_code == 0
    assert run("--picture-column", "pic", "convert", "--from", "csv", "all.csv").exit_code == 0
    assert Path("all.manifest").read_text().count("\n") == 8
    said = run("--picture-column", "pic", "stats", "train.manifest").stderr
    assert "--picture-column and --class-column had no effect: no CSV table was read" in said


def test_a_table_without_a_column_of_classes_says_so(in_folder: Path, run: Run) -> None:
    said = run("stats", table("image,size\n1.jpg,7\n")).stderr
    assert (
        "a.csv: no column of classes is known, so no line has a label; found 'image', 'size'; type: mtool"
        in said
    )


def test_a_folder_of_tables_has_a_part_for_each(in_folder: Path) -> None:
    for name, text in (("train.csv", "image,label\n1.jpg,b\n"), ("val.tsv", "image\tlabel\n2.jpg\ta\n")):
        (in_folder / name).write_text(text)
    data = read(".", ReadOptions())
    assert data.table.names == ((0, "a"), (1, "b"))
    assert {part: [one.classes for one in pictures] for part, pictures in data.parts.items()} == {
        "train": [(1,)],
        "val": [(0,)],
    }


def test_parts_that_were_written_come_back_byte_for_byte(in_folder: Path) -> None:
    lines = {}
    for number, part in enumerate(("train", "validation")):
        lines[part] = write(in_folder / f"{part}.manifest", boxes(number, ("LH", 0.5)))
    convert(list(lines.values()), "csv", "ds", side_car=True)
    convert_from("ds", "csv", "back")
    for part, path in lines.items():
        assert Path(f"back/{part}.manifest").read_bytes() == Path(path).read_bytes()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "expected CSV tables in this folder, found no *.csv"),
        ({"a.csv": "image,label\n", "a.tsv": "image\tlabel\n"}, "expected one table of each part, found"),
        ({"a.csv": "image,label\n", "b.csv": "image,label,left,top,width,height\n"}, "tables of one kind"),
    ],
)
def test_a_folder_of_other_tables_is_refused(in_folder: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (in_folder / name).write_text(text)
    with pytest.raises((Refused, BadData), match=re.escape(said)):
        read(".", ReadOptions())
