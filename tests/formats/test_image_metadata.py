import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats.image_folder import read, write
from manifest_tools.formats.open_manifest import open_manifest
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.folder_sink import FolderSink
from tests.copied_pictures import for_copies
from tests.data_sets import pictures as drawn_pictures
from tests.data_sets import tables

NO_OPTIONS = ReadOptions()


@st.composite
def data_sets(draw: st.DrawFn) -> DataSet:
    """Draw a data set of one class a picture, in one part or several, of which some are empty."""
    table = draw(tables())
    parts = {}
    for name in draw(st.sampled_from([("",), ("train", "validation"), ("lab3", "lab4")])):
        numbers = range(1, draw(st.integers(name in ("", "lab3", "lab4"), 3)) + 1)
        found = [draw(drawn_pictures("single_label", table, number)) for number in numbers]
        parts[name] = StreamedPictures(found.copy)
    return DataSet(table, "single_label", parts)


def written(data: DataSet, folder: str | Path) -> dict[str, Any]:
    sink = FolderSink(Path(folder))
    return write(data, sink, for_copies(data, sink))


def said(picture: Picture) -> tuple[Any, ...]:
    return repr(picture.classes), repr(picture.confidences), repr(picture.provenance)


@settings(deadline=None, max_examples=50)
@given(data_sets())
def test_what_is_written_is_read_again(data: DataSet) -> None:
    with TemporaryDirectory() as folder:
        if not written(data, folder)["pictures"]:
            return
        found = read(folder, ReadOptions(classes=data.table))
        assert list(found.parts) == list(data.parts)
        assert found.table.names == tuple((i, n) for i, n in data.table.names)
        assert (found.lost, found.remarks) == ({}, ())
        for part, pictures in data.parts.items():
            assert sorted(map(said, found.parts[part])) == sorted(map(said, pictures))


@settings(deadline=None, max_examples=30)
@given(data_sets())
def test_without_a_table_names_are_the_same_all_the_same(data: DataSet) -> None:
    """A class without a picture is called as its folder, which may be another name."""
    with TemporaryDirectory() as folder:
        if not written(data, folder)["pictures"]:
            return
        found = read(folder, NO_OPTIONS)
        for part, pictures in data.parts.items():
            names = sorted(data.table.name(one.classes[0]) for one in pictures)
            assert sorted(found.table.name(one.classes[0]) for one in found.parts[part]) == names


def lay_out(folder: Path, files: dict[str, str]) -> str:
    """Write files; what ends in a slash is an empty folder."""
    for name, content in files.items():
        path = folder / "ds" / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return str(folder / "ds")


def found_in(place: str, options: ReadOptions = NO_OPTIONS) -> dict[str, dict[str, str]]:
    """Return the class of each picture, by part and path."""
    data = read(place, options)
    return {
        part: {one.key: data.table.name(one.classes[0]) if one.classes else "" for one in pictures}
        for part, pictures in data.parts.items()
    }


def test_a_line_stands_for_each_picture_of_the_folder_it_lies_in(tmp_path: Path) -> None:
    table = ClassTable(((0, "a/b"), (1, "c")))
    one = Picture(1, "s3://b/train station.jpg", classes=(0,), confidences=(0.5,))
    parts = {"train": StreamedPictures([one].copy), "validation": StreamedPictures([].copy)}
    done = written(DataSet(table, "single_label", parts), tmp_path)
    assert json.loads((tmp_path / "train/metadata.jsonl").read_text()) == {
        "file_name": "a_b/train station.jpg",
        "label": "a/b",
        "confidence": 0.5,
    }
    assert sorted(os.listdir(tmp_path / "validation")) == ["a_b", "c"]
    assert not any("datasets" in remark for remark in done["remarks"])


def test_a_name_that_datasets_takes_for_a_split_is_said(tmp_path: Path) -> None:
    one = [
        Picture(n, f"s3://b/{name}", classes=(0,)) for n, name in enumerate(("train station.jpg", "a.jpg"))
    ]
    done = written(
        DataSet(ClassTable(((0, "x"),)), "single_label", {"": StreamedPictures(one.copy)}), tmp_path
    )
    assert done["remarks"] == [
        "1 picture called as a part may be called (x/train station.jpg), which Hugging Face's datasets takes"
        ' for a split: load all of them with data_files="**"'
    ]


@pytest.mark.parametrize(
    ("names", "lists"),
    [
        pytest.param(
            ((0, "b"), (1, "a")),
            "for torchvision type target_transform=[1, 0].__getitem__, for Keras class_names=['b', 'a']",
            id="in another order",
        ),
        pytest.param(
            ((3, "a"), (7, "b")),
            "for torchvision type target_transform=[3, 7].__getitem__",
            id="with gaps, which Keras does not know",
        ),
        pytest.param(
            tuple(enumerate("lkjihgfedcba")),
            "for torchvision type target_transform=[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, ... (12)].__getitem__,",
            id="many",
        ),
    ],
)
def test_a_list_mends_the_order(tmp_path: Path, names: tuple[tuple[int, str], ...], lists: str) -> None:
    one = Picture(1, "s3://b/1.jpg", classes=(names[0][0],))
    data = DataSet(ClassTable(names), "single_label", {"": StreamedPictures([one].copy)})
    assert lists in written(data, tmp_path)["remarks"][0]


def test_a_moved_picture_is_of_the_class_of_its_folder(tmp_path: Path) -> None:
    rows = [{"file_name": f"a_b/{n}.jpg", "label": "a/b"} for n in (1, 2)] + [
        {"file_name": "c/3.jpg", "label": "c/"}
    ]
    files = {"a_b/1.jpg": "", "c/2.jpg": "", "c/3.jpg": "", "d/": ""}
    text = "".join(json.dumps(row) + "\n\n" for row in rows)
    place = lay_out(tmp_path, files | {"metadata.jsonl": text})
    assert found_in(place) == {"": {"a_b/1.jpg": "a/b", "c/2.jpg": "c/", "c/3.jpg": "c/"}}
    data = read(place, NO_OPTIONS)
    assert data.table.labels == ("a/b", "c/", "d")
    assert data.remarks == (f"{place}: 1 line of metadata.jsonl without a picture: moved, or taken away",)


def test_hugging_face_s_own_layout_is_read(tmp_path: Path) -> None:
    """Pictures in no folder of a class, with columns that nobody knows, a label as a number, or none."""
    rows = [
        {"file_name": "1.png", "label": 3, "caption": ["x"]},
        {"file_name": "sub\\2.png", "label": "cat", "confidence": "high", "job-name": 7},
        {"file_name": "3.png", "text": "no label"},
    ]
    text = "\n".join(map(json.dumps, rows))
    files = {"train/1.png": "", "train/sub/2.png": "", "train/3.png": "", "train/metadata.jsonl": text}
    place = lay_out(tmp_path, files)
    assert found_in(place) == {"train": {"train/1.png": "3", "train/3.png": "", "train/sub/2.png": "cat"}}
    assert read(place, NO_OPTIONS).remarks == (
        f"{place}: 1 picture in no folder of a class, without a label",
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(
            ("validation/cat/1.jpg", "train/cat/1.jpg", "train/dog/2.jpg"),
            {
                "train": {"train/cat/1.jpg": "cat", "train/dog/2.jpg": "dog"},
                "validation": {"validation/cat/1.jpg": "cat"},
            },
            id="with classes",
        ),
        pytest.param(
            ("train/cat/1.jpg", "val/cat/", "val/dog/"),
            {"train": {"train/cat/1.jpg": "cat"}, "val": {}},
            id="one of them empty",
        ),
        pytest.param(
            ("train/1.jpg", "test/2.jpg"),
            {"train": {"train/1.jpg": ""}, "test": {"test/2.jpg": ""}},
            id="without classes",
        ),
        pytest.param(
            ("train/a/1.jpg", "train/b/2.jpg"),
            {"train": {"train/a/1.jpg": "a", "train/b/2.jpg": "b"}},
            id="one alone",
        ),
        pytest.param(
            ("train/1.jpg", "rest/1.jpg"),
            {"": {"rest/1.jpg": "rest", "train/1.jpg": "train"}},
            id="not all of them",
        ),
    ],
)
def test_folders_of_parts_are_parts(
    tmp_path: Path, names: tuple[str, ...], expected: dict[str, dict[str, str]]
) -> None:
    assert found_in(lay_out(tmp_path, dict.fromkeys(names, ""))) == expected


def test_an_empty_folder_keeps_the_numbers_of_the_others(in_folder: Path) -> None:
    names = ("train/a/1.jpg", "train/b/2.jpg", "val/a/", "val/b/3.jpg")
    data = read(lay_out(in_folder, dict.fromkeys(names, "")), NO_OPTIONS)
    assert data.table.labels == ("a", "b")
    assert [one.classes for one in data.parts["val"]] == [(1,)]
    assert read("ds/val", NO_OPTIONS).table.labels == ("a", "b")
    with pytest.raises(Refused, match=r"found parts: 'train', 'val'; name them, as in `mtool train ds/train"):
        open_manifest("ds")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[]", "metadata.jsonl:1: expected a line", id="no object"),
        pytest.param('{"label": 1}', "missing required field file_name", id="no name"),
        pytest.param('{"file_name": 1}', "metadata.jsonl:1: expected a line", id="a number as name"),
        pytest.param('{"file_name": "a/1.jpg"}\n\n{', "metadata.jsonl:3: expected a line", id="cut off"),
        pytest.param('{"file_name": "a/1.jpg"}\n' * 2, "jsonl:2: 'a/1.jpg' is there twice", id="twice"),
        pytest.param('{"x": ' + "[" * 200_000, "metadata.jsonl:1: expected a line", id="deep"),
        pytest.param('{"file_name": "a\\u0000"}', "metadata.jsonl:1: expected a file_name", id="NUL"),
        pytest.param("x" * 2_000_000, "expected lines of less than", id="long"),
    ],
)
def test_a_hostile_line_gives_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadData, match=message):
        read(lay_out(tmp_path, {"a/1.jpg": "", "metadata.jsonl": text}), NO_OPTIONS)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../x.jpg", "C:\\x.jpg", ""])
def test_a_line_that_leads_out_is_of_no_picture(tmp_path: Path, name: str) -> None:
    text = json.dumps({"file_name": name, "label": "x"})
    data = read(lay_out(tmp_path, {"a/1.jpg": "", "metadata.jsonl": text}), NO_OPTIONS)
    assert ("1 line of metadata.jsonl" in data.remarks[0], data.table.labels) == (True, ("a",))
