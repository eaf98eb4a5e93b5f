import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.voc import check, label_map_of, read, write
from manifest_tools.formats.xml_values import is_held
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, Provenance, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.folder_sink import FolderSink
from tests.copied_pictures import for_copies
from tests.data_sets import confidences, provenances, s3_refs, tables
from tests.pictures import jpeg

NO_OPTIONS = ReadOptions()
TABLE = ClassTable(((0, "RH"), (1, "LH")))
pixels = st.integers(-50, 5000)


@st.composite
def data_sets(draw: st.DrawFn) -> DataSet:
    """Draw a data set of boxes on whole pixels, some over the edge, some of no size, of some parts."""
    table = draw(tables().filter(lambda table: all(is_held(name) for name in table.labels)))
    indices = st.sampled_from([index for index, _ in table.names])
    sides = st.integers(0, 5000)
    box = st.builds(Box, indices, pixels, pixels, sides, sides, st.none() | confidences)
    size = st.sampled_from([(60, 40), (40, 60), (7, 3)])
    parts = {}
    for name in draw(st.sampled_from([("",), ("train", "validation"), ("b c", "é")])):
        found = [
            Picture(
                number,
                draw(s3_refs),
                draw(size),
                draw(st.sampled_from([1, 3])),
                boxes=tuple(draw(st.lists(box, max_size=3))),
                provenance=draw(provenances),
            )
            for number in range(1, draw(st.integers(0, 3)) + 1)
        ]
        parts[name] = StreamedPictures(found.copy)
    return DataSet(table, "boxes", parts, draw(st.sampled_from(["label", "two-parts"])))


def written(data: DataSet, folder: str | Path) -> dict[str, Any]:
    sink = FolderSink(Path(folder))
    return write(data, sink, for_copies(data, sink))


def boxes(*found: Picture, **parts: Sequence[Picture]) -> DataSet:
    given = {part: StreamedPictures(list(pictures).copy) for part, pictures in parts.items()}
    return DataSet(TABLE, "boxes", given or {"": StreamedPictures(list(found).copy)})


@settings(deadline=None, max_examples=40)
@given(data_sets())
def test_what_is_written_is_read_again(data: DataSet) -> None:
    with TemporaryDirectory() as folder:
        assert written(data, folder)["remarks"] == []
        found = read(folder, ReadOptions(classes=data.table))
        assert found.parts.keys() == data.parts.keys()
        assert (found.table, found.lost, found.remarks) == (data.table, {}, ())
        first = next((picture for part in data.parts.values() for picture in part), None)
        assert found.attribute == (data.attribute if first else "label")
        for part, pictures in data.parts.items():
            back = [replace(picture, ref="", key="") for picture in found.parts[part]]
            assert back == [replace(picture, ref="") for picture in pictures]


def test_the_files_say_what_others_read(tmp_path: Path) -> None:
    train = [
        Picture(
            1,
            "s3://raw/left/1.jpg",
            (60, 40),
            3,
            boxes=(Box(1, 0, 0, 60, 40, 0.5),),
            provenance=Provenance("labeling-job/x"),
        ),
        Picture(2, "s3://raw/right/1.png", (60, 40)),
    ]
    done = written(boxes(train=train, validation=[Picture(1, "s3://raw/a  b #.jpg", (60, 40))]), tmp_path)
    assert done["pictures"] == 3
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")) == [
        *(f"Annotations/{name}.xml" for name in ("1-2", "1", "a_b__")),
        *("ImageSets/Main/train.txt", "ImageSets/Main/validation.txt"),
        *("JPEGImages/1-2.png", "JPEGImages/1.jpg", "JPEGImages/a_b__.jpg"),
        "labelmap.txt",
    ]
    assert (tmp_path / "ImageSets/Main/train.txt").read_text() == "1\n1-2\n"
    root = ElementTree.parse(tmp_path / "Annotations/1.xml").getroot()
    assert {child.tag: child.text for child in root if len(child) == 0} == {
        "folder": "JPEGImages",
        "filename": "1.jpg",
        "ground_truth": '{"label_attribute": "label", "job-name": "labeling-job/x"}',
        "segmented": "0",
    }
    assert [(child.tag, child.text) for child in root.iterfind("size/*")] == [
        ("width", "60"),
        ("height", "40"),
        ("depth", "3"),
    ]
    assert [(child.tag, child.text) for child in root.iterfind("object/*") if len(child) == 0] == [
        ("name", "LH"),
        ("pose", "Unspecified"),
        ("truncated", "0"),
        ("difficult", "0"),
        ("ground_truth", '{"confidence": 0.5}'),
    ]
    assert [child.text for child in root.iterfind("object/bndbox/*")] == ["1", "1", "60", "40"]
    empty = ElementTree.parse(tmp_path / "Annotations/1-2.xml").getroot()
    assert empty.findall("object") == []


def test_edges_between_pixels_are_rounded_and_counted(tmp_path: Path) -> None:
    found = (Box(0, 0.25, 1, 10, 10.5), Box(0, 1, 2, 3, 4))
    done = written(boxes(Picture(1, "s3://b/1.jpg", (60, 40), boxes=found)), tmp_path)
    assert done["remarks"] == ["1 box with edges between pixels: rounded, by half a pixel at most"]
    (picture,) = read(str(tmp_path), NO_OPTIONS).parts[""]
    assert picture.boxes == (Box(0, 0, 1, 10, 11), Box(0, 1, 2, 3, 4))


def test_boxes_follow_a_picture_that_was_shrunk_and_not_one_that_was_turned(tmp_path: Path) -> None:
    pictures = [
        Picture(1, "s3://b/1.jpg", (6000, 4000), boxes=(Box(0, 1500, 1000, 3000, 2000),)),
        Picture(2, "s3://b/2.jpg", (40, 60), boxes=(Box(0, 0, 0, 20, 30),)),
    ]
    copies = boxes(*(Picture(one.number, one.ref) for one in pictures))  # 60 x 40, each
    sink = FolderSink(tmp_path)
    options = for_copies(copies, sink)

    def copied(part: str, path_of: Any) -> Any:
        return zip(pictures, [found for _, found in options.copied(part, path_of)], strict=True)

    done = write(boxes(*pictures), sink, dataclasses.replace(options, copied=copied))
    one, other = read(str(tmp_path), NO_OPTIONS).parts[""]
    assert (one.size, one.boxes) == ((60, 40), (Box(0, 15, 10, 30, 20),))
    assert other.boxes == (Box(0, 0, 0, 20, 30),)
    assert [remark.partition(",")[0] for remark in done["remarks"]] == [
        "1 picture of another size than image_size says: their boxes are scaled to fit",
        "1 picture of another shape than image_size says",
    ]


def test_names_that_xml_cannot_hold_are_refused() -> None:
    with pytest.raises(BadData, match="XML cannot hold the class name"):
        check(DataSet(ClassTable(((0, "a\x1b[0m"),)), "boxes", {}))


# ---- reading what others wrote ----


def xml(*objects: str, name: str = "a.jpg", more: str = "") -> str:
    return (
        f"<annotation><filename>{name}</filename><size><width>60</width><height>40</height><depth>3</depth>"
        f"</size>{''.join(objects)}{more}</annotation>"
    )


def one(name: str = "cat", edges: str = "16 11 45 30", more: str = "") -> str:
    values = zip(("xmin", "ymin", "xmax", "ymax"), edges.split(), strict=True)
    inside = "".join(f"<{edge}>{value}</{edge}>" for edge, value in values)
    return f"<object><name>{name}</name>{more}<bndbox>{inside}</bndbox></object>"


def lay_out(folder: Path, files: dict[str, str]) -> str:
    """Write files; what has the ending of a picture is one."""
    for name, content in files.items():
        path = folder / "ds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(1) if name.endswith(("jpg", "JPG", "png")) else content.encode())
    return str(folder / "ds")


CAT = xml(one())
HALF = Box(0, 15, 10, 30, 20)

LAYOUTS: dict[str, tuple[dict[str, str], dict[str, list[str]]]] = {
    "voc": (
        {
            **{f"Annotations/{name}.xml": xml(one(), name=f"{name}.jpg") for name in "abc"},
            **{f"JPEGImages/{name}.jpg": "" for name in "abc"},
            "ImageSets/Main/train.txt": "b\na\n",
            "ImageSets/Main/val.txt": "c\n",
            "ImageSets/Main/trainval.txt": "a\nb\nc\n",
            "ImageSets/Main/cat_train.txt": "b  1\na -1\n",
        },
        {"train": ["JPEGImages/b.jpg", "JPEGImages/a.jpg"], "val": ["JPEGImages/c.jpg"]},
    ),
    "without lists": (
        {"Annotations/a.xml": CAT, "Annotations/b.xml": CAT, "JPEGImages/a.jpg": ""},
        {"": ["JPEGImages/a.jpg", "JPEGImages/a.jpg"]},
    ),
    "annotations in the folders of pictures": (
        {
            **{f"Annotations/{name}/1.xml": xml(one(), name=f"{name}/1.jpg") for name in ("a", "b")},
            **{f"JPEGImages/{name}/1.jpg": "" for name in ("a", "b")},
        },
        {"": ["JPEGImages/a/1.jpg", "JPEGImages/b/1.jpg"]},
    ),
    "beside one another": (
        {"a.xml": xml(one(), name="C:\\photos\\a.JPG"), "a.JPG": ""},
        {"": ["a.JPG"]},
    ),
    "a folder a part": (
        {"train/a.xml": CAT, "train/a.jpg": "", "valid/b.xml": xml(one(), name="b"), "valid/b.png": ""},
        {"train": ["train/a.jpg"], "valid": ["valid/b.png"]},
    ),
    "quoted names": (
        {
            "Annotations/a b.xml": xml(one(), name="a b.jpg"),
            "images/a b.jpg": "",
            "ImageSets/Main/x.txt": '"a b"\n',
        },
        {"x": ["images/a b.jpg"]},
    ),
    "pictures elsewhere": ({"a.xml": xml(one(), name="sub/x.png")}, {"": ["x.png"]}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layouts_of_the_wild_are_read(tmp_path: Path, layout: str) -> None:
    files, expected = LAYOUTS[layout]
    found = read(lay_out(tmp_path, files), NO_OPTIONS)
    pictures = {part: list(pictures) for part, pictures in found.parts.items()}
    assert {part: [one.key for one in pictures[part]] for part in pictures} == expected
    assert [one.ref for part in pictures.values() for one in part] == [
        f"ds/{key}" for keys in expected.values() for key in keys
    ]
    assert {box for part in pictures.values() for one in part for box in one.boxes} == {HALF}
    assert found.lost == {}


def test_pixels_count_from_0_where_a_box_of_others_begins_there(tmp_path: Path) -> None:
    files = {"a.xml": xml(one(edges="0 10 60 30")), "b.xml": xml(one(edges="15 10 45 30")), "a.jpg": ""}
    found = read(lay_out(tmp_path, files), NO_OPTIONS)
    assert [picture.boxes for picture in found.parts[""]] == [(Box(0, 0, 10, 60, 20),), (HALF,)]
    assert "begin at pixel 0, so all are taken to count from 0" in found.remarks[-1]


def test_our_box_over_the_edge_does_not_begin_at_0(tmp_path: Path) -> None:
    over = Box(0, -1, -1, 10, 10)
    written(boxes(Picture(1, "s3://b/1.jpg", (60, 40), boxes=(over,))), tmp_path)
    found = read(str(tmp_path), NO_OPTIONS)
    assert [picture.boxes for picture in found.parts[""]] == [(over,)]
    assert found.remarks == ()


@pytest.mark.parametrize("name", ["a:b", "#1", " a", "a\rb"])
def test_a_label_map_has_only_names_that_can_stand_in_it(name: str) -> None:
    assert label_map_of(ClassTable(((0, name),))) == ""


def test_one_annotation_is_a_data_set(tmp_path: Path) -> None:
    place = lay_out(tmp_path, {"a.xml": CAT, "a.jpg": "", "b.jpg": ""})
    found = read(f"{place}/a.xml", ReadOptions("s3://b/raw"))
    assert [(one.ref, one.key, one.size, one.depth) for one in found.parts[""]] == [
        ("s3://b/raw/a.jpg", "a.jpg", (60, 40), 3)
    ]
    assert (found.table.names, found.lost) == (((0, "cat"),), {})


def test_what_does_not_belong_together_or_is_no_box_is_counted(tmp_path: Path) -> None:
    odd = "<object><name>x</name><polygon><x1>1</x1></polygon></object>"
    files = {
        "Annotations/a.xml": xml(one(), odd, one("dog", more="<part><name>head</name></part>")),
        "Annotations/b.xml": xml(one(), name="b.jpg"),
        "Annotations/c.xml": xml(),
        "JPEGImages/a.jpg": "",
        "JPEGImages/z.jpg": "",
        "ImageSets/Main/train.txt": "a\nb\nnone\n\n",
    }
    place = lay_out(tmp_path, files)
    found = read(place, NO_OPTIONS)
    assert [len(picture.boxes) for picture in found.parts["train"]] == [2, 1]
    assert found.lost == {
        "polygons": 1,
        "objects without a box": 1,
        "parts of objects": 1,
        "names in lists without an annotation": 1,
        "pictures without an annotation": 1,
    }
    assert found.remarks == (
        f"{place}: 1 picture not here, only their annotations",
        f"{place}: 1 annotation in no list of ImageSets/Main, left out",
    )


def test_classes_get_sorted_numbers_or_those_that_are_told(tmp_path: Path) -> None:
    place = lay_out(tmp_path, {"a.xml": xml(one("dog"), one(" cat\n"), one("a&amp;b"))})
    assert read(place, NO_OPTIONS).table.labels == ("a&b", "cat", "dog")
    table = ClassTable(((1, "dog"), (4, " cat\n"), (5, "a&b"), (6, "cat")))
    (picture,) = read(place, ReadOptions(classes=table)).parts[""]
    assert [box.class_index for box in picture.boxes] == [1, 4, 5]
    with pytest.raises(BadData, match="--classes does not list the class 'a&b'; add it"):
        read(place, ReadOptions(classes=ClassTable(((0, "dog"), (1, "cat")))))


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>'
HOSTILE = {
    "": "expected XML",
    "<annotation>": "expected XML",
    "<html/>": "expected an <annotation>, found <html>",
    BOMB: "expected XML without a DTD",
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>': "expected XML without a DTD",
    '<?xml version="1.0" encoding="x-none"?><annotation/>': "another encoding",
    xml(one(edges="16 11 4 30")): "object 1: expected a box from upper left to lower right, found 16, 11",
    xml(one(), one(edges="x 1 2 3")): "object 2: expected a number of pixels as xmin, found 'x'",
    xml(one(edges="nan 1 2 3")): "expected a number of pixels as xmin, found 'nan'",
    xml(one(edges="1 1 1e99 3")): "expected a number of pixels as xmax",
    xml(one(edges=f"1 1 {'9' * 5000} 3")): "expected a number of pixels as xmax",
    xml("<object><bndbox/></object>"): "expected a number of pixels as xmin, found ''",
    "<annotation>" + "<a>" * 10**6: "expected XML",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:24])
def test_a_hostile_annotation_gives_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadData, match=r"ds/a.xml: ") as caught:
        read(lay_out(tmp_path, {"a.xml": text}), NO_OPTIONS)
    assert HOSTILE[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nesting_that_has_an_end_is_read_as_any_other(tmp_path: Path) -> None:
    deep = "<a>" * 3000 + "</a>" * 3000
    (picture,) = read(lay_out(tmp_path, {"a.xml": xml(one(), more=deep)}), NO_OPTIONS).parts[""]
    assert picture.boxes == (HALF,)


def test_a_fifo_in_the_place_of_a_list_is_not_waited_for(tmp_path: Path) -> None:
    place = lay_out(tmp_path, {"Annotations/a.xml": CAT, "ImageSets/Main/train.txt": "a\n"})
    Path(place, "ImageSets/Main/train.txt").unlink()
    os.mkfifo(Path(place, "ImageSets/Main/train.txt"))
    with pytest.raises(Refused, match=r"train.txt: expected a file, found something else"):
        read(place, NO_OPTIONS)


@pytest.mark.parametrize("name", ["../../a", "/etc/passwd", "C:\\a", "..\\a"])
def test_a_list_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    place = lay_out(tmp_path, {"Annotations/a.xml": CAT, "ImageSets/Main/train.txt": f"a\n{name}\n"})
    with pytest.raises(MtoolError, match="train.txt:2: expected the name of a picture"):
        read(place, NO_OPTIONS)


@pytest.mark.parametrize("name", ["../../a.jpg", "/etc/a.jpg", "..\\..\\a.jpg", "..", "\x41" * 300])
def test_a_file_name_that_leads_out_stays_inside(tmp_path: Path, name: str) -> None:
    (picture,) = read(lay_out(tmp_path, {"x.xml": xml(name=name), "x.jpg": ""}), NO_OPTIONS).parts[""]
    assert picture.key in ("x.jpg", "a.jpg")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    place = lay_out(tmp_path, {"VOC2012/Annotations/a.xml": CAT})
    with pytest.raises(Refused, match=r"expected a folder Annotations.*; type .*ds/VOC2012"):
        read(place, NO_OPTIONS)


def test_a_manifest_goes_out_and_comes_back(in_folder: Path) -> None:
    from manifest_tools.verbs.convert.convert import convert
    from manifest_tools.verbs.convert.from_format import convert_from

    Path("raw").mkdir()
    Path("raw/1.jpg").write_bytes(jpeg(1))
    label = {
        "image_size": [{"width": 60, "height": 40, "depth": 3}],
        "annotations": [{"class_id": 1, "top": 10, "left": 15, "height": 20, "width": 30}],
    }
    metadata = {
        "objects": [{"confidence": 0.5}],
        "class-map": {"1": "LH"},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "creation-date": "2026-03-01T10:00:00.000001",
        "job-name": "labeling-job/x",
    }
    line = {"source-ref": "s3://raw/1.jpg", "hands": label, "hands-metadata": metadata}
    Path("m.manifest").write_text(json.dumps(line, separators=(",", ":")) + "\n")
    assert convert("m.manifest", "voc", "ds", images=["raw"]).lost == {}
    convert_from("ds", "voc", "back.manifest", source_prefix="s3://raw")
    assert Path("back.manifest").read_text() == Path("m.manifest").read_text().replace(
        "s3://raw/1.jpg", "s3://raw/JPEGImages/1.jpg"
    )
