import contextlib
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from manifest_tools.base.errors import BadData, MtoolError, Refused
from manifest_tools.formats.coco import read, write
from manifest_tools.formats.coco_file import Category, class_indices
from manifest_tools.formats.protocol import Files, ReadOptions
from manifest_tools.groundtruth.annotations import (
    Box,
    DataSet,
    Picture,
    Provenance,
    StreamedPictures,
)
from manifest_tools.groundtruth.classes import ClassTable
from manifest_tools.images.unusable import Unusable
from manifest_tools.io.sinks import publishing
from tests.data_sets import data_sets, shown
from tests.write_options import for_names_only

# The trap of a difficult data set: one name in two folders, a picture without an object, a crowd, ids in no
# order, one of them 0, with gaps, and a score.
TRAP = {
    "images": [
        {"id": 30, "file_name": "left/1.jpg", "width": 640, "height": 480, "license": 1},
        {"id": 10, "file_name": "right/1.jpg", "width": 480, "height": 640},
        {"id": 20, "file_name": "empty.jpg", "width": 8, "height": 8, "date_captured": "2024-01-01"},
    ],
    "categories": [
        {"id": 7, "name": "dog", "supercategory": "animal"},
        {"id": 0, "name": "cat"},
        {"id": 3, "name": "ant"},
    ],
    "annotations": [
        {"id": 5, "image_id": 10, "category_id": 0, "bbox": [1, 2, 3.5, 4], "area": 14, "score": 0.25},
        {"id": 9, "image_id": 30, "category_id": 7, "bbox": [0, 0, 640, 480], "iscrowd": 0},
        {
            "id": 6,
            "image_id": 30,
            "category_id": 3,
            "bbox": [5, 5, 1, 1],
            "iscrowd": 1,
            "segmentation": {"size": [480, 640], "counts": [5, 1]},
        },
        {
            "id": 7,
            "image_id": 10,
            "category_id": 3,
            "bbox": [9, 9, 1, 1],
            "segmentation": [[9, 9, 10, 9, 10, 10]],
        },
    ],
}
A, B, *_ = TRAP["annotations"]
NO_OPTIONS = ReadOptions()


def written(
    data: DataSet, folder: str | Path, unusable: list[tuple[str, int, Unusable]] | None = None
) -> dict[str, Path]:
    """Write a data set; return the file of each part."""
    problems: list[tuple[str, int, Unusable]] = [] if unusable is None else unusable
    options = for_names_only(lambda *problem: problems.append(problem))
    with publishing() as publication:
        write(data, Files(publication, f"{folder}/out", ".coco.json"), options)
    assert unusable is not None or problems == []
    return dict(zip(data.parts, (Path(output.path) for output in publication.published), strict=True))


def coco(folder: Path, **changes: Any) -> str:
    """Write the trap with changes; return the path."""
    path = folder / "instances.json"
    path.write_text(json.dumps(TRAP | changes))
    return str(path)


def boxes(*found: Picture, names: tuple[str, ...] = ("RH", "LH")) -> DataSet:
    return DataSet(ClassTable(tuple(enumerate(names))), "boxes", {"": StreamedPictures(lambda: found)})


@given(data_sets("single_label", "multi_label", "boxes"))
def test_what_is_written_is_read_again(data: DataSet) -> None:
    with TemporaryDirectory() as folder:
        files = written(data, folder)
        found = read(str(files[""] if "" in files else Path(folder, "out")), NO_OPTIONS)
        assert shown(found) == shown(data)
    assert (found.table, found.label_kind, found.attribute) == (data.table, data.label_kind, data.attribute)
    assert found.lost == {}


@given(data_sets("single_label", "multi_label", "boxes"))
def test_pycocotools_reads_the_same(data: DataSet) -> None:
    from pycocotools.coco import COCO

    with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        files = written(data, folder)
        read_by_others = {part: COCO(str(path)) for part, path in files.items()}
    for part, found in read_by_others.items():
        expected = list(data.parts[part])
        assert {key: value["name"] for key, value in found.cats.items()} == {
            index + 1: name for index, name in data.table.names
        }
        assert list(found.imgs) == [picture.number for picture in expected]
        assert len(found.getAnnIds()) == sum(len(p.boxes or p.classes) for p in expected)
        for picture in expected:
            image = found.loadImgs([picture.number])[0]
            labels = found.loadAnns(found.getAnnIds(imgIds=[picture.number]))
            assert picture.size in (None, (image.get("width"), image.get("height")))
            assert tuple(label["category_id"] - 1 for label in labels) == (
                picture.classes or tuple(box.class_index for box in picture.boxes)
            )
            assert [label.get("bbox") for label in labels if "bbox" in label] == [
                [box.left, box.top, box.width, box.height] for box in picture.boxes
            ]


def test_pycocotools_finds_boxes_by_area_and_crowd(tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    picture = Picture(1, "s3://raw/1.jpg", (640, 480), boxes=(Box(0, 1, 2, 3, 4), Box(1, 0, 0, 20, 30)))
    with contextlib.redirect_stdout(io.StringIO()):
        found = COCO(str(written(boxes(picture), tmp_path)[""]))
    assert found.getAnnIds(areaRng=[100, 1000], iscrowd=False) == [2]
    assert found.getCatIds(catNms=["LH"]) == [2]


def test_a_file_says_what_the_manifest_said(tmp_path: Path) -> None:
    picture = Picture(
        7,
        "s3://raw/left/1.jpg",
        (640, 480),
        3,
        boxes=(Box(1, 10, 20, 0.5, 50, 0.9),),
        provenance=Provenance("labeling-job/x", "yes"),
    )
    other = Picture(9, "s3://raw/2.jpg", (8, 8))
    assert json.loads(written(boxes(picture, other), tmp_path)[""].read_bytes()) == {
        "info": {"description": "Labels of Amazon SageMaker Ground Truth"},
        "licenses": [],
        "ground_truth": {"label_attribute": "label", "label_kind": "boxes"},
        "categories": [
            {"id": 1, "name": "RH", "supercategory": "", "ground_truth_class_id": 0},
            {"id": 2, "name": "LH", "supercategory": "", "ground_truth_class_id": 1},
        ],
        "images": [
            {
                "id": 7,
                "file_name": "left/1.jpg",
                "width": 640,
                "height": 480,
                "depth": 3,
                "coco_url": "s3://raw/left/1.jpg",
                "ground_truth": {"job-name": "labeling-job/x", "human-annotated": "yes"},
            },
            {"id": 9, "file_name": "2.jpg", "width": 8, "height": 8, "coco_url": "s3://raw/2.jpg"},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 7,
                "category_id": 2,
                "bbox": [10, 20, 0.5, 50],
                "area": 25.0,
                "iscrowd": 0,
                "segmentation": [],
                "score": 0.9,
            }
        ],
    }


def test_classes_are_annotations_without_a_box(tmp_path: Path) -> None:
    table = ClassTable(((0, "RH"), (2, "LH")))
    pictures = [
        Picture(1, "s3://raw/1.jpg", classes=(2, 0), confidences=(0.5, None)),
        Picture(2, "s3://raw/2.jpg"),
    ]
    data = DataSet(table, "multi_label", {"": StreamedPictures(lambda: pictures)})
    assert json.loads(written(data, tmp_path)[""].read_bytes())["annotations"] == [
        {"id": 1, "image_id": 1, "category_id": 3, "score": 0.5},
        {"id": 2, "image_id": 1, "category_id": 1},
    ]


def test_parts_share_one_table_and_one_folder_of_pictures(tmp_path: Path) -> None:
    parts = {
        "train": StreamedPictures(lambda: [Picture(1, "s3://raw/a/1.jpg", boxes=(Box(0, 1, 1, 1, 1),))]),
        "validation": StreamedPictures(lambda: [Picture(1, "s3://raw/b/1.jpg", boxes=(Box(1, 1, 1, 1, 1),))]),
    }
    files = written(DataSet(ClassTable(((0, "RH"), (1, "LH"))), "boxes", parts), tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in files.values()] == [
        "out/train.coco.json",
        "out/validation.coco.json",
    ]
    found = [json.loads(path.read_bytes()) for path in files.values()]
    assert found[0]["categories"] == found[1]["categories"]
    assert [file["images"][0]["file_name"] for file in found] == ["a/1.jpg", "b/1.jpg"]


@pytest.mark.parametrize(
    "ref",
    [
        "s3://raw/a/../../x.jpg",
        "s3://raw//etc/x.jpg",
        "s3://raw/C:/x.jpg",
        "../x.jpg",
        "/etc/x",
        "s3://raw/a\\..\\x",
    ],
)
def test_a_name_that_leads_out_of_the_folder_is_left_out_and_reported(tmp_path: Path, ref: str) -> None:
    unusable: list[tuple[str, int, Unusable]] = []
    pictures = [Picture(n, f"s3://raw/{n}.jpg", boxes=(Box(0, 1, 1, 1, 1),)) for n in (1, 3)]
    bad = Picture(2, ref, boxes=(Box(0, 1, 1, 1, 1),))
    path = written(boxes(pictures[0], bad, pictures[1]), tmp_path, unusable)[""]
    assert [(part, number, why.code) for part, number, why in unusable] == [("", 2, "MT405")]
    found = json.loads(path.read_bytes())
    assert [image["id"] for image in found["images"]] == [1, 3]
    assert len({annotation["id"] for annotation in found["annotations"]}) == 2


def test_a_file_of_others_is_read_with_its_traps(tmp_path: Path) -> None:
    found = read(coco(tmp_path), NO_OPTIONS)
    outlined = Box(1, 9, 9, 1, 1, outline=((9, 9, 10, 9, 10, 10),))
    assert found.table.names == ((0, "cat"), (1, "ant"), (2, "dog"))
    assert (found.label_kind, found.attribute) == ("boxes", "label")
    assert list(found.parts[""]) == [
        Picture(30, "left/1.jpg", (640, 480), boxes=(Box(2, 0, 0, 640, 480),)),
        Picture(10, "right/1.jpg", (480, 640), boxes=(Box(0, 1, 2, 3.5, 4, 0.25), outlined)),
        Picture(20, "empty.jpg", (8, 8)),
    ]
    assert found.lost == {"crowd regions": 1}


def labels(*pairs: tuple[int, int]) -> list[dict[str, int]]:
    """Return annotations without a box, of images and categories."""
    return [{"id": n, "image_id": image, "category_id": one} for n, (image, one) in enumerate(pairs, 1)]


@pytest.mark.parametrize(
    ("annotations", "kind", "classes"),
    [
        pytest.param(labels((10, 0), (20, 7), (30, 3)), "single_label", [(1,), (0,), (2,)], id="one each"),
        pytest.param(
            labels((10, 0), (10, 7), (30, 3)), "multi_label", [(1,), (0, 2), ()], id="two, one, none"
        ),
        pytest.param([], "boxes", [(), (), ()], id="nothing at all is pictures without a box"),
    ],
)
def test_annotations_without_boxes_are_classes(
    tmp_path: Path, annotations: list[dict[str, int]], kind: str, classes: list[tuple[int, ...]]
) -> None:
    found = read(coco(tmp_path, annotations=annotations), NO_OPTIONS)
    assert found.label_kind == kind
    assert [picture.classes for picture in found.parts[""]] == classes


def test_ids_may_be_strings(tmp_path: Path) -> None:
    images = [{"id": name, "file_name": f"{name}.jpg"} for name in ("b-1", "a-2")]
    annotations = [{"id": "x", "image_id": "a-2", "category_id": 0}]
    found = read(coco(tmp_path, images=images, annotations=annotations), NO_OPTIONS)
    assert list(found.parts[""]) == [Picture(1, "b-1.jpg"), Picture(2, "a-2.jpg", classes=(0,))]


def test_a_class_among_boxes_is_left_out_and_counted(tmp_path: Path) -> None:
    some = [A, B | {"id": 6}, *labels((20, 0), (20, 3))]
    found = read(coco(tmp_path, annotations=some), NO_OPTIONS)
    assert found.lost == {"annotations without a box": 2}
    assert [len(picture.boxes) for picture in found.parts[""]] == [1, 1, 0]


def test_a_class_table_says_which_index_a_category_has(tmp_path: Path) -> None:
    table = ClassTable(((0, "dog"), (4, "ant"), (5, "cat"), (6, "elk")))
    found = read(coco(tmp_path), ReadOptions(classes=table))
    assert [[box.class_index for box in picture.boxes] for picture in found.parts[""]] == [[0], [5, 4], []]
    assert found.table == table
    with pytest.raises(BadData, match="--classes does not list the category 'ant'; add it"):
        read(coco(tmp_path), ReadOptions(classes=ClassTable(((0, "dog"), (1, "cat")))))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([(1, None), (2, None)], {1: 0, 2: 1}, id="from 1"),
        pytest.param([(90, None), (1, None), (13, None)], {1: 0, 13: 1, 90: 2}, id="with gaps, in no order"),
        pytest.param([(1, 4), (2, 0)], {1: 4, 2: 0}, id="as mtool wrote them"),
        pytest.param([(5, 4), (2, None)], {2: 0, 5: 1}, id="only some as mtool wrote them"),
    ],
)
def test_category_ids_become_class_indices(given: Any, expected: dict[int, int]) -> None:
    categories = [Category(number, str(number), None, index) for number, index in given]
    assert class_indices("a.json", categories) == expected


@pytest.mark.parametrize(
    ("file_name", "prefix", "ref"),
    [
        pytest.param("left/1.jpg", "s3://b/raw", "s3://b/raw/left/1.jpg", id="below a prefix"),
        pytest.param("left/1.jpg", "s3://b/raw/", "s3://b/raw/left/1.jpg", id="below a prefix with a slash"),
        pytest.param("left\\1.jpg", "s3://b", "s3://b/left/1.jpg", id="as Windows writes it"),
        pytest.param("left/1.jpg", "", "left/1.jpg", id="on this disk"),
        pytest.param("é #%.jpg", "s3://b", "s3://b/é #%.jpg", id="with odd characters"),
    ],
)
def test_pictures_lie_where_the_prefix_says(tmp_path: Path, file_name: str, prefix: str, ref: str) -> None:
    path = coco(tmp_path, images=[{"id": 1, "file_name": file_name}], annotations=[])
    assert [p.ref for p in read(path, ReadOptions(prefix)).parts[""]] == [ref]


def test_a_uri_of_the_file_counts_unless_a_prefix_is_given(tmp_path: Path) -> None:
    image = {"id": 1, "file_name": "../1.jpg", "coco_url": "s3://raw/1.jpg"}
    path = coco(tmp_path, images=[image], annotations=[])
    assert [p.ref for p in read(path, NO_OPTIONS).parts[""]] == ["s3://raw/1.jpg"]
    with pytest.raises(BadData, match="image 1: expected a file_name below a folder, found '../1.jpg'"):
        list(read(path, ReadOptions("s3://b")).parts[""])


@pytest.mark.parametrize(
    "name", ["../x.jpg", "/etc/passwd", "C:\\x.jpg", "a/../../x", "a\\..\\x", "", "\\\\host\\x"]
)
def test_a_hostile_file_name_is_refused(tmp_path: Path, name: str) -> None:
    path = coco(tmp_path, images=[{"id": 1, "file_name": name}], annotations=[])
    with pytest.raises(BadData, match="expected a file_name below a folder"):
        list(read(path, NO_OPTIONS).parts[""])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": [A | {"image_id": 99}]}, "annotation 1: there is no image 99"),
        ({"annotations": [A, B | {"category_id": 99}]}, "annotation 2: there is no category 99"),
        ({"annotations": [A, B | {"id": 5}]}, "the annotation id 5 is there twice"),
        ({"images": TRAP["images"] * 2}, "the image id 30 is there twice"),
        ({"categories": TRAP["categories"] * 2}, "the category id 7 is there twice"),
        ({"categories": [{"id": n, "name": "x"} for n in (0, 3, 7)]}, "class 'x' has two indices: 0 and 1"),
        ({"images": []}, "expected images, found none"),
        ({"images": None}, "expected images to be an array at byte 11, found null"),
        ({"images": [{"id": [], "file_name": "x"}]}, r"image 1: expected int \| str, found array - at \$.id"),
        ({"images": [{"id": "a", "file_name": "x"}] * 2}, "the image id 'a' is there twice"),
        ({"annotations": [A | {"bbox": [1, 2, 3]}]}, "expected array of length 4"),
        ({"annotations": [A | {"bbox": ["1", 2, 3, 4]}]}, "found str"),
        ({"categories": [{"id": 1}]}, "missing required field name"),
        ({"annotations": [A | {"bbox": [1, 2, 3, float("nan")]}]}, "not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_contradicts_itself_is_refused_with_a_sentence(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(MtoolError, match=f"instances.json: .*{message}"):
        read(coco(tmp_path, **changes), NO_OPTIONS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"[]", r"expected an object at byte 0, found \[\]", id="an array"),
        pytest.param(b'{"images":[', "found the end of the file in it", id="cut off"),
        pytest.param(b"", "found the end of the file in it", id="empty"),
        pytest.param(
            b'{"info":' + b"[" * 10**5 + b"]" * 10**5 + b"}",
            "info: not readable: nested too deeply",
            id="deep",
        ),
        pytest.param(
            b'{"images":' + b'{"a":' * 10**6,
            "expected images to be an array at byte 10",
            id="deep in the wrong place",
        ),
        pytest.param(b'{"images":[{"id":1,"file_name":"\xff"}]}', "not UTF-8|not JSON", id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", "found a byte-order mark", id="with a byte-order mark"),
        pytest.param(b"{}", "found none of its images", id="another object"),
    ],
)
def test_what_is_no_coco_is_refused_with_a_sentence(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(BadData, match=f"a.json: expected a COCO file.*({message})"):
        read(str(path), NO_OPTIONS)


def test_a_place_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected a COCO file, found no such file"):
        read(str(tmp_path / "none.json"), NO_OPTIONS)
    with pytest.raises(Refused, match=r"expected COCO files in this folder, found no \*.json"):
        read(str(tmp_path), NO_OPTIONS)


def test_parts_whose_classes_disagree_are_refused(tmp_path: Path) -> None:
    coco(tmp_path)
    named = zip((0, 3, 7), ("cat", "bee", "dog"), strict=True)
    other = TRAP | {"categories": [{"id": number, "name": name} for number, name in named]}
    (tmp_path / "train.coco.json").write_text(json.dumps(other))
    with pytest.raises(BadData, match="train.coco.json and .*instances.json disagree: class 1 has two names"):
        read(str(tmp_path), NO_OPTIONS)
