import json
import tracemalloc
import unicodedata
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from defusedxml import ElementTree
from hypothesis import given
from msgspec.structs import replace

from manifest_tools.base.errors import BadData, MtoolError
from manifest_tools.formats.cvat import read, write
from manifest_tools.formats.protocol import Files, ReadOptions
from manifest_tools.formats.xml_values import is_held
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, Provenance, StreamedPictures
from manifest_tools.groundtruth.classes import ClassConflict, ClassTable
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.sinks import publishing
from tests.data_sets import data_sets, rounded
from tests.ground_truth import boxes, lines_of
from tests.ground_truth import write as write_lines
from tests.write_options import for_names_only

if TYPE_CHECKING:
    from typer.testing import Result

Run = Callable[..., "Result"]
NO_OPTIONS = ReadOptions()


def written(
    data: DataSet,
    folder: str | Path,
    unusable: list[Unusable] | None = None,
    placed: list[str] | None = None,
) -> str:
    """Write a data set; return the place to read it from."""
    problems: list[Unusable] = [] if unusable is None else unusable
    keys: list[str] = [] if placed is None else placed
    options = for_names_only(
        lambda part, number, why: problems.append(why), lambda part, number, key: keys.append(key)
    )
    with publishing() as publication:
        write(data, Files(publication, f"{folder}/out", ".cvat.xml"), options)
    assert unusable is not None or problems == []
    return f"{folder}/out.cvat.xml" if "" in data.parts else f"{folder}/out"


def one(*found: Picture, kind: Any = "boxes", names: tuple[str, ...] = ("RH", "LH")) -> DataSet:
    return DataSet(ClassTable(tuple(enumerate(names))), kind, {"": StreamedPictures(lambda: found)})


def pictures(place: str, options: ReadOptions = NO_OPTIONS) -> list[Picture]:
    return list(read(place, options).parts[""])


LABELS = "<label><name>dog</name><color>#ff0000</color></label><label><name>cat</name></label>"


def export(folder: Path, *images: str, labels: str = LABELS) -> str:
    """Write a file as CVAT exports it; return the path."""
    path = folder / "annotations.xml"
    meta = f"<meta><task><id>7</id><labels>{labels}</labels></task><dumped>2026-01-01</dumped></meta>"
    path.write_text(f"<annotations><version>1.1</version>{meta}{''.join(images)}</annotations>")
    return str(path)


def image(inside: str = "", name: str = "1.jpg", more: str = 'width="200" height="100"') -> str:
    return f'<image id="0" name="{name}" {more}>{inside}</image>'


def box(
    label: str = "cat", more: str = "", place: str = 'xtl="10.00" ytl="20.50" xbr="40.00" ybr="60.50"'
) -> str:
    return f'<box label="{label}" source="manual" occluded="0" {place} z_order="0" {more}></box>'


def held(data: DataSet) -> bool:
    texts = [name for _, name in data.table.names]
    texts += [picture.provenance.job_name or "" for part in data.parts.values() for picture in part]
    return all(map(is_held, texts))


@given(data_sets("single_label", "multi_label", "boxes", inside=True).filter(held))
def test_what_is_written_is_read_again(data: DataSet) -> None:
    with TemporaryDirectory() as folder:
        found = read(written(data, folder), NO_OPTIONS)
        again = {
            part: [replace(picture, key="") for picture in found_again]
            for part, found_again in rounded(found).items()
        }
        assert again == rounded(data)
    assert (found.table, found.label_kind, found.attribute) == (data.table, data.label_kind, data.attribute)
    assert found.lost == {}


@given(data_sets("single_label", "multi_label", "boxes", inside=True).filter(held))
def test_keys_are_those_that_were_placed(data: DataSet) -> None:
    with TemporaryDirectory() as folder:
        placed: list[str] = []
        found = read(written(data, folder, placed=placed), NO_OPTIONS)
        assert [picture.key for part in data.parts for picture in found.parts[part]] == placed


def test_a_picture_that_is_there_twice_has_two_keys(tmp_path: Path) -> None:
    twice = [Picture(number, "s3://raw/1.jpg", (8, 8), boxes=(Box(0, number, 1, 1, 1),)) for number in (1, 2)]
    place = written(one(*twice, Picture(3, "s3://raw/left/1.jpg", (8, 8))), tmp_path)
    assert [(picture.key, picture.ref) for picture in pictures(place)] == [
        ("1.jpg", "s3://raw/1.jpg"),
        ("1.jpg (2)", "s3://raw/1.jpg"),
        ("left/1.jpg", "s3://raw/left/1.jpg"),
    ]


def test_the_labels_stand_in_the_order_of_their_indices(tmp_path: Path) -> None:
    table = ClassTable(((0, 'quo"te'), (2, "a, b"), (5, "<x>\r\n& ")))
    outlined = Box(2, 0, 0, 10, 10.25, 0.5, ((0, 0, 10, 0, 10, 10.25),))
    pieces = Box(5, 1, 2, 3, 4, outline=((1, 2, 4, 2, 4, 6), (1, 2, 4, 2, 1, 6)))
    by_model = Provenance("labeling-job/x", "no", "2024-03-01")
    picture = Picture(9, "s3://raw/1.jpg", (20, 30), 3, boxes=(outlined, pieces), provenance=by_model)
    data = DataSet(table, "boxes", {"": StreamedPictures(lambda: [picture])})
    place = written(data, tmp_path)
    root = ElementTree.fromstring(Path(place).read_bytes())
    labels = [
        (label.findtext("name"), label.findtext("ground_truth_class_id"), label.findtext("color"))
        for label in root.iter("label")
    ]
    assert labels == [('quo"te', "0", "#e63939"), ("a, b", "2", "#9ee639"), ("<x>\r\n& ", "5", "#e69639")]
    (element,) = root.iter("image")
    assert dict(element.items()) == {
        "id": "0",
        "name": "1.jpg",
        "width": "20",
        "height": "30",
        "depth": "3",
        "line": "9",
        "job-name": "labeling-job/x",
        "human-annotated": "no",
        "creation-date": "2024-03-01",
    }
    polygon, rectangle = element
    assert (polygon.tag, polygon.get("points"), polygon.get("source")) == (
        "polygon",
        "0,0;10,0;10,10.25",
        "auto",
    )
    assert [(found.get("name"), found.text) for found in polygon] == [("confidence", "0.5")]
    assert (rectangle.tag, rectangle.get("xbr"), len(rectangle)) == ("box", "4", 0)
    assert pictures(place) == [replace(picture, key="1.jpg", boxes=(outlined, replace(pieces, outline=())))]


@pytest.mark.parametrize(
    "name",
    ["a b#100%.jpg", "left//1.jpg", unicodedata.normalize("NFD", "café.jpg"), "tab\there.jpg", "a&b'\".jpg"],
)
def test_odd_names_stay_as_they_are(tmp_path: Path, name: str) -> None:
    place = written(one(Picture(1, f"s3://raw/p/{name}"), Picture(2, "s3://raw/p/2.jpg")), tmp_path)
    assert pictures(place)[0].ref == f"s3://raw/p/{name}"
    assert pictures(place, ReadOptions("s3://other/q/"))[0].ref == f"s3://other/q/{name}"


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        pytest.param(Picture(1, "../1.jpg"), "expected a path below a folder", id="a way out"),
        pytest.param(Picture(1, "a\x01.jpg"), "expected a text that XML can hold", id="a control character"),
        pytest.param(
            Picture(1, "1.jpg", provenance=Provenance("\x00")),
            "a text that XML can hold",
            id="in the job's name",
        ),
    ],
)
def test_a_picture_that_xml_cannot_name_is_left_out(tmp_path: Path, picture: Picture, message: str) -> None:
    unusable: list[Unusable] = []
    place = written(one(picture, Picture(2, "2.jpg")), tmp_path, unusable)
    assert message in unusable[0].message
    assert [picture.number for picture in pictures(place)] == [2]


def test_a_class_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="XML cannot hold the class name"):
        written(one(Picture(1, "1.jpg"), names=("a\x00b",)), tmp_path)


# ---- what CVAT exports ----


def test_an_export_is_read_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    attributes = '<attribute name="confidence">0.5</attribute><attribute name="colour">red</attribute>'
    first = image(
        box()
        + f'<box label="dog" occluded="1" xtl="0" ytl="0" xbr="10" ybr="4" z_order="3">{attributes}</box>'
        + '<box label="dog" rotation="90.0" xtl="50" ytl="10" xbr="70" ybr="20"/>'
        + '<polygon label="dog" points="1.00,2.00;5.50,2.00;5.50,8.00"/>'
        + '<mask label="dog" rle="1, 2" left="0" top="0" width="2" height="2"/>'
        + '<polyline label="dog" points="1,1;2,2"/><points label="dog" points="1,1"/><tag label="cat"/>'
    )
    found = read(export(tmp_path, first, image(name="left\\2.jpg")), NO_OPTIONS)
    one, two = found.parts[""]
    assert (found.label_kind, found.table.names) == ("boxes", ((0, "dog"), (1, "cat")))
    assert (one.ref, one.size, two.ref, two.boxes, two.labelled) == (
        "1.jpg",
        (200, 100),
        "left/2.jpg",
        (),
        True,
    )
    assert one.boxes == (
        Box(1, 10, 20.5, 30, 40),
        Box(0, 0, 0, 10, 4, 0.5),
        Box(0, 55, 5, 10, 20),
        Box(0, 1, 2, 4.5, 6, outline=((1, 2, 5.5, 2, 5.5, 8),)),
    )
    assert found.lost == {
        "attributes of shapes or tags": 1,
        "masks": 1,
        "occlusions": 1,
        "points": 1,
        "polylines": 1,
        "rotations of boxes": 1,
        "tags": 1,
        "z orders": 1,
    }


def test_tags_are_classes(tmp_path: Path) -> None:
    tag = '<tag label="cat" source="auto"/>'
    found = read(export(tmp_path, image(tag), image(name="2.jpg")), NO_OPTIONS)
    assert (found.label_kind, [one.classes for one in found.parts[""]]) == ("single_label", [(1,), ()])
    assert next(iter(found.parts[""])).provenance == Provenance(None, "no")
    several = image(tag + '<tag label="dog"><attribute name="confidence">1</attribute></tag>')
    found = read(export(tmp_path, several), NO_OPTIONS)
    assert (found.label_kind, list(found.parts[""])[0].confidences) == ("multi_label", (None, 1))


def test_the_order_of_the_labels_is_that_of_the_indices_unless_classes_are_given(tmp_path: Path) -> None:
    place = export(tmp_path, image(box("cat")))
    given = ReadOptions(classes=ClassTable(((0, "cat"), (3, "dog"))))
    assert (pictures(place)[0].boxes[0].class_index, pictures(place, given)[0].boxes[0].class_index) == (1, 0)
    with pytest.raises(BadData, match="--classes does not list the class 'cat'; add it"):
        read(place, ReadOptions(classes=ClassTable(((0, "dog"),))))
    ours = written(one(Picture(1, "1.jpg")), tmp_path)
    with pytest.raises(ClassConflict, match="out.cvat.xml and --classes disagree"):
        read(ours, ReadOptions(classes=ClassTable(((0, "LH"),))))


def test_parts_of_skeletons_are_no_classes(tmp_path: Path) -> None:
    part = "<label><name>head</name><parent>dog</parent></label>"
    assert read(export(tmp_path, image(box()), labels=part + LABELS), NO_OPTIONS).table.name(0) == "dog"


BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>'
    "<annotations>&c;</annotations>"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "expected XML, found no element found", id="nothing"),
        pytest.param("{}", "expected XML, found", id="JSON"),
        pytest.param("<annotations></annotations>", "expected CVAT for images 1.1", id="empty"),
        pytest.param("<annotations><image name='1.jpg'>", "expected XML, found", id="cut off"),
        pytest.param(BOMB, "expected XML without a DTD", id="a bomb"),
        pytest.param(
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations>&x;</annotations>',
            "expected XML without a DTD",
            id="a file from elsewhere",
        ),
        pytest.param("<a>" * 10_000, "at most 64 elements in one another", id="deep"),
        pytest.param('<?xml version="1.0" encoding="klingon"?><a/>', "expected XML", id="encoding"),
        pytest.param("<annotations><track/></annotations>", "for images, found tracks", id="video"),
        pytest.param(f"<annotations><a b='{'x' * (9 << 20)}'/>", "tags and texts of at most 8 MB", id="long"),
        pytest.param(image(name=""), "image 1: expected a name", id="no name"),
        pytest.param(image(name="../1.jpg"), "image 1: expected a name below a folder", id="a way out"),
        pytest.param(image(name="C:\\1.jpg"), "image 1: expected a name below a folder", id="a drive"),
        pytest.param(image(box("")), "expected a label of each box", id="no label"),
        pytest.param(image(box("cow")), "its labels do not list the class 'cow'; add it", id="no such label"),
        pytest.param(image(box(place='xtl="1"')), "could not convert string to float", id="no place"),
        pytest.param(image(box(place='xtl="1e99" ytl="1" xbr="1" ybr="1"')), "found 1e99", id="huge"),
        pytest.param(image(box(place='xtl="nan" ytl="1" xbr="1" ybr="1"')), "found nan", id="not a number"),
        pytest.param(image('<polygon label="cat" points="1,2,3"/>'), "as x,y;x,y", id="odd points"),
        pytest.param(image(more='width="-5" height="1"'), "the width of a picture, found -5", id="a lie"),
    ],
)
def test_what_is_no_file_of_cvat_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    place = tmp_path / "annotations.xml"
    place.write_text(text)
    with pytest.raises(MtoolError, match=message) as refused:
        pictures(export(tmp_path, text) if text.startswith("<image") else str(place))
    assert "\n" not in str(refused.value)


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    with pytest.raises(MtoolError, match="type: unzip task.zip annotations.xml"):
        read("task.zip", NO_OPTIONS)


def test_a_large_file_is_read_picture_by_picture(tmp_path: Path) -> None:
    place = export(tmp_path, *[image(box(), name="x" * 900)] * 8_000)
    tracemalloc.start()
    count = len([None for _ in read(place, NO_OPTIONS).parts[""]])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 8_000
    assert peak < Path(place).stat().st_size / 4


def test_the_command_goes_there_and_back(in_folder: Path, run: Run) -> None:
    lines = [boxes("left/1", ("RH", 0.5)), boxes("2"), boxes("right/1", ("LH", 0.25), ("RH", 1))]
    manifest = write_lines(in_folder / "train.manifest", *(line[:-1] + b', "worker": 7}' for line in lines))
    done = run("convert", manifest, "--to", "cvat", "-o", "out", "--side-car")
    assert done.exit_code == 0, done.stderr
    back = ("convert", "--from", "cvat", "out.cvat.xml", "-o", "back.manifest", "--force")
    assert run(*back).exit_code == 0
    assert lines_of("back.manifest") == lines_of(manifest)
    text = Path("out.cvat.xml").read_text()
    Path("out.cvat.xml").write_text(text.replace('label="LH"', 'label="RH"').replace('line="', 'frame="'))
    assert run(*back).exit_code == 0
    first, second, third = map(json.loads, lines_of("back.manifest"))
    assert (first, second) == tuple(map(json.loads, lines_of(manifest)[:2]))
    assert [found["class_id"] for found in third["kind"]["annotations"]] == [0, 0]
    assert third["worker"] == 7
