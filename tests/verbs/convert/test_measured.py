import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from manifest_tools.verbs.convert.from_format import convert_from
from tests.pictures import jpeg

if TYPE_CHECKING:
    from typer.testing import Result


@pytest.fixture
def sizeless(in_folder: Path) -> str:
    """A COCO file that does not say how large its pictures are, as some tools write it."""
    Path("raw").mkdir()
    Path("raw/1.jpg").write_bytes(jpeg(1, (60, 40)))
    value = {
        "images": [{"id": 1, "file_name": "1.jpg"}],
        "categories": [{"id": 1, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
    }
    Path("a.coco.json").write_text(json.dumps(value))
    return "a.coco.json"


def label(path: str) -> Any:
    return json.loads(Path(path).read_text())["label"]


def test_the_size_of_a_picture_comes_from_its_header(sizeless: str, run: Callable[..., "Result"]) -> None:
    done = convert_from(sizeless, "coco", "a.manifest", images=["raw"], source_prefix="s3://b/raw")
    assert label("a.manifest")["image_size"] == [{"width": 60, "height": 40, "depth": 3}]
    assert done.remarks == ()
    assert run("validate", "a.manifest").exit_code == 0


def test_where_nothing_says_the_size_that_is_said(sizeless: str) -> None:
    done = convert_from(sizeless, "coco", "a.manifest")
    assert done.remarks == (
        "1 picture with boxes of which nothing says the size, so no image_size (MT246): type --images with"
        " the folder where they lie",
    )


def test_a_picture_beside_the_data_set_is_found_without_a_word(sizeless: str) -> None:
    Path("raw/1.jpg").rename("1.jpg")
    convert_from(sizeless, "coco", "a.manifest")
    assert label("a.manifest")["image_size"] == [{"width": 60, "height": 40, "depth": 3}]
