"""Ask supervision what a data set holds, or to write one; runs in the environment of the peers.

python ask_supervision.py read coco|yolo|voc PICTURES LABELS [data.yaml]    prints [[digest, label], ...]
python ask_supervision.py write coco|yolo|voc TRAP OUT                      prints true
python ask_supervision.py folder PLACE                                      prints [[digest, label], ...]
python ask_supervision.py write_folder TRAP OUT                             prints true
"""

# mypy: disable-error-code=import-not-found

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def read(form: str, pictures: str, *labels: str) -> list[Any]:
    """Return the pictures and boxes that supervision finds."""
    import supervision as sv  # here, for pytest looks into this file without having it

    readers = {
        "coco": sv.DetectionDataset.from_coco,
        "yolo": sv.DetectionDataset.from_yolo,
        "voc": sv.DetectionDataset.from_pascal_voc,
    }
    dataset = readers[form](pictures, *labels)
    rows = []
    for path in dataset.image_paths:
        found = dataset.annotations[path]
        boxes = [
            [dataset.classes[index], float(x), float(y), float(right - x), float(bottom - y)]
            for index, (x, y, right, bottom) in zip(found.class_id, found.xyxy, strict=True)
        ]
        rows.append([_digest(path), sorted(boxes)])
    return sorted(rows)


def folder(place: str) -> list[Any]:
    """Return the pictures and classes that supervision finds in a folder a class."""
    import supervision as sv

    dataset = sv.ClassificationDataset.from_folder_structure(place)
    return sorted(
        [_digest(path), [dataset.classes[index] for index in dataset.annotations[path].class_id]]
        for path in dataset.image_paths
    )


def write(form: str, trap: str, out: str) -> bool:
    """Write the pictures of ``trap.json`` with their boxes."""
    import numpy as np
    import supervision as sv

    names, pictures = _told(trap)
    found = {}
    for path, picture in pictures.items():
        corners = [[x, y, x + width, y + height] for _, x, y, width, height in picture["boxes"]]
        found[path] = sv.Detections(
            xyxy=np.array(corners, dtype=float).reshape(-1, 4),
            class_id=np.array([names.index(name) for name, *_ in picture["boxes"]], dtype=int),
        )
    dataset = sv.DetectionDataset(classes=names, images=list(found), annotations=found)
    if form == "coco":
        dataset.as_coco(f"{out}/images", f"{out}/train.json")
    elif form == "yolo":
        dataset.as_yolo(f"{out}/images", f"{out}/labels", f"{out}/data.yaml")
    else:
        dataset.as_pascal_voc(f"{out}/JPEGImages", f"{out}/Annotations")
    return True


def write_folder(trap: str, out: str) -> bool:
    """Write the pictures of ``trap.json`` with their classes."""
    import numpy as np
    import supervision as sv

    names, pictures = _told(trap)
    found = {
        path: sv.Classifications(class_id=np.array([names.index(picture["one"])]))
        for path, picture in pictures.items()
    }
    sv.ClassificationDataset(classes=names, images=list(found), annotations=found).as_folder_structure(out)
    return True


def _told(trap: str) -> tuple[list[str], dict[str, Any]]:
    """Return the classes, and the pictures by path but one: it refuses two of one name."""
    told = json.loads(Path(trap).read_text())
    raw = Path(trap).parent / "raw"
    pictures = {
        str(raw / picture["key"]): picture
        for picture in told["pictures"]
        if not picture["key"].startswith("back/")
    }
    return told["classes"], pictures


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


if __name__ == "__main__":
    words: dict[str, Callable[..., Any]] = {
        "read": read,
        "folder": folder,
        "write": write,
        "write_folder": write_folder,
    }
    print(json.dumps(words[sys.argv[1]](*sys.argv[2:])))
