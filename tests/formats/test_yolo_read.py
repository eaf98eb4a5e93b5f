import os
from pathlib import Path

import pytest

from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.formats.yolo import read
from manifest_tools.groundtruth.annotations import Box, Picture
from manifest_tools.groundtruth.classes import ClassTable
from tests.objects import turned
from tests.yolo_folders import NO_OPTIONS, PICTURE, TABLE, boxes, written


def lay_out(folder: Path, files: dict[str, str | bytes]) -> str:
    """Write files; what is None is a small picture."""
    for name, content in files.items():
        path = folder / "ds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(folder / "ds")


BOX = "1 0.5 0.5 0.5 0.5\n"
HALF = Box(1, 15, 10, 30, 20)
LAYOUTS: dict[str, tuple[dict[str, str | bytes], dict[str, list[str]]]] = {
    "ultralytics": (
        {
            "data.yaml": "path: ../datasets/coco8 # root\ntrain: images/train\nval: images/val\ntest:\n\n"
            "names:\n  0: person\n  1: bicycle\n\ndownload: |\n  import os\n  x = {y: [\n",
            "images/train/a.jpg": PICTURE,
            "labels/train/a.txt": BOX,
            "images/val/b.jpg": PICTURE,
            "labels/val/b.txt": "",
        },
        {"train": ["images/train/a.jpg"], "val": ["images/val/b.jpg"]},
    ),
    "roboflow": (
        {
            "data.yaml": "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\n"
            "names: ['person', 'it''s']\n\nroboflow:\n  workspace: x\n  version: 1\n",
            "train/images/a.jpg": PICTURE,
            "train/labels/a.txt": BOX,
            "valid/images/b.jpg": PICTURE,
            "valid/labels/b.txt": BOX,
        },
        {"train": ["train/images/a.jpg"], "valid": ["valid/images/b.jpg"]},
    ),
    "lists": (
        {
            "data.yaml": "path: C:\\data\ntrain: [train.txt]\nval: lists/val.txt\nnames: [person, bicycle]\n",
            "train.txt": "./images/x/b.jpg\n\nimages\\x\\a.jpg\n",
            "lists/val.txt": "images/x/c.jpg\n",
            **{f"images/x/{name}.jpg": PICTURE for name in "abc"},
            **{f"labels/x/{name}.txt": BOX for name in "abc"},
        },
        {"train": ["images/x/b.jpg", "images/x/a.jpg"], "val": ["images/x/c.jpg"]},
    ),
    "darknet": (
        {
            "obj.data": "classes = 2\ntrain = data/train.txt\nval = data/val.txt\nnames = data/obj.names\n",
            "obj.names": "person\nbicycle\n",
            "train.txt": "data/obj_train_data/a.jpg\n",
            "obj_train_data/a.jpg": PICTURE,
            "obj_train_data/a.txt": BOX,
            "val.txt": "data/obj_val_data/b.jpg\n",
            "obj_val_data/b.jpg": PICTURE,
        },
        {"train": ["obj_train_data/a.jpg"], "val": ["obj_val_data/b.jpg"]},
    ),
    "names alone in the YAML": (
        {"data.yaml": "nc: 2\nnames: [person, bus]\n", "images/a.jpg": PICTURE, "labels/a.txt": BOX},
        {"": ["images/a.jpg"]},
    ),
    "beside": (
        {"a.jpg": PICTURE, "a.txt": BOX, "b/c.jpg": PICTURE, "b/c.txt": BOX, "classes.txt": "person\nbus\n"},
        {"": ["a.jpg", "b/c.jpg"]},
    ),
    "images and labels": (
        {"images/a.jpg": PICTURE, "labels/a.txt": BOX, "classes.txt": "person\nbus\n"},
        {"": ["images/a.jpg"]},
    ),
    "images and labels with parts": (
        {"images/train/a.jpg": PICTURE, "labels/train/a.txt": BOX, "labels/classes.txt": "person\nbus\n"},
        {"train": ["images/train/a.jpg"]},
    ),
    "parts without a file": (
        {"train/images/a.jpg": PICTURE, "train/labels/a.txt": BOX, "test/images/b.jpg": PICTURE},
        {"test": ["test/images/b.jpg"], "train": ["train/images/a.jpg"]},
    ),
    "one place under two keys": (
        {"data.yml": "train: images\nval: images\nnc: 2\n", "images/a.jpg": PICTURE, "labels/a.txt": BOX},
        {"": ["images/a.jpg"]},
    ),
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


def test_what_does_not_belong_together_is_counted_apart(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "data.yaml": "train: images\nval: more.txt\nnames: {0: a, 1: b}\nkpt_shape: [17, 3]\ntest: gone\n",
        **{f"images/{name}.jpg": PICTURE for name in ("a", "b", "c")},
        "images/broken.jpg": b"no picture",
        "labels/a.txt": BOX,
        **{f"labels/{name}.txt": BOX for name in ("x", "y", "broken")},
        "more.txt": "images/z.jpg\n",
    }
    place = lay_out(tmp_path, files)
    found = read(place, NO_OPTIONS)
    assert [len(one.boxes) for one in found.parts["train"]] == [1, 0, 0]
    assert found.lost == {
        "label files without a picture": 2,
        "pictures of a list that are not there": 1,
        "pictures that cannot be read": 1,
    }
    assert found.remarks == tuple(
        f"{place}/data.yaml: {text}"
        for text in (
            "pictures without a label file: 2 (images/b.jpg, ...), taken to show nothing, as Ultralytics"
            " does",
            "label files without a picture: 2 (labels/x.txt, ...)",
            "pictures of a list that are not there: 1 (images/z.jpg)",
            "pictures that cannot be read: 1 (images/broken.jpg)",
            "named and not there: test: gone",
            "keypoints are left out; their boxes are read",
        )
    )


def test_classes_get_the_indices_that_are_told(tmp_path: Path) -> None:
    place = lay_out(tmp_path, LAYOUTS["images and labels"][0])
    table = ClassTable(((3, "bus"), (5, "person")))
    found = read(place, ReadOptions(classes=table))
    assert [box.class_index for one in found.parts[""] for box in one.boxes] == [3]
    with pytest.raises(BadData, match="--classes does not list the class 'bus'; add it"):
        read(place, ReadOptions(classes=ClassTable(((0, "person"),))))
    os.remove(f"{place}/classes.txt")
    assert read(place, NO_OPTIONS).table.names == ((1, "class 1"),)
    assert read(place, ReadOptions(classes=TABLE)).table == TABLE


def test_a_turned_picture_is_measured_upright(tmp_path: Path) -> None:
    place = lay_out(tmp_path, LAYOUTS["images and labels"][0] | {"images/a.jpg": turned(6)})
    (picture,) = read(place, NO_OPTIONS).parts[""]
    assert (picture.size, picture.boxes) == ((40, 60), (Box(1, 10, 15, 20, 30),))


def test_predictions_have_a_confidence(tmp_path: Path) -> None:
    text = "1 0.5 0.5 0.5 0.5 0.75\n0 0 0 0.5 0 0.5 0.5 0.25\n"
    place = lay_out(tmp_path, LAYOUTS["images and labels"][0] | {"labels/a.txt": text})
    (picture,) = read(place, NO_OPTIONS).parts[""]
    assert picture.boxes == (
        Box(1, 15, 10, 30, 20, 0.75),
        Box(0, 0, 0, 30, 20, 0.25, ((0, 0, 30, 0, 30, 20),)),
    )


HOSTILE_LABELS = {
    "1 0.5 0.5 0.5": "expected a class and 4 numbers, or an outline, found 3 numbers",
    "x 0.5 0.5 0.5 0.5": "expected a number, found 'x'",
    "2 0.5 0.5 0.5 0.5": "expected a class below 2",
    "-1 0.5 0.5 0.5 0.5": "expected the number of a class, found '-1'",
    "0.5 0.5 0.5 0.5 0.5": "expected the number of a class",
    "1 nan 0.5 0.5 0.5": "expected a number, found 'nan'",
    "1 1e999 0.5 0.5 0.5": "expected a number, found '1e999'",
    "1 1_0 0.5 0.5 0.5": "expected a number",
    "9" * 5000 + " 0 0 0 0": "expected a number",
    "1,0.5,0.5,0.5,0.5": "expected a number",
}


@pytest.mark.parametrize("line", HOSTILE_LABELS, ids=lambda line: line[:20])
def test_a_hostile_line_is_named(tmp_path: Path, line: str) -> None:
    files = LAYOUTS["images and labels"][0] | {"labels/a.txt": f"{BOX}\n{line}\n"}
    with pytest.raises(BadData, match=r"labels/a.txt:3: ") as caught:
        list(read(lay_out(tmp_path, files), NO_OPTIONS).parts[""])
    assert HOSTILE_LABELS[line] in str(caught.value)


def test_numbers_of_classes_without_names_are_checked_too(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"images/a.jpg": PICTURE, "labels/a.txt": "99999999 0 0 0 0\n"}
    with pytest.raises(BadData, match="labels/a.txt:1: expected the number of a class"):
        read(lay_out(tmp_path, files), NO_OPTIONS)


HOSTILE_YAML = {
    "- a": "data.yaml:1: expected KEY: VALUE",
    "names: [a": "closed at the end",
    "names: &x [a]": "expected a text, found '&x [a]'",
    "names: !!python/object:os.system x": "expected a text",
    "names: {a: b}": "names: expected numbers as keys",
    "names: {0: [a]}": "expected one level of brackets",
    "names: [a, a]": "class 'a' has two indices: 0 and 1",
    "names: a": "names: expected a list of the classes, found 'a'",
    "nc: 99999999999": "expected names",
    "train: images": "expected names",
    "names: [a]\ntrain: ../../etc": "found none of train",
    "names: [a]\ntrain: /etc": "found none of train",
    "names: [a]\ntrain: {a: b}": "train: expected a folder or a list",
    "names: [a]\ntrain: images\nnames: [b]": "data.yaml:3: the key 'names' is there twice",
    "names: [a]\ntrain: images\nground_truth: {": "ground_truth: expected what mtool writes",
    "names: [a]\ntrain: images\nground_truth: " + "[" * 10**6: "ground_truth: expected what mtool writes",
    'names: ["\\q"]': "write it in double quotes",
    "names:\n  0: a\n    b: c": "more than one level",
    "names: [a]\ntrain: hostile.txt": "hostile.txt:1: expected a picture below",
    "a" + " " * 200_000: "expected KEY: VALUE",
}


@pytest.mark.parametrize("name", ["data.yaml", "labels/a.txt"])
def test_a_fifo_in_the_folder_is_not_waited_for(tmp_path: Path, name: str) -> None:
    place = lay_out(tmp_path, LAYOUTS["images and labels"][0])
    Path(place, name).unlink(missing_ok=True)
    os.mkfifo(Path(place, name))
    with pytest.raises(Refused, match=f"{name}: expected a file, found something else"):
        list(read(place, NO_OPTIONS).parts[""])


@pytest.mark.parametrize("text", HOSTILE_YAML, ids=lambda text: text[:30])
def test_a_hostile_yaml_gives_a_sentence(tmp_path: Path, text: str) -> None:
    files: dict[str, str | bytes] = {"data.yaml": text, "images/a.jpg": PICTURE, "hostile.txt": "../../x.jpg"}
    with pytest.raises(MtoolError) as caught:
        read(lay_out(tmp_path, files), NO_OPTIONS)
    assert HOSTILE_YAML[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    written(boxes(Picture(1, "s3://b/1.jpg")), tmp_path)
    path = tmp_path / "data.yaml"
    text = path.read_text()
    path.write_text(text.replace('1: "LH"', '1: "HL"'))
    with pytest.raises(BadData, match="names and ground_truth disagree"):
        read(str(tmp_path), NO_OPTIONS)
    path.write_text(text.replace('"1": "LH"', '"1": "HL"').replace('1: "LH"', '1: "HL"'))
    with pytest.raises(BadData, match="its class table was changed by hand"):
        read(str(tmp_path), NO_OPTIONS)
    path.write_text(text.replace('{"": "images"}', '{"../../x": "images"}'))
    with pytest.raises(BadData, match="its parts are no names of folders"):
        read(str(tmp_path), NO_OPTIONS)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected data.yaml, folders images and labels, or train"):
        read(lay_out(tmp_path, {"cat/a.jpg": PICTURE}), NO_OPTIONS)
