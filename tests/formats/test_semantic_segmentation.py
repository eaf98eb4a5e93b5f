"""The channels of SageMaker's Semantic Segmentation."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from manifest_tools.base.errors import BadData
from manifest_tools.formats.semantic_segmentation import IGNORED
from manifest_tools.verbs.convert.convert import convert
from tests.formats.test_coco_masks import COLOURS, MASK, png
from tests.pictures import jpeg, write_manifest

VALUES = {".": 0, "r": 1, "b": 4, "?": IGNORED}


def manifest(folder: Path, *found: bytes, name: str = "m", size: tuple[int, int] = (8, 6)) -> str:
    """Write a manifest with its pictures and masks in ./raw."""
    (folder / "raw" / "masks").mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, Any]] = []
    colours = {str(index): {"class-name": name, "hex-color": hex} for index, (name, hex) in COLOURS.items()}
    for number, content in enumerate(found):
        (folder / "raw" / f"{name}{number}.jpeg").write_bytes(jpeg(number, size))
        (folder / "raw" / "masks" / f"{name}{number}.png").write_bytes(content)
        metadata = {"internal-color-map": colours, "type": "groundtruth/semantic-segmentation"}
        ref, mask = f"s3://raw/{name}{number}.jpeg", f"s3://raw/masks/{name}{number}.png"
        lines.append({"source-ref": ref, "m-ref": mask, "m-ref-metadata": metadata})
    return write_manifest(folder / f"{name}.manifest", lines)


def values(path: str) -> Any:
    """Return the values of a mask as the algorithm reads them."""
    with Image.open(path) as image:
        assert (image.mode, len(image.getbands())) == ("P", 1)
        return np.asarray(image)


def classes(text: str) -> Any:
    return np.array([[VALUES[sign] for sign in row] for row in text.split()])


def test_each_part_has_pictures_masks_and_a_label_map(in_folder: Path) -> None:
    train = manifest(in_folder, png(), png("r" * 8), name="train")
    val = manifest(in_folder, png("........\n" * 6), name="val")
    done = convert([train, val], "semantic-segmentation", "ds", images=["raw"])
    assert (done.pictures, done.problems) == (3, ())
    assert sorted(str(path.relative_to("ds")) for path in Path("ds").rglob("*.*")) == [
        "classes.json",
        "label_map/train_label_map.json",
        "label_map/validation_label_map.json",
        "train/train0.jpg",
        "train/train1.jpg",
        "train_annotation/train0.png",
        "train_annotation/train1.png",
        "validation/val0.jpg",
        "validation_annotation/val0.png",
    ]
    assert np.array_equal(values("ds/train_annotation/train0.png"), classes(MASK))
    assert not values("ds/validation_annotation/val0.png").any()
    assert json.loads(Path("ds/label_map/train_label_map.json").read_text()) == {"scale": "1"}
    assert Path("ds/train/train0.jpg").read_bytes() == Path("raw/train0.jpeg").read_bytes()
    assert done.remarks[-1] == "for the algorithm: num_classes=5, num_training_samples=2"


def test_the_palette_shows_the_colours_of_the_mask(in_folder: Path) -> None:
    convert(manifest(in_folder, png()), "semantic-segmentation", "ds", images=["raw"])
    with Image.open("ds/train_annotation/m0.png") as image, Image.open(io.BytesIO(png())) as mask:
        assert image.convert("RGB").tobytes() == mask.convert("RGB").tobytes()


def test_a_colour_that_is_no_class_is_ignored_and_counted(in_folder: Path) -> None:
    path = manifest(in_folder, png("??r."), png("rrbb"), size=(4, 1))
    done = convert(path, "semantic-segmentation", "ds", images=["raw"])
    assert values("ds/train_annotation/m0.png").tolist() == [[IGNORED, IGNORED, 1, 0]]
    assert done.remarks == (
        "1 mask with 2 pixels of colours that are no class: 255, which is ignored",
        "for the algorithm: num_classes=5, num_training_samples=2; it wants a validation part as well",
    )


def test_a_picture_without_a_usable_mask_is_left_out(in_folder: Path) -> None:
    path = manifest(in_folder, png(), png())
    Path("raw/masks/m0.png").unlink()
    done = convert(path, "semantic-segmentation", "ds", images=["raw"])
    assert (done.pictures, [problem.line for problem in done.problems]) == (1, [1])
    assert [path.name for path in Path("ds/train").iterdir()] == ["m1.jpg"]
    assert [path.name for path in Path("ds/train_annotation").iterdir()] == ["m1.png"]


def test_a_mask_of_another_size_is_said(in_folder: Path) -> None:
    done = convert(manifest(in_folder, png("rb")), "semantic-segmentation", "ds", images=["raw"])
    assert done.remarks[0] == "1 mask of another size than the picture, written as they are"


def test_pictures_that_are_no_jpeg_become_one_when_told(in_folder: Path) -> None:
    path = manifest(in_folder, png("rb"), size=(2, 1))
    shutil.copy("raw/masks/m0.png", "raw/m0.jpeg")
    with pytest.raises(BadData, match="no picture could be used"):
        convert(path, "semantic-segmentation", "ds", images=["raw"])
    convert(path, "semantic-segmentation", "ds", images=["raw"], resize=0)
    assert Path("ds/train/m0.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_two_pictures_of_one_name_have_two_masks(in_folder: Path) -> None:
    path = Path(manifest(in_folder, png(), png("r" * 8)))
    (in_folder / "raw" / "old").mkdir()
    shutil.move("raw/m1.jpeg", "raw/old/m0.JPG")
    path.write_text(path.read_text().replace("s3://raw/m1.jpeg", "s3://raw/old/m0.JPG"))
    convert(str(path), "semantic-segmentation", "ds", images=["raw"])
    assert sorted(path.name for path in Path("ds/train").iterdir()) == ["m0-2.jpg", "m0.jpg"]
    assert values("ds/train_annotation/m0-2.png").shape == (1, 8)


def test_more_classes_than_the_algorithm_takes_are_refused_before_any_work(in_folder: Path) -> None:
    path = Path(manifest(in_folder, png()))
    path.write_text(path.read_text().replace('"4"', '"254"'))
    with pytest.raises(BadData, match=r"m.manifest: class 254 \(sky\): .* at most 253"):
        convert(str(path), "semantic-segmentation", "ds", images=["raw"])


def test_the_bytes_are_the_same_for_any_number_of_workers(in_folder: Path) -> None:
    path = manifest(in_folder, *[png()] * 5)
    for jobs in (1, 2):
        convert(path, "semantic-segmentation", f"ds{jobs}", images=["raw"], jobs=jobs)
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*.*")}
        for folder in ("ds1", "ds2")
    )
    assert one == two
