"""Masks go out as YOLO's segments, and come back as masks."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifest_tools.images.mask_classes import colours_of
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from tests.pictures import jpeg, write_manifest

COLOURS = {0: ("BACKGROUND", "#ffffff"), 1: ("road", "#ff0000"), 4: ("sky", "#0000ff")}
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
    shades = {".": (255, 255, 255), "r": (255, 0, 0), "b": (0, 0, 255), "?": (1, 2, 3)}
    out = io.BytesIO()
    pixels = np.array([[shades[sign] for sign in row] for row in text.split()], np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def manifest(folder: Path, *found: bytes) -> str:
    (folder / "raw" / "masks").mkdir(parents=True)
    lines: list[dict[str, Any]] = []
    colours = {str(index): {"class-name": name, "hex-color": hex} for index, (name, hex) in COLOURS.items()}
    for number, content in enumerate(found):
        (folder / "raw" / f"{number}.jpg").write_bytes(jpeg(number, (8, 6)))
        (folder / "raw" / "masks" / f"{number}.png").write_bytes(content)
        metadata = {"internal-color-map": colours, "type": "groundtruth/semantic-segmentation"}
        ref = f"s3://raw/{number}.jpg"
        lines.append({"source-ref": ref, "m-ref": f"s3://raw/masks/{number}.png", "m-ref-metadata": metadata})
    return write_manifest(folder / "m.manifest", lines)


def test_each_region_is_a_segment_and_the_background_none(in_folder: Path) -> None:
    done = convert(manifest(in_folder, png(), png("........\n" * 6)), "yolo", "ds", images=["raw"])
    assert (done.pictures, done.problems) == (2, ())
    rows = [row.split() for row in Path("ds/labels/0.txt").read_text().splitlines()]
    assert [row[0] for row in rows] == ["1", "1", "4", "4"]
    assert all(len(row) >= 9 and len(row) % 2 for row in rows)
    assert Path("ds/labels/1.txt").read_text() == ""
    assert '"colours": {"0": "#ffffff", "1": "#ff0000", "4": "#0000ff"}' in Path("ds/data.yaml").read_text()


def test_masks_are_drawn_again_pixel_by_pixel(in_folder: Path) -> None:
    convert(manifest(in_folder, png()), "yolo", "ds", images=["raw"])
    convert_from("ds", "yolo", "back/m.manifest")
    (line,) = map(json.loads, Path("back/m.manifest").read_text().splitlines())
    (found,) = Path("back").rglob("*.png")
    assert (colours_of(found.read_bytes()) == colours_of(png())).all()
    assert line["m-ref-metadata"]["internal-color-map"]["4"] == {
        "class-name": "sky",
        "hex-color": "#0000ff",
    }


def test_pixels_of_no_class_are_said(in_folder: Path) -> None:
    done = convert(manifest(in_folder, png(MASK.replace("..bb", "?.bb"))), "yolo", "ds", images=["raw"])
    assert done.remarks[0] == "1 mask has pixels of a colour that is no class: they are of no segment"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_picture_without_a_mask_that_can_be_read_is_not_copied(in_folder: Path, jobs: int) -> None:
    done = convert(manifest(in_folder, png(), b"", png()), "yolo", "ds", images=["raw"], jobs=jobs)
    assert [(problem.line, problem.code) for problem in done.problems] == [(2, "MT402")]
    assert done.pictures == 2
    assert sorted(path.name for path in Path("ds").rglob("*.*g")) == ["0.jpg", "2.jpg"]
    assert sorted(path.name for path in Path("ds").rglob("*.txt")) == ["0.txt", "2.txt"]
