"""What comes back of a data set that was changed between going out and coming back."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.base.errors import BadData, Refused
from manifest_tools.groundtruth.classes import ClassConflict
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from tests.ground_truth import boxes, write
from tests.pictures import jpeg


def kind(number: int, index: int) -> dict[str, Any]:
    names = ("right hand", "left hand")
    metadata = {
        "confidence": 0.7,
        "class-name": names[index],
        "human-annotated": "no",
        "job-name": "labeling-job/a",
        "type": "groundtruth/image-classification",
    }
    return {
        "source-ref": f"s3://raw/{number}.jpg",
        "kind": index,
        "kind-metadata": metadata,
        "worker": number,
    }


@pytest.fixture
def by_class(in_folder: Path) -> Path:
    """A folder a class, of four pictures, with its side-car."""
    (in_folder / "raw").mkdir()
    for number in range(4):
        (in_folder / "raw" / f"{number}.jpg").write_bytes(jpeg(60 * number))
    lines = [json.dumps(kind(number, number % 2)) + "\n" for number in range(4)]
    Path("all.manifest").write_text("".join(lines))
    convert("all.manifest", "folder", "ds", images=["raw"], side_car=True)
    return Path("ds")


def back(place: str = "ds", name: str = "folder", **options: Any) -> tuple[list[dict[str, Any]], str]:
    """Return the lines that come back, and what is said of them."""
    done = convert_from(place, name, "back.manifest", force=True, **options)
    return list(map(json.loads, Path("back.manifest").read_text().splitlines())), "".join(done.remarks[-1:])


def test_a_picture_that_was_moved_to_another_class_changes_the_label_alone(
    by_class: Path,
) -> None:
    (by_class / "right hand" / "2.jpg").rename(by_class / "left hand" / "2.jpg")
    lines, said = back()
    old, new = kind(2, 0), lines[2]
    assert (new["kind"], new["kind-metadata"]["class-name"]) == (1, "left hand")
    assert (new["kind-metadata"]["human-annotated"], new["kind-metadata"]["confidence"]) == ("yes", 0)
    assert {**new, "kind": 0, "kind-metadata": 0} == {**old, "kind": 0, "kind-metadata": 0}
    assert [lines[0], lines[1], lines[3]] == [kind(0, 0), kind(1, 1), kind(3, 1)]
    assert said == "ds.side-car.jsonl: 3 lines as they were, 1 with another label"


def test_a_picture_that_has_gone_leaves_no_line_and_a_new_one_gets_one_at_the_end(by_class: Path) -> None:
    os.remove(by_class / "left hand" / "1.jpg")
    (by_class / "left hand" / "new.jpg").write_bytes(jpeg(9))
    lines, said = back()
    assert [line["source-ref"] for line in lines] == [
        *(f"s3://raw/{number}.jpg" for number in (0, 2, 3)),
        "ds/left hand/new.jpg",
    ]
    assert lines[-1]["kind"] == 1
    assert said == (
        "ds.side-car.jsonl: 3 lines as they were, 1 left out, since their pictures have gone,"
        " 1 added for new pictures"
    )


def test_a_box_that_was_moved_elsewhere_keeps_the_rest_of_its_line(in_folder: Path) -> None:
    line = boxes(1, ("RH", 0.5), ("LH", 0.25), **{"job-name": "a"})
    write(in_folder / "all.manifest", line)
    convert("all.manifest", "coco", "ds", side_car=True)
    value = json.loads(Path("ds.coco.json").read_text())
    value["annotations"][0]["bbox"][0] += 1
    del value["annotations"][0]["score"]
    Path("ds.coco.json").write_text(json.dumps(value))
    (found,), said = back("ds.coco.json", "coco")
    was = json.loads(Path("all.manifest").read_text())
    (name,) = (key for key in was if f"{key}-metadata" in was)
    moved = found[name]["annotations"][0]["left"] - was[name]["annotations"][0]["left"]
    assert (moved, said) == (1, "ds.side-car.jsonl: 0 lines as they were, 1 with another label")
    assert [one["confidence"] for one in found[f"{name}-metadata"]["objects"]] == [0, 0.25]
    assert found[f"{name}-metadata"]["job-name"] == was[f"{name}-metadata"]["job-name"]


def test_several_manifests_come_back_each_from_its_own(by_class: Path) -> None:
    shutil.copy("all.manifest", "more.manifest")
    convert(["all.manifest", "more.manifest"], "coco", "both", side_car=True)
    convert_from("both", "coco", "all-of-it")
    convert_from("both/more.coco.json", "coco", "one.manifest")
    for path in ("all-of-it/all.manifest", "all-of-it/more.manifest", "one.manifest"):
        assert Path(path).read_bytes() == Path("all.manifest").read_bytes()


def test_boxes_that_were_cut_off_come_back_whole(in_folder: Path) -> None:
    label = {
        "image_size": [{"width": 10, "height": 10, "depth": 3}],
        "annotations": [{"class_id": 0, "left": -3, "top": 2, "width": 20, "height": 4}],
    }
    metadata = {
        "objects": [{"confidence": 1}],
        "class-map": {"0": "x"},
        "type": "groundtruth/object-detection",
    }
    line = {"source-ref": "s3://raw/1.jpg", "box": label, "box-metadata": metadata}
    Path("all.manifest").write_text(json.dumps(line))
    done = convert("all.manifest", "coco", "ds", side_car=True, clip=True)
    assert done.remarks == ("1 box over the edge of the picture, cut off there",)
    assert json.loads(Path("ds.coco.json").read_text())["annotations"][0]["bbox"] == [0, 2, 10, 4]
    convert_from("ds.coco.json", "coco", "back.manifest")
    assert Path("back.manifest").read_bytes() == Path("all.manifest").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_attribute": "other"}, "--label-attribute other: ds.side-car.jsonl has kind; leave it out"),
        ({"source_prefix": "s3://b"}, "ds.side-car.jsonl says where the pictures lie; leave it out"),
    ],
)
def test_what_the_side_car_knows_better_is_refused(
    by_class: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        back(**options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a side-car"),
        ("[" * 10_000, "expected a side-car"),
        ("{}", "expected a side-car"),
        ("@\n[1, 2]", "ds.side-car.jsonl:2: expected .part, line, key."),
        ("@\n" + "\0" * (65 << 20), "ds.side-car.jsonl: expected lines of at most 64 MB"),
    ],
    ids=["nothing", "deep", "an object", "half", "long"],
)
def test_a_side_car_that_is_none_is_one_line(by_class: Path, text: str, message: str) -> None:
    path = Path("ds.side-car.jsonl")
    path.write_text(text.replace("@", path.read_text().splitlines()[0]))
    with pytest.raises(BadData, match=message) as refused:
        back()
    assert "\n" not in str(refused.value)


def test_a_class_table_that_was_edited_is_refused(by_class: Path) -> None:
    table = json.loads((by_class / "classes.json").read_text())
    table["classes"] = {"0": "left hand", "1": "right hand"}
    (by_class / "classes.json").write_text(json.dumps(table))
    with pytest.raises(BadData, match="ds/classes.json: its classes were edited"):
        back()


def test_classes_that_disagree_with_those_beside_the_data_set_are_refused(by_class: Path) -> None:
    os.remove("ds.side-car.jsonl")
    Path("names.txt").write_text("left hand\nright hand\n")
    with pytest.raises(ClassConflict, match="--classes and ds/classes.json disagree"):
        back(classes="names.txt")


def test_the_order_of_the_classes_comes_back_from_the_table_in_the_folder(by_class: Path) -> None:
    """Readers of folders number classes by sorted names, and left comes before right."""
    os.remove("ds.side-car.jsonl")
    lines, _ = back()
    assert {line["kind-metadata"]["class-name"]: line["kind"] for line in lines} == {
        "right hand": 0,
        "left hand": 1,
    }


def test_lines_that_name_objects_are_no_paths_however_they_are_spaced(by_class: Path) -> None:
    blank = Path("all.manifest").read_text() + "\n"
    Path("all.manifest").write_text(blank)
    convert("all.manifest", "folder", "ds", images=["raw"], side_car=True, force=True)
    done = convert_from("ds", "folder", "back.manifest")
    assert Path("back.manifest").read_text() == blank
    assert (done.pictures, done.on_this_disk) == (4, 0)


def test_a_data_yaml_stands_for_the_folder_in_which_it_is(
    by_class: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert("all.manifest", "yolo", "yolo", images=["raw"], side_car=True)
    monkeypatch.chdir("yolo")
    convert_from("data.yaml", "yolo", "../back.manifest")
    assert Path("../back.manifest").read_bytes() == Path("../all.manifest").read_bytes()


def test_one_odd_box_is_spoken_of_as_one(in_folder: Path) -> None:
    size = [{"width": 10, "height": 10, "depth": 3}]
    box = {"class_id": 0, "left": 5, "top": 2, "width": 20, "height": 0}
    label = {"image_size": size, "annotations": [box]}
    metadata = {"objects": [{}], "class-map": {"0": "x"}, "type": "groundtruth/object-detection"}
    Path("a.manifest").write_text(json.dumps({"source-ref": "s3://b/1", "k": label, "k-metadata": metadata}))
    assert convert("a.manifest", "coco", "ds").remarks == (
        "1 box over the edge of the picture, written as it is; many readers refuse it: type --clip",
        "1 box without width or height, written as it is; type --clip to leave it out",
    )


def test_a_part_of_parquet_finds_the_side_car_of_all(by_class: Path) -> None:
    shutil.copy("all.manifest", "more.manifest")
    convert(["all.manifest", "more.manifest"], "parquet", "both", images=["raw"], side_car=True)
    (part,) = Path("both").rglob("more*.parquet")
    convert_from(part, "parquet", "one.manifest")
    assert Path("one.manifest").read_bytes() == Path("all.manifest").read_bytes()
