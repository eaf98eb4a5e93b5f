"""Masks go out as COCO's run lengths, and come back as masks."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

from manifest_tools.base.errors import BadData
from manifest_tools.formats.coco import read
from manifest_tools.formats.coco_masks import colour_of, encoded
from manifest_tools.formats.protocol import ReadOptions
from manifest_tools.groundtruth.annotations import Mask, Picture
from manifest_tools.images.mask_classes import colours_of
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from tests.pictures import write_manifest

COLOURS = {0: ("BACKGROUND", "#ffffff"), 1: ("road", "#ff0000"), 4: ("sky", "#0000ff")}
SHADES = {".": (255, 255, 255), "r": (255, 0, 0), "b": (0, 0, 255), "?": (1, 2, 3)}
MASK = """
..bbbbbb
.rrrrr.b
.r...r.b
.r.b.r..
.r...r.r
.rrrrr..
"""


def png(text: str = MASK) -> bytes:
    """Return a mask: a dot is the background, r road, b sky, and a question mark no class."""
    out = io.BytesIO()
    pixels = np.array([[SHADES[sign] for sign in row] for row in text.split()], np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def manifest(folder: Path, *found: bytes) -> str:
    """Write a manifest and its masks in ./raw; the pictures are nowhere."""
    (folder / "raw" / "masks").mkdir(parents=True)
    lines: list[dict[str, Any]] = []
    colours = {
        str(index): {"class-name": name, "hex-color": hex, "confidence": 0.5}
        for index, (name, hex) in COLOURS.items()
    }
    for number, content in enumerate(found):
        (folder / "raw" / "masks" / f"{number}.png").write_bytes(content)
        metadata = {"internal-color-map": colours, "type": "groundtruth/semantic-segmentation"}
        ref = f"s3://raw/{number}.jpg"
        lines.append({"source-ref": ref, "m-ref": f"s3://raw/masks/{number}.png", "m-ref-metadata": metadata})
    return write_manifest(folder / "m.manifest", lines)


def test_pycocotools_finds_the_pixels_of_each_class(in_folder: Path) -> None:
    from pycocotools.coco import COCO

    done = convert(manifest(in_folder, png(), png("........\n" * 6)), "coco", "ds", images=["raw"])
    assert (done.pictures, done.problems, done.remarks) == (2, (), ())
    with contextlib.redirect_stdout(io.StringIO()):
        found = COCO("ds.coco.json")
    labels = found.loadAnns(found.getAnnIds(imgIds=[1]))
    assert [(one["id"], one["category_id"], one["iscrowd"]) for one in labels] == [(1, 2, 0), (2, 5, 0)]
    for one, sign in zip(labels, "rb", strict=True):
        expected = np.array([[pixel == sign for pixel in row] for row in MASK.split()])
        assert np.array_equal(found.annToMask(one), expected)
        assert one["area"] == expected.sum()
    assert labels[0]["bbox"] == [1, 1, 7, 5]
    assert (found.imgs[2]["width"], found.imgs[2]["height"], found.getAnnIds(imgIds=[2])) == (8, 6, [])


def test_masks_are_drawn_again_pixel_by_pixel(in_folder: Path) -> None:
    empty = png("........\n" * 6)
    convert(manifest(in_folder, png(), empty), "coco", "ds", images=["raw"])
    done = convert_from("ds.coco.json", "coco", "back.manifest")
    assert done.lost == {}
    lines = [json.loads(line) for line in Path("back.manifest").read_text().splitlines()]
    for line, content in zip(lines, (png(), empty), strict=True):
        assert np.array_equal(colours_of(Path(line["m-ref"]).read_bytes()), colours_of(content))
    before = [json.loads(line) for line in Path("m.manifest").read_text().splitlines()]
    assert [line["m-ref-metadata"] for line in lines] == [line["m-ref-metadata"] for line in before]
    assert [line["source-ref"] for line in lines] == ["s3://raw/0.jpg", "s3://raw/1.jpg"]


def test_a_colour_that_is_no_class_is_in_no_annotation_and_counted(in_folder: Path) -> None:
    done = convert(manifest(in_folder, png("??r."), png("rrbb")), "coco", "ds", images=["raw"])
    assert done.remarks == ("1 mask with 2 pixels of colours that are no class: in no annotation",)
    assert [one["area"] for one in json.loads(Path("ds.coco.json").read_text())["annotations"]] == [1, 2, 2]


def test_a_mask_that_is_not_there_leaves_its_picture_out(in_folder: Path) -> None:
    path = manifest(in_folder, png(), png())
    Path("raw/masks/0.png").write_bytes(b"no picture")
    done = convert(path, "coco", "ds", images=["raw"])
    assert (done.pictures, [problem.line for problem in done.problems]) == (1, [1])
    whole = json.loads(Path("ds.coco.json").read_text())
    assert ([one["id"] for one in whole["images"]], len(whole["annotations"])) == ([2], 2)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 3)))
def test_any_mask_is_the_same_again(classes: NDArray[np.uint8]) -> None:
    from pycocotools import mask as coco

    palette = np.array([(255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)], np.uint8)
    out = io.BytesIO()
    Image.fromarray(palette[classes]).save(out, "PNG")
    colours = ((0, "#ffffff"), (1, "#ff0000"), (2, "#00ff00"), (3, "#0000ff"))
    found = encoded(frozenset((0,)), Picture(1, "1.jpg", mask=Mask("", colours)), out.getvalue())
    again = np.zeros_like(classes)
    for one in found.annotations:
        runs = json.loads(bytes(one.segmentation))
        again[coco.decode(runs) == 1] = one.category_id - 1
        assert list(coco.toBbox(runs)) == list(one.bbox or ())
        assert coco.area(runs) == one.area
    assert (found.unknown, found.size) == (0, classes.shape[::-1])
    assert np.array_equal(again, classes)


def others(folder: Path, **changes: Any) -> str:
    """Write a file of others with masks alone; return its path."""
    runs: dict[str, Any] = {"size": [2, 3], "counts": [1, 2, 3]}
    label = {"id": 7, "image_id": 1, "category_id": 9, "segmentation": runs, "iscrowd": 0}
    picture = {"id": 1, "file_name": "1.jpg", "width": 3, "height": 2}
    whole = {"images": [picture], "annotations": [label | changes], "categories": [{"id": 9, "name": "road"}]}
    path = folder / "a.json"
    path.write_text(json.dumps(whole))
    return str(path)


def test_masks_of_others_have_the_colours_of_a_fixed_palette(tmp_path: Path) -> None:
    (found,) = read(others(tmp_path), ReadOptions()).parts[""]
    assert found.mask is not None and found.mask.content is not None
    assert found.mask.colours == ((0, "#000000"),)
    assert colours_of(found.mask.content()).tolist() == [[0xFFFFFF, 0, 0xFFFFFF], [0, 0xFFFFFF, 0xFFFFFF]]
    assert len({colour_of(index) for index in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ({"size": [2, 3], "counts": "oooo"}, "expected compressed run lengths, found another text"),
        ({"size": [2, 3], "counts": [1, 2]}, "expected runs of 6 pixels together, found 3"),
        ({"size": [10**6, 10**6], "counts": "1"}, "expected a mask of 3 x 2 pixels, found 1000000 x 1000000"),
        ({"size": [2], "counts": "1"}, "length 2"),
        ({"size": [2, 3]}, "missing required field `counts`"),
    ],
)
def test_run_lengths_that_lie_are_refused_in_one_line(
    tmp_path: Path, runs: dict[str, Any], message: str
) -> None:
    (found,) = read(others(tmp_path, segmentation=runs), ReadOptions()).parts[""]
    assert found.mask is not None and found.mask.content is not None
    with pytest.raises(BadData, match=f"a.json: image 1, annotation 7: .*{message}"):
        found.mask.content()


def test_run_lengths_beside_boxes_are_lost_and_counted(tmp_path: Path) -> None:
    found = read(others(tmp_path, bbox=[0, 0, 3, 2]), ReadOptions())
    assert (found.label_kind, found.lost) == ("boxes", {"run-length masks": 1})
