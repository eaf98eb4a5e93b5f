"""A COCO file of any size, in any order: what stands where, and what is refused."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_tools.base.errors import BadData, MtoolError
from manifest_tools.formats import coco as coco_format
from manifest_tools.formats import coco_index
from manifest_tools.formats.coco import read
from manifest_tools.formats.coco_index import id_keys
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import Batch, Picture

NO_OPTIONS = ReadOptions()
CATEGORIES = [{"id": 1, "name": "a"}, {"id": 5, "name": "b"}]


def image(number: int | str) -> dict[str, Any]:
    return {"id": number, "file_name": f"{number}.jpg", "meta": {"deep": [{"}, {": "},{"}]}}


def annotation(number: int, of: int | str) -> dict[str, Any]:
    return {"id": number, "image_id": of, "category_id": 1 + 4 * (number % 2), "bbox": [number, 0, 1, 1]}


def lefts(pictures: Any) -> dict[str, list[float]]:
    """Return the left edges of the boxes of each picture."""
    return {picture.ref: [box.left for box in picture.boxes] for picture in pictures}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read a file some bytes at a time, and its pictures two by two."""
    from manifest_tools.io import sources

    chunks = sources.Source.chunks
    monkeypatch.setattr(sources.Source, "chunks", lambda source: chunks(source, 999))
    monkeypatch.setattr(coco_format, "_IMAGES", 2)
    monkeypatch.setattr(coco_format, "_LABELS", 3)


ORDERS = [
    ("images", "annotations", "categories"),
    ("annotations", "categories", "images"),
    ("categories", "annotations", "images"),
]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("strings", [False, True], ids=["numbers", "strings"])
@pytest.mark.usefixtures("small_pieces")
def test_annotations_find_their_images_in_any_order(
    tmp_path: Path, order: tuple[str, ...], indent: int | None, strings: bool
) -> None:
    chance = random.Random(7)
    ids: list[Any] = [f"i{n}" if strings else n * 10**15 - 5 for n in range(40)]
    chance.shuffle(ids)
    labels = [annotation(number, chance.choice(ids[:30])) for number in range(100)]
    whole = {"images": list(map(image, ids)), "annotations": labels, "categories": CATEGORIES}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({key: whole[key] for key in order}, indent=indent))
    found = read(str(path), NO_OPTIONS).parts[""]
    expected = {
        f"{one}.jpg": [label["bbox"][0] for label in labels if label["image_id"] == one] for one in ids
    }
    assert list(lefts(found).items()) == list(expected.items())
    assert list(found.map(_numbers, 2)) == list(found.map(_numbers, 1))


def _numbers(batch: Batch) -> tuple[int, list[Picture]]:
    return batch.labels_before, list(batch.pictures)


def test_a_picture_with_more_labels_than_a_batch_has_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coco_format, "_LABELS", 3)
    labels = [annotation(number, number // 7) for number in range(14)]
    path = tmp_path / "a.json"
    whole = {"images": [image(0), image(1), image(2)], "annotations": labels, "categories": CATEGORIES}
    path.write_text(json.dumps(whole))
    found = read(str(path), NO_OPTIONS).parts[""]
    assert [len(batch.boxes) for batch in found] == [7, 7, 0]


def test_a_compressed_file_is_read_through_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    whole = {"images": [image(0)], "annotations": [annotation(3, 0)], "categories": CATEGORIES}
    path.write_bytes(gzip.compress(json.dumps(whole).encode()))
    assert lefts(read(str(path), NO_OPTIONS).parts[""]) == {"0.jpg": [3]}


def test_one_file_name_under_two_ids_is_two_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    images = [{"id": n, "file_name": "1.jpg"} for n in (1, 2)]
    whole = {"images": images, "annotations": [annotation(3, 2)], "categories": CATEGORIES}
    path.write_text(json.dumps(whole))
    found = list(read(str(path), NO_OPTIONS).parts[""])
    assert [(picture.number, picture.ref, len(picture.boxes)) for picture in found] == [
        (1, "1.jpg", 0),
        (2, "1.jpg", 1),
    ]


def test_a_file_that_changes_while_it_is_read_is_not_mistaken_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    whole = {"images": [image(0)], "annotations": [annotation(3, 0)], "categories": CATEGORIES}
    path.write_text(json.dumps(whole))
    found = read(str(path), NO_OPTIONS).parts[""]
    path.write_text("[" * 1000)
    with pytest.raises(MtoolError, match="a.json: was changed while it was read; run the same command again"):
        list(found)


@given(st.lists(st.none() | st.integers(-(2**70), 2**70) | st.text(max_size=3), unique=True))
def test_every_id_has_a_number_of_its_own(ids: list[Any]) -> None:
    assert len(set(id_keys(ids).tolist())) == len(ids)
    assert id_keys(ids).tolist() == [int(id_keys([one])[0]) for one in ids]


def test_a_number_and_a_string_of_its_digits_are_two_ids() -> None:
    assert len(set(id_keys([5, "5", 2**63, str(2**63), None, "None"]).tolist())) == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"annotations": [annotation(1, 0)] * 3000 + [annotation(2, 0) | {"bbox": "x"}]},
            r"annotation 3,001: expected array \| null, found str - at \$.bbox",
            id="one of many",
        ),
        pytest.param({"images": [{"id": 1}]}, "image 1: object missing required field", id="no name"),
        pytest.param({"annotations": [[]]}, "annotation 1: expected object, found array", id="an array"),
        pytest.param({"images": [image(2**64), image(2**64)]}, f"id {2**64} is there twice", id="huge ids"),
        pytest.param(
            {"annotations": [annotation(1, 0) | {"segmentation": [[1, "x"]]}]},
            "annotation 1: segmentation: expected int | float, found str",
            id="polygons of words",
        ),
        pytest.param(
            {"annotations": [annotation(1, 0) | {"segmentation": {"counts": 3}, "image_id": "0"}]},
            "annotation 1: there is no image '0'",
            id="a string for a number",
        ),
        pytest.param(
            {"annotations": [annotation(n, 0) | {"category_id": n} for n in range(70_000)]},
            "expected at most 65,536 categories, found more",
            id="thousands of categories",
        ),
        pytest.param({"ground_truth": [1]}, "ground_truth: expected object", id="another ground_truth"),
    ],
)
def test_what_is_wrong_in_a_large_file_is_found_at_its_place(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": [image(0)], "annotations": [], "categories": CATEGORIES} | changes))
    with pytest.raises(BadData, match=f"^[^ ]*a.json: .*{message}") as refused:
        read(str(path), NO_OPTIONS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["images", "annotations"])
def test_more_than_can_be_sorted_in_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(coco_index, "MOST", 3)
    path = tmp_path / "a.json"
    images, labels = [image(n) for n in range(3)], [annotation(n, 0) for n in range(3)]
    whole = {"images": images, "annotations": labels, "categories": CATEGORIES}
    whole[key] = [*whole[key], *(image(9), annotation(9, 0))][: 3 + 1]
    path.write_text(json.dumps(whole))
    if key == "annotations":
        whole[key][3] = annotation(9, 0)
        path.write_text(json.dumps(whole))
    with pytest.raises(BadData, match=f"expected at most 3 {key}; cut the file into parts"):
        read(str(path), NO_OPTIONS)
