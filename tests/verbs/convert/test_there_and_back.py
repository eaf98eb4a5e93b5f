"""The law of the side-car: a manifest that went out with one comes back as it was, byte for byte."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifest_tools.formats.table import FORMATS, READ, WRITTEN
from manifest_tools.groundtruth.annotations import PictureLabelKind
from manifest_tools.verbs.convert.convert import convert
from manifest_tools.verbs.convert.from_format import convert_from
from manifest_tools.verbs.convert.loss import WouldLose
from tests.pictures import jpeg, mask_png

# A line of a labelling job, with what most formats have no place for.
JOB = {
    "job-name": "labeling-job/kind",
    "human-annotated": "yes",
    "creation-date": "2026-03-01T10:00:00.000001",
}
NAMES = {0: "right hand", 3: "left, hand"}
COLOURS = {0: "#ff0000", 3: "#00ff00"}


def label(kind: PictureLabelKind, index: int) -> dict[str, Any]:
    """Return a label and its metadata."""
    if kind == "single_label":
        found, more = index, {"class-name": NAMES[index], "confidence": 0.71}
        return pair(found, more, "image-classification")
    if kind == "multi_label":
        class_map = {str(index): NAMES[index], "0": NAMES[0]}
        more = {"class-map": class_map, "confidence-map": dict.fromkeys(class_map, 0.5)}
        return pair(sorted(map(int, class_map)), more, "image-classification-multilabel")
    if kind == "boxes":
        edges = {"left": 3, "top": 4, "width": 20 + index, "height": 11}
        size = [{"width": 60, "height": 40, "depth": 3}]
        boxes = [{"class_id": index, **edges}] * (index and 2)
        more = {
            "objects": [{"confidence": 0.9}] * len(boxes),
            "class-map": {str(index): NAMES[index]} if boxes else {},
        }
        return pair({"image_size": size, "annotations": boxes}, more, "object-detection")
    colours = {
        str(at): {"class-name": NAMES[at], "hex-color": colour, "confidence": 0.8}
        for at, colour in COLOURS.items()
    }
    return pair(f"s3://raw/masks/{index}.png", {"internal-color-map": colours}, "semantic-segmentation")


def pair(found: Any, more: dict[str, Any], task: str) -> dict[str, Any]:
    return {"kind": found, "kind-metadata": {**more, **JOB, "type": f"groundtruth/{task}"}}


def manifest_of(folder: Path, kind: PictureLabelKind) -> str:
    """Write a manifest with all that a real one may have, and its pictures and masks in ./raw."""
    pictures = folder / "raw" / "old"
    pictures.mkdir(parents=True)
    (folder / "raw" / "masks").mkdir()
    lines = []
    for number, (name, index) in enumerate((("1.jpg", 0), ("old/1.jpg", 3), ("a b#%é.jpg", 3))):
        (folder / "raw" / name).write_bytes(jpeg(60 * number))
        row = {"source-ref": f"s3://raw/{name}", **label(kind, index), "worker": f"w{number}"}
        lines.append(json.dumps(row, ensure_ascii=number == 0))
    for index in NAMES:
        (folder / "raw" / "masks" / f"{index}.png").write_bytes(mask_png(COLOURS[index], (60, 40)))
    failed = {"failure-reason": "too dark", "type": "groundtruth/x", "job-name": "labeling-job/kind"}
    lines.insert(1, json.dumps({"source-ref": "s3://raw/9.jpg", "kind-metadata": failed}))
    lines.insert(2, lines[0])  # the same picture twice
    other = {"other": 1, "other-metadata": {"class-name": "x", "type": "groundtruth/image-classification"}}
    lines.append(json.dumps(json.loads(lines[0]) | other, separators=(",", ":")))
    path = folder / "all.manifest"
    path.write_text("\r\n".join(lines[:2]) + "\r\n\n" + "\n".join(lines[2:]), "utf-8")
    return str(path)


HELD = [
    pytest.param(name, kind, id=f"{name}, {kind}")
    for name, row in FORMATS.items()
    if name in WRITTEN and name in READ
    for kind in sorted(row.labels)
]


@pytest.mark.parametrize(("name", "kind"), HELD)
def test_with_its_side_car_a_manifest_comes_back_byte_for_byte(
    in_folder: Path, name: str, kind: PictureLabelKind
) -> None:
    manifest = manifest_of(in_folder, kind)
    options: dict[str, Any] = {"resize": 20, "square": True} if name == "npy" else {}
    done = convert(manifest, name, "out/ds", images=["raw"], label_attribute="kind", side_car=True, **options)
    assert (done.pictures, done.problems, done.lost) == (5, (), {})
    back = convert_from(done.outputs[place_in(done.outputs, name)].path, name, "back.manifest")
    assert Path("back.manifest").read_bytes() == Path(manifest).read_bytes(), back.remarks


def place_in(outputs: Any, name: str) -> int:
    """Return which output is the data set."""
    endings = FORMATS[name].endings or ("ds",)
    return next(at for at, output in enumerate(outputs) if output.path.endswith(endings[0]))


@pytest.mark.parametrize(("name", "kind"), HELD)
def test_what_a_format_cannot_hold_is_said_before_anything_is_written(
    in_folder: Path, name: str, kind: PictureLabelKind
) -> None:
    manifest = manifest_of(in_folder, kind)
    with pytest.raises(WouldLose) as refused:
        convert(manifest, name, "out/ds", images=["raw"], label_attribute="kind")
    assert refused.value.counts["key worker"] == 5
    assert refused.value.counts["label attribute other"] == 1
    told = "type --side-car to keep them beside it, or --allow-loss to go on without"
    assert str(refused.value).endswith(told)
    assert not Path("out").exists()
