"""Ultralytics' layout for one class a picture."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.yolo import read, write
from manifest_tools.groundtruth.annotations import DataSet, Picture, StreamedPictures
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.io.folder_sink import FolderSink
from tests.copied_pictures import for_copies
from tests.data_sets import data_sets

NO_OPTIONS = ReadOptions()


def written(data: DataSet, folder: str | Path) -> dict[str, Any]:
    sink = FolderSink(Path(folder))
    return write(data, sink, for_copies(data, sink))


@settings(deadline=None, max_examples=40)
@given(data_sets("single_label"))
def test_what_is_written_is_read_again(data: DataSet) -> None:
    with TemporaryDirectory() as folder:
        written(data, folder)
        found = read(folder, NO_OPTIONS)
        assert (found.table, found.attribute, found.label_kind) == (
            data.table,
            data.attribute,
            "single_label",
        )
        assert list(found.parts) == list(data.parts)
        for part, pictures in data.parts.items():
            assert sorted(one.classes for one in found.parts[part]) == sorted(one.classes for one in pictures)
            assert all(Path(folder, one.key).is_file() for one in found.parts[part])


def test_the_folders_are_those_that_ultralytics_looks_for(tmp_path: Path) -> None:
    table = ClassTable(((0, "b/c"), (1, "a")))
    train = [Picture(n, f"s3://raw/{n}/1.jpg", classes=(0,)) for n in (1, 2)]
    parts = {"training": StreamedPictures(train.copy), "validation": StreamedPictures([].copy)}
    done = written(DataSet(table, "single_label", parts), tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "data.yaml",
        *("train", "train/a", "train/b_c", "train/b_c/1-2.jpg", "train/b_c/1.jpg"),
        *("validation", "validation/a", "validation/b_c"),
    ]
    assert done["remarks"] == [
        "Ultralytics numbers classes by sorted names, so model.names has other numbers than the manifest"
        " ('a' 0, not 1): go by the names"
    ]


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        pytest.param(("train",), ["val"], id="none to validate with"),
        pytest.param(("lab3", "valid"), ["train"], id="none to train with"),
        pytest.param(("",), ["val"], id="one part"),
        pytest.param(("train", "training", "val"), [], id="two of one name"),
    ],
)
def test_a_part_that_lacks_is_said(tmp_path: Path, parts: tuple[str, ...], wanted: list[str]) -> None:
    data = DataSet(
        ClassTable(((0, "a"),)), "single_label", {part: StreamedPictures([].copy) for part in parts}
    )
    remarks = written(data, tmp_path)["remarks"]
    assert [remark.split("a folder ")[1].partition(";")[0] for remark in remarks] == wanted
    assert list(read(str(tmp_path), NO_OPTIONS).parts) == list(parts)


def lay_out(folder: Path, *names: str) -> str:
    for name in names:
        path = folder / "ds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return str(folder / "ds")


def test_folders_of_others_are_numbered_as_ultralytics_does(tmp_path: Path) -> None:
    place = lay_out(tmp_path, "train/b/1.jpg", "train/a/2.jpg", "val/b/3.jpg", "val/4.jpg")
    found = read(place, NO_OPTIONS)
    assert found.table.labels == ("a", "b")
    assert {part: [(one.ref, one.classes) for one in found.parts[part]] for part in found.parts} == {
        "train": [("ds/train/a/2.jpg", (0,)), ("ds/train/b/1.jpg", (1,))],
        "val": [("ds/val/4.jpg", ()), ("ds/val/b/3.jpg", (1,))],
    }
    assert found.remarks == (f"{place}: 1 picture in no folder of a class, without a label",)
    table = ClassTable(((3, "b"), (4, "a")))
    assert [one.classes for one in read(place, ReadOptions(classes=table)).parts["train"]] == [(4,), (3,)]


def test_what_is_laid_out_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="or train with a folder for each class, found none"):
        read(lay_out(tmp_path, "a/1.jpg", "b/1.jpg"), NO_OPTIONS)
    data = DataSet(ClassTable(((0, "a"),)), "single_label", {"train": StreamedPictures([].copy)})
    written(data, tmp_path / "gone")
    (tmp_path / "gone/train/a").rmdir()
    (tmp_path / "gone/train").rmdir()
    with pytest.raises((Refused, BadData), match="expected the folder train beside it"):
        read(str(tmp_path / "gone"), NO_OPTIONS)
