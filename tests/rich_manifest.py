"""A manifest with all that a real one may have, of every label kind, with its pictures and masks."""

import json
from pathlib import Path
from typing import Any

from manifest_tools.groundtruth.annotations import PictureLabelKind
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
