import dataclasses
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.formats.yolo import part_folders, read, write, yaml_keys
from manifest_tools.groundtruth.annotations import Box, DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.folder_sink import FolderSink
from tests.copied_pictures import for_copies
from tests.data_sets import s3_refs, tables
from tests.yolo_folders import NO_OPTIONS, PICTURE, boxes, keys, written

yaml: Any = pytest.importorskip("yaml")  # how others read it
pixels = st.integers(-50, 5000) | st.floats(-50, 5000)
sides = st.integers(0, 5000) | st.floats(0, 5000)


@st.composite
def data_sets(draw: st.DrawFn) -> DataSet:
    """Draw a data set of boxes, some over the edge, some of no size, of one part or several."""
    table = draw(tables())
    indices = st.sampled_from([index for index, _ in table.names])
    boxes = st.lists(st.builds(Box, indices, pixels, pixels, sides, sides), max_size=3).map(tuple)
    size = st.sampled_from([(60, 40), (40, 60), (7, 3)])
    names = draw(st.sampled_from([("",), ("train", "validation"), ("images", "b c", "é")]))
    parts = {}
    for name in names:
        count = draw(st.integers(0, 3))
        found = [Picture(n, draw(s3_refs), draw(size), 3, boxes=draw(boxes)) for n in range(1, count + 1)]
        parts[name] = StreamedPictures(found.copy)
    return DataSet(table, "boxes", parts, draw(st.sampled_from(["label", "two-parts"])))


def near(box: Box) -> tuple[Any, ...]:
    numbers = (box.left, box.top, box.width, box.height)
    return (box.class_index, *(pytest.approx(number, abs=1e-6) for number in numbers))


def edges(box: Box) -> tuple[Any, ...]:
    return (box.class_index, box.left, box.top, box.width, box.height)


@settings(deadline=None, max_examples=40)
@given(data_sets())
def test_what_is_written_is_read_again(data: DataSet) -> None:
    with TemporaryDirectory() as folder:
        written(data, folder)
        found = read(folder, NO_OPTIONS)
        assert (found.table, found.attribute, found.lost) == (data.table, data.attribute, {})
        assert list(found.parts) == list(data.parts)
        for part, pictures in data.parts.items():
            before, after = list(pictures), sorted(found.parts[part], key=lambda one: one.key)
            by_key = dict(zip(sorted(keys(data, part)), after, strict=True))
            for picture, key in zip(before, keys(data, part), strict=True):
                assert (by_key[key].key, by_key[key].size, by_key[key].depth) == (key, picture.size, 3)
                assert list(map(edges, by_key[key].boxes)) == list(map(near, picture.boxes))
                assert sum(isinstance(n, int) for box in by_key[key].boxes for n in edges(box)) >= sum(
                    isinstance(n, int) for box in picture.boxes for n in edges(box)
                )


def test_the_files_say_what_ultralytics_reads(tmp_path: Path) -> None:
    table = ClassTable(((0, 'say "é"'), (2, "no")))
    train = [
        Picture(1, "s3://raw/left/1.jpg", (60, 40), boxes=(Box(2, 15, 10, 30, 20), Box(0, 0, 0, 60, 40))),
        Picture(2, "s3://raw/right/1.png", (60, 40)),
    ]
    done = written(boxes(table=table, train=train, validation=[]), tmp_path)
    assert (done["pictures"], done["remarks"]) == (2, [])
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert files == [
        "data.yaml",
        *("images", "images/train", "images/train/1-2.png", "images/train/1.jpg", "images/validation"),
        *("labels", "labels/train", "labels/train/1-2.txt", "labels/train/1.txt", "labels/validation"),
    ]
    assert (tmp_path / "labels/train/1.txt").read_text() == "2 0.5 0.5 0.5 0.5\n0 0.5 0.5 1.0 1.0\n"
    assert (tmp_path / "labels/train/1-2.txt").read_text() == ""
    found = yaml.safe_load((tmp_path / "data.yaml").read_text("utf-8"))
    assert found.pop("ground_truth")["class_table"] == table.to_json()
    assert found == {
        "train": "images/train",
        "val": "images/validation",
        "nc": 3,
        "names": {0: 'say "é"', 1: "class 1", 2: "no"},
    }


# What Ultralytics takes out of a file before it reads it.
UNPRINTABLE = "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4, unique=True))
def test_yaml_reads_every_name(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        written(boxes(table=ClassTable(tuple(enumerate(names)))), folder)
        text = Path(folder, "data.yaml").read_text("utf-8")
        assert yaml.safe_load(text)["names"] == dict(enumerate(names))
        assert re.sub(UNPRINTABLE, "", text) == text


@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        pytest.param(["train", "validation", "test"], ["train", "val", "test"], id="as split calls them"),
        pytest.param([""], ["train"], id="without parts"),
        pytest.param(["lab3", "lab4"], ["train"], id="called otherwise"),
        pytest.param(["val", "valid", "Train"], ["val", "train"], id="two for one key"),
    ],
)
def test_parts_stand_under_the_keys_of_yaml(parts: list[str], keys: list[str]) -> None:
    assert list(yaml_keys(parts).values()) == keys


def test_what_ultralytics_would_not_do_as_expected_is_said(tmp_path: Path) -> None:
    done = written(boxes(lab3=[], lab4=[]), tmp_path)
    assert [remark.partition(",")[0] for remark in done["remarks"]] == [
        "data.yaml names the pictures to learn from under val as well",
        "data.yaml names no part beside train",
    ]
    assert yaml.safe_load((tmp_path / "data.yaml").read_text())["val"] == "images/lab3"


def test_a_part_called_images_is_no_trap() -> None:
    assert part_folders(["images", "b"]) == {"images": "images part", "b": "b"}


def test_boxes_are_parts_of_the_picture_that_was_labelled(tmp_path: Path) -> None:
    """A picture that was shrunk has the same boxes; one that was turned may not."""
    pictures = [
        Picture(1, "s3://b/1.jpg", (6000, 4000), boxes=(Box(0, 1500, 1000, 3000, 2000),)),
        Picture(2, "s3://b/2.jpg", (40, 60), boxes=(Box(0, 0, 0, 20, 30),)),
    ]
    data, shown = boxes(*pictures), boxes(*(Picture(p.number, p.ref, boxes=p.boxes) for p in pictures))
    sink = FolderSink(tmp_path)
    options = for_copies(shown, sink)  # which copies 60 x 40 for each

    def copied(part: str, path_of: Any) -> Any:
        made = [found for _, found in options.copied(part, path_of)]
        return zip(pictures, made, strict=True)

    done = write(data, sink, dataclasses.replace(options, copied=copied))
    assert (tmp_path / "labels/1.txt").read_text() == "0 0.5 0.5 0.5 0.5\n"
    assert (tmp_path / "labels/2.txt").read_text() == "0 0.25 0.25 0.5 0.5\n"
    assert done["remarks"][0].startswith("1 picture of another shape than image_size says")


def test_outlines_stay_and_boxes_among_them_become_corners(tmp_path: Path) -> None:
    two_pieces = ((0, 0, 10, 0, 10, 10), (20, 20, 30, 20, 30, 30, 20, 30), (40, 1, 41, 1, 41, 2))
    found = (Box(0, 0, 0, 41, 30, outline=two_pieces), Box(1, 5, 5, 10, 10))
    done = written(boxes(Picture(1, "s3://b/1.jpg", (60, 40), 3, boxes=found)), tmp_path)
    assert "1 box without an outline written as four corners" in done["remarks"][0]
    assert {len(line.split()) % 2 for line in (tmp_path / "labels/1.txt").read_text().splitlines()} == {1}
    (picture,) = read(str(tmp_path), NO_OPTIONS).parts[""]
    assert picture.boxes == found


def test_a_manifest_goes_out_and_comes_back(in_folder: Path) -> None:
    from manifest_tools.verbs.convert.convert import convert
    from manifest_tools.verbs.convert.from_format import convert_from

    Path("raw").mkdir()
    Path("raw/1.jpg").write_bytes(PICTURE)
    label = {
        "image_size": [{"width": 60, "height": 40, "depth": 3}],
        "annotations": [{"class_id": 1, "top": 10, "left": 15, "height": 20, "width": 30}],
    }
    metadata = {"objects": [{}], "class-map": {"1": "LH"}, "type": "groundtruth/object-detection"}
    line = {"source-ref": "s3://raw/1.jpg", "hands": label, "hands-metadata": metadata}
    Path("m.manifest").write_text(json.dumps(line, separators=(",", ":")) + "\n")
    done = convert("m.manifest", "yolo", "ds", images=["raw"])
    assert "val as well" in done.remarks[0]
    assert Path("ds/labels/1.txt").read_text() == "1 0.5 0.5 0.5 0.5\n"
    assert convert("m.manifest", "yolo", "ds", images=["raw"]).outputs[0].state == "unchanged"
    convert_from("ds", "yolo", "back.manifest", source_prefix="s3://raw")
    assert Path("back.manifest").read_text() == Path("m.manifest").read_text().replace(
        "s3://raw/1.jpg", "s3://raw/images/1.jpg"
    )
